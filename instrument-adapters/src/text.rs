//! Bytes to numbered lines. In which encoding they are is decided in [`crate::encodings`].

use crate::encodings::{self, Bytes, Chosen};

/// One line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counts from 1.
    pub number: u32,
    pub text: String,
    /// False for a last line that the file does not end.
    pub terminated: bool,
}

impl Line {
    pub fn is_blank(&self) -> bool {
        self.text.chars().all(|c| c.is_whitespace() || c == '\u{c}')
    }
}

/// A decoded file.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub encoding: &'static str,
    pub lines: Vec<Line>,
    /// First line that holds a byte sequence its encoding does not have, or a NUL.
    pub broken_line: Option<u32>,
    /// Everything, for readers of trees.
    pub whole: String,
}

/// Decodes `bytes`, or gives `None` where no declared encoding fits.
///
/// A file of a known format with a broken byte is read as far as it goes, with the line named.
pub(crate) fn decode(bytes: &[u8], declared: &[String]) -> Option<Text> {
    Bytes::of(bytes).choose(bytes, declared).map(|chosen| decode_as(bytes, chosen))
}

/// Decodes in the encoding that a message names itself.
pub(crate) fn decode_named(bytes: &[u8], label: &str) -> Option<Text> {
    encodings::named(bytes, label).map(|chosen| decode_as(bytes, chosen))
}

/// Decodes in an encoding that was chosen, behind its mark.
pub(crate) fn decode_as(bytes: &[u8], (encoding, skip): Chosen) -> Text {
    let body = bytes.get(skip..).unwrap_or_default();
    let (text, malformed) = encoding.decode_without_bom_handling(body);
    let broken = text.contains('\0') || malformed;
    split(text.into_owned(), encoding.name(), broken)
}

/// As [`decode`], without lines where nothing is broken.
pub(crate) fn decode_whole(bytes: &[u8], declared: &[String]) -> Option<Text> {
    let (encoding, skip) = Bytes::of(bytes).choose(bytes, declared)?;
    let (text, malformed) = encoding.decode_without_bom_handling(bytes.get(skip..).unwrap_or_default());
    if malformed || text.contains('\0') {
        return decode(bytes, declared);
    }
    Some(Text { encoding: encoding.name(), lines: Vec::new(), broken_line: None, whole: text.into_owned() })
}

fn split(whole: String, encoding: &'static str, broken: bool) -> Text {
    let mut lines = Vec::new();
    let mut broken_line = None;
    let mut rest = whole.as_str();
    let mut number = 0u32;
    while !rest.is_empty() {
        number = number.saturating_add(1);
        let (text, next, terminated) = match rest.split_once(['\n', '\r']) {
            None => (rest, "", false),
            Some((text, next)) => {
                // CR LF is one end, a lone CR another.
                let was_cr = rest.as_bytes().get(text.len()) == Some(&b'\r');
                let next = if was_cr { next.strip_prefix('\n').unwrap_or(next) } else { next };
                (text, next, true)
            }
        };
        if broken && broken_line.is_none() && text.contains(['\u{fffd}', '\0']) {
            broken_line = Some(number);
        }
        lines.push(Line { number, text: text.to_owned(), terminated });
        rest = next;
    }
    if broken && broken_line.is_none() {
        broken_line = Some(number.max(1));
    }
    Text { encoding, lines, broken_line, whole }
}

/// How deep the brackets of a JSON text go, counted before anything is built from it.
pub(crate) fn deepest_bracket(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn the_mark_decides() {
        let utf16 = [0xff, 0xfe, b'a', 0, b'\r', 0, b'\n', 0, b'b', 0];
        for declared in ["utf-16", "utf-8", "windows-1252"] {
            let text = decode(&utf16, &labels(&[declared])).unwrap();
            assert_eq!(text.lines.len(), 2);
            assert_eq!(text.lines[1].text, "b");
            assert!(!text.lines[1].terminated);
        }
    }

    #[test]
    fn half_a_code_unit_is_a_broken_line() {
        let cut = [0xff, 0xfe, b'a', 0, b'\n', 0, b'b'];
        let text = decode(&cut, &labels(&["utf-16"])).unwrap();
        assert_eq!(text.broken_line, Some(2));
    }

    #[test]
    fn a_broken_byte_names_its_line() {
        let text = decode(b"a\nb\xb5\n", &labels(&["utf-8"])).unwrap();
        assert_eq!(text.broken_line, Some(2));
        let text = decode(b"a\nb\xb5\n", &labels(&["utf-8", "windows-1252"])).unwrap();
        assert_eq!(text.broken_line, None);
        assert_eq!(text.lines[1].text, "b\u{b5}");
    }

    #[test]
    fn chinese_is_told_by_two_high_bytes() {
        let declared = labels(&["utf-8", "gb2312", "windows-1252"]);
        let chinese = decode(b"Name\xb0\xa2\xcb\xbe,1\n", &declared).unwrap();
        assert_eq!((chinese.encoding, chinese.lines[0].text.as_str()), ("gb18030", "Name\u{963f}\u{53f8},1"));
        let western = decode(b"ba\x9edarci,\xb5l\n", &declared).unwrap();
        assert_eq!(western.encoding, "windows-1252");
    }

    #[test]
    fn every_kind_of_line_end() {
        let text = decode(b"a\rb\r\nc\n\nd", &labels(&["utf-8"])).unwrap();
        let all: Vec<_> = text.lines.iter().map(|l| l.text.as_str()).collect();
        assert_eq!(all, ["a", "b", "c", "", "d"]);
    }

    #[test]
    fn brackets_within_quotes_do_not_count() {
        assert_eq!(deepest_bracket(r#"{"a": [1, {"b": "[[["}], "c\"{{": []}"#), 3);
        assert_eq!(deepest_bracket("]]]["), 1);
        assert_eq!(deepest_bracket(""), 0);
    }
}
