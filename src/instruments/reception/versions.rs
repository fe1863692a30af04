//! A corrected file: other content under the name of an earlier file of the same instrument. It is a new version of
//! that one; nothing that was read or accepted before is overwritten.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::columns::InstrumentFileId;
use crate::store::rows::InstrumentFileRow;
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
    /// The names of samples in it; only looked up where they matter.
    texts: BTreeSet<String>,
}

/// The earlier files that a new one may be a version of, the newest first.
pub(super) fn earlier(conn: &mut AnyConnection, row: &InstrumentFileRow) -> Outcome<Vec<Earlier>> {
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
    let mut texts = if row.instrument_id.is_none() { texts(conn, &ids)? } else { BTreeMap::new() };
    let each = |(id, version, state, adapter): (InstrumentFileId, i64, FileState, Option<String>)| Earlier {
        followed: followed.contains(&id),
        texts: texts.remove(&id).unwrap_or_default(),
        id,
        version,
        state,
        adapter,
    };
    Ok(found.into_iter().map(each).collect())
}

/// The names of samples in files.
fn texts(conn: &mut AnyConnection, ids: &[InstrumentFileId]) -> Outcome<BTreeMap<InstrumentFileId, BTreeSet<String>>> {
    let rows: Vec<(InstrumentFileId, Option<String>)> = observation::table
        .filter(observation::instrument_file_id.eq_any(ids))
        .select((observation::instrument_file_id, observation::sample_text))
        .distinct()
        .load(conn)?;
    let mut found: BTreeMap<InstrumentFileId, BTreeSet<String>> = BTreeMap::new();
    for (id, text) in rows {
        found.entry(id).or_default().extend(text);
    }
    Ok(found)
}

/// Links a new file to the version before it, where there is one; tells what a person has to know of it. Pure.
pub(super) fn link(
    row: &mut InstrumentFileRow,
    texts: &BTreeSet<&str>,
    newest_first: &[Earlier],
) -> Option<ProblemView> {
    let before = newest_first.iter().find(|one| !one.followed && same_series(one, row, texts))?;
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

/// A path below a folder, or a name on a registered instrument, is a series by itself. What was uploaded without
/// naming an instrument may be called `Report.TXT` a hundred times: there the adapter must be the same, and a sample.
fn same_series(old: &Earlier, new: &InstrumentFileRow, texts: &BTreeSet<&str>) -> bool {
    if new.instrument_id.is_some() {
        return true;
    }
    new.adapter.is_some() && old.adapter == new.adapter && old.texts.iter().any(|text| texts.contains(text.as_str()))
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

    fn old(id: &str, version: i64, state: FileState, texts: &[&str]) -> Earlier {
        Earlier {
            id: id.into(),
            version,
            state,
            adapter: Some("a".into()),
            followed: false,
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn on_an_instrument_a_name_is_a_series() {
        let mut new = row("w.txt");
        new.instrument_id = Some("i".into());
        let told = link(&mut new, &BTreeSet::new(), &[old("2", 2, FileState::Staged, &[])]);
        assert_eq!((new.version, new.supersedes.clone(), told), (3, Some("2".into()), None));
    }

    #[test]
    fn without_one_the_adapter_and_a_sample_must_be_the_same() {
        let mut new = row("Report.TXT");
        new.adapter = Some("a".into());
        let texts = BTreeSet::from(["S1"]);
        let candidates = [old("3", 1, FileState::Staged, &["S9"]), old("1", 1, FileState::Accepted, &["S1", "S2"])];
        let told = link(&mut new, &texts, &candidates);
        assert_eq!((new.version, new.supersedes.clone()), (2, Some("1".into())));
        assert_eq!(told.map(|one| one.code).as_deref(), Some("supersedes_accepted"));
        let mut other = row("Report.TXT");
        other.adapter = Some("b".into());
        assert_eq!(link(&mut other, &texts, &candidates), None);
        assert_eq!((other.version, other.supersedes), (1, None));
    }

    #[test]
    fn a_version_has_one_follower() {
        let mut new = row("w.txt");
        new.instrument_id = Some("i".into());
        let taken = Earlier { followed: true, ..old("2", 2, FileState::Staged, &[]) };
        link(&mut new, &BTreeSet::new(), &[taken, old("1", 1, FileState::Staged, &[])]);
        assert_eq!(new.supersedes, Some("1".into()));
    }
}
