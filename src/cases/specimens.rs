//! A small world for the tests of this module: no database.

use chrono::{DateTime, NaiveDate, Utc};

use super::acceptance::Ground;
use super::application::{NewApplication, NewBatch};
use super::load::CaseFile;
use super::receipt::{NewContainers, NewSample};
use crate::action::Facts;
use crate::business::{Accepting, Line, Particulars, StoredParticulars};
use crate::documents::CertificateKind;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::regulation::{Business, Category, Purpose, Regulation};
use crate::store::columns::{ApplicationId, BatchId, Dec, Instant, Json, SpecificationId, TestItemId};
use crate::store::rows::{ApplicationRow, BatchRow, InstituteRow, ProductRow, SpecificationRow, TestItemRow};
use crate::vocabulary::{CaseState, Comparison, ItemKind, Role};

/// The statutory date of every test.
pub const TODAY: &str = "2026-03-04";

/// A line that works under authorisations where it says so, and asks for one entry then.
struct Plain {
    authorised: bool,
}

impl Line for Plain {
    fn businesses(&self) -> &'static [Business] {
        Business::ALL
    }

    fn heading(&self) -> (&'static str, &'static str) {
        ("", "")
    }

    fn authorised(&self) -> bool {
        self.authorised
    }

    fn check_acceptance(&self, case: &Accepting<'_>) -> Result<(), Refusal> {
        if self.authorised && case.authorisations.is_empty() {
            return Err(Refusal::new(Code::NotAuthorised, "未授权", "not authorised"));
        }
        Ok(())
    }

    fn document(&self, _: bool) -> CertificateKind {
        CertificateKind::TestReport
    }
}

/// Who acts, when, and under which regulation.
pub struct World {
    pub actor: Actor,
    pub regulation: Regulation,
    now: DateTime<Utc>,
}

impl World {
    pub fn new() -> Self {
        let now = DateTime::parse_from_rfc3339("2026-03-04T09:00:00+08:00").expect("an instant").to_utc();
        let actor = Actor {
            account: "receiver".into(),
            username: "receiver".into(),
            display_name: "收样员".into(),
            institute: Some("i".into()),
            applicant: None,
            roles: vec![Role::Receiver],
            request_id: None,
            session: None,
        };
        Self { actor, regulation: Regulation::embedded().expect("the regulation"), now }
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts { actor: &self.actor, now: self.now, regulation: &self.regulation }
    }

    pub fn today(&self) -> NaiveDate {
        crate::clock::statutory_date(self.now)
    }

    pub fn ground(&self, business: Business) -> Ground {
        static PLAIN: Plain = Plain { authorised: false };
        static AUTHORISED: Plain = Plain { authorised: true };
        let line: &'static dyn Line = if business == Business::LotRelease { &AUTHORISED } else { &PLAIN };
        Ground { file: file(), line, authorisations: Vec::new(), known: Vec::new() }
    }
}

pub fn at() -> Instant {
    Instant::from(DateTime::parse_from_rfc3339("2026-03-04T09:00:00+08:00").expect("an instant").to_utc())
}

fn file() -> CaseFile {
    let text = String::new;
    let institute = InstituteRow {
        id: "i".into(),
        code: "SX".into(),
        name_zh: "示范".into(),
        name_en: text(),
        abbreviation: text(),
        jurisdiction: "CN-SX".into(),
        address_zh: text(),
        address_en: text(),
        sample_prefix: "SX".into(),
        created_at: at(),
    };
    let ten: Dec = rust_decimal::Decimal::TEN.into();
    let product = ProductRow {
        id: "p".into(),
        code: "P".into(),
        name_zh: "示范品".into(),
        name_en: text(),
        category: Category::Chemical,
        device_class: None,
        strength: text(),
        dosage_form: text(),
        package_spec: text(),
        storage: text(),
        manufacturer: text(),
        holder: text(),
        approval_number: None,
        container_name: "瓶".into(),
        container_content: ten.clone(),
        content_unit: "片".into(),
        institute_id: None,
        created_at: at(),
    };
    let specification = SpecificationRow {
        id: SpecificationId::from("s"),
        product_id: "p".into(),
        version: 1,
        title: text(),
        edition: text(),
        status: crate::vocabulary::SpecificationState::Effective,
        effective_from: None,
        drafted_by: None,
        released_by: None,
        created_at: at(),
    };
    let item = TestItemRow {
        id: TestItemId::new(),
        specification_id: "s".into(),
        position: 1,
        code: "assay".into(),
        name_zh: text(),
        name_en: text(),
        method: text(),
        kind: ItemKind::Numeric,
        unit: "%".into(),
        limit_text: text(),
        compare_by: Comparison::Rounded,
        rounding_step: None,
        formula: None,
        inputs: Json::of(&[""; 0]),
        replicates: 1,
        consumes: ten,
        in_scope: true,
        plausible: None,
        retest_allowed: None,
        consumes_unit: None,
        whole_containers: None,
        annex: Json::of(&[""; 0]),
    };
    CaseFile { institute, product, traits: Vec::new(), specification, items: vec![item] }
}

/// A draft.
pub fn application() -> ApplicationRow {
    ApplicationRow {
        id: ApplicationId::new(),
        number: String::new(),
        business: Business::DrugRegistration,
        purpose: Purpose::Initial,
        pre_submission: false,
        standard_verification: false,
        institute_id: "i".into(),
        applicant_id: "a".into(),
        product_id: "p".into(),
        specification_id: "s".into(),
        state: CaseState::Draft,
        accepted_on: None,
        arrived_at_port_on: None,
        notice_received_on: None,
        sampled_on: None,
        received_on: None,
        acceptance_number: None,
        particulars: Json::of(&StoredParticulars::from(Particulars::default())),
        lane: None,
        lane_rank: 0,
        determination: None,
        state_reason: None,
        created_by: "receiver".into(),
        created_at: at(),
    }
}

/// Its one batch.
pub fn batch(application: &ApplicationRow) -> BatchRow {
    BatchRow {
        id: BatchId::new(),
        application_id: application.id.clone(),
        position: 1,
        lot_number: "L-1".into(),
        produced_on: None,
        expires_on: Some("2028-12-31".into()),
        lot_size: None,
        withdrawn_at: None,
        withdrawn_because: None,
        despite_duplicate: None,
    }
}

/// The sample of that batch, in order.
pub fn arrived() -> NewSample {
    NewSample {
        lot_number: "L-1".into(),
        containers: NewContainers::Count(4),
        container_content: None,
        content_unit: None,
        temperature: None,
        seals_intact: true,
        packages: 1,
        packages_intact: true,
        label_matches: true,
        note: String::new(),
        refuse_because: None,
    }
}

/// An application of one batch.
pub fn new_application() -> NewApplication {
    new_application_of(1)
}

/// An application of so many batches.
pub fn new_application_of(batches: usize) -> NewApplication {
    let batch = |index: usize| NewBatch {
        lot_number: format!("L-{}", index + 1),
        produced_on: None,
        expires_on: Some("2028-12-31".into()),
        lot_size: None,
        despite_duplicate: None,
    };
    NewApplication {
        business: Business::DrugRegistration,
        purpose: Purpose::Initial,
        pre_submission: false,
        standard_verification: false,
        institute_id: None,
        applicant_id: Some("a".into()),
        product_id: "p".into(),
        specification_id: None,
        arrived_at_port_on: None,
        notice_received_on: None,
        sampled_on: None,
        acceptance_number: None,
        particulars: Particulars::default(),
        batches: (0..batches).map(batch).collect(),
    }
}
