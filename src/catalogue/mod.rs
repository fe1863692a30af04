//! The register that cases refer to: institutes, applicants, products, specifications with their test
//! items (质量标准与检验项目), and the lot-release authorisations (批签发授权).

mod items;
mod parties;
mod products;

pub use items::{NewItem, NewSpecification, create_specification, make_effective};
pub use parties::{NewApplicant, NewAuthorisation, NewInstitute, authorise, create_applicant, create_institute};
pub use products::{NewProduct, create_product};
