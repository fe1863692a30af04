//! Putting right what is on record of a case and of its lots: what can be, what a new text has to be like, and what follows
//! for the clocks. Who may, and after whose word, is the business of `corrections`.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::case::{Case, particulars_of};
use super::clocks::{Restarted, restart, restarted};
use super::load::{CaseFile, batches_of, clocks_of};
use super::refusals::CasesRefusal;
use crate::action::{Context, Facts};
use crate::business::{COMMON, Field, Line, Lines, Particulars, RecordedField, StoredParticulars};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{ApplicationId, BatchId, Day, Json};
use crate::store::rows::{ApplicationClockRow, BatchRow};
use crate::store::schema::{batch, lot_key};
use crate::store::{AnyConnection, Outcome};
use crate::text;

const ACCEPTANCE_NUMBER: Field = Field::new("acceptance_number", "受理号", "Acceptance number");

const OF_BATCHES: &[Field] = &[
    Field::new("lot_number", "批号", "Lot number"),
    Field::new("produced_on", "生产日期", "Made on"),
    Field::new("expires_on", "有效期至", "Expires on"),
    Field::new("lot_size", "批量", "Lot size"),
];

/// A case with what a correction of it is decided from.
#[derive(Clone)]
pub struct CorrectableCase {
    case: Case,
    line: &'static dyn Line,
    file: CaseFile,
    clocks: Vec<ApplicationClockRow>,
    particulars: Particulars,
}

/// A case that was put right, with what that does to its clocks.
pub struct CorrectedCase {
    case: Case,
    clocks: Restarted,
}

impl CorrectableCase {
    /// The case of that id, where it is of the actor's institute.
    ///
    /// # Errors
    /// Where there is none.
    pub fn load(conn: &mut AnyConnection, lines: &Lines, actor: &Actor, id: &ApplicationId) -> Outcome<Self> {
        let case = Case::of_institute(conn, actor, id)?;
        let line = lines.of(case.row().business)?;
        let (file, clocks) = (CaseFile::of(conn, case.row())?, clocks_of(conn, id)?);
        Ok(Self { file, line, clocks, particulars: particulars_of(case.row())?, case })
    }

    /// Its dates, its particulars and the number that the authority gave it.
    #[must_use]
    pub fn fields(&self) -> Vec<RecordedField> {
        let dates = self.case.dates();
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let mut fields: Vec<RecordedField> = self
            .line
            .dates()
            .iter()
            .map(|field| RecordedField { field: *field, value: day(dates.of(field)) })
            .collect();
        let value = self.case.row().acceptance_number.clone().unwrap_or_default();
        fields.push(RecordedField { field: ACCEPTANCE_NUMBER, value });
        let all = COMMON.iter().chain(self.line.particulars());
        fields.extend(all.map(|field| RecordedField { field: *field, value: self.particulars.get(field.name) }));
        fields
    }

    /// The fields that a case of any line may have.
    #[must_use]
    pub fn named(lines: &Lines) -> Vec<Field> {
        let of_lines = lines.all().flat_map(|line| line.dates().iter().chain(line.particulars()));
        of_lines.chain(COMMON).copied().chain([ACCEPTANCE_NUMBER]).collect()
    }

    /// The case with the new text of a field, as it is kept, and its clocks.
    ///
    /// # Errors
    /// Where the text is not what the field holds, dates contradict each other, or a clock runs out of the calendar.
    pub fn with(&self, facts: &Facts<'_>, field: &str, new: &str) -> Result<(String, CorrectedCase), Refusal> {
        let mut case = self.case.clone();
        let known = self.fields();
        let found = known.iter().find(|one| one.field.name == field);
        let found = found.ok_or_else(|| CasesRefusal::NoSuchField(field.to_owned()))?;
        let kept = match field {
            "arrived_at_port_on" | "notice_received_on" | "sampled_on" => {
                let day = text::date_opt("new_value", Some(new))?;
                set(&mut case, field, day);
                day.map(|day| day.to_string()).unwrap_or_default()
            }
            "acceptance_number" => {
                let kept = text::optional("new_value", new, 60)?;
                case.facts().acceptance_number = Some(kept.clone()).filter(|text| !text.is_empty());
                kept
            }
            name => {
                let old = &self.particulars;
                let given = Particulars::of(|known| if known == name { new.to_owned() } else { old.get(known) });
                let checked = given.checked().map_err(|refusal| refusal.at("new_value"))?;
                case.facts().particulars = Json::of(&StoredParticulars::from(checked.clone()));
                checked.get(name)
            }
        };
        case.note(field, found.value.as_str(), kept.as_str());
        let dates = case.dates();
        dates.not_after(facts.today()).map_err(|refusal| Refusal::from(refusal).at("new_value"))?;
        self.line.check_dates(&dates).map_err(|refusal| refusal.at("new_value"))?;
        let clocks = restarted(facts.regulation, self.case.row(), case.row(), &self.file, &self.clocks)?;
        for (name, old, new) in clocks.said() {
            case.note(&format!("clock.{name}"), old, new);
        }
        Ok((kept, CorrectedCase { case, clocks }))
    }
}

