//! Read models: what lists and pages show. Bounded, paged, one query a list where one suffices.

mod bench;
mod cases;
mod catalogue;
mod certificates;
mod corrections;
mod duties;
mod evaluations;
mod files;
mod imports;
mod investigations;
mod keeping;
pub mod keyset;
mod own_cases;
mod owners;
mod pages;
mod people;
mod queue;
mod reader;
mod samples;
mod signatures;

use serde::Serialize;
use utoipa::ToSchema;

use super::columns::Json;
pub use bench::{DecisionView, ReadingView, ResultView, TaskEvaluation, TaskFacts, TaskItem, TaskView, task};
pub use cases::{CaseBatch, CaseDetail, CaseFilter, CaseRow, case, cases};
pub use catalogue::{
    ApplicantView, AuthorisationView, InstituteView, ProductView, Search, SpecificationView, TestItemView,
    applicant_name, applicant_of_name, applicants, authorisation, authorisations, institute, institutes, product,
    product_of_code, products, specifications,
};
pub use certificates::{
    CertificateFilter, CertificateListRow, CertificateView, certificate_view, certificates, own_certificate_file,
};
pub use corrections::{
    CorrectedCertificate, CorrectionFilter, RecordCorrectionView, correction, corrections, corrections_waiting,
};
pub use duties::{DutyFact, duties_of_certificate, duties_of_import, duties_of_specification, duties_of_task};
pub use evaluations::{
    EnteredFrom, EvaluableFile, EvaluatedFile, EvaluationDetail, EvaluationFilter, EvaluationListRow, EvaluationView,
    StandardFilter, StandardView, evaluable_files, evaluation, evaluations, standard, standards, standards_named,
};
pub use files::{
    CompanionView, FileFilter, FileListRow, InstrumentFileView, LocatorView, ObservationView, ProblemView, context_of,
    files, files_of_instrument, locator_of, problems_of,
};
pub use imports::{CheckView, ImportView, import_checks, imports};
pub use investigations::{AnalystName, InvestigationStepView, InvestigationView, RepetitionView, analysts};
pub use keeping::{HandoverView, KeepingStepView, KeepingView, handovers, keeping};
pub use own_cases::{OwnCaseDetail, OwnCaseRow, own_case, own_cases};
pub use owners::{OwnerOpen, OwnerProposalView, owner_proposals, owners_open};
pub use pages::{AwaitingCertificate, CertificateDetail, awaiting_certificate, certificate, names};
pub use people::{AccountView, account, accounts};
pub use queue::{QueueFilter, QueueRow, ReviewFilter, ReviewRow, first_waiting, queue, to_review};
pub use reader::Reader;
pub use samples::{CaseProduct, LabelPrint, SampleDetail, label_prints, sample, sample_by_number};
pub use signatures::{SignatoryFieldView, SignatureFilter, SignatureView, signatory_fields, signatures};

/// A part of a list with the size of the whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Listed<T> {
    pub total: i64,
    pub items: Vec<T>,
}

/// A place in a file in words: `第 12 行`, `Sheet1!B7`, `$.injections[0].area`.
#[must_use]
pub fn locator_text(locator: &Json) -> String {
    let tree = locator.tree();
    let text = |key: &str| tree.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    match (text("line"), text("sheet"), text("cell"), text("path")) {
        (Some(line), ..) => format!("第 {line} 行"),
        (_, Some(sheet), Some(cell), _) => format!("{sheet}!{cell}"),
        (.., Some(path)) => path,
        _ => String::new(),
    }
}
