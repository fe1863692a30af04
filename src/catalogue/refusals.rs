//! What the catalogue refuses, in one place and in both languages.

use chrono::NaiveDate;
use units::UnitError;

use crate::calculation::formula::FormulaError;
use crate::refusal::{Code, Refusal};
use crate::regulation::CaseError;
use crate::regulation::numeric::NumericError;
use crate::store::Failure;
use crate::store::columns::{ApplicantId, AuthorisationId, InstituteId, OwnerProposalId, ProductId, SpecificationId};
use crate::vocabulary::states::WrongState;

/// Why something is not entered into the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueRefusal {
    /// There is no such authorisation.
    NoAuthorisation(AuthorisationId),
    /// There is no such institute.
    NoInstitute(InstituteId),
    /// There is no such product.
    NoProduct(ProductId),
    /// There is no such specification.
    NoSpecification(SpecificationId),
    /// There is no such applicant.
    NoApplicant(ApplicantId),
    /// No product has the code that was typed.
    NoProductOfCode(String),
    /// No applicant has the name that was typed.
    NoApplicantOfName(String),
    /// There is no such proposal.
    NoProposal(OwnerProposalId),
    /// The shared catalogue is kept by another institute.
    NotKeeper,
    /// A proposal is about a product or about an applicant.
    ProductOrApplicant,
    /// The proposal is confirmed already.
    ProposalConfirmed,
    /// Nobody confirms what they proposed.
    OwnProposal,
    /// What is entered refers to an institute that is not there.
    InstituteUnknown,
    /// What is entered refers to a product that is not there.
    ProductUnknown,
    /// The state of the specification does not allow it.
    State(WrongState),
    /// An authorisation is for a product or for a category.
    ProductOrCategory,
    /// An authorisation ends before it begins.
    EndsBeforeStart,
    /// The prefix of sample numbers is of capital letters.
    PrefixLetters,
    /// Not a code of a jurisdiction.
    JurisdictionForm,
    /// Devices have a class, and nothing else has.
    DeviceClass,
    /// The product is of a category that cannot have one of its traits.
    TraitMisfit(CaseError),
    /// What is put right has no such field.
    NoSuchField(String),
    /// A specification has so many items.
    ItemCount,
    /// The specification would never be in force: another one began later.
    BeforeCurrent(NaiveDate),
    /// The comparison does not fit the kind of the item.
    ComparisonMisfit { field: String },
    /// The limit cannot be read.
    LimitUnreadable { field: String, why: NumericError },
    /// So many replicates are not believed.
    ReplicateCount { field: String },
    /// So many containers for one test are not believed.
    WholeContainers { field: String },
    /// A unit that is not known, or leads nowhere.
    UnitMisfit { field: String, why: UnitError },
    /// A picture is asked for twice.
    PictureTwice { field: String },
    /// Not a name for an input.
    InputName { field: String },
    /// Two inputs have the same name.
    InputTwice { field: String },
    /// Where the values of the input come from is not in order.
    InputSource { field: String, why: String },
    /// So many readings of one input are not believed.
    ReadingCount { field: String },
    /// Several readings need a formula.
    FormulaNeeded { field: String },
    /// The formula cannot be read.
    FormulaUnreadable { field: String, why: FormulaError },
    /// The formula uses a reading that is not declared.
    ReadingUndeclared { field: String, name: String },
}

