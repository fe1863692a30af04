//! The hashes of rows that an entry carries: written in the transaction of the entry, read when it is verified.

use sha2::{Digest, Sha256};

use super::canonical::{Hash, row};
use crate::store::touched::TouchedRow;

/// In place of the hash of a row that was removed.
const GONE: &str = "-";

/// A row of the database as an entry left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// Its table.
    pub table: String,
    /// Its key.
    pub key: String,
    /// Its hash; none where it was removed.
    pub hash: Option<Hash>,
}

impl SealedRow {
    /// A row as it was written.
    #[must_use]
    pub fn of(touched: &TouchedRow) -> Self {
        let hash = touched.content.as_ref().map(|content| row(&touched.table, &touched.key, content));
        Self { table: touched.table.clone(), key: touched.key.clone(), hash }
    }
}

/// The rows as an entry keeps them: `HASH TABLE KEY`, a line each.
#[must_use]
pub fn write_rows(rows: &[SealedRow]) -> String {
    let line = |one: &SealedRow| {
        let hash = one.hash.map_or_else(|| GONE.to_owned(), hex::encode);
        // The key is the only part that may hold anything.
        let key = one.key.replace('\\', "\\\\").replace('\n', "\\n");
        format!("{hash} {} {key}\n", one.table)
    };
    rows.iter().map(line).collect()
}

/// Reads what [`write_rows`] wrote; `None` where it is anything else.
#[must_use]
pub fn read_rows(text: &str) -> Option<Vec<SealedRow>> {
    text.split_terminator('\n').map(read_row).collect()
}

fn read_row(line: &str) -> Option<SealedRow> {
    let (hash, rest) = line.split_once(' ')?;
    let (table, key) = rest.split_once(' ')?;
    let hash = match hash {
        GONE => None,
        hash => Some(hex::decode(hash).ok()?.try_into().ok()?),
    };
    let mut plain = String::with_capacity(key.len());
    let mut characters = key.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next()? {
                'n' => plain.push('\n'),
                '\\' => plain.push('\\'),
                _ => return None,
            },
            c => plain.push(c),
        }
    }
    Some(SealedRow { table: table.to_owned(), key: plain, hash })
}

/// What the entry itself says of its rows.
#[must_use]
pub fn rows_sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_read_back(
            written in prop::collection::vec(("[a-z_]{1,12}", any::<String>(), any::<Option<[u8; 32]>>()), 0..6)
        ) {
            let rows: Vec<SealedRow> =
                written.into_iter().map(|(table, key, hash)| SealedRow { table, key, hash }).collect();
            prop_assert_eq!(read_rows(&write_rows(&rows)), Some(rows));
        }

        #[test]
        fn anything_else_is_read_as_nothing(text in "[-a-f0-9 \\\\\\n]{0,80}") {
            // Whatever is read is written as it was.
            if let Some(rows) = read_rows(&text) {
                let ended = if text.is_empty() || text.ends_with('\n') { text } else { format!("{text}\n") };
                prop_assert_eq!(write_rows(&rows), ended);
            }
        }
    }

    #[test]
    fn a_hash_is_of_table_key_and_content() {
        let of = |table: &str, key: &str, content: Option<&str>| {
            SealedRow::of(&TouchedRow { table: table.into(), key: key.into(), content: content.map(str::to_owned) })
                .hash
        };
        let all = [of("a", "1", Some("x")), of("b", "1", Some("x")), of("a", "2", Some("x")), of("a", "1", Some("y"))];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(of("a", "1", None), None);
    }
}
