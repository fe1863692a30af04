//! The spellings of instruments and people, as data: each leads to one UCUM code.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

const ALIASES: &str = include_str!("../data/aliases.toml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Aliases {
    /// Spellings of whole units.
    unit: HashMap<String, String>,
    /// Spellings of a part between `/` and `.`.
    part: HashMap<String, String>,
}

/// The table. Were it not readable, it would be empty: the tests look.
fn aliases() -> &'static Aliases {
    static TABLE: OnceLock<Aliases> = OnceLock::new();
    TABLE.get_or_init(|| toml::from_str(ALIASES).unwrap_or_default())
}

/// The UCUM code of a spelling, as far as the table leads: what it does not know stays as it is.
pub(crate) fn ucum(text: &str) -> String {
    let plain = plain(text);
    let table = aliases();
    if let Some(code) = table.unit.get(&plain) {
        return code.clone();
    }
    let mut out = String::new();
    let mut part = String::new();
    let mut inside = 0_usize;
    for letter in plain.chars() {
        match letter {
            '[' | '{' => inside += 1,
            ']' | '}' => inside = inside.saturating_sub(1),
            _ => {}
        }
        if inside == 0 && matches!(letter, '/' | '.' | '(' | ')') {
            push(&mut out, &part, table);
            part.clear();
            out.push(letter);
        } else {
            part.push(letter);
        }
    }
    push(&mut out, &part, table);
    out
}

/// A part in its UCUM spelling; an exponent at its end stays.
fn push(out: &mut String, part: &str, table: &Aliases) {
    if let Some(code) = table.part.get(part) {
        out.push_str(code);
        return;
    }
    let bare = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    match table.part.get(bare) {
        // A term of several symbols takes no exponent without brackets, and those not at all in UCUM.
        Some(code) if bare.len() < part.len() && !code.contains(['.', '/']) => {
            out.push_str(code);
            out.push_str(part.get(bare.len()..).unwrap_or_default());
        }
        _ => out.push_str(part),
    }
}

/// One sign for the variants of one sign, blanks left out.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in text.trim().chars() {
        match letter {
            '\u{FF01}'..='\u{FF5E}' => out.extend(char::from_u32(u32::from(letter) - 0xFEE0)),
            'μ' | 'µ' => out.push('u'),
            '㎎' => out.push_str("mg"),
            '㎏' => out.push_str("kg"),
            '㎍' => out.push_str("ug"),
            '㎖' => out.push_str("mL"),
            '㎕' => out.push_str("uL"),
            '㎜' => out.push_str("mm"),
            '㎝' => out.push_str("cm"),
            '℃' | '℉' => out.push(letter),
            '·' | '⋅' | '∙' | '•' | '×' => out.push('.'),
            '*' => out.push(if out.ends_with("10") { '*' } else { '.' }),
            '⁄' | '∕' | '每' => out.push('/'),
            '⁻' | '−' | '–' => out.push('-'),
            '⁰' => out.push('0'),
            '¹' => out.push('1'),
            '²' => out.push('2'),
            '³' => out.push('3'),
            '⁴' => out.push('4'),
            '⁵' => out.push('5'),
            '⁶' => out.push('6'),
            '⁷' => out.push('7'),
            '⁸' => out.push('8'),
            '⁹' => out.push('9'),
            other if other.is_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn every_alias_leads_to_a_unit_of_ucum_and_hides_none() {
        let table = aliases();
        assert!(table.unit.len() > 20 && table.part.len() > 60, "the table is read");
        for (spelling, code) in table.unit.iter().chain(&table.part) {
            assert!(parse::worth(code).is_ok(), "{spelling} → {code}");
            assert_eq!(plain(spelling), *spelling, "the key is written as it is looked up");
        }
    }
}
