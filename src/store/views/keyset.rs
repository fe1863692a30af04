//! Lists by cursor: a page begins behind the last row of the page before, so that it costs the same wherever it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::refusal::Refusal;
use crate::store::columns::Instant;

/// Up to here a list counts its rows.
pub const COUNTED: i64 = 10_000;

/// A part of a list, and how to go on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sheet<T> {
    /// How many there are in all, counted up to 10,000
    pub total: i64,
    pub items: Vec<T>,
    /// The cursor of the next part (`after`); null at the end
    pub next: Option<String>,
}

/// The place behind a row of a list that is ordered by a time and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's time
    pub at: Instant,
    /// The row's id
    pub id: String,
}

impl Cursor {
    /// Reads a cursor as [`std::fmt::Display`] writes it.
    ///
    /// # Errors
    /// Names the field.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let refused =
            || Refusal::field("after", "不是本列表给出的游标", "expected the cursor that this list gave as `next`");
        let (at, id) = text.split_once('_').ok_or_else(refused)?;
        let at = chrono::DateTime::parse_from_rfc3339(at).map_err(|_| refused())?;
        if id.is_empty() {
            return Err(refused());
        }
        Ok(Self { at: at.to_utc().into(), id: id.to_owned() })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.at, self.id)
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Part {
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// The cursor that the part before gave as `next`
    pub after: Option<String>,
}

impl Part {
    /// How many rows at most.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(100).clamp(1, 500)
    }

    /// Where the part begins.
    ///
    /// # Errors
    /// Where the cursor is none.
    pub fn after(&self) -> Result<Option<Cursor>, Refusal> {
        self.after.as_deref().filter(|text| !text.is_empty()).map(Cursor::read).transpose()
    }
}

/// The rows of a part, of which one more than asked for was loaded, and the cursor behind the last.
#[must_use]
pub fn cut<T>(mut rows: Vec<T>, limit: i64, cursor: impl Fn(&T) -> Cursor) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| cursor(row).to_string());
    (rows, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(id: &str) -> Cursor {
        Cursor { at: chrono::DateTime::UNIX_EPOCH.into(), id: id.to_owned() }
    }

    #[test]
    fn a_cursor_reads_back_and_nothing_else_is_one() {
        let one = cursor("0190-a");
        assert_eq!(Cursor::read(&one.to_string()), Ok(one));
        for bad in ["", "x", "2026-01-01_", "yesterday_a", "1970-01-01T00:00:00.000000Z"] {
            assert_eq!(Cursor::read(bad).err().and_then(|refusal| refusal.field).as_deref(), Some("after"), "{bad}");
        }
    }

    #[test]
    fn the_last_part_has_no_next() {
        let all = ["a", "b", "c"];
        let (rows, next) = cut(all.to_vec(), 2, |row| cursor(row));
        assert_eq!((rows.len(), next), (2, Some(cursor("b").to_string())));
        assert_eq!(cut(all.to_vec(), 3, |row| cursor(row)).1, None);
        assert_eq!(cut(Vec::<&str>::new(), 3, |row| cursor(row)).1, None);
    }
}