fn set(case: &mut Case, field: &str, day: Option<NaiveDate>) {
    let day = day.map(Day::from);
    let row = case.facts();
    match field {
        "arrived_at_port_on" => row.arrived_at_port_on = day,
        "notice_received_on" => row.notice_received_on = day,
        _ => row.sampled_on = day,
    }
}

impl CorrectedCase {
    /// Writes it with the event of that name, and lets open work follow the clocks.
    ///
    /// # Errors
    /// The store's failure.
    pub fn keep(self, cx: &mut Context<'_>, name: &'static str, reason: &str) -> Outcome<()> {
        let row = self.case.row().clone();
        let event = self.case.write(cx.conn, name)?;
        cx.record(event.because(reason));
        restart(cx, &row.id, &self.clocks)
    }
}

/// A lot with what a correction of it is decided from.
#[derive(Clone)]
pub struct CorrectableBatch {
    batch: BatchRow,
    others: Vec<BatchRow>,
}

impl CorrectableBatch {
    /// The lot of that id, where its case is of the actor's institute.
    ///
    /// # Errors
    /// Where there is none.
    pub fn load(conn: &mut AnyConnection, actor: &Actor, id: &BatchId) -> Outcome<Self> {
        let none = || CasesRefusal::NoBatch(id.clone());
        let case: Option<ApplicationId> = batch::table.find(id).select(batch::application_id).first(conn).optional()?;
        let case = case.ok_or_else(none)?;
        // Of another institute it is not there, whatever is said of its case.
        Case::of_institute(conn, actor, &case).map_err(|_| none())?;
        let (mut own, others): (Vec<_>, Vec<_>) = batches_of(conn, &case)?.into_iter().partition(|one| one.id == *id);
        let batch = own.pop().ok_or_else(none)?;
        Ok(Self { batch, others })
    }

    /// Whose lot it is.
    #[must_use]
    pub fn case(&self) -> &ApplicationId {
        &self.batch.application_id
    }

    /// The fields that a lot has.
    #[must_use]
    pub fn named() -> Vec<Field> {
        OF_BATCHES.to_vec()
    }

    /// What its label and its papers say.
    #[must_use]
    pub fn fields(&self) -> Vec<RecordedField> {
        let row = &self.batch;
        let value = |name: &str| match name {
            "lot_number" => row.lot_number.clone(),
            "produced_on" => row.produced_on.clone().unwrap_or_default(),
            "expires_on" => row.expires_on.clone().unwrap_or_default(),
            _ => row.lot_size.clone().unwrap_or_default(),
        };
        OF_BATCHES.iter().map(|field| RecordedField { field: *field, value: value(field.name) }).collect()
    }

    /// The new text of a field as it is kept.
    ///
    /// # Errors
    /// Where it is not what the field holds, or another lot of the case has that number.
    pub fn checked(&self, field: &str, new: &str) -> Result<String, Refusal> {
        if !OF_BATCHES.iter().any(|known| known.name == field) {
            return Err(CasesRefusal::NoSuchField(field.to_owned()).into());
        }
        if field != "lot_number" {
            return text::optional("new_value", new, 60);
        }
        let kept = text::required("new_value", new, 60)?;
        if self.others.iter().any(|other| text::codes::same_code(&other.lot_number, &kept)) {
            return Err(CasesRefusal::LotOfAnother(kept).into());
        }
        Ok(kept)
    }

    /// Writes a text that was checked, with the event of that name.
    ///
    /// # Errors
    /// The store's failure.
    pub fn keep(
        &self,
        cx: &mut Context<'_>,
        name: &'static str,
        (field, new): (&str, &str),
        reason: &str,
    ) -> Outcome<()> {
        let given = Some(new.to_owned()).filter(|text| !text.is_empty());
        let row = batch::table.find(&self.batch.id);
        match field {
            "lot_number" => {
                diesel::update(row).set(batch::lot_number.eq(new)).execute(cx.conn)?;
                // By it the same lot is found in other cases.
                let key = lot_key::table.find(&self.batch.id);
                diesel::update(key).set(lot_key::lot.eq(text::codes::lot_key(new))).execute(cx.conn)?
            }
            "produced_on" => diesel::update(row).set(batch::produced_on.eq(given)).execute(cx.conn)?,
            "expires_on" => diesel::update(row).set(batch::expires_on.eq(given)).execute(cx.conn)?,
            _ => diesel::update(row).set(batch::lot_size.eq(given)).execute(cx.conn)?,
        };
        let old = self.fields().into_iter().find(|one| one.field.name == field).map(|one| one.value);
        let change =
            Change::field(name, "application", &self.batch.application_id, field, old.unwrap_or_default(), new);
        cx.record(change.and("batch", (), self.batch.id.as_str()).because(reason));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};
    use crate::regulation::ClockName;
    use crate::vocabulary::{Business, CaseState};

