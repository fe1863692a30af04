//! What is remembered of the trail outside its database: the last seal, in a file beside the keys. An older copy of the
//! database, or one whose end was cut off, does not have it.

use std::path::Path;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::canonical::BEGINNING;
use super::key::SealKey;
use super::misfit::{Misfit, MisfitKind};
use super::refusals::{Misremembered, RecordRefusal};
use super::writing::{Author, Change, record_by};
use crate::clock::Clock;
use crate::store::schema::{audit_entry, audit_seal};
use crate::store::{AnyConnection, DbConn, Failure, Outcome, StoreError};

/// The last seal that this installation made, outside the database: tells when seals vanish from its end.
pub const WITNESS: &str = "last-seal.json";

/// The last seal, as remembered beside the keys.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Witness {
    /// Its number.
    pub seq: i64,
    /// Its chained hash, in hex.
    pub chained: String,
}

impl Witness {
    /// What `folder` remembers.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn read(folder: &Path) -> Result<Option<Self>, String> {
        let path = folder.join(WITNESS);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        serde_json::from_str(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Remembers it.
    ///
    /// # Errors
    /// What the system says of the file.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        let fresh = folder.join(format!(".{WITNESS}.new"));
        crate::secrets::write_private(&fresh, serde_json::to_string(self)?.as_bytes())?;
        std::fs::rename(fresh, folder.join(WITNESS))
    }
}

impl Witness {
    /// A seal as a certificate prints it, written as `NUMBER:SHA256`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("{text}: expected the number of a seal, a colon, and its SHA-256 in hex");
        let (number, hash) = text.trim().split_once(':').ok_or_else(expected)?;
        let seq = number.trim().parse().ok().filter(|seq| *seq > 0).ok_or_else(expected)?;
        let chained = hash.trim().to_ascii_lowercase();
        if chained.len() != 64 || !chained.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(expected());
        }
        Ok(Self { seq, chained })
    }

    /// Before the first seal.
    pub(super) fn beginning() -> Self {
        Self { seq: 0, chained: BEGINNING.to_owned() }
    }
}

/// The last seal that a database has.
///
/// # Errors
/// The store's failure.
pub fn last_seal(conn: &mut AnyConnection) -> Outcome<Option<Witness>> {
    let last: Option<(i64, String)> = audit_seal::table
        .order(audit_seal::seq.desc())
        .select((audit_seal::seq, audit_seal::chained))
        .first(conn)
        .optional()?;
    Ok(last.map(|(seq, chained)| Witness { seq, chained }))
}

/// What is wrong where the trail does not have a seal that was printed.
///
/// # Errors
/// The store's failure.
pub fn seal_misfit(conn: &mut AnyConnection, printed: &Witness) -> Outcome<Option<Misfit>> {
    let found: Option<String> =
        audit_seal::table.find(printed.seq).select(audit_seal::chained).first(conn).optional()?;
    let seq = printed.seq;
    Ok(match found {
        Some(chained) if chained == printed.chained => None,
        Some(chained) => Some(Misfit::new(
            MisfitKind::SealChanged,
            None,
            seq,
            format!("第{seq}号封签为{chained}，与所印不同"),
            format!("seal {seq} is {chained}, not what was printed"),
        )),
        None => Some(Misfit::new(
            MisfitKind::SealMissing,
            None,
            seq,
            format!("所印第{seq}号封签不在审计记录中"),
            format!("seal {seq}, which was printed, is not in the trail"),
        )),
    })
}

/// What of the database is compared with the witness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailEnd {
    /// The number of the last seal; 0 for none.
    pub last: i64,
    /// Whether there are entries at all.
    pub entries: bool,
    /// The chained hash of the seal that is remembered, where it is there.
    pub remembered: Option<String>,
}

