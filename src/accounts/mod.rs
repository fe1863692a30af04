//! Accounts: made, changed and disabled by an administrator; one's own password; the first institute.
//!
//! They are a floor above [`crate::people`], which knows who somebody is and nothing of actions: `action` hands
//! `people` down in its services, so actions on accounts cannot live there. Logging in, refreshing and logging out are
//! matters of the session and stay with it.
//!
//! No password is shown, logged or written: [`crate::secrets::Password`] carries it to its hash, which is made in
//! `prepare`, outside of every transaction.

mod bootstrap;
mod create;
mod demonstration;
mod disable;
mod passwords;
mod refusals;
mod roles;
mod second_factor;
mod sessions;
mod signatories;
mod write;

pub use bootstrap::{AppointAdministrator, BootstrapInstitute, FirstAdministrator, bootstrap};
pub use create::CreateAccount;
pub use demonstration::{MarkDemonstration, is_demonstration, mark_demonstration};
pub use disable::DisableAccount;
pub use passwords::{ChangePassword, ResetPassword};
pub use refusals::AccountRefusal;
pub use roles::SetRoles;
pub use second_factor::{ConfirmSecondFactor, OfferSecondFactor, ResetSecondFactor};
pub use sessions::EndSession;
pub use signatories::{AppointSignatory, EndSignatoryField, SigningField, fields_of, in_field};
