//! A person says how a value is to be read that can be read in two ways, such as `1,021`.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::action::{Action, Context, Facts, Subject};
use crate::instruments::reception::{file_of, touch};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::revisions::Revised;
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::observation;
use crate::store::stored::At;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::FileEvent;

/// Chooses one of the two readings of an ambiguous value. What was written stays as it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseReading {
    pub id: InstrumentFileId,
    pub observation_id: ObservationId,
    /// One of the value's `readings`; without it, the choice is taken back
    #[serde(default)]
    pub value: Option<String>,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChosenReading {
    pub file_id: InstrumentFileId,
    pub observation_id: ObservationId,
    pub value: Option<String>,
}

/// What a choice is decided from.
pub struct Choice {
    file: InstrumentFileRow,
    seen: ObservationRow,
    readings: Vec<String>,
}

impl ChooseReading {
    fn wanted(&self) -> Option<&str> {
        self.value.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

impl Action for ChooseReading {
    const NAME: &'static str = "file.choose_reading";
    const PERMISSION: Permission = Permission::InstrumentAccept;
    type Prepared = ();
    type Loaded = Choice;
    type Plan = Option<String>;
    type Done = ChosenReading;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Choice> {
        let own = cx.institute()?;
        let file = file_of(cx.conn, &own, &self.id)?;
        let found: Option<ObservationRow> = observation::table
            .find(&self.observation_id)
            .filter(observation::instrument_file_id.eq(&self.id))
            .first(cx.conn)
            .optional()?;
        let seen = found.ok_or_else(|| InstrumentRefusal::NoValue(self.observation_id.to_string()))?;
        let readings = At::new("observation", "readings", seen.id.as_str()).read(&seen.readings)?;
        Ok(Choice { file, seen, readings })
    }

    fn decide(&self, _: &Facts<'_>, found: &Choice) -> Result<Option<String>, Refusal> {
        // As with the name of a sample: what a value means is settled before the file is decided.
        found.file.state.on(FileEvent::Match).map_err(InstrumentRefusal::from)?;
        chosen(self.wanted(), &found.readings)
    }

    fn keep(&self, cx: &mut Context<'_>, found: Choice, chosen: Option<String>) -> Outcome<ChosenReading> {
        let by = chosen.as_ref().map(|_| cx.actor.account.clone());
        diesel::update(observation::table.find(&self.observation_id))
            .set((observation::chosen.eq(&chosen), observation::chosen_by.eq(by)))
            .execute(cx.conn)?;
        touch(cx.conn, &self.id)?;
        let change =
            Change::field(Self::NAME, "instrument_file", &self.id, "reading", found.seen.chosen, chosen.clone())
                .and("observation", (), json!(self.observation_id))
                .and("as_written", (), found.seen.raw)
                .and("readings", (), json!(found.readings));
        cx.record(change);
        Ok(ChosenReading { file_id: self.id.clone(), observation_id: self.observation_id.clone(), value: chosen })
    }
}

/// The reading that was asked for, where the value has it. Pure.
fn chosen(wanted: Option<&str>, readings: &[String]) -> Result<Option<String>, Refusal> {
    if readings.is_empty() {
        return Err(Refusal::field("observation_id", "该值只有一种读法", "the value can be read in one way only"));
    }
    match wanted {
        None => Ok(None),
        Some(wanted) if readings.iter().any(|one| one == wanted) => Ok(Some(wanted.to_owned())),
        Some(_) => {
            let all = readings.join(" / ");
            Err(Refusal::field("value", format!("应为 {all} 之一"), format!("expected one of {all}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_two_readings_is_chosen_and_nothing_else() {
        let both = ["1.021".to_owned(), "1021".to_owned()];
        assert_eq!(chosen(Some("1021"), &both), Ok(Some("1021".into())));
        assert_eq!(chosen(None, &both), Ok(None), "the choice is taken back");
        for (wanted, readings, field) in [("1,021", &both[..], "value"), ("1021", &[][..], "observation_id")] {
            assert_eq!(chosen(Some(wanted), readings).err().and_then(|why| why.field).as_deref(), Some(field));
        }
    }
}
