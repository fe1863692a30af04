//! Calibrations (校准/检定) of instruments: append-only, and what they mean for a file.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::rows::row_of;
use crate::action::{Action, Context, Facts};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, CalibrationId, Day, Instant, InstrumentId};
use crate::store::rows::{CalibrationRow, InstrumentRow};
use crate::store::schema::calibration;
use crate::store::views::{LocatorView, ProblemView};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{CalibrationResult, CalibrationStanding, InstrumentEvent, ProblemSeverity};

/// Records a calibration.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibrate {
    pub id: InstrumentId,
    /// `YYYY-MM-DD`
    #[serde(default)]
    pub performed_on: String,
    /// The last day that it serves for; without it, until the next one
    #[serde(default)]
    pub due_on: Option<String>,
    pub result: CalibrationResult,
    /// 证书编号
    #[serde(default)]
    pub certificate_number: String,
    /// The body or person that calibrated
    #[serde(default)]
    pub performed_by: String,
    #[serde(default)]
    pub note: String,
}

/// A calibration that was found in order.
pub struct PlannedCalibration {
    performed_on: NaiveDate,
    due_on: Option<NaiveDate>,
    certificate_number: String,
    performed_by: String,
    note: String,
}

impl Calibrate {
    fn planned(&self, today: NaiveDate) -> Result<PlannedCalibration, Refusal> {
        let performed_on = text::date("performed_on", &self.performed_on)?;
        if performed_on > today {
            return Err(InstrumentRefusal::CalibratedInFuture.into());
        }
        let due_on = text::date_opt("due_on", self.due_on.as_deref())?;
        if due_on.is_some_and(|due| due < performed_on) {
            return Err(InstrumentRefusal::DueBeforeCalibration.into());
        }
        Ok(PlannedCalibration {
            performed_on,
            due_on,
            certificate_number: text::required("certificate_number", &self.certificate_number, text::TEXT)?,
            performed_by: text::required("performed_by", &self.performed_by, text::TEXT)?,
            note: text::optional("note", &self.note, text::REMARK)?,
        })
    }
}

impl Action for Calibrate {
    const NAME: &'static str = "instrument.calibrate";
    const PERMISSION: Permission = Permission::InstrumentCalibrate;
    type Prepared = ();
    type Loaded = InstrumentRow;
    type Plan = PlannedCalibration;
    type Done = CalibrationView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<InstrumentRow> {
        let own = cx.institute()?;
        row_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, facts: &Facts<'_>, instrument: &InstrumentRow) -> Result<PlannedCalibration, Refusal> {
        let planned = self.planned(facts.today())?;
        instrument.state.on(InstrumentEvent::Calibrate).map_err(InstrumentRefusal::from)?;
        Ok(planned)
    }

    fn keep(&self, cx: &mut Context<'_>, _: InstrumentRow, plan: PlannedCalibration) -> Outcome<CalibrationView> {
        let row = CalibrationRow {
            id: CalibrationId::new(),
            instrument_id: self.id.clone(),
            performed_on: plan.performed_on.into(),
            due_on: plan.due_on.map(Day::from),
            result: self.result,
            certificate_number: plan.certificate_number,
            performed_by: plan.performed_by,
            note: plan.note,
            recorded_by: cx.actor.account.clone(),
            recorded_at: cx.now.into(),
        };
        diesel::insert_into(calibration::table).values(&row).execute(cx.conn)?;
        let content = json!({"calibration": row.id, "performed_on": row.performed_on, "due_on": row.due_on,
                             "result": row.result, "certificate_number": row.certificate_number,
                             "performed_by": row.performed_by, "note": row.note});
        cx.record(Change::created(Self::NAME, "instrument", &self.id, content));
        Ok(row.into())
    }
}

/// A calibration.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CalibrationView {
    pub id: CalibrationId,
    pub instrument_id: InstrumentId,
    pub performed_on: Day,
    pub due_on: Option<Day>,
    pub result: CalibrationResult,
    pub certificate_number: String,
    pub performed_by: String,
    pub note: String,
    pub recorded_by: AccountId,
    pub recorded_at: Instant,
}

impl From<CalibrationRow> for CalibrationView {
    fn from(row: CalibrationRow) -> Self {
        Self {
            id: row.id,
            instrument_id: row.instrument_id,
            performed_on: row.performed_on,
            due_on: row.due_on,
            result: row.result,
            certificate_number: row.certificate_number,
            performed_by: row.performed_by,
            note: row.note,
            recorded_by: row.recorded_by,
            recorded_at: row.recorded_at,
        }
    }
}

/// The calibrations of an instrument, the newest first.
pub(in crate::instruments) fn newest_first(
    conn: &mut AnyConnection,
    id: &InstrumentId,
) -> Outcome<Vec<CalibrationRow>> {
    Ok(calibration::table
        .filter(calibration::instrument_id.eq(id))
        .order((calibration::performed_on.desc(), calibration::recorded_at.desc()))
        .limit(500)
        .load(conn)?)
}

