//! What is refused of accounts, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::store::Failure;
use crate::store::columns::{AccountId, SignatoryFieldId};
use crate::vocabulary::states::WrongState;

/// Why an account stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRefusal {
    /// There is no such account.
    NoAccount(AccountId),
    /// The first account is there already.
    NotTheFirst,
    /// The user name has other characters, or too few or too many.
    UserName,
    /// The display name is empty or too long.
    DisplayName,
    /// An account belongs to an institute or to an applicant.
    BelongsToOne,
    /// There is no such institute.
    InstituteUnknown,
    /// There is no such applicant.
    ApplicantUnknown,
    /// Somebody else has the user name.
    NameTaken(String),
    /// An account without a role.
    NoRole,
    /// The roles do not fit what the account belongs to.
    RolesMisfit,
    /// Nobody changes the own roles.
    OwnRoles,
    /// The role of the installation is given and taken by those who have it.
    InstallationOnly,
    /// The institute has an administrator already.
    NotItsFirst,
    /// Nobody else could administer.
    LastAdministrator,
    /// Nobody appoints themselves.
    OwnAppointment,
    /// The account has not the role of a signatory.
    NoSignatory,
    /// A signatory of lot release is appointed for a time.
    LotReleaseUndated,
    /// An appointment does not end before it begins, nor in the past.
    EndsBeforeItBegins { field: &'static str },
    /// There is no such appointment.
    NoField(SignatoryFieldId),
    /// The appointment was ended already.
    FieldEnded,
    /// The state of the account does not allow it.
    State(WrongState),
}

impl From<AccountRefusal> for Refusal {
    fn from(why: AccountRefusal) -> Self {
        use AccountRefusal as Why;
        match why {
            Why::NoAccount(id) => Self::not_found("账户", "account", id.as_str()),
            Why::NotTheFirst => Self::new(
                Code::Conflict,
                "系统已有账户，请由管理员添加",
                "there are accounts already: an administrator adds more",
            ),
            Why::UserName => Self::field(
                "username",
                "用户名为3至64个小写字母、数字或 . _ -",
                "a user name has 3 to 64 small letters, digits, or . _ -",
            ),
            Why::DisplayName => {
                Self::field("display_name", "姓名为1至100个字符", "a display name has 1 to 100 characters")
            }
            Why::BelongsToOne => Self::field(
                "institute",
                "账户须属于一个机构或一个申请人，二者择一",
                "an account belongs to either an institute or an applicant",
            ),
            Why::InstituteUnknown => Self::field("institute", "未找到该机构", "there is no such institute"),
            Why::ApplicantUnknown => Self::field("applicant", "未找到该申请人", "there is no such applicant"),
            Why::NameTaken(name) => {
                Self::new(Code::Conflict, format!("用户名 {name} 已被使用"), format!("the user name {name} is taken"))
                    .at("username")
            }
            Why::NoRole => Self::field("roles", "至少须有一个角色", "an account has at least one role"),
            Why::RolesMisfit => Self::field(
                "roles",
                "申请人账户仅有申请人角色，机构账户不得有申请人角色",
                "the role applicant goes with an applicant's account, and with no other",
            ),
            Why::OwnRoles => Self::new(
                Code::Forbidden,
                "不得更改本人的角色，请由其他管理员办理",
                "nobody changes the own roles: another administrator does",
            ),
            Why::InstallationOnly => Self::new(
                Code::Forbidden,
                "安装管理员角色及其账户仅由安装管理员办理",
                "the role of the installation, and who has it, are a matter of those who have it",
            ),
            Why::NotItsFirst => Self::new(
                Code::Conflict,
                "该机构已有管理员，请由其办理",
                "the institute has an administrator already, whose matter it is",
            ),
            Why::LastAdministrator => {
                Self::new(Code::Conflict, "至少须保留一名管理员", "at least one administrator must stay")
            }
            Why::OwnAppointment => Self::new(
                Code::SelfReview,
                "不得任命本人为授权签字人，请由他人办理",
                "nobody appoints themselves as a signatory: somebody else does",
            ),
            Why::NoSignatory => {
                Self::field("id", "该账户没有授权签字人角色", "the account has not the role of an authorised signatory")
            }
            Why::LotReleaseUndated => Self::field(
                "valid_to",
                "批签发签字人须有任期，请填写截止日期",
                "a signatory of lot release is appointed for a time: say until when",
            ),
            Why::EndsBeforeItBegins { field } => Self::field(field, "截止日期过早", "the last day is too early"),
            Why::NoField(id) => Self::not_found("授权签字领域", "field of a signatory", id.as_str()),
            Why::FieldEnded => Self::new(Code::WrongState, "该授权已终止", "the appointment was ended already"),
            Why::State(refused) => refused.into(),
        }
    }
}

impl From<AccountRefusal> for Failure {
    fn from(why: AccountRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::vocabulary::AccountState;
    use crate::vocabulary::register::AccountEvent;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use AccountRefusal as Why;
        walk::every(
            include_str!("refusals.rs"),
            &[
                Why::NoAccount("a".into()),
                Why::NotTheFirst,
                Why::UserName,
                Why::DisplayName,
                Why::BelongsToOne,
                Why::InstituteUnknown,
                Why::ApplicantUnknown,
                Why::NameTaken("somebody".into()),
                Why::NoRole,
                Why::RolesMisfit,
                Why::OwnRoles,
                Why::InstallationOnly,
                Why::NotItsFirst,
                Why::LastAdministrator,
                Why::OwnAppointment,
                Why::NoSignatory,
                Why::LotReleaseUndated,
                Why::EndsBeforeItBegins { field: "ends_on" },
                Why::NoField("f".into()),
                Why::FieldEnded,
                Why::State(WrongState::Account(AccountState::Disabled, AccountEvent::Disable)),
            ],
        );
    }
}
