//! An application (申请) with its batches, as it is written down. Pure.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::case::Case;
use super::load::CaseFile;
use super::refusals::CasesRefusal;
use crate::action::{Context, Facts};
use crate::business::{Line, Particulars, StoredParticulars};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::regulation::{Business, Purpose};
use crate::store::columns::{ApplicantId, ApplicationId, BatchId, InstituteId, Json, ProductId, SpecificationId};
use crate::store::dialect::next_number;
use crate::store::rows::{ApplicationRow, BatchRow, InstituteRow};
use crate::store::schema::applicant;
use crate::store::{AnyConnection, Outcome};
use crate::text::{self, TypedDate, codes, date_or_blank};
use crate::vocabulary::CaseState;

/// A new application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    pub business: Business,
    /// `initial` without it
    #[serde(default = "initial")]
    pub purpose: Purpose,
    #[serde(default)]
    pub pre_submission: bool,
    /// 标准复核
    #[serde(default)]
    pub standard_verification: bool,
    /// The institute; without it, the actor's own
    pub institute_id: Option<InstituteId>,
    /// The applicant; an applicant's own account leaves it out
    pub applicant_id: Option<ApplicantId>,
    pub product_id: ProductId,
    /// Without it, the product's specification that is in force
    pub specification_id: Option<SpecificationId>,
    #[serde(default, deserialize_with = "date_or_blank")]
    pub arrived_at_port_on: Option<TypedDate>,
    #[serde(default, deserialize_with = "date_or_blank")]
    pub notice_received_on: Option<TypedDate>,
    #[serde(default, deserialize_with = "date_or_blank")]
    pub sampled_on: Option<TypedDate>,
    /// 受理号, where there is one
    pub acceptance_number: Option<String>,
    #[serde(default)]
    pub particulars: Particulars,
    pub batches: Vec<NewBatch>,
}

fn initial() -> Purpose {
    Purpose::Initial
}

/// A batch or lot of the application.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// As the manufacturer writes it, sub-lots included: `202506022（1-2）`
    pub lot_number: String,
    /// As on the label: the forms differ, so it is kept as written
    pub produced_on: Option<String>,
    /// As on the label; where it cannot be read as a date, or as two, the desk is asked on receipt
    pub expires_on: Option<String>,
    pub lot_size: Option<String>,
    /// Why it is taken although there is a case of the same lot, here or in another institute
    #[serde(default)]
    pub despite_duplicate: Option<String>,
}

/// An application that was read and found in order, not yet numbered.
#[derive(Clone, Debug)]
pub(super) struct NewCase {
    pub case: Case,
    pub batches: Vec<BatchRow>,
}

/// The institute that a new application goes to.
fn institute_for(actor: &Actor, new: &NewApplication) -> Result<InstituteId, CasesRefusal> {
    match (&actor.institute, &new.institute_id) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(named)) if own == named => Ok(own.clone()),
        (Some(_), Some(_)) => Err(CasesRefusal::OtherInstitute),
        (None, Some(named)) => Ok(named.clone()),
        (None, None) => Err(CasesRefusal::Missing { field: "institute_id" }),
    }
}

/// What a new application rests on today.
pub(super) fn file_for(
    conn: &mut AnyConnection,
    actor: &Actor,
    new: &NewApplication,
    today: NaiveDate,
) -> Outcome<CaseFile> {
    let institute = institute_for(actor, new)?;
    CaseFile::load(conn, &institute, &new.product_id, new.specification_id.as_ref(), today)
}

/// The same for an application that is kept: its applicant is known too.
pub(super) fn file_of_known(
    conn: &mut AnyConnection,
    actor: &Actor,
    new: &NewApplication,
    today: NaiveDate,
) -> Outcome<CaseFile> {
    let file = file_for(conn, actor, new, today)?;
    known_applicant(conn, actor, &file.institute.id, &applicant_of(new, actor)?)?;
    Ok(file)
}