    /// A line with the dates of a port.
    struct Port;

    impl Line for Port {
        fn businesses(&self) -> &'static [Business] {
            &[Business::PortEntry]
        }

        fn heading(&self) -> (&'static str, &'static str) {
            ("口岸", "Port")
        }

        fn dates(&self) -> &'static [Field] {
            const DATES: &[Field] = &[
                Field::new("arrived_at_port_on", "到港日期", "Arrived at the port"),
                Field::new("sampled_on", "抽样日期", "Sampled"),
            ];
            DATES
        }

        fn particulars(&self) -> &'static [Field] {
            const PARTICULARS: &[Field] = &[Field::new("port", "口岸", "Port")];
            PARTICULARS
        }

        fn check_dates(&self, dates: &crate::business::CaseDates) -> Result<(), Refusal> {
            match dates.sampled.is_some() && dates.sampled < dates.arrived_at_port {
                true => Err(CasesRefusal::NoSamples.into()),
                false => Ok(()),
            }
        }

        fn document(&self, _: bool) -> crate::documents::CertificateKind {
            crate::documents::CertificateKind::ImportReport
        }
    }

    fn port_case(world: &World) -> CorrectableCase {
        let mut row = specimens::application();
        let day = |text: &str| text.parse::<NaiveDate>().map(Day::from).ok();
        (row.business, row.state) = (Business::PortEntry, CaseState::Testing);
        row.accepted_on = day(specimens::TODAY);
        row.arrived_at_port_on = day("2026-02-02");
        row.sampled_on = day("2026-03-03");
        let mut ground = world.ground(Business::PortEntry);
        // In Shanghai a clock runs from the arrival too.
        ground.file.institute.jurisdiction = "CN-SH".into();
        let case = super::super::acceptance::case_of(&row, &ground.file, world.today()).expect("a case");
        let accepted = super::super::acceptance::determine(&world.regulation, &case).expect("determined");
        let clocks = super::super::acceptance::clock_rows(&row.id, &accepted);
        CorrectableCase {
            case: Case::new(row),
            line: &Port,
            file: ground.file,
            clocks,
            particulars: Particulars::default(),
        }
    }

    #[test]
    fn a_mistyped_arrival_is_put_right_and_its_clock_starts_anew() {
        let world = World::new();
        let known = port_case(&world);
        let (kept, after) = known.with(&world.facts(), "arrived_at_port_on", "2026-03-02").expect("put right");
        assert_eq!(kept, "2026-03-02");
        let moved = &after.clocks.changed;
        assert!(
            moved.iter().any(|clock| clock.name == ClockName::PortSampling && clock.starts.as_str() == kept),
            "{moved:?}"
        );
        let report = |clock: &ApplicationClockRow| clock.name == ClockName::PortReport;
        assert!(known.clocks.iter().any(report) && !moved.iter().any(report), "that one runs from the sampling");
        let (_, none) = known.with(&world.facts(), "sampled_on", "").expect("it was not sampled");
        assert_eq!(none.clocks.gone, [ClockName::PortReport]);
        let (_, same) = known.with(&world.facts(), "port", "上海").expect("a particular");
        assert!(same.clocks.changed.is_empty() && same.clocks.gone.is_empty() && same.clocks.added.is_empty());
    }

    #[test]
    fn a_text_that_the_field_does_not_hold_is_refused_at_the_new_value() {
        let world = World::new();
        let known = port_case(&world);
        let at = |field: &str, new: &str| known.with(&world.facts(), field, new).err().and_then(|why| why.field);
        assert_eq!(at("arrived_at_port_on", "2026-02-30").as_deref(), Some("new_value"), "no such day");
        assert_eq!(at("arrived_at_port_on", "2026-03-04").as_deref(), Some("new_value"), "after the sampling");
        assert_eq!(at("sampled_on", "2027-01-01").as_deref(), Some("new_value"), "it has not come");
        assert_eq!(at("port", "\u{1}").as_deref(), Some("new_value"));
        assert_eq!(at("number", "SX1").as_deref(), Some("field"), "a case keeps its number");
    }

    #[test]
    fn a_lot_takes_a_number_that_no_other_of_the_case_has() {
        let row = specimens::application();
        let batch = specimens::batch(&row);
        let other = BatchRow { id: BatchId::new(), lot_number: "L-2".into(), ..batch.clone() };
        let lot = CorrectableBatch { batch, others: vec![other] };
        assert_eq!(lot.checked("lot_number", " 2026-7 ").as_deref(), Ok("2026-7"));
        assert_eq!(lot.checked("lot_number", "l－2"), Err(CasesRefusal::LotOfAnother("l－2".into()).into()));
        assert_eq!(
            lot.checked("lot_number", " ").err().and_then(|refusal| refusal.field).as_deref(),
            Some("new_value")
        );
        assert_eq!(lot.checked("expires_on", "2028年1月").as_deref(), Ok("2028年1月"), "labels are kept as written");
        assert!(lot.checked("position", "2").is_err());
    }
}
