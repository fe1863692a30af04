//! Verifying: every entry, tree, chain link and signature is computed anew, a seal at a time, and the first that
//! does not fit is named.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::canonical::{BEGINNING, Hash, chained, leaf, read_leaves, root};
use super::compare::{NAMED, compare_files, compare_numbers, compare_rows, last_said};
use super::key::PublicKeys;
use super::misfit::{Misfit, MisfitKind};
use super::outside::compare_anchors;
use super::refusals::{Misremembered, RecordRefusal};
use super::structure::compare_structure;
use super::witness::Witness;
use crate::refusal::Refusal;
use crate::store::blobs::Blobs;
use crate::store::rows::{AuditEntryRow, AuditSealRow};
use crate::store::schema::{audit_entry, audit_seal};
use crate::store::{AnyConnection, DbConn, Outcome};

/// What was found.
#[derive(Clone, Debug, Default, Serialize, ToSchema, PartialEq)]
pub struct Report {
    /// Whether everything sealed fits.
    pub intact: bool,
    /// Seals that fit.
    pub seals: u64,
    /// Entries under them.
    pub entries: u64,
    /// Entries behind the last seal: on the trail, not sealed yet.
    pub unsealed: u64,
    /// Rows that were compared with the last entry about them.
    pub rows: u64,
    /// Those of them that an upgrade took over as they were: nothing is known of them before.
    pub rows_taken_over: u64,
    /// Files that were read and compared with their names.
    pub files: u64,
    /// Time-stamps and messages to logs that were compared with their seals.
    pub anchors: u64,
    /// The first thing that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<Misfit>,
    /// Whatever else does not fit, up to a hundred things.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Misfit>,
}

impl Report {
    /// Adds what else does not fit.
    pub fn also(&mut self, misfit: Option<Misfit>) {
        let Some(misfit) = misfit else { return };
        self.intact = false;
        if self.misfit.is_none() {
            self.misfit = Some(misfit);
        } else if self.more.len() < NAMED - 1 {
            self.more.push(misfit);
        }
    }
}

/// What is remembered of the trail outside its database.
#[derive(Clone, Copy, Debug)]
pub enum Memory<'a> {
    /// Nothing is meant to be: a copy that is looked at apart from its installation.
    None,
    /// What lies beside the keys of the installation; its absence is a misfit too.
    Kept(Option<&'a Witness>),
}

/// How far the verification has come.
struct Progress {
    previous: String,
    last_seal: i64,
    last_entry: i64,
    seals: u64,
    entries: u64,
    /// The place of the last seal's key among the keys.
    rank: Option<usize>,
}

/// Recomputes the trail, and compares every row and, where they are given, every file with it; one snapshot.
///
/// # Errors
/// The store's failure; what does not fit is reported, and is not an error.
pub fn verify(db: &DbConn, keys: &PublicKeys, memory: Memory<'_>, files: Option<&Blobs>) -> Outcome<Report> {
    let (mut report, mut misfits) = db.read(|conn| {
        let (report, misfit) = verify_trail(conn, keys, memory)?;
        let mut misfits: Vec<Misfit> = misfit.into_iter().chain(compare_numbers(conn)?).collect();
        misfits.extend(compare_structure(conn)?);
        let last = last_said(conn, &mut misfits)?;
        let rows_taken_over = last.taken_over;
        let rows = compare_rows(conn, last, &mut misfits)?;
        let anchors = compare_anchors(conn, &[], &mut misfits)?;
        Ok((Report { rows, rows_taken_over, anchors, ..report }, misfits))
    })?;
    if let Some(files) = files {
        report.files = compare_files(db, files, &mut misfits)?;
    }
    report.intact = true;
    misfits.into_iter().for_each(|misfit| report.also(Some(misfit)));
    Ok(report)
}

/// The trail alone: entries, seals, and what is remembered of them outside.
fn verify_trail(conn: &mut AnyConnection, keys: &PublicKeys, memory: Memory<'_>) -> Outcome<(Report, Option<Misfit>)> {
    let witness = match memory {
        Memory::None => None,
        Memory::Kept(witness) => witness,
    };
    let mut at =
        Progress { previous: BEGINNING.to_owned(), last_seal: 0, last_entry: 0, seals: 0, entries: 0, rank: None };
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
            at.rank = keys.rank(&seal.key_id);
            at.previous = seal.chained;
        }
    }
    let sealed: Option<i64> = audit_seal::table.select(diesel::dsl::max(audit_seal::last_entry)).first(conn)?;
    let unsealed: i64 = audit_entry::table.filter(audit_entry::seq.gt(sealed.unwrap_or(0))).count().get_result(conn)?;
    let unsealed = u64::try_from(unsealed).unwrap_or_default();
    if misfit.is_none() && matches!(memory, Memory::Kept(None)) && (at.last_seal > 0 || unsealed > 0) {
        let refusal = Refusal::from(RecordRefusal::Misremembered(Misremembered::Nothing));
        let kind = MisfitKind::SealMissing;
        misfit = Some(Misfit::new(kind, None, at.last_seal, refusal.message_zh, refusal.message_en));
    }
    let report = Report { seals: at.seals, entries: at.entries, unsealed, ..Report::default() };
    Ok((report, misfit))
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
    let rank = keys.rank(&seal.key_id);
    if rank.is_some() && rank < at.rank {
        return wrong(
            MisfitKind::KeyUnknown,
            "以已更换的旧密钥签名",
            "it was signed by a key that another had followed",
        );
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