/// Whether the database has what is remembered of it.
#[must_use]
pub fn misremembered(witness: Option<&Witness>, end: &TrailEnd) -> Option<Misremembered> {
    let Some(witness) = witness else { return (end.last > 0 || end.entries).then_some(Misremembered::Nothing) };
    if witness.seq == 0 {
        return None;
    }
    match &end.remembered {
        None => Some(Misremembered::Older { remembered: witness.seq, last: end.last }),
        Some(chained) if *chained != witness.chained => Some(Misremembered::Other { seal: witness.seq }),
        Some(_) => None,
    }
}

/// Looks at the end of the trail in the database.
///
/// # Errors
/// The store's failure.
pub fn end(conn: &mut AnyConnection, witness: Option<&Witness>) -> Outcome<TrailEnd> {
    let last: Option<i64> = audit_seal::table.select(diesel::dsl::max(audit_seal::seq)).first(conn)?;
    let entry: Option<i64> = audit_entry::table.select(audit_entry::seq).first(conn).optional()?;
    let remembered = match witness {
        Some(witness) => audit_seal::table.find(witness.seq).select(audit_seal::chained).first(conn).optional()?,
        None => None,
    };
    Ok(TrailEnd { last: last.unwrap_or(0), entries: entry.is_some(), remembered })
}

