//! Verifying: every entry, tree, chain link and signature is computed anew, a seal at a time, and the first that
//! does not fit is named.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::canonical::{BEGINNING, Hash, chained, leaf, read_leaves, root};
use super::key::PublicKeys;
use super::seal::Witness;
use crate::store::rows::{AuditEntryRow, AuditSealRow};
use crate::store::schema::{audit_entry, audit_seal};
use crate::store::{AnyConnection, DbConn, Outcome};

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema, PartialEq)]
pub struct Report {
    /// Whether everything sealed fits.
    pub intact: bool,
    /// Seals that fit.
    pub seals: u64,
    /// Entries under them.
    pub entries: u64,
    /// Entries behind the last seal: on the trail, not sealed yet.
    pub unsealed: u64,
    /// The first thing that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<Misfit>,
}

/// What does not fit.
#[derive(Clone, Debug, Serialize, ToSchema, PartialEq, Eq)]
pub struct Misfit {
    /// What kind of misfit it is.
    pub kind: MisfitKind,
    /// The entry, where one entry is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<i64>,
    /// The seal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<i64>,
    /// A sentence in Chinese.
    pub message_zh: String,
    /// A sentence in English.
    pub message_en: String,
}

/// The kinds of misfits.
#[derive(Clone, Copy, Debug, Serialize, ToSchema, PartialEq, Eq)]
#[schema(as = TrailFaultKind)]
#[serde(rename_all = "snake_case")]
pub enum MisfitKind {
    /// An entry is not what was sealed.
    EntryChanged,
    /// A sealed entry is not there.
    EntryMissing,
    /// An entry lies in a sealed range, but was not sealed.
    EntryInserted,
    /// A seal does not follow the one before it.
    ChainBroken,
    /// A seal's root or hash is not that of its content.
    SealChanged,
    /// A seal's signature is not its key's.
    SignatureInvalid,
    /// A seal was signed by a key that is not known here.
    KeyUnknown,
    /// Seals that were made are not there.
    SealMissing,
}

impl Misfit {
    fn new(kind: MisfitKind, entry: Option<i64>, seal: i64, zh: String, en: String) -> Self {
        Self { kind, entry, seal: Some(seal), message_zh: zh, message_en: en }
    }
}

/// How far the verification has come.
struct Progress {
    previous: String,
    last_seal: i64,
    last_entry: i64,
    seals: u64,
    entries: u64,
}

/// Recomputes everything in one snapshot.
///
/// # Errors
/// The store's failure; what does not fit is reported, and is not an error.
pub fn verify(db: &DbConn, keys: &PublicKeys, witness: Option<&Witness>) -> Outcome<Report> {
    db.read(|conn| {
        let mut at = Progress { previous: BEGINNING.to_owned(), last_seal: 0, last_entry: 0, seals: 0, entries: 0 };
        let mut misfit = None;
        while misfit.is_none() {
            let next: Option<AuditSealRow> = audit_seal::table
                .filter(audit_seal::seq.gt(at.last_seal))
                .order(audit_seal::seq)
                .select(AuditSealRow::as_select())
                .first(conn)
                .optional()?;
            let Some(seal) = next else {
                misfit = witness.and_then(|witness| end_misfit(&at, witness));
                break;
            };
            misfit = check_seal(conn, &seal, &at, keys)?;
            if misfit.is_none() {
                misfit = witness.filter(|w| w.seq == seal.seq).and_then(|w| witness_misfit(&seal, w));
            }
            if misfit.is_none() {
                at.seals += 1;
                at.entries += u64::try_from(seal.entry_count).unwrap_or_default();
                at.last_seal = seal.seq;
                at.last_entry = seal.last_entry;
                at.previous = seal.chained;
            }
        }
        let sealed: Option<i64> = audit_seal::table.select(diesel::dsl::max(audit_seal::last_entry)).first(conn)?;
        let unsealed: i64 =
            audit_entry::table.filter(audit_entry::seq.gt(sealed.unwrap_or(0))).count().get_result(conn)?;
        Ok(Report {
            intact: misfit.is_none(),
            seals: at.seals,
            entries: at.entries,
            unsealed: u64::try_from(unsealed).unwrap_or_default(),
            misfit,
        })
    })
}

fn end_misfit(at: &Progress, witness: &Witness) -> Option<Misfit> {
    (at.last_seal < witness.seq).then(|| {
        Misfit::new(
            MisfitKind::SealMissing,
            None,
            at.last_seal + 1,
            format!("第{}号封签之后应有至第{}号，但已不存在", at.last_seal, witness.seq),
            format!("seals {} to {} were made, but are not there", at.last_seal + 1, witness.seq),
        )
    })
}

