//! Typed texts as they come in, by page or by API: brought into one form, and refused where they cannot be printed, in
//! one place for every field there is. A field that repeats what a file says is named by its action.

use serde_json::Value;

use super::printable;
use crate::refusal::Refusal;

/// A text with one sign for the end of a line, without the signs that have no width: browsers send CR LF, old files CR,
/// and what is pasted from elsewhere carries marks that nobody sees and nobody could take away by hand.
#[must_use]
pub fn one_form(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\r' => {
                signs.next_if_eq(&'\n');
                kept.push('\n');
            }
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => kept.push('\n'),
            '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
            other => kept.push(other),
        }
    }
    kept
}

/// Whether a field is a password: it is taken to the letter.
fn secret(name: &str) -> bool {
    name.contains("password")
}

/// Brings every text of a body into one form; whether anything changed.
pub fn tidy(body: &mut Value) -> bool {
    match body {
        Value::String(text) => {
            let kept = one_form(text);
            let changed = kept != *text;
            *text = kept;
            changed
        }
        Value::Array(list) => list.iter_mut().fold(false, |changed, one| tidy(one) | changed),
        Value::Object(fields) => {
            fields.iter_mut().filter(|(name, _)| !secret(name)).fold(false, |changed, (_, one)| tidy(one) | changed)
        }
        _ => false,
    }
}

/// Refuses the first text of a body that cannot be printed. `filed` names the fields that repeat what a file says, by
/// their paths without places (`rows.place`); what lies below such a field is left alone too.
///
/// # Errors
/// Names the field and the characters.
pub fn refuse_unprintable(body: &Value, filed: &[&str]) -> Result<(), Refusal> {
    walk("", body, filed)
}

fn walk(path: &str, value: &Value, filed: &[&str]) -> Result<(), Refusal> {
    match value {
        Value::String(text) => fault(path, text, filed).map_or(Ok(()), Err),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(index, one)| walk(&format!("{path}[{index}]"), one, filed))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(name, one)| {
            let dot = if path.is_empty() { "" } else { "." };
            if secret(name) { Ok(()) } else { walk(&format!("{path}{dot}{name}"), one, filed) }
        }),
        _ => Ok(()),
    }
}

/// Why one typed text is refused, if it is.
#[must_use]
pub fn fault(path: &str, text: &str, filed: &[&str]) -> Option<Refusal> {
    let bare = without_places(path);
    let below = |name: &&str| bare.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if secret(path) || filed.iter().any(below) {
        return None;
    }
    // Other signs of control are the business of the field itself, which knows whether it has lines.
    let shown: String = one_form(text).chars().filter(|sign| !sign.is_control()).collect();
    printable(path, &shown).err()
}

/// `rows[3].place` as `rows.place`.
fn without_places(path: &str) -> String {
    let mut inside = false;
    let outside = |sign: &char| {
        let kept = !inside && *sign != '[';
        inside = (inside || *sign == '[') && *sign != ']';
        kept
    };
    path.chars().filter(outside).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_of_a_body_comes_into_one_form_but_a_password() {
        let mut body = json!({"note": "a\r\nb", "list": [{"reason": "c\rd\u{2028}e"}], "password": "x\r\n", "n": 1});
        assert!(tidy(&mut body));
        let kept = json!({"note": "a\nb", "list": [{"reason": "c\nd\ne"}], "password": "x\r\n", "n": 1});
        assert_eq!(body, kept);
        assert!(!tidy(&mut body));
    }

    #[test]
    fn the_field_is_named_and_what_a_file_says_is_left_alone() {
        let body = json!({"rows": [{"place": "1"}, {"place": "ཀ", "note": "ཀ"}], "password": "😀"});
        let refused = refuse_unprintable(&body, &[]).expect_err("a place");
        assert!(refused.field.is_some_and(|field| field.starts_with("rows[1].")));
        let refused = refuse_unprintable(&body, &["rows.place"]).expect_err("a note");
        assert_eq!(refused.field.as_deref(), Some("rows[1].note"));
        assert_eq!(refuse_unprintable(&body, &["rows"]), Ok(()));
        assert!(refuse_unprintable(&body, &["row"]).is_err());
    }

    proptest! {
        #[test]
        fn one_form_is_one(text in any::<String>()) {
            let once = one_form(&text);
            let strange = once.contains(['\r', '\u{200b}', '\u{feff}', '\u{2028}']);
            prop_assert!(!strange);
            prop_assert_eq!(one_form(&once), once);
        }
    }
}
