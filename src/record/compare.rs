//! Comparing what is there with what the trail says of it: every row of every sealed table with the last entry about it,
//! and every file with its name.

use std::collections::HashMap;

use diesel::prelude::*;

use super::canonical::{Hash, row};
use super::misfit::{Misfit, MisfitKind};
use super::rows::{read_rows, rows_sha256};
use crate::store::blobs::{BlobError, Blobs};
use crate::store::schema::{audit_end, audit_entry, audit_rows};
use crate::store::touched::{SEALED, each_row, shown_key};
use crate::store::{AnyConnection, DbConn, Outcome, copy};

/// The action of the entries that took over the rows that were there before entries carried hashes.
pub const BASELINE: &str = "record.baseline";
/// How many misfits are named; one is enough to act.
pub const NAMED: usize = 100;
/// How many entries are read at once.
const CHUNK: i64 = 500;

/// What the trail says last of every row.
pub struct LastSaid {
    /// By table and key: the hash, none where the row was removed, and the entry.
    said: HashMap<(usize, Box<str>), (Option<Hash>, i64)>,
    /// Rows whose last entry is one that took them over.
    pub taken_over: u64,
}

impl LastSaid {
    /// Whether any entry speaks of the row.
    #[must_use]
    pub fn speaks_of(&self, table: usize, key: &str) -> bool {
        self.said.contains_key(&(table, key.into()))
    }
}

fn misfit(kind: MisfitKind, entry: Option<i64>, zh: String, en: String) -> Misfit {
    Misfit { kind, entry, seal: None, message_zh: zh, message_en: en }
}

/// Reads what the entries say of rows; what cannot be read, or is not what the entry was sealed with, is a misfit.
///
/// # Errors
/// The store's failure.
pub fn last_said(conn: &mut AnyConnection, misfits: &mut Vec<Misfit>) -> Outcome<LastSaid> {
    let places: HashMap<&str, usize> = SEALED.iter().enumerate().map(|(at, table)| (table.name, at)).collect();
    let mut said = HashMap::new();
    let mut taken = HashMap::new();
    let mut at = 0;
    let nothing = rows_sha256("");
    loop {
        let entries: Vec<(i64, String, Option<String>, Option<String>)> = audit_entry::table
            .left_join(audit_rows::table)
            .filter(audit_entry::seq.gt(at))
            .filter(audit_entry::rows_sha256.is_not_null())
            .order(audit_entry::seq)
            .limit(CHUNK)
            .select((audit_entry::seq, audit_entry::action, audit_entry::rows_sha256, audit_rows::hashes.nullable()))
            .load(conn)?;
        let Some(last) = entries.last() else { break };
        at = last.0;
        for (seq, action, sealed, text) in entries {
            let text = text.unwrap_or_default();
            if sealed.as_ref() == Some(&nothing) && text.is_empty() {
                continue;
            }
            let rows = read_rows(&text).filter(|_| sealed == Some(rows_sha256(&text)));
            let Some(rows) = rows else {
                misfits.push(misfit(
                    MisfitKind::EntryChanged,
                    Some(seq),
                    format!("审计记录{seq}所附的数据哈希与封存时不符"),
                    format!("the hashes of rows of audit entry {seq} are not what was sealed"),
                ));
                continue;
            };
            for one in rows {
                let Some(table) = places.get(one.table.as_str()) else { continue };
                let row = (*table, one.key.into_boxed_str());
                if action == BASELINE {
                    taken.insert(row.clone(), seq);
                }
                said.insert(row, (one.hash, seq));
            }
        }
    }
    let still = taken.iter().filter(|(row, seq)| said.get(*row).is_some_and(|(_, last)| last == *seq));
    let taken_over = u64::try_from(still.count()).unwrap_or_default();
    Ok(LastSaid { said, taken_over })
}

