//! The only text of which a document is made.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fonts::printable;

/// A text every character of which the fonts of the documents have. There is no way to one with another character: what a
/// person types is refused before it is kept, and what a file says, or what was kept before a rule was known, is shown
/// with a substitute that anybody sees: the character's code in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Printed(String);

impl Printed {
    /// The text, where all of it can be printed as it is.
    ///
    /// # Errors
    /// The characters that cannot be, each once.
    pub fn exactly(text: &str) -> Result<Self, Vec<char>> {
        let missing = super::missing_glyphs(text);
        if missing.is_empty() { Ok(Self(text.to_owned())) } else { Err(missing) }
    }

    /// The text with a visible substitute for what cannot be printed: `[U+0F40]`. A tab is four blanks.
    #[must_use]
    pub fn shown(text: &str) -> Self {
        let mut shown = String::with_capacity(text.len());
        let mut signs = text.chars().peekable();
        while let Some(sign) = signs.next() {
            match sign {
                '\n' => shown.push('\n'),
                '\r' => {
                    signs.next_if_eq(&'\n');
                    shown.push('\n');
                }
                '\t' => shown.push_str("    "),
                sign if printable(sign) => shown.push(sign),
                sign => shown.push_str(&format!("[U+{:04X}]", u32::from(sign))),
            }
        }
        Self(shown)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Nothing is printed.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Deref for Printed {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Printed {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Printed {
    fn from(text: &str) -> Self {
        Self::shown(text)
    }
}

impl From<String> for Printed {
    fn from(text: String) -> Self {
        Self::shown(&text)
    }
}

impl From<&String> for Printed {
    fn from(text: &String) -> Self {
        Self::shown(text)
    }
}

impl From<&Printed> for Printed {
    fn from(text: &Printed) -> Self {
        text.clone()
    }
}

impl From<Printed> for String {
    fn from(text: Printed) -> Self {
        text.0
    }
}

impl PartialEq<str> for Printed {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Printed {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<Printed> for &str {
    fn eq(&self, other: &Printed) -> bool {
        *self == other.0
    }
}

impl<'de> Deserialize<'de> for Printed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}

impl PartialSchema for Printed {
    fn schema() -> RefOr<Schema> {
        String::schema()
    }
}

impl ToSchema for Printed {
    fn name() -> std::borrow::Cow<'static, str> {
        String::name()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_printed_is_shown_by_its_code() {
        for (text, shown) in [
            ("样品 A-1", "样品 A-1"),
            ("路ཀ", "路[U+0F40]"),
            ("a\tb", "a    b"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
            ("a\u{7}b", "a[U+0007]b"),
            ("\u{202e}abc", "[U+202E]abc"),
            ("😀", "[U+1F600]"),
        ] {
            assert_eq!(Printed::from(text), shown, "{text:?}");
        }
        assert_eq!(Printed::exactly("路ཀ😀"), Err(vec!['ཀ', '😀']));
        assert_eq!(Printed::exactly("王䶮").as_deref(), Ok("王䶮"));
    }

    proptest! {
        #[test]
        fn whatever_comes_the_fonts_have_it(text in any::<String>()) {
            let shown = Printed::from(text.as_str());
            prop_assert!(super::super::missing_glyphs(&shown).is_empty());
            prop_assert_eq!(Printed::from(shown.as_str()), shown);
        }
    }
}
