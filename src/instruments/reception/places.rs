//! Which sample is at which position or in which vial, as sequence lists say.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::instruments::register::file_globs;
use crate::store::columns::{InstrumentFileId, RunListId, SampleId};
use crate::store::rows::{InstrumentFileRow, RunListLineRow};
use crate::store::schema::{run_list, run_list_row};
use crate::store::{AnyConnection, Outcome};

/// What is at which place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(BTreeMap<String, Vec<SampleId>>);

impl Places {
    /// The samples at a place; more than one where lists disagree.
    pub fn at(&self, place: &str) -> &[SampleId] {
        self.0.get(&plain(place)).map_or(&[], Vec::as_slice)
    }

    /// Adds what a line says.
    pub fn add(&mut self, place: &str, sample: SampleId) {
        let at = self.0.entry(plain(place)).or_default();
        if !at.contains(&sample) {
            at.push(sample);
        }
    }
}

/// Two ways to write one place: `Vial 12`, `12`.
pub(super) fn plain(place: &str) -> String {
    let lower = place.trim().to_lowercase();
    let rest = lower.strip_prefix("vial").unwrap_or(&lower).trim_start();
    rest.to_owned()
}

/// The places that lists name for a file: its own list; without one, those of its instrument whose pattern its name
/// fits.
pub(super) fn places(conn: &mut AnyConnection, file: &InstrumentFileRow) -> Outcome<Places> {
    let mut ids = lists_of_file(conn, &file.id)?;
    if ids.is_empty()
        && let Some(instrument) = &file.instrument_id
    {
        let all: Vec<(RunListId, Option<String>)> = run_list::table
            .filter(run_list::instrument_id.eq(instrument))
            .filter(run_list::withdrawn_at.is_null())
            .order(run_list::created_at.desc())
            .limit(500)
            .select((run_list::id, run_list::file_pattern))
            .load(conn)?;
        let path = file.path.as_deref().unwrap_or(&file.name);
        let fits = |pattern: &Option<String>| {
            pattern.as_deref().and_then(|text| file_globs(text).ok().flatten()).is_some_and(|globs| globs.fit(path))
        };
        ids = all.into_iter().filter(|(_, pattern)| fits(pattern)).map(|(id, _)| id).collect();
    }
    let mut found = Places::default();
    let rows: Vec<RunListLineRow> = run_list_row::table
        .filter(run_list_row::run_list_id.eq_any(ids))
        .order((run_list_row::run_list_id, run_list_row::position))
        .load(conn)?;
    for row in rows {
        found.add(&row.place, row.sample_id);
    }
    Ok(found)
}

/// The lists of a file that are in force.
pub(super) fn lists_of_file(conn: &mut AnyConnection, file: &InstrumentFileId) -> Outcome<Vec<RunListId>> {
    Ok(run_list::table
        .filter(run_list::instrument_file_id.eq(file))
        .filter(run_list::withdrawn_at.is_null())
        .select(run_list::id)
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_two_spellings() {
        assert_eq!(plain("Vial 12"), plain(" 12"));
        let mut places = Places::default();
        places.add("Vial 12", "a".into());
        places.add("12", "a".into());
        assert_eq!(places.at("vial12"), ["a".into()]);
        places.add("12", "b".into());
        assert_eq!(places.at("12").len(), 2, "lists that disagree are for a person");
    }
}