/// What an instrument's calibrations say against a file measured on `days`: the worst of it, once. Pure.
pub(in crate::instruments) fn against(
    code: &str,
    newest_first: &[CalibrationRow],
    days: &BTreeSet<NaiveDate>,
) -> Option<ProblemView> {
    let told = |day: &NaiveDate| verdict(newest_first, *day).map(|(failed, last)| problem(code, *day, failed, last));
    let all: Vec<ProblemView> = days.iter().filter_map(told).collect();
    let failed = all.iter().find(|one| one.severity == ProblemSeverity::Error);
    failed.or(all.first()).cloned()
}

/// The calibration that counted on that day, where it had failed (true) or was overdue (false).
fn verdict(newest_first: &[CalibrationRow], day: NaiveDate) -> Option<(bool, &CalibrationRow)> {
    let last = newest_first.iter().find(|row| row.performed_on.date() <= day)?;
    if last.result == CalibrationResult::Fail {
        return Some((true, last));
    }
    last.due_on.as_ref().is_some_and(|due| due.date() < day).then_some((false, last))
}

/// What an instrument's newest calibration says of it.
pub(super) fn standing(newest: Option<&CalibrationRow>, today: NaiveDate) -> CalibrationStanding {
    match newest {
        None => CalibrationStanding::None,
        Some(last) if last.result == CalibrationResult::Fail => CalibrationStanding::Failed,
        Some(last) if last.due_on.as_ref().is_some_and(|due| due.date() < today) => CalibrationStanding::Overdue,
        Some(_) => CalibrationStanding::Ok,
    }
}

fn problem(code: &str, day: NaiveDate, failed: bool, last: &CalibrationRow) -> ProblemView {
    let (on, number) = (&last.performed_on, &last.certificate_number);
    let (word, severity, message) = if failed {
        let message = format!(
            "仪器 {code} 于 {on} 校准不合格（{number}），{day} 的数据不应采用 / \
             {code} failed its calibration on {on} ({number}); these values are of {day}"
        );
        ("calibration_failed", ProblemSeverity::Error, message)
    } else {
        let due = last.due_on.as_ref().map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "仪器 {code} 的校准已于 {due} 到期，数据日期 {day} / \
             the calibration of {code} was due on {due}; these values are of {day}"
        );
        ("calibration_overdue", ProblemSeverity::Warning, message)
    };
    ProblemView { code: word.into(), severity, message, locator: LocatorView::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn row(on: &str, due: Option<&str>, result: CalibrationResult) -> CalibrationRow {
        CalibrationRow {
            id: CalibrationId::new(),
            instrument_id: "i".into(),
            performed_on: day(on).into(),
            due_on: due.map(|due| day(due).into()),
            result,
            certificate_number: "C".into(),
            performed_by: "P".into(),
            note: String::new(),
            recorded_by: "a".into(),
            recorded_at: chrono::DateTime::<chrono::Utc>::default().into(),
        }
    }

    fn rows() -> [CalibrationRow; 3] {
        [
            row("2026-06-01", None, CalibrationResult::Pass),
            row("2026-03-01", None, CalibrationResult::Fail),
            row("2025-01-01", Some("2026-01-01"), CalibrationResult::Pass),
        ]
    }

    #[test]
    fn the_calibration_of_the_day_counts() {
        let rows = rows();
        let on = |text: &str| verdict(&rows, day(text)).map(|(failed, _)| failed);
        assert_eq!(on("2024-12-31"), None, "nothing is known of that day");
        assert_eq!(on("2026-01-01"), None, "the due day itself serves");
        assert_eq!(on("2026-01-02"), Some(false));
        assert_eq!(on("2026-03-01"), Some(true));
        assert_eq!(on("2026-07-01"), None);
    }

    #[test]
    fn of_several_days_the_worst_is_told_once() {
        let days = ["2026-01-02", "2026-03-02"].map(day).into();
        assert_eq!(against("B", &rows(), &days).map(|one| one.code), Some("calibration_failed".to_owned()));
        assert_eq!(against("B", &rows(), &[day("2026-06-02")].into()), None);
    }

    #[test]
    fn a_calibration_lies_in_the_past_and_serves_after_it() {
        let new = Calibrate {
            id: "i".into(),
            performed_on: "2026-03-02".into(),
            due_on: Some("2026-03-01".into()),
            result: CalibrationResult::Pass,
            certificate_number: "C".into(),
            performed_by: "P".into(),
            note: String::new(),
        };
        let field = |new: &Calibrate, today: &str| new.planned(day(today)).err().and_then(|refusal| refusal.field);
        assert_eq!(field(&new, "2026-03-01").as_deref(), Some("performed_on"));
        assert_eq!(field(&new, "2026-03-02").as_deref(), Some("due_on"));
        assert_eq!(field(&Calibrate { due_on: None, ..new }, "2026-03-02"), None);
    }

    #[test]
    fn an_instrument_stands_as_its_newest_calibration_says() {
        let today = day("2026-06-02");
        assert_eq!(standing(None, today), CalibrationStanding::None);
        assert_eq!(standing(rows().get(1), today), CalibrationStanding::Failed);
        assert_eq!(standing(rows().get(2), today), CalibrationStanding::Overdue);
        assert_eq!(standing(rows().first(), today), CalibrationStanding::Ok);
    }
}
