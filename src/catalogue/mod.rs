//! The register that cases refer to: institutes, applicants, products, specifications with their test
//! items (质量标准与检验项目), and the lot-release authorisations (批签发授权).
//!
//! Which specification is in force on a day is decided by [`in_force`], purely from state and date: a released one
//! waits for its day, and the one before it is in force until the day before.

mod authorisations;
mod correcting;
mod items;
mod owners;
mod parties;
mod products;
mod refusals;
mod specifications;

pub use crate::vocabulary::register::{SpecificationDates, in_force, standings};
pub use authorisations::GrantAuthorisation;
pub use correcting::CorrectableEntry;
pub use items::NewItem;
pub use owners::{ConfirmOwner, NameKeeper, ProposeOwner};
pub use parties::{CreateApplicant, CreateInstitute};
pub(crate) use parties::{insert_institute, institute_content};
pub use products::CreateProduct;
pub use refusals::CatalogueRefusal;
pub use specifications::{DraftSpecification, ReleaseSpecification};
