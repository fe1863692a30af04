//! Lists by cursor: a part begins behind the last row of the part before, so that the ten-thousandth page costs what
//! the first one does. Totals are counts that stop at a bound.

use serde::Serialize;
use utoipa::ToSchema;

use crate::refusal::Refusal;
use crate::store::columns::Instant;

/// How far a list is counted, and how far a caller may skip.
pub const COUNTED: i64 = 10_000;

/// A part of a list, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Part<T> {
    /// How many there are; counted to 10 000
    pub total: i64,
    /// There are more than `total`
    pub total_at_least: bool,
    pub items: Vec<T>,
    /// What `after` takes for the next part; none at the end
    pub next: Option<String>,
}

impl<T> Part<T> {
    /// Nothing: for a reader who has none of it.
    #[must_use]
    pub fn empty() -> Self {
        Self { total: 0, total_at_least: false, items: Vec::new(), next: None }
    }
}

/// The row behind which a part begins.
#[derive(Clone, Debug, PartialEq)]
pub struct After {
    /// Its instant.
    pub at: String,
    /// Its id.
    pub id: String,
}

impl After {
    /// The cursor that a caller gave back.
    ///
    /// # Errors
    /// Names the field, where no part of a list gave it.
    pub fn parse(text: Option<&str>) -> Result<Option<Self>, Refusal> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let parts = text.split_once('~').filter(|(at, id)| !at.is_empty() && !id.is_empty());
        let (at, id) = parts.ok_or_else(|| foreign("after"))?;
        Ok(Some(Self { at: at.to_owned(), id: id.to_owned() }))
    }

    /// The cursor of a row.
    #[must_use]
    pub fn of(at: &Instant, id: impl std::fmt::Display) -> String {
        format!("{at}~{id}")
    }
}

/// The refusal of a cursor that no part of a list gave.
#[must_use]
pub fn foreign(field: &str) -> Refusal {
    Refusal::field(field, "应为上一页给出的 next", "expected what the part before gave as `next`")
}

/// The pattern of texts that contain a text; none where nothing was typed. The signs of patterns in it stand for any
/// one sign, which finds a little more and never less.
#[must_use]
pub fn containing(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| format!("%{}%", text.replace(['%', '_', '\\'], "_")))
}

/// How many rows are asked for: 1 to 500, 100 where nothing is said.
#[must_use]
pub fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(100).clamp(1, 500)
}

/// How many rows are skipped.
///
/// # Errors
/// Names the field, where it is more than a list is counted.
pub fn offset(asked: Option<i64>) -> Result<i64, Refusal> {
    let offset = asked.unwrap_or(0).max(0);
    if offset > COUNTED {
        return Err(Refusal::field(
            "offset",
            format!("最多跳过 {COUNTED} 行，请改用 after"),
            format!("at most {COUNTED} rows are skipped: go on by `after`"),
        ));
    }
    Ok(offset)
}

/// The cursor for the part behind these rows, of which one more than asked for was read; that one is taken away.
pub fn next<T>(rows: &mut Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_out_and_comes_back() {
        let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
        let back = After::parse(Some(&After::of(&at, "c-1"))).expect("our own cursor");
        assert_eq!(back, Some(After { at: at.to_string(), id: "c-1".into() }));
        assert_eq!(After::parse(None), Ok(None));
        let refused = After::parse(Some("17")).expect_err("no cursor of ours");
        assert_eq!(refused.field.as_deref(), Some("after"));
    }

    #[test]
    fn a_search_is_a_pattern_of_what_was_typed() {
        assert_eq!(containing(" run "), Some("%run%".into()));
        assert_eq!(containing("50%_a"), Some("%50__a%".into()));
        assert_eq!(containing("  "), None);
    }

    #[test]
    fn the_last_part_has_no_next() {
        let mut rows = vec![1, 2, 3];
        assert_eq!(next(&mut rows, 2, ToString::to_string), Some("2".into()));
        assert_eq!(rows, [1, 2]);
        assert_eq!(next(&mut rows, 2, ToString::to_string), None);
        assert!(offset(Some(COUNTED + 1)).is_err());
    }
}
