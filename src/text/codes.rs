//! Codes as people, scanners and input methods write them: brought into one form in which they are kept and looked up.

use super::form::one_form;

/// A code in the form in which codes are kept: half-width, without signs that nobody sees, without what a scanner adds
/// before and behind it, without blanks around it. Its letters stay as they are: whether `a` is `A` is known by whoever
/// made the code.
#[must_use]
pub fn code(typed: &str) -> String {
    let half: String =
        one_form(typed).chars().filter(|sign| !sign.is_control() && !unseen(*sign)).map(half_width).collect();
    let bare = half.trim();
    let symbology = symbology(bare);
    bare[symbology..].trim().to_owned()
}

/// The forms under which a typed or scanned code is looked for: as it is kept, then in capitals and in small letters.
#[must_use]
pub fn forms(typed: &str) -> Vec<String> {
    let kept = code(typed);
    let mut found: Vec<String> = Vec::new();
    for form in [kept.clone(), kept.to_uppercase(), kept.to_lowercase()] {
        if !form.is_empty() && !found.contains(&form) {
            found.push(form);
        }
    }
    found
}

/// Whether two codes are one, however they are written.
#[must_use]
pub fn same_code(one: &str, other: &str) -> bool {
    code(one).to_uppercase() == code(other).to_uppercase()
}

/// A lot number in the form in which lots are compared: half-width, in capitals, without blanks, with one sign for the
/// dashes and the signs of a range, and one kind of brackets. 「（1-2）」 and 「(1～2)」 are one.
#[must_use]
pub fn lot_key(lot: &str) -> String {
    let mut key = String::new();
    for sign in code(lot).chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_uppercase) {
        let sign = match sign {
            '~' | '\u{301c}' | '\u{223c}' | '\u{2e3a}' | '\u{2e3b}' | '\u{2043}' | '_' | '至' => '-',
            '[' | '{' | '【' | '〔' | '［' | '〈' => '(',
            ']' | '}' | '】' | '〕' | '］' | '〉' => ')',
            other => other,
        };
        if sign != '-' || !key.ends_with('-') {
            key.push(sign);
        }
    }
    key
}

fn unseen(sign: char) -> bool {
    crate::documents::unseen(sign)
}

/// Full-width letters, digits and signs are half-width ones; of the several dashes and blanks each is one.
fn half_width(sign: char) -> char {
    match sign {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xFEE0).unwrap_or(sign),
        '\u{3000}' | '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '。' => '.',
        other => other,
    }
}

/// How long the identifier of a symbology at the beginning is: `]d2`, `]C1`, `]Q3`.
fn symbology(code: &str) -> usize {
    let mut signs = code.chars();
    let marked = signs.next() == Some(']')
        && signs.next().is_some_and(|c| c.is_ascii_alphabetic())
        && signs.next().is_some_and(|c| c.is_ascii_alphanumeric());
    if marked { 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_has_one_form_however_it_comes_in() {
        for sent in [
            "SX20260001-01",
            " SX20260001-01 ",
            "SX20260001-01\u{1d}",
            "\u{1d}SX20260001-01\r\n",
            "]d2SX20260001-01\r",
            "]C1 SX20260001-01",
            "\u{feff}SX2026\u{200b}0001-01\t",
            "ＳＸ２０２６０００１－０１",
            "SX20260001–01",
            "\u{3000}SX20260001-01\u{a0}",
        ] {
            assert_eq!(code(sent), "SX20260001-01", "{sent:?}");
        }
        assert_eq!(code("202506022（1-2）"), code("202506022(1－2)"));
        assert_eq!(forms("sx1"), ["sx1", "SX1"]);
        assert_eq!(forms("Kit-7")[0], "Kit-7", "a label in the supplier's own letters comes first");
        assert!(same_code("ab-１", "AB-1 ") && !same_code("AB-1", "AB-2"));
        assert!(forms(" \r\n").is_empty());
        // A code of its own may begin with a bracket.
        assert_eq!(code("]-1"), "]-1");
    }

    #[test]
    fn a_lot_is_one_however_it_is_written() {
        for written in [
            "202506022（1-2）",
            "202506022(1～2)",
            "202506022 (1–2)",
            "２０２５０６０２２（１－２）",
            "202506022【1~2】",
            " 202506022 ( 1 — 2 ) ",
            "202506022(1--2)",
        ] {
            assert_eq!(lot_key(written), "202506022(1-2)", "{written}");
        }
        assert_eq!(lot_key("ab-12"), lot_key("ＡＢ－12"));
        for other in ["202506022", "202506022(12)", "202506022(1-3)"] {
            assert_ne!(lot_key(other), "202506022(1-2)", "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_lot_and_its_key_are_one(typed in "[A-Za-z0-9（）()～~－\\- ]{0,20}") {
            prop_assert_eq!(lot_key(&lot_key(&typed)), lot_key(&typed));
        }

        #[test]
        fn the_form_of_a_form_is_itself(typed in "[\\]A-Za-z0-9 ＡＺ０９－\\-\u{1d}\r\n\u{200b}]{0,20}") {
            // An identifier is written once: what looks like another behind it belongs to the code.
            prop_assume!(!typed.contains(']'));
            let once = code(&typed);
            prop_assert_eq!(code(&once), once);
        }
    }
}