/// The applicant is the institute's own or a shared one. An applicant who is not the institute's finds no such
/// institute.
fn known_applicant(conn: &mut AnyConnection, actor: &Actor, institute: &InstituteId, id: &ApplicantId) -> Outcome<()> {
    let owner: Option<Option<InstituteId>> =
        applicant::table.find(id).select(applicant::institute_id).first(conn).optional()?;
    match (owner, actor.applicant.is_some()) {
        (Some(owner), _) if owner.as_ref().is_none_or(|owner| owner == institute) => Ok(()),
        (_, true) => Err(CasesRefusal::NoInstitute(institute.clone()).into()),
        (_, false) => Err(CasesRefusal::NoApplicant(id.clone()).into()),
    }
}

/// Reads a new application.
///
/// # Errors
/// Names the field that is not as expected.
pub(super) fn draft(
    new: &NewApplication,
    file: &CaseFile,
    line: &dyn Line,
    facts: &Facts<'_>,
) -> Result<NewCase, Refusal> {
    let day = |typed: Option<TypedDate>| typed.map(|TypedDate(day)| day.into());
    let acceptance_number = new.acceptance_number.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let row = ApplicationRow {
        id: ApplicationId::new(),
        number: String::new(),
        business: new.business,
        purpose: new.purpose,
        pre_submission: new.pre_submission,
        standard_verification: new.standard_verification,
        institute_id: file.institute.id.clone(),
        applicant_id: applicant_of(new, facts.actor)?,
        product_id: file.product.id.clone(),
        specification_id: file.specification.id.clone(),
        state: CaseState::Draft,
        accepted_on: None,
        arrived_at_port_on: day(new.arrived_at_port_on),
        notice_received_on: day(new.notice_received_on),
        sampled_on: day(new.sampled_on),
        received_on: None,
        acceptance_number: acceptance_number.map(|text| text::required("acceptance_number", text, 60)).transpose()?,
        particulars: Json::of(&StoredParticulars::from(new.particulars.checked()?)),
        lane: None,
        lane_rank: 0,
        determination: None,
        state_reason: None,
        created_by: facts.actor.account.clone(),
        created_at: facts.now.into(),
    };
    let batches = check_batches(&row.id, &new.batches)?;
    let case = Case::new(row);
    let dates = case.dates();
    dates.not_after(facts.today())?;
    line.check_dates(&dates)?;
    Ok(NewCase { case, batches })
}

fn applicant_of(new: &NewApplication, actor: &Actor) -> Result<ApplicantId, CasesRefusal> {
    match (&actor.applicant, &new.applicant_id) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(named)) if own == named => Ok(own.clone()),
        (Some(_), Some(_)) => Err(CasesRefusal::OtherApplicant),
        (None, Some(named)) => Ok(named.clone()),
        (None, None) => Err(CasesRefusal::Missing { field: "applicant_id" }),
    }
}

/// A reason, where one is given.
pub(super) fn reason(field: &str, typed: Option<&str>) -> Result<Option<String>, Refusal> {
    let said = text::optional(field, typed.unwrap_or_default(), text::REMARK)?;
    Ok(Some(said).filter(|said| !said.is_empty()))
}

fn check_batches(application_id: &ApplicationId, new: &[NewBatch]) -> Result<Vec<BatchRow>, Refusal> {
    if new.is_empty() || new.len() > 50 {
        return Err(CasesRefusal::BatchCount.into());
    }
    let mut rows: Vec<BatchRow> = Vec::with_capacity(new.len());
    for (index, batch) in new.iter().enumerate() {
        let at = |field: &str| format!("batches[{index}].{field}");
        let text = |field: &str, text: &Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty());
            text.map(|t| text::required(&at(field), t, 60)).transpose()
        };
        let row = BatchRow {
            id: BatchId::new(),
            application_id: application_id.clone(),
            position: i64::try_from(index).unwrap_or(i64::MAX) + 1,
            lot_number: text::required(&at("lot_number"), &batch.lot_number, 60)?,
            produced_on: text("produced_on", &batch.produced_on)?,
            expires_on: text("expires_on", &batch.expires_on)?,
            lot_size: text("lot_size", &batch.lot_size)?,
            withdrawn_at: None,
            withdrawn_because: None,
            despite_duplicate: reason(&at("despite_duplicate"), batch.despite_duplicate.as_deref())?,
        };
        let same = |other: &BatchRow| codes::lot_key(&other.lot_number) == codes::lot_key(&row.lot_number);
        if rows.iter().any(same) {
            return Err(CasesRefusal::LotTwice { batch: index }.into());
        }
        rows.push(row);
    }
    Ok(rows)
}

