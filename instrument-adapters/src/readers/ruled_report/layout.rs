//! Positions: pairs of a head line, rulers, headings over columns, rows cut by the ruler.

use crate::tabular::{Cell, Heading};

/// Key and value of `key : value`; the colon may also come before the padding.
pub(in crate::readers) fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once(':')?;
    let key = key.trim();
    let long = key.chars().count() > 30;
    // `C:\…` is not a key; neither is a sentence.
    if key.chars().count() < 2 || long || value.starts_with('\\') {
        return None;
    }
    let value = value.trim().trim_start_matches(':').trim();
    Some((key.to_owned(), value.to_owned()))
}

/// Splits off the right-hand pair of a head line: at least three blanks, then a short key.
pub(in crate::readers) fn split_pairs(text: &str) -> (Option<String>, Option<(String, String)>) {
    let colon = text.char_indices().filter(|(_, c)| *c == ':');
    for (byte, _) in colon.collect::<Vec<_>>().into_iter().rev() {
        let Some(before) = text.get(..byte) else {
            continue;
        };
        let Some(gap) = before.rfind("   ") else {
            continue;
        };
        let key = before.get(gap + 3..).unwrap_or_default().trim();
        let starts_well = key.chars().next().is_some_and(char::is_uppercase);
        let left = before.get(..gap).unwrap_or_default();
        if !starts_well || key.chars().count() > 22 || key.contains('\\') {
            continue;
        }
        let value = text.get(byte + 1..).unwrap_or_default().trim().to_owned();
        let left = (!left.trim().is_empty()).then(|| left.trim_end().to_owned());
        return (left, Some((key.to_owned(), value)));
    }
    (Some(text.to_owned()), None)
}

pub(super) fn is_ruler(text: &str) -> bool {
    let text = text.trim_end();
    text.contains('|') && text.contains("--") && text.chars().all(|c| matches!(c, '-' | '|'))
}

/// First and last character position of each column; the separator belongs to none.
pub(super) fn ruler_columns(text: &str) -> Vec<(usize, usize)> {
    let mut columns = Vec::new();
    let mut start = 0;
    for part in text.trim_end().trim_end_matches('|').split('|') {
        columns.push((start, start + part.len()));
        start += part.len() + 1;
    }
    columns
}

pub(super) fn column_of(position: usize, ruler: &[(usize, usize)]) -> usize {
    ruler.iter().position(|(_, end)| position <= *end).unwrap_or(ruler.len().saturating_sub(1))
}

/// Words with their character positions: start, end (exclusive), text.
pub(in crate::readers) fn words(text: &str) -> Vec<(usize, usize, String)> {
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    let mut open = false;
    for (index, c) in text.chars().enumerate() {
        if c.is_whitespace() {
            open = false;
        } else if open && let Some(last) = found.last_mut() {
            last.1 = index + 1;
            last.2.push(c);
        } else {
            found.push((index, index + 1, c.to_string()));
            open = true;
        }
    }
    found
}

/// Puts the words of a heading line over the columns that their middles fall in.
pub(super) fn place_words(text: &str, ruler: &[(usize, usize)], headings: &mut [Heading], names: bool) {
    for (start, end, word) in words(text) {
        let column = column_of((start + end - 1) / 2, ruler);
        let Some(heading) = headings.get_mut(column) else {
            continue;
        };
        let slot = if names { &mut heading.name } else { heading.unit.get_or_insert_default() };
        if !slot.is_empty() {
            slot.push(' ');
        }
        slot.push_str(&word);
    }
    if names {
        return;
    }
    for heading in headings {
        let unit = heading.unit.take().unwrap_or_default();
        let unit = unit.trim();
        let inner = unit.strip_prefix('[').and_then(|u| u.strip_suffix(']')).map(str::to_owned);
        // A second heading line without brackets goes on with the name, `%` is a unit.
        heading.unit = match inner {
            Some(inner) => Some(inner),
            None if unit == "%" => Some("%".into()),
            None => {
                if !unit.is_empty() && unit != "#" {
                    heading.name = format!("{} {unit}", heading.name);
                }
                None
            }
        };
    }
}

/// Cuts a row by the ruler; `Err` is the column of a character on a separator.
pub(super) fn cut(text: &str, ruler: &[(usize, usize)]) -> Result<Vec<Cell>, u32> {
    let chars: Vec<char> = text.chars().collect();
    let last = ruler.len().saturating_sub(1);
    let mut cells = Vec::with_capacity(ruler.len());
    for (index, (start, end)) in ruler.iter().enumerate() {
        let end = if index == last { chars.len() } else { *end };
        let part: String =
            chars.get((*start).min(chars.len())..end.min(chars.len())).unwrap_or_default().iter().collect();
        let separator = chars.get(end).copied().unwrap_or(' ');
        if index != last && !separator.is_whitespace() {
            return Err(end as u32 + 1);
        }
        let lead = part.chars().take_while(|c| c.is_whitespace()).count();
        cells.push(Cell { column: (start + lead) as u32 + 1, raw: part.trim().to_owned() });
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_stand_over_their_columns() {
        let ruler = ruler_columns("-------|------|----|----------|----------|----------|--|------------------");
        let mut headings = vec![Heading::default(); ruler.len()];
        place_words("RetTime  Type  ISTD    Area     Amt/Area    Amount   Grp   Name", &ruler, &mut headings, true);
        place_words(" [min]         used  [pA*s]      ratio     [ng/ul]", &ruler, &mut headings, false);
        let names: Vec<_> = headings.iter().map(|h| h.name.as_str()).collect();
        assert_eq!(names, ["RetTime", "Type", "ISTD used", "Area", "Amt/Area ratio", "Amount", "Grp", "Name"]);
        assert_eq!(headings[3].unit.as_deref(), Some("pA*s"));
        assert_eq!(headings[5].unit.as_deref(), Some("ng/ul"));
    }

    #[test]
    fn rows_are_cut_by_the_ruler() {
        let ruler = ruler_columns("----|-------|----|-------|----------|----------|--------|");
        let cells = cut("   1   2.824 BB S  0.0881 4.57137e4  7718.08594 97.91525", &ruler).unwrap();
        let raw: Vec<_> = cells.iter().map(|c| c.raw.as_str()).collect();
        assert_eq!(raw, ["1", "2.824", "BB S", "0.0881", "4.57137e4", "7718.08594", "97.91525"]);
        assert_eq!(cells[4].column, 27);
        assert!(cut("   1x  2.824 BB S", &ruler).is_err());
    }

    #[test]
    fn pairs_of_a_head_line() {
        let (left, right) = split_pairs("Acq. Instrument : Instrument 1                    Location : Vial 1");
        assert_eq!(pair(&left.unwrap()), Some(("Acq. Instrument".into(), "Instrument 1".into())));
        assert_eq!(right, Some(("Location".into(), "Vial 1".into())));
        let (left, right) = split_pairs("                         Inj Volume : 15.0 µl");
        assert_eq!(left, None);
        assert_eq!(right, Some(("Inj Volume".into(), "15.0 µl".into())));
        let (left, right) = split_pairs("Sequence File   : C:\\Chem32\\1\\GC 2023-07-24 21-36-55\\H.S");
        assert_eq!(right, None);
        assert!(pair(&left.unwrap()).is_some());
        let (_, right) = split_pairs("Injection Date  : 7/24/2023 9:37:10 PM                 Inj :   1");
        assert_eq!(right, Some(("Inj".into(), "1".into())));
    }
}