impl From<CatalogueRefusal> for Refusal {
    fn from(why: CatalogueRefusal) -> Self {
        use CatalogueRefusal as Why;
        match why {
            Why::NoAuthorisation(id) => Self::not_found("授权", "authorisation", id.as_str()),
            Why::NoInstitute(id) => Self::not_found("机构", "institute", id.as_str()),
            Why::NoProduct(id) => Self::not_found("品种", "product", id.as_str()),
            Why::NoSpecification(id) => Self::not_found("质量标准", "specification", id.as_str()),
            Why::NoApplicant(id) => Self::not_found("申请人", "applicant", id.as_str()),
            Why::NoProductOfCode(code) => Self::field(
                "product_code",
                format!("没有代码为“{code}”的品种"),
                format!("no product has the code {code:?}"),
            ),
            Why::NoApplicantOfName(name) => Self::field(
                "applicant_name",
                format!("没有名称为“{name}”的申请人"),
                format!("no applicant is called {name:?}"),
            ),
            Why::NoProposal(id) => Self::not_found("归属提议", "proposal of an owner", id.as_str()),
            Why::NotKeeper => Self::new(
                Code::Conflict,
                "共享目录由其管理机构办理",
                "the shared catalogue is a matter of the institute that keeps it",
            ),
            Why::ProductOrApplicant => {
                Self::field("product_id", "品种与申请人二选一", "expected either a product or an applicant")
            }
            Why::ProposalConfirmed => Self::new(Code::Conflict, "该提议已确认", "the proposal is confirmed already"),
            Why::OwnProposal => Self::new(
                Code::SelfReview,
                "提议须由另一人确认",
                "a proposal is confirmed by somebody else than who made it",
            ),
            Why::InstituteUnknown => Self::field("institute_id", "未找到该机构", "there is no such institute"),
            Why::ProductUnknown => Self::field("product_id", "未找到该品种", "there is no such product"),
            Why::State(refused) => refused.into(),
            Why::ProductOrCategory => {
                Self::field("product_id", "品种与类别二选一", "expected either a product or a category")
            }
            Why::EndsBeforeStart => Self::field("valid_to", "早于生效日期", "is before valid_from"),
            Why::PrefixLetters => Self::field("sample_prefix", "应为大写字母", "expected capital letters"),
            Why::JurisdictionForm => {
                Self::field("jurisdiction", "应为 ISO 3166-2 代码，如 CN-SH", "expected ISO 3166-2, such as CN-SH")
            }
            Why::DeviceClass => Self::field(
                "device_class",
                "器械与体外诊断试剂须填类别，其他品种不填",
                "is given for devices and in-vitro diagnostics, and for nothing else",
            ),
            Why::TraitMisfit(error) => {
                let (zh, en) = error.sides();
                Self::field("traits", zh, en)
            }
            Why::NoSuchField(field) => Self::field(
                "field",
                format!("没有可更正的字段 {field}"),
                format!("there is no field {field} that could be corrected"),
            ),
            Why::ItemCount => Self::field("items", "应有 1 至 200 个检验项目", "expected 1 to 200 test items"),
            Why::BeforeCurrent(current) => Self::field(
                "effective_from",
                format!("早于现行标准的实施日期 {current}"),
                format!("is before {current}, from when on the specification in force is"),
            ),
            Why::ComparisonMisfit { field } => Self::field(
                field,
                "数值项目应为 rounded 或 full，文字项目应为 text",
                "expected rounded or full for a numeric item, text for a finding",
            ),
            Why::LimitUnreadable { field, why } => Self::field(field, why.to_string(), why.to_string()),
            Why::ReplicateCount { field } => Self::field(field, "应为 1 至 100", "expected 1 to 100"),
            Why::WholeContainers { field } => Self::field(field, "应为 0 至 5000", "expected 0 to 5000"),
            Why::UnitMisfit { field, why } => {
                let why = why.to_string();
                let (zh, en) = why.split_once(" / ").unwrap_or((&why, &why));
                Self::field(field, zh, en)
            }
            Why::PictureTwice { field } => Self::field(field, "不应重复", "expected each picture once"),
            Why::InputName { field } => Self::field(
                field,
                "应以字母开头，由字母、数字和下划线组成",
                "expected letters, digits and underscores, with a letter first",
            ),
            Why::InputTwice { field } => Self::field(field, "名称重复", "the name stands twice"),
            Why::InputSource { field, why } => Self::field(field, why.clone(), why),
            Why::ReadingCount { field } => Self::field(field, "应为 0 至 500", "expected 0 to 500"),
            Why::FormulaNeeded { field } => {
                Self::field(field, "多个读数须有计算公式", "several readings need a formula")
            }
            Why::FormulaUnreadable { field, why } => Self::field(field, why.to_string(), why.to_string()),
            Why::ReadingUndeclared { field, name } => Self::field(
                field,
                format!("公式使用了未定义的读数 {name}"),
                format!("the formula uses the reading {name}, which is not declared"),
            ),
        }
    }
}

impl From<WrongState> for CatalogueRefusal {
    fn from(refused: WrongState) -> Self {
        Self::State(refused)
    }
}

impl From<CatalogueRefusal> for Failure {
    fn from(why: CatalogueRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::vocabulary::SpecificationState;
    use crate::vocabulary::register::SpecificationEvent;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use CatalogueRefusal as Why;
        let field = String::from("items[0].limit");
        let syntax = FormulaError::Missing("y".into());
        walk::every_but(
            include_str!("refusals.rs"),
            &[
                Why::NoAuthorisation("a".into()),
                Why::NoInstitute("i".into()),
                Why::NoProduct("p".into()),
                Why::NoSpecification("s".into()),
                Why::NoApplicant("a".into()),
                Why::NoProductOfCode("P".into()),
                Why::NoApplicantOfName("Nobody".into()),
                Why::NoProposal("o".into()),
                Why::NotKeeper,
                Why::ProductOrApplicant,
                Why::ProposalConfirmed,
                Why::OwnProposal,
                Why::InstituteUnknown,
                Why::ProductUnknown,
                Why::State(WrongState::Specification(SpecificationState::Effective, SpecificationEvent::Release)),
                Why::ProductOrCategory,
                Why::EndsBeforeStart,
                Why::PrefixLetters,
                Why::JurisdictionForm,
                Why::DeviceClass,
                Why::TraitMisfit(CaseError::Contradiction {
                    field: "product.traits".into(),
                    zh: "不符".into(),
                    en: "misfit".into(),
                }),
                Why::NoSuchField("code".into()),
                Why::ItemCount,
                Why::BeforeCurrent(NaiveDate::MIN),
                Why::ComparisonMisfit { field: field.clone() },
                Why::LimitUnreadable { field: field.clone(), why: NumericError::NotANumber { text: "x".into() } },
                Why::ReplicateCount { field: field.clone() },
                Why::WholeContainers { field: field.clone() },
                Why::UnitMisfit { field: field.clone(), why: UnitError::Unknown { text: "x".into() } },
                Why::PictureTwice { field: field.clone() },
                Why::InputName { field: field.clone() },
                Why::InputTwice { field: field.clone() },
                Why::InputSource { field: field.clone(), why: "expected 1 or more".into() },
                Why::ReadingCount { field: field.clone() },
                Why::FormulaNeeded { field: field.clone() },
                Why::FormulaUnreadable { field: field.clone(), why: syntax },
                Why::ReadingUndeclared { field, name: "y".into() },
            ],
            &["LimitUnreadable", "InputSource", "FormulaUnreadable"],
        );
    }
}