/// What is numbered. The kind is part of the name of a series: an institute whose prefix ends like another's mark of
/// applications shares no series with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    Application,
    Sample,
}

impl Series {
    /// Its name, and what its numbers begin with.
    fn of(self, prefix: &str) -> (String, String) {
        match self {
            Self::Application => (format!("application:{prefix}"), format!("{prefix}C")),
            Self::Sample => (format!("sample:{prefix}"), prefix.to_owned()),
        }
    }
}

/// The next number of an institute's series: `SX20260001`.
pub(super) fn numbered(cx: &mut Context<'_>, series: Series, institute: &InstituteRow) -> Outcome<String> {
    use chrono::Datelike;
    let year = i64::from(cx.today().year());
    let (name, begins) = series.of(&institute.sample_prefix);
    let number = next_number(cx.conn, &name, year)?;
    Ok(format!("{begins}{year}{number:04}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};

    fn refused(change: impl Fn(&mut NewApplication)) -> Refusal {
        let world = World::new();
        let mut new = specimens::new_application();
        change(&mut new);
        let ground = world.ground(new.business);
        match draft(&new, &ground.file, ground.line, &world.facts()) {
            Ok(_) => panic!("it is refused"),
            Err(refusal) => refusal,
        }
    }

    #[test]
    fn no_two_kinds_and_no_two_prefixes_share_a_series() {
        let all = [Series::Application.of("SX"), Series::Sample.of("SX"), Series::Sample.of("SXC")];
        let names: std::collections::BTreeSet<&String> = all.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!((all[0].1.as_str(), all[1].1.as_str()), ("SXC", "SX"));
    }

    #[test]
    fn what_is_in_order_is_a_draft() {
        let world = World::new();
        let ground = world.ground(Business::DrugRegistration);
        let new = specimens::new_application();
        let draft = draft(&new, &ground.file, ground.line, &world.facts()).expect("a draft");
        assert_eq!((draft.case.row().state, draft.batches.len()), (CaseState::Draft, 1));
    }

    #[test]
    fn a_field_that_is_not_as_expected_is_named() {
        let field = |change: fn(&mut NewApplication)| refused(change).field.unwrap_or_default();
        assert_eq!(field(|new| new.applicant_id = None), "applicant_id");
        assert_eq!(field(|new| new.batches.clear()), "batches");
        assert_eq!(field(|new| new.batches[0].lot_number = " ".into()), "batches[0].lot_number");
        assert_eq!(field(|new| new.batches.push(new.batches[0].clone())), "batches[1].lot_number");
        assert_eq!(field(|new| new.particulars.port = "\u{1}".into()), "particulars.port");
        let tomorrow = NaiveDate::from_ymd_opt(2026, 3, 5).map(TypedDate);
        assert_eq!(refused(|new| new.sampled_on = tomorrow).field.as_deref(), Some("sampled_on"));
    }

    #[test]
    fn an_applicant_applies_in_its_own_name() {
        let world = World::new();
        let mut actor = world.actor.clone();
        actor.applicant = Some("other".into());
        let new = specimens::new_application();
        assert_eq!(applicant_of(&new, &actor), Err(CasesRefusal::OtherApplicant));
        actor.applicant.clone_from(&new.applicant_id);
        assert_eq!(applicant_of(&new, &actor).ok(), new.applicant_id);
        actor.institute = None;
        assert_eq!(institute_for(&actor, &new), Err(CasesRefusal::Missing { field: "institute_id" }));
    }
}
