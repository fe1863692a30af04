//! A corrected file: the same run with other values. A run is known by its instrument, its samples and the times of its
//! injections, never by a file's name alone: `Report.txt` of another sample is another run. A new version overwrites
//! nothing that was read or accepted before.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::exists;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::columns::InstrumentFileId;
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::{instrument_file, observation};
use crate::store::views::{LocatorView, ProblemView};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::instruments::{FileState, ProblemSeverity};

/// How far back the file is looked for that a new one follows.
const BACK: i64 = 20;

/// Another version of a file.
#[derive(Clone, Debug, Serialize, Queryable, ToSchema)]
pub struct OtherVersion {
    pub id: InstrumentFileId,
    pub version: i64,
    pub state: FileState,
}

/// An earlier file of the same name.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    id: InstrumentFileId,
    version: i64,
    state: FileState,
    adapter: Option<String>,
    /// Another file follows it already.
    followed: bool,
    runs: Runs,
}

/// The names of samples in a file, each with the times at which it was measured.
pub(super) type Runs = BTreeSet<(Option<String>, Option<String>)>;

/// The runs that the values of a file tell of.
pub(super) fn runs_of(observations: &[ObservationRow]) -> Runs {
    observations.iter().map(|seen| (seen.sample_text.clone(), seen.acquired_at.clone())).collect()
}

/// The earlier files that a new one may be a version of, the newest first.
pub(super) fn earlier(
    conn: &mut AnyConnection,
    row: &InstrumentFileRow,
    observations: &[ObservationRow],
) -> Outcome<Vec<Earlier>> {
    let mut query = instrument_file::table
        .filter(instrument_file::institute_id.eq(&row.institute_id))
        .filter(instrument_file::name.eq(&row.name))
        .into_boxed();
    query = match &row.instrument_id {
        Some(instrument) => query.filter(instrument_file::instrument_id.eq(instrument)),
        None => query.filter(instrument_file::instrument_id.is_null()),
    };
    // An upload has no path: it is the file of that name at the top of the folder, not one of a folder below.
    let path = row.path.as_ref().unwrap_or(&row.name);
    query = query.filter(instrument_file::path.eq(path).or(instrument_file::path.is_null()));
    // Hundreds of runs may have had this name: those of its samples are looked at.
    let samples: BTreeSet<&str> =
        observations.iter().filter_map(|seen| seen.sample_text.as_deref()).take(400).collect();
    if !samples.is_empty() {
        let of_file = observation::table.filter(observation::instrument_file_id.eq(instrument_file::id));
        query = query.filter(exists(of_file.filter(observation::sample_text.eq_any(samples))));
    }
    let found: Vec<(InstrumentFileId, i64, FileState, Option<String>)> = query
        .order((instrument_file::uploaded_at.desc(), instrument_file::id.desc()))
        .limit(BACK)
        .select((instrument_file::id, instrument_file::version, instrument_file::state, instrument_file::adapter))
        .load(conn)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<InstrumentFileId> = found.iter().map(|(id, ..)| id.clone()).collect();
    let followed: Vec<Option<InstrumentFileId>> = instrument_file::table
        .filter(instrument_file::supersedes.eq_any(&ids))
        .select(instrument_file::supersedes)
        .load(conn)?;
    let followed: BTreeSet<InstrumentFileId> = followed.into_iter().flatten().collect();
    let mut runs = runs(conn, &ids)?;
    let each = |(id, version, state, adapter): (InstrumentFileId, i64, FileState, Option<String>)| Earlier {
        followed: followed.contains(&id),
        runs: runs.remove(&id).unwrap_or_default(),
        id,
        version,
        state,
        adapter,
    };
    Ok(found.into_iter().map(each).collect())
}

/// The runs in files.
fn runs(conn: &mut AnyConnection, ids: &[InstrumentFileId]) -> Outcome<BTreeMap<InstrumentFileId, Runs>> {
    let rows: Vec<(InstrumentFileId, Option<String>, Option<String>)> = observation::table
        .filter(observation::instrument_file_id.eq_any(ids))
        .select((observation::instrument_file_id, observation::sample_text, observation::acquired_at))
        .distinct()
        .load(conn)?;
    let mut found: BTreeMap<InstrumentFileId, Runs> = BTreeMap::new();
    for (id, sample, at) in rows {
        found.entry(id).or_default().insert((sample, at));
    }
    Ok(found)
}

