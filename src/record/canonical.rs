//! The bytes that are hashed: of an entry, of a tree of entries, of a seal.

use sha2::{Digest, Sha256};

use crate::store::columns::InstituteId;
use crate::store::rows::{AuditEntryRow, AuditSealRow};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first seal is chained to.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Fields one after the other, each with a mark of presence and its length, so that no two rows share their bytes.
struct Fields(Sha256);

impl Fields {
    fn begin(domain: u8, what: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update([domain]);
        hash.update(what);
        Self(hash)
    }

    fn add(self, field: &str) -> Self {
        self.maybe(Some(field))
    }

    fn maybe(mut self, field: Option<&str>) -> Self {
        match field {
            None => self.0.update([0]),
            Some(text) => {
                self.0.update([1]);
                self.0.update((text.len() as u64).to_be_bytes());
                self.0.update(text);
            }
        }
        self
    }

    fn hash(self) -> Hash {
        self.0.finalize().into()
    }
}

/// The leaf of an entry (domain 0x00). An event of version 1 has the form of the entries that were sealed before events
/// had versions; a later one's version is among what is hashed, and since entries carry the hashes of rows, these and
/// whose entry it is.
#[must_use]
pub fn leaf(row: &AuditEntryRow) -> Hash {
    let fields = match (&row.rows_sha256, row.event_version) {
        (Some(rows), version) => Fields::begin(0, "qianfa audit entry 3")
            .add(&version.to_string())
            .add(rows)
            .maybe(row.institute_id.as_ref().map(InstituteId::as_str)),
        (None, 1) => Fields::begin(0, "qianfa audit entry 1"),
        (None, version) => Fields::begin(0, "qianfa audit entry 2").add(&version.to_string()),
    };
    fields
        .add(&row.seq.to_string())
        .add(row.at.as_str())
        .maybe(row.actor_id.as_deref())
        .add(&row.actor)
        .add(&row.action)
        .add(&row.subject_kind)
        .add(&row.subject_id)
        .add(row.changes.as_str())
        .maybe(row.reason.as_deref())
        .maybe(row.request_id.as_deref())
        .hash()
}

/// The hash of a row as it is after an event (domain 0x03).
#[must_use]
pub fn row(table: &str, key: &str, content: &str) -> Hash {
    Fields::begin(3, "qianfa row 1").add(table).add(key).add(content).hash()
}

/// What a key states (domain 0x04): which one it follows.
#[must_use]
pub fn key_follows(id: &str, previous: Option<&str>) -> Hash {
    Fields::begin(4, "qianfa seal key 1").add(id).maybe(previous).hash()
}

/// The root of a Merkle tree (inner nodes: domain 0x01), built as in RFC 6962: an odd node moves up as it is.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => {
                    let mut hash = Sha256::new();
                    hash.update([1]);
                    hash.update(left);
                    hash.update(right);
                    hash.finalize().into()
                }
                alone => alone[0],
            })
            .collect();
    }
    level.first().copied().unwrap_or_else(|| Sha256::digest([]).into())
}

/// What a seal signs: everything it says, and the seal before it (domain 0x02).
#[must_use]
pub fn chained(seal: &AuditSealRow) -> Hash {
    Fields::begin(2, "qianfa audit seal 1")
        .add(&seal.seq.to_string())
        .add(&seal.first_entry.to_string())
        .add(&seal.last_entry.to_string())
        .add(&seal.entry_count.to_string())
        .add(&seal.root)
        .add(&seal.previous)
        .add(&seal.key_id)
        .add(seal.sealed_at.as_str())
        .hash()
}

/// The leaves as a seal keeps them: `SEQ HASH`, a line each. They are not the proof (the root is); they tell
/// which entry does not fit.
#[must_use]
pub fn write_leaves(leaves: &[(i64, Hash)]) -> String {
    leaves.iter().map(|(seq, hash)| format!("{seq} {}\n", hex::encode(hash))).collect()
}

/// Reads what [`write_leaves`] wrote; `None` where it is anything else.
#[must_use]
pub fn read_leaves(text: &str) -> Option<Vec<(i64, Hash)>> {
    text.lines()
        .map(|line| {
            let (seq, hash) = line.split_once(' ')?;
            Some((seq.parse().ok()?, hex::decode(hash).ok()?.try_into().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_those_of_rfc_6962_over_the_same_leaves() {
        let node = |l: &Hash, r: &Hash| -> Hash {
            let mut bytes = vec![1_u8];
            bytes.extend(l);
            bytes.extend(r);
            Sha256::digest(bytes).into()
        };
        let l: Vec<Hash> = (0..5_u8).map(|i| Sha256::digest([0, i]).into()).collect();
        assert_eq!(root(&l[..1]), l[0]);
        assert_eq!(root(&l[..3]), node(&node(&l[0], &l[1]), &l[2]));
        assert_eq!(root(&l), node(&node(&node(&l[0], &l[1]), &node(&l[2], &l[3])), &l[4]));
    }

    #[derive(serde::Serialize)]
    struct Changes {
        name: Changed,
    }

    #[derive(serde::Serialize)]
    struct Changed {
        new: &'static str,
        old: Option<&'static str>,
    }

    fn entry(version: i64) -> AuditEntryRow {
        let at = chrono::DateTime::parse_from_rfc3339("2026-03-02T01:00:00.000000Z").unwrap().to_utc();
        AuditEntryRow {
            seq: 7,
            at: at.into(),
            actor_id: Some("a1".into()),
            actor: "receiver".into(),
            action: "applicant.create".into(),
            subject_kind: "applicant".into(),
            subject_id: "p1".into(),
            // A struct: how a map orders its keys is a choice of the build.
            changes: crate::store::columns::Json::of(&Changes { name: Changed { new: "示范", old: None } }),
            reason: None,
            request_id: Some("r1".into()),
            event_version: version,
            institute_id: None,
            rows_sha256: None,
        }
    }

    /// Calculated outside of this program from the form that was sealed before events had versions.
    const KEPT: &str = "1f18a05cd379a51d0f7162eeeb0d5c5649823c7dcf4dcfc4da197a8d1126797f";

    #[test]
    fn what_was_sealed_before_events_had_versions_still_fits() {
        assert_eq!(hex::encode(leaf(&entry(1))), KEPT);
        assert_eq!(hex::encode(root(&[leaf(&entry(1))])), KEPT);
    }

    #[test]
    fn the_version_of_an_event_is_sealed_with_it() {
        let (one, two, three) = (leaf(&entry(1)), leaf(&entry(2)), leaf(&entry(3)));
        assert!(one != two && two != three && one != three);
    }

    #[test]
    fn what_an_entry_says_of_rows_and_of_whose_it_is_is_sealed_with_it() {
        let with = |rows: &str, institute: Option<&str>| {
            leaf(&AuditEntryRow { rows_sha256: Some(rows.into()), institute_id: institute.map(Into::into), ..entry(1) })
        };
        let all = [leaf(&entry(1)), with("a", None), with("b", None), with("a", Some("i1")), with("a", Some("i2"))];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn leaves_read_back() {
        let leaves = vec![(7, [1_u8; 32]), (9, [2_u8; 32])];
        assert_eq!(read_leaves(&write_leaves(&leaves)), Some(leaves));
        assert_eq!(read_leaves("7 abc\n"), None);
    }
}