/// A person's decision that the database is the right one, although it is not what is remembered.
#[derive(Clone, Debug)]
pub struct RecordAcceptance {
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Takes the database as it is from now on. The decision is on the trail, with what was remembered.
///
/// # Errors
/// [`RecordRefusal::NothingToDecide`], [`RecordRefusal::Unsaid`]; the store's failure.
pub fn accept(db: &DbConn, clock: &Clock, folder: &Path, acceptance: &RecordAcceptance) -> Outcome<Misremembered> {
    for (field, text) in [("by", &acceptance.by), ("reason", &acceptance.reason)] {
        if text.trim().is_empty() {
            return Err(RecordRefusal::Unsaid(field).into());
        }
    }
    let other = |text: String| Failure::Store(StoreError::Other(text));
    let witness = Witness::read(folder).map_err(other)?;
    let (there, last) = db.read(|conn| Ok((end(conn, witness.as_ref())?, last_seal(conn)?)))?;
    let Some(how) = misremembered(witness.as_ref(), &there) else { return Err(RecordRefusal::NothingToDecide.into()) };
    decided(db, clock, "record.accept", witness.as_ref(), last.as_ref(), acceptance)?;
    remember(folder, last)?;
    Ok(how)
}

/// Remembers a seal beside the keys; none: that there is none yet.
pub(super) fn remember(folder: &Path, last: Option<Witness>) -> Outcome<()> {
    let written = last.unwrap_or_else(Witness::beginning).write(folder);
    written.map_err(|error| StoreError::Other(format!("{}: {error}", folder.display())).into())
}

/// Remembers the last seal of a database that was brought back from a copy; the trail says from which.
///
/// # Errors
/// The store's failure.
pub fn remember_restored(db: &DbConn, clock: &Clock, folder: &Path, archive: &str) -> Outcome<()> {
    let last = db.read(last_seal)?;
    let acceptance = RecordAcceptance { by: "qianfa".into(), reason: archive.to_owned() };
    decided(db, clock, "record.restore", None, last.as_ref(), &acceptance)?;
    remember(folder, last)
}

/// Lets another server seal for the same installation: it gets the keys of the first, which say what may have signed, and
/// what that remembers. The database must have it, and the trail says who introduced the server.
///
/// # Errors
/// [`RecordRefusal::KeysThere`], [`RecordRefusal::Unsaid`], [`RecordRefusal::Misremembered`]; what the system says of a
/// file.
pub fn join(db: &DbConn, clock: &Clock, from: &Path, keys: &Path, by: &str) -> Outcome<i64> {
    if by.trim().is_empty() {
        return Err(RecordRefusal::Unsaid("by").into());
    }
    if SealKey::is_in(keys) || Witness::read(keys).map_err(StoreError::Other)?.is_some() {
        return Err(RecordRefusal::KeysThere.into());
    }
    let witness = Witness::read(from).map_err(StoreError::Other)?;
    let there = db.read(|conn| end(conn, witness.as_ref()))?;
    if let Some(how) = misremembered(witness.as_ref(), &there) {
        return Err(RecordRefusal::Misremembered(how).into());
    }
    let id = SealKey::carry(from, keys, WITNESS).map_err(StoreError::Other)?;
    let last = witness.as_ref().map_or(0, |witness| witness.seq);
    remember(keys, witness)?;
    let change = Change::field("record.join", "record", "trail", "server", (), id).and("last_seal", (), last);
    let (by, now) = (Author::nobody(by.trim(), None), clock.now());
    db.write(move |conn| record_by(conn, &by, now, vec![change.clone()]))?;
    Ok(last)
}

/// Puts on the trail that another key seals from now on.
///
/// # Errors
/// The store's failure.
pub fn renewed(db: &DbConn, clock: &Clock, old: &str, new: &str) -> Outcome<()> {
    let change = Change::field("record.renew_key", "record", "trail", "key", old, new);
    let now = clock.now();
    db.write(move |conn| record_by(conn, &Author::program(), now, vec![change.clone()]))
}

fn decided(
    db: &DbConn,
    clock: &Clock,
    action: &'static str,
    witness: Option<&Witness>,
    last: Option<&Witness>,
    acceptance: &RecordAcceptance,
) -> Outcome<()> {
    let said = |seal: Option<&Witness>| json!(seal.map(|seal| json!({"seal": seal.seq, "chained": seal.chained})));
    let change = Change::field(action, "record", "trail", "last_seal", said(witness), said(last))
        .because(acceptance.reason.trim());
    let (by, now) = (Author::nobody(acceptance.by.trim(), None), clock.now());
    db.write_held(move |conn| record_by(conn, &by, now, vec![change.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(seq: i64) -> Witness {
        Witness { seq, chained: format!("c{seq}") }
    }

    #[test]
    fn a_printed_seal_is_read_in_its_one_form() {
        let hash = "ab".repeat(32);
        let read = Witness { seq: 12, chained: hash.clone() };
        assert_eq!(Witness::parse(&format!(" 12:{} ", hash.to_uppercase())), Ok(read));
        for wrong in ["", "12", "0:ab", &format!("-1:{hash}"), &format!("x:{hash}"), &format!("12:{hash}0"), "12:zz"] {
            assert!(Witness::parse(wrong).is_err_and(|said| said.contains("SHA-256")), "{wrong}");
        }
    }

    #[test]
    fn a_database_has_what_is_remembered_or_somebody_decides() {
        let there = |last: i64, remembered: Option<&str>| TrailEnd {
            last,
            entries: true,
            remembered: remembered.map(str::to_owned),
        };
        let cases = [
            (None, TrailEnd::default(), None),
            (None, there(0, None), Some(Misremembered::Nothing)),
            (None, there(4, None), Some(Misremembered::Nothing)),
            (Some(Witness::beginning()), there(0, None), None),
            // Killed between the first seal and its witness.
            (Some(Witness::beginning()), there(1, None), None),
            (Some(seen(4)), there(4, Some("c4")), None),
            (Some(seen(4)), there(9, Some("c4")), None),
            (Some(seen(4)), there(3, None), Some(Misremembered::Older { remembered: 4, last: 3 })),
            (Some(seen(4)), there(0, None), Some(Misremembered::Older { remembered: 4, last: 0 })),
            (Some(seen(4)), there(9, Some("x")), Some(Misremembered::Other { seal: 4 })),
        ];
        for (witness, end, expected) in cases {
            assert_eq!(misremembered(witness.as_ref(), &end), expected, "{witness:?} {end:?}");
        }
    }
}