fn witness_misfit(seal: &AuditSealRow, witness: &Witness) -> Option<Misfit> {
    (seal.chained != witness.chained).then(|| {
        Misfit::new(
            MisfitKind::SealChanged,
            None,
            seal.seq,
            format!("第{}号封签与数据库之外保存的不一致", seal.seq),
            format!("seal {} is not the one remembered outside the database", seal.seq),
        )
    })
}

fn check_seal(
    conn: &mut AnyConnection,
    seal: &AuditSealRow,
    at: &Progress,
    keys: &PublicKeys,
) -> Outcome<Option<Misfit>> {
    let n = seal.seq;
    let wrong = |kind, zh: &str, en: &str| {
        Ok(Some(Misfit::new(kind, None, n, format!("第{n}号封签：{zh}"), format!("seal {n}: {en}"))))
    };
    if n != at.last_seal + 1 {
        let (zh, en) =
            (format!("第{}号封签不存在", at.last_seal + 1), format!("seal {} is not there", at.last_seal + 1));
        return Ok(Some(Misfit::new(MisfitKind::SealMissing, None, at.last_seal + 1, zh, en)));
    }
    // The entries come first: what a reader wants to know is which record was touched.
    let leaves = read_leaves(&seal.leaves).unwrap_or_default();
    if let Some(misfit) = check_entries(conn, seal, at, &leaves)? {
        return Ok(Some(misfit));
    }
    if seal.previous != at.previous || seal.first_entry <= at.last_entry {
        return wrong(MisfitKind::ChainBroken, "与前一封签不相接", "does not follow the seal before it");
    }
    let hashes: Vec<Hash> = leaves.iter().map(|(_, hash)| *hash).collect();
    let spans = leaves.first().map(|l| l.0) == Some(seal.first_entry)
        && leaves.last().map(|l| l.0) == Some(seal.last_entry)
        && i64::try_from(leaves.len()).ok() == Some(seal.entry_count);
    if !spans || hex::encode(root(&hashes)) != seal.root {
        return wrong(MisfitKind::SealChanged, "其根与所封记录不符", "its root is not that of the entries it names");
    }
    let hash = chained(seal);
    if hex::encode(hash) != seal.chained {
        return wrong(MisfitKind::SealChanged, "其哈希与内容不符", "its hash is not that of its content");
    }
    match keys.verify(&seal.key_id, &hash, &seal.signature) {
        None => wrong(MisfitKind::KeyUnknown, "签名密钥未知", "the key that signed it is not known here"),
        Some(false) => wrong(MisfitKind::SignatureInvalid, "签名无效", "its signature is not valid"),
        Some(true) => Ok(None),
    }
}

/// Compares the entries of the sealed range with the leaves, side by side.
fn check_entries(
    conn: &mut AnyConnection,
    seal: &AuditSealRow,
    at: &Progress,
    leaves: &[(i64, Hash)],
) -> Outcome<Option<Misfit>> {
    // The leaves bound the range as well: a seal whose own bounds were widened must not hide entries.
    let until = leaves.last().map_or(seal.last_entry, |leaf| leaf.0.max(seal.last_entry));
    // One row more than can be right is enough to be wrong, however many were inserted.
    let most = i64::try_from(leaves.len()).unwrap_or(i64::MAX - 1) + 1;
    let rows: Vec<AuditEntryRow> = audit_entry::table
        .filter(audit_entry::seq.gt(at.last_entry))
        .filter(audit_entry::seq.le(until))
        .order(audit_entry::seq)
        .limit(most)
        .select(AuditEntryRow::as_select())
        .load(conn)?;
    let (mut rows, mut leaves) = (rows.iter().peekable(), leaves.iter().peekable());
    loop {
        let (kind, entry) = match (rows.peek(), leaves.peek()) {
            (None, None) => return Ok(None),
            (Some(row), Some((seq, hash))) if row.seq == *seq => {
                if leaf(row) == *hash {
                    rows.next();
                    leaves.next();
                    continue;
                }
                (MisfitKind::EntryChanged, *seq)
            }
            (Some(row), Some((seq, _))) if row.seq > *seq => (MisfitKind::EntryMissing, *seq),
            (None, Some((seq, _))) => (MisfitKind::EntryMissing, *seq),
            (Some(row), _) => (MisfitKind::EntryInserted, row.seq),
        };
        return Ok(Some(entry_misfit(kind, entry, seal.seq)));
    }
}

fn entry_misfit(kind: MisfitKind, entry: i64, seal: i64) -> Misfit {
    let (zh, en) = match kind {
        MisfitKind::EntryMissing => ("已被删除", "is missing"),
        MisfitKind::EntryInserted => ("系事后插入", "was inserted after sealing"),
        _ => ("与封存时不符", "is not what was sealed"),
    };
    Misfit::new(
        kind,
        Some(entry),
        seal,
        format!("审计记录{entry}{zh}（第{seal}号封签）"),
        format!("audit entry {entry} {en} (seal {seal})"),
    )
}