/// Compares every row of every sealed table; tells how many there are.
///
/// # Errors
/// The store's failure.
pub fn compare_rows(conn: &mut AnyConnection, mut last: LastSaid, misfits: &mut Vec<Misfit>) -> Outcome<u64> {
    let mut count = 0;
    for (at, table) in SEALED.iter().enumerate() {
        let name = table.name;
        each_row(conn, table, |key, content| {
            count += 1;
            let found = match last.said.remove(&(at, key.into())) {
                Some((Some(hash), _)) if hash == row(name, key, content) => return,
                found => found,
            };
            if misfits.len() >= NAMED {
                return;
            }
            let key = shown_key(key);
            misfits.push(match found {
                Some((Some(_), entry)) => misfit(
                    MisfitKind::RowChanged,
                    Some(entry),
                    format!("{name} 的记录 {key} 在审计记录{entry}之后被改动，改动没有审计记录"),
                    format!("{name} {key} was changed after audit entry {entry}, and no entry says so"),
                ),
                Some((None, entry)) => misfit(
                    MisfitKind::RowUnknown,
                    Some(entry),
                    format!("{name} 的记录 {key} 已于审计记录{entry}删除，却仍存在"),
                    format!("{name} {key} was removed by audit entry {entry}, and is there"),
                ),
                None => misfit(
                    MisfitKind::RowUnknown,
                    None,
                    format!("{name} 的记录 {key} 没有任何审计记录"),
                    format!("no audit entry speaks of {name} {key}"),
                ),
            });
        })?;
    }
    let mut gone: Vec<((usize, Box<str>), i64)> =
        last.said.into_iter().filter_map(|(row, (hash, entry))| hash.map(|_| (row, entry))).collect();
    gone.sort();
    for ((table, key), entry) in gone {
        if misfits.len() >= NAMED {
            break;
        }
        let (name, key) = (SEALED[table].name, shown_key(&key));
        misfits.push(misfit(
            MisfitKind::RowMissing,
            Some(entry),
            format!("{name} 的记录 {key}（审计记录{entry}）已不存在，删除没有审计记录"),
            format!("{name} {key} of audit entry {entry} is not there, and no entry says so"),
        ));
    }
    Ok(count)
}

/// Compares the numbers of the entries with the end of the trail: none is missing between them or behind the last.
///
/// # Errors
/// The store's failure.
pub fn compare_numbers(conn: &mut AnyConnection) -> Outcome<Option<Misfit>> {
    let (last, from): (i64, i64) =
        audit_end::table.find(1_i64).select((audit_end::last, audit_end::gapless_from)).first(conn)?;
    let later = audit_entry::table.filter(audit_entry::seq.ge(from));
    let count: i64 = later.count().get_result(conn)?;
    let highest: Option<i64> = audit_entry::table.select(diesel::dsl::max(audit_entry::seq)).first(conn)?;
    if count == last - from + 1 && highest.unwrap_or(0) == last {
        return Ok(None);
    }
    let due = last - from + 1;
    Ok(Some(misfit(
        MisfitKind::EntryMissing,
        None,
        format!("审计记录自{from}号至{last}号应有{due}条，实有{count}条"),
        format!("there should be {due} audit entries from {from} to {last}, and there are {count}"),
    )))
}

/// Reads every file that a row names; tells how many there are.
///
/// # Errors
/// The store's failure.
pub fn compare_files(db: &DbConn, files: &Blobs, misfits: &mut Vec<Misfit>) -> Outcome<u64> {
    let named = db.read(copy::content_named)?;
    let count = u64::try_from(named.len()).unwrap_or_default();
    for sha256 in named {
        if misfits.len() >= NAMED {
            break;
        }
        let (kind, zh, en) = match files.get(&sha256) {
            Ok(_) => continue,
            Err(BlobError::Missing(_)) => (MisfitKind::FileMissing, "不存在", "is not there"),
            Err(_) => (MisfitKind::FileChanged, "已被改动或无法读取", "was changed, or cannot be read"),
        };
        misfits.push(misfit(kind, None, format!("文件 {sha256} {zh}"), format!("file {sha256} {en}")));
    }
    Ok(count)
}
