//! Calibrations (校准/检定) of instruments: append-only, and what they mean for a file.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::inbox::institute_of;
use super::register::{active, row_of};
use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{CalibrationId, Day, InstrumentId};
use crate::store::rows::{CalibrationRow, InstrumentRow};
use crate::store::schema::calibration;
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// A calibration as it is entered.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewCalibration {
    /// `YYYY-MM-DD`
    pub performed_on: String,
    /// The last day that it serves for; without it, until the next one
    pub due_on: Option<String>,
    /// `pass` or `fail`
    pub result: String,
    /// 证书编号
    pub certificate_number: String,
    /// The body or person that calibrated
    pub performed_by: String,
    pub note: String,
}

/// Records a calibration.
///
/// # Errors
/// Where a field is not as expected; where the instrument is retired.
pub fn calibrate(
    services: &Services,
    actor: &Actor,
    id: &InstrumentId,
    new: &NewCalibration,
) -> Outcome<CalibrationRow> {
    let own = institute_of(actor)?;
    let now = services.clock.now();
    let performed_on = text::date("performed_on", &new.performed_on)?;
    if performed_on > services.clock.today() {
        return Err(Refusal::field("performed_on", "不得晚于今天", "must not lie in the future").into());
    }
    let due_on = text::date_opt("due_on", new.due_on.as_deref())?;
    if due_on.is_some_and(|due| due < performed_on) {
        return Err(Refusal::field("due_on", "不得早于校准日期", "must not lie before the calibration").into());
    }
    if !["pass", "fail"].contains(&new.result.as_str()) {
        return Err(Refusal::field("result", "应为 pass 或 fail", "expected pass or fail").into());
    }
    let row = CalibrationRow {
        id: CalibrationId::new(),
        instrument_id: id.clone(),
        performed_on: performed_on.into(),
        due_on: due_on.map(Day::from),
        result: new.result.clone(),
        certificate_number: text::required("certificate_number", &new.certificate_number, text::TEXT)?,
        performed_by: text::required("performed_by", &new.performed_by, text::TEXT)?,
        note: text::optional("note", &new.note, text::REMARK)?,
        recorded_by: actor.account.clone(),
        recorded_at: now.into(),
    };
    let actor = actor.clone();
    services.db.write(move |conn| {
        active(conn, &own, &row.instrument_id)?;
        diesel::insert_into(calibration::table).values(&row).execute(conn)?;
        let change = Change::created("instrument.calibrate", "instrument", &row.instrument_id, json!(row));
        record::record(conn, &actor, now, vec![change])?;
        Ok(row.clone())
    })
}

/// The calibrations of an instrument, the newest first; at most 500.
///
/// # Errors
/// Where the actor's institute has no such instrument.
pub fn calibrations(services: &Services, actor: &Actor, id: &InstrumentId) -> Outcome<Vec<CalibrationRow>> {
    let own = institute_of(actor)?;
    services.db.read(|conn| {
        row_of(conn, &own, id)?;
        Ok(calibration::table
            .filter(calibration::instrument_id.eq(id))
            .order((calibration::performed_on.desc(), calibration::recorded_at.desc()))
            .limit(500)
            .load(conn)?)
    })
}

/// What an instrument's calibrations say against a file measured on `days`: the worst of it, once.
pub(super) fn against(
    conn: &mut AnyConnection,
    instrument: &InstrumentRow,
    days: &BTreeSet<NaiveDate>,
) -> Outcome<Option<Value>> {
    let rows: Vec<CalibrationRow> = calibration::table
        .filter(calibration::instrument_id.eq(&instrument.id))
        .order((calibration::performed_on.desc(), calibration::recorded_at.desc()))
        .load(conn)?;
    let told = |day: &NaiveDate| verdict(&rows, *day).map(|(failed, last)| problem(instrument, *day, failed, last));
    let all: Vec<Value> = days.iter().filter_map(told).collect();
    let failed = all.iter().find(|one| one["severity"] == "error");
    Ok(failed.or(all.first()).cloned())
}

/// The calibration that counted on that day, where it had failed (true) or was overdue (false).
fn verdict(newest_first: &[CalibrationRow], day: NaiveDate) -> Option<(bool, &CalibrationRow)> {
    let last = newest_first.iter().find(|row| row.performed_on.date() <= day)?;
    if last.result == "fail" {
        return Some((true, last));
    }
    last.due_on.as_ref().is_some_and(|due| due.date() < day).then_some((false, last))
}

fn problem(instrument: &InstrumentRow, day: NaiveDate, failed: bool, last: &CalibrationRow) -> Value {
    let (code, on, number) = (&instrument.code, &last.performed_on, &last.certificate_number);
    if failed {
        json!({"code": "calibration_failed", "severity": "error", "locator": {}, "message": format!(
            "仪器 {code} 于 {on} 校准不合格（{number}），{day} 的数据不应采用 / \
             {code} failed its calibration on {on} ({number}); these values are of {day}")})
    } else {
        let due = last.due_on.as_ref().map(ToString::to_string).unwrap_or_default();
        json!({"code": "calibration_overdue", "severity": "warning", "locator": {}, "message": format!(
            "仪器 {code} 的校准已于 {due} 到期，数据日期 {day} / \
             the calibration of {code} was due on {due}; these values are of {day}")})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(on: &str, due: Option<&str>, result: &str) -> CalibrationRow {
        let day = |text: &str| Day::from(text.parse::<NaiveDate>().expect("a date"));
        CalibrationRow {
            id: CalibrationId::new(),
            instrument_id: "i".into(),
            performed_on: day(on),
            due_on: due.map(day),
            result: result.into(),
            certificate_number: "C".into(),
            performed_by: "P".into(),
            note: String::new(),
            recorded_by: "a".into(),
            recorded_at: chrono::DateTime::<chrono::Utc>::default().into(),
        }
    }

    #[test]
    fn the_calibration_of_the_day_counts() {
        let rows = [
            row("2026-06-01", None, "pass"),
            row("2026-03-01", None, "fail"),
            row("2025-01-01", Some("2026-01-01"), "pass"),
        ];
        let on = |day: &str| verdict(&rows, day.parse().expect("a date")).map(|(failed, _)| failed);
        assert_eq!(on("2024-12-31"), None, "nothing is known of that day");
        assert_eq!(on("2026-01-01"), None, "the due day itself serves");
        assert_eq!(on("2026-01-02"), Some(false));
        assert_eq!(on("2026-03-01"), Some(true));
        assert_eq!(on("2026-07-01"), None);
    }
}