/// Links a new file to the version before it, where there is one; tells what a person has to know of it. Pure.
pub(super) fn link(row: &mut InstrumentFileRow, runs: &Runs, newest_first: &[Earlier]) -> Option<ProblemView> {
    let before = newest_first.iter().find(|one| !one.followed && same_run(one, row, runs))?;
    row.version = before.version.saturating_add(1);
    row.supersedes = Some(before.id.clone());
    let version = before.version;
    (before.state == FileState::Accepted).then(|| ProblemView {
        code: "supersedes_accepted".into(),
        severity: ProblemSeverity::Warning,
        message: format!(
            "该文件的第 {version} 版已被采用；已录入的结果不会改变，如需更正请按更正程序处理 / \
             version {version} of this file was accepted already; its results stay as entered, \
             a correction is a new version of the reading with its reason"
        ),
        locator: LocatorView::default(),
    })
}

/// The same run: read by the same adapter, and every sample of the older file, with its times, is in the newer one,
/// which may have more where a sequence went on. What names neither sample nor time cannot be known again.
fn same_run(old: &Earlier, new: &InstrumentFileRow, runs: &Runs) -> bool {
    let known = old.runs.iter().any(|(sample, at)| sample.is_some() || at.is_some());
    new.adapter.is_some() && old.adapter == new.adapter && known && old.runs.is_subset(runs)
}

/// The version before a file and the one after it.
pub(in crate::instruments) fn around(
    conn: &mut AnyConnection,
    file: &InstrumentFileRow,
) -> Outcome<(Option<OtherVersion>, Option<OtherVersion>)> {
    let columns = (instrument_file::id, instrument_file::version, instrument_file::state);
    let older = match &file.supersedes {
        Some(id) => instrument_file::table.find(id).select(columns).first(conn).optional()?,
        None => None,
    };
    let newer = instrument_file::table
        .filter(instrument_file::supersedes.eq(&file.id))
        .select(columns)
        .first(conn)
        .optional()?;
    Ok((older, newer))
}

/// What is said of a file that has a newer version: it counts only with a reason.
pub(in crate::instruments) fn superseded(newer: &OtherVersion) -> ProblemView {
    let version = newer.version;
    ProblemView {
        code: "superseded".into(),
        severity: ProblemSeverity::Error,
        message: format!(
            "已有新版本（第 {version} 版），本版默认不得采用 / \
             there is a newer version ({version}); this one is not to be accepted"
        ),
        locator: LocatorView::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::reception::take_in::tests::row;

    fn runs(all: &[(&str, &str)]) -> Runs {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        all.iter().map(|(sample, at)| (text(sample), text(at))).collect()
    }

    fn old(id: &str, version: i64, state: FileState, all: &[(&str, &str)]) -> Earlier {
        Earlier { id: id.into(), version, state, adapter: Some("a".into()), followed: false, runs: runs(all) }
    }

    fn new(name: &str) -> InstrumentFileRow {
        InstrumentFileRow { adapter: Some("a".into()), instrument_id: Some("i".into()), ..row(name) }
    }

    #[test]
    fn the_same_run_again_is_a_version() {
        let before = [old("2", 2, FileState::Accepted, &[("S1", "10:00"), ("S2", "10:20")])];
        for (now, version) in [
            (&[("S1", "10:00"), ("S2", "10:20")][..], 3),
            // The sequence went on.
            (&[("S1", "10:00"), ("S2", "10:20"), ("S3", "10:40")], 3),
            // Another sample, another time, a part of the run.
            (&[("S3", "10:00"), ("S4", "10:20")], 1),
            (&[("S1", "11:00"), ("S2", "11:20")], 1),
            (&[("S1", "10:00")], 1),
            (&[], 1),
        ] {
            let mut file = new("Report.txt");
            let told = link(&mut file, &runs(now), &before);
            assert_eq!((file.version, told.is_some()), (version, version > 1), "{now:?}");
        }
    }

    #[test]
    fn the_name_of_a_file_is_no_run() {
        for before in [&[("", "")][..], &[]] {
            let mut file = new("Report.txt");
            link(&mut file, &runs(before), &[old("1", 1, FileState::Staged, before)]);
            assert_eq!((file.version, file.supersedes), (1, None), "{before:?}");
        }
        let mut other = InstrumentFileRow { adapter: Some("b".into()), ..new("Report.txt") };
        link(&mut other, &runs(&[("S1", "")]), &[old("1", 1, FileState::Staged, &[("S1", "")])]);
        assert_eq!(other.version, 1);
    }

    #[test]
    fn a_version_has_one_follower() {
        let mut file = new("w.txt");
        let taken = Earlier { followed: true, ..old("2", 2, FileState::Staged, &[("S1", "")]) };
        link(&mut file, &runs(&[("S1", "")]), &[taken, old("1", 1, FileState::Staged, &[("S1", "")])]);
        assert_eq!(file.supersedes, Some("1".into()));
    }
}
