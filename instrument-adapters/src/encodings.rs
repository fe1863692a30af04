//! In which encoding a text is. UTF-8, UTF-16 and GB18030 prove themselves, by a mark or by their own strict rules, and
//! are tried for every adapter; a code page in which every byte is a letter is taken only where its adapter declares it
//! and what comes out reads as Western text.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::doubt;

/// An encoding, and the length of the mark before the text.
pub(crate) type Chosen = (&'static Encoding, usize);

/// What the bytes of a file show of their encoding, found once for all adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// The same in every encoding that an adapter may declare.
    Ascii,
    /// They prove what they are.
    Proven(Chosen),
    /// Single bytes above ASCII: a code page, or a broken text.
    Other,
}

impl Bytes {
    pub fn of(bytes: &[u8]) -> Self {
        // GB18030 has a mark too.
        let of_gb_18030 = || bytes.starts_with(&[0x84, 0x31, 0x95, 0x33]).then_some((GB18030, 4));
        if let Some((encoding, length)) = Encoding::for_bom(bytes).or_else(of_gb_18030) {
            return Self::Proven((encoding, length * marks(bytes, length)));
        }
        if let Some(encoding) = unmarked_utf_16(bytes) {
            return Self::Proven((encoding, 0));
        }
        if bytes.is_ascii() {
            return Self::Ascii;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if doubt::is_rather_chinese(text) => return Self::Proven((GB18030, 0)),
            Ok(_) => return Self::Proven((UTF_8, 0)),
            // Cut within a character: what is there is UTF-8, and the end is broken.
            Err(cut) if cut.error_len().is_none() && !bytes.get(..cut.valid_up_to()).unwrap_or_default().is_ascii() => {
                return Self::Proven((UTF_8, 0));
            }
            Err(_) => {}
        }
        if is_chinese(bytes) { Self::Proven((GB18030, 0)) } else { Self::Other }
    }

    /// The encoding for an adapter that declares these; `None` where none of them fits.
    pub fn choose(self, bytes: &[u8], declared: &[String]) -> Option<Chosen> {
        let known = declared.iter().filter_map(|label| Encoding::for_label_no_replacement(label.as_bytes()));
        let mut plain = known.filter(|encoding| !encoding.name().starts_with("UTF-16"));
        match self {
            // Another encoding of two bytes a character, where an adapter declares it, may have the same bytes.
            Self::Proven((encoding, 0)) if encoding == GB18030 => {
                let other =
                    plain.find(|encoding| matches!(encoding.name(), "Big5" | "Shift_JIS" | "EUC-JP" | "EUC-KR"));
                let fits =
                    |e: &&'static Encoding| e.decode_without_bom_handling_and_without_replacement(bytes).is_some();
                Some((other.filter(fits).unwrap_or(GB18030), 0))
            }
            Self::Proven(chosen) => Some(chosen),
            Self::Ascii => Some((plain.next().unwrap_or(UTF_8), 0)),
            Self::Other => {
                let mut last = None;
                for encoding in plain {
                    // What is strictly GB18030 and does not read as Chinese is not taken for it.
                    let chinese = matches!(encoding.name(), "GBK" | "gb18030");
                    if !chinese && encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some() {
                        return Some((encoding, 0));
                    }
                    last = Some((encoding, 0));
                }
                // Read as far as it goes, with the broken line named.
                last.or(Some((UTF_8, 0)))
            }
        }
    }
}

/// The encoding of a label that a message names itself. ASCII has no letters beyond its own.
pub(crate) fn named(bytes: &[u8], label: &str) -> Option<Chosen> {
    if label.eq_ignore_ascii_case("us-ascii") {
        return Some((UTF_8, 0));
    }
    if label.eq_ignore_ascii_case("utf-16") {
        return match Bytes::of(bytes) {
            Bytes::Proven((encoding, skip)) if encoding.name().starts_with("UTF-16") => Some((encoding, skip)),
            _ => None,
        };
    }
    Some((Encoding::for_label_no_replacement(label.as_bytes())?, 0))
}

/// How often the mark at the beginning is there: some programs mark a text that has its mark already.
fn marks(bytes: &[u8], length: usize) -> usize {
    let mark = bytes.get(..length).unwrap_or_default();
    bytes.chunks(length.max(1)).take_while(|chunk| *chunk == mark).count()
}

/// UTF-16 without its mark: every second byte of its digits, blanks and line ends is a zero, which no text in another
/// encoding has at all. Where they do not tell the order of the bytes there is no guess: a text with zeros is broken.
fn unmarked_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..1 << 16).unwrap_or(bytes);
    if !head.contains(&0) {
        return None;
    }
    let (mut little, mut big) = (Ordered::default(), Ordered::default());
    let mut units = 0_usize;
    for unit in head.chunks_exact(2) {
        units += 1;
        match *unit {
            [0, 0] => return None,
            [low, 0] => little.count(low),
            [0, low] => big.count(low),
            _ => {}
        }
    }
    let (encoding, found) = match (little, big) {
        (one, other) if one.is_told_against(other) => (UTF_16LE, one),
        (other, one) if one.is_told_against(other) => (UTF_16BE, one),
        _ => return None,
    };
    (found.written * 20 >= units).then_some(encoding)
}

/// The ASCII of a text in one order of its bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Ordered {
    written: usize,
    /// Of these, what is not a Chinese character in the other order. 一 of the one order is N of the other, and so is many
    /// a letter and some digits; blanks, points and line ends would be signs there that no instrument writes.
    signs: usize,
}

impl Ordered {
    fn count(&mut self, byte: u8) {
        self.written += usize::from(matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
        self.signs +=
            usize::from(matches!(byte, b'\t' | b'\n' | b'\r' | b' ' | b'1'..=b'3' | b'.' | b',' | b':' | b';' | b'-'));
    }

    fn is_told_against(self, other: Self) -> bool {
        self.signs > other.signs * 2 || (self.signs == other.signs && self.written > 0 && other.written == 0)
    }
}

/// One character beyond ASCII, as GB18030 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Two high bytes of GB 2312: its symbols and its characters in common use.
    Common,
    /// Two high bytes otherwise.
    High,
    /// A high byte and one that is an ASCII letter or sign by itself.
    Low,
    /// Four bytes, every second one a digit.
    Four,
    /// A place that GB18030 leaves to its users, where the second byte is an ASCII letter or sign by itself.
    Private,
}

/// True where the bytes are strictly GB18030 and their characters come together as Chinese ones do. A Western letter
/// is alone among ASCII, and would take the letter behind it for its second byte.
fn is_chinese(bytes: &[u8]) -> bool {
    let (mut chinese, mut western) = (0_usize, 0_usize);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii() {
            at += 1;
            continue;
        }
        let start = at;
        let (mut units, mut common, mut certain) = (0_usize, 0_usize, false);
        let mut only = Unit::Four;
        while bytes.get(at).is_some_and(|b| !b.is_ascii()) {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some((unit, length)) = unit(rest) else {
                // The last one may have been cut.
                if rest.len() < 2 && chinese > 0 { return chinese > western } else { return false }
            };
            units += 1;
            common += usize::from(unit == Unit::Common);
            certain |= unit == Unit::Four;
            only = unit;
            at += length;
        }
        // The letter behind a Western one is left out where it was taken for half a character.
        let as_western = || doubt::reads_as_western(bytes, start, at);
        match (units, only) {
            _ if certain => chinese += units * 2,
            // Western letter or not, it is one byte before an ASCII one.
            (1, Unit::Private) => western += 2,
            (1, Unit::Common | Unit::High | Unit::Low) if as_western() => {
                western += if only == Unit::Common { 1 } else { 2 }
            }
            (1, _) => chinese += 1,
            _ => chinese += units + common,
        }
    }
    chinese > western
}

/// The character at the beginning and its length; `None` where GB18030 has no such bytes.
fn unit(bytes: &[u8]) -> Option<(Unit, usize)> {
    let lead = *bytes.first().filter(|lead| (0x81..=0xfe).contains(*lead))?;
    let second = *bytes.get(1)?;
    match second {
        b'0'..=b'9' => {
            let third = *bytes.get(2)?;
            let fourth = *bytes.get(3)?;
            ((0x81..=0xfe).contains(&third) && fourth.is_ascii_digit()).then_some((Unit::Four, 4))
        }
        0x40..=0x7e if (0xa1..=0xa7).contains(&lead) => Some((Unit::Private, 2)),
        0x40..=0x7e => Some((Unit::Low, 2)),
        0xa1..=0xfe if (0xa1..=0xa9).contains(&lead) || (0xb0..=0xd7).contains(&lead) => Some((Unit::Common, 2)),
        0x80..=0xfe => Some((Unit::High, 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    fn read(bytes: &[u8], declared: &[&str]) -> (String, String) {
        let (encoding, skip) = Bytes::of(bytes).choose(bytes, &labels(declared)).unwrap();
        let (text, _) = encoding.decode_without_bom_handling(&bytes[skip..]);
        (encoding.name().to_owned(), text.into_owned())
    }

    fn wide(text: &str, little: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    const TEXTS: [&str; 9] = [
        "Name\t噁唑烷酮\t48\r\n",
        "张喆,1.02\n",
        "操作者：堃\n",
        "analyst 喆 1\n",
        "analyst 噁 1\n",
        "样品：𠮷田 㐀\t2\n",
        "水分：0.42 %\n",
        "嘧啶,吡啶,噻唑\n",
        "一一一一 1,2\r\n",
    ];

    #[test]
    fn chinese_is_read_in_every_encoding_that_proves_itself() {
        for text in TEXTS {
            let (gb, _, lost) = GB18030.encode(text);
            assert!(!lost);
            let all = [
                text.as_bytes().to_vec(),
                [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(),
                gb.to_vec(),
                [&[0x84, 0x31, 0x95, 0x33][..], &gb[..]].concat(),
                wide(text, true, true),
                wide(text, false, true),
                wide(text, true, false),
                wide(text, false, false),
            ];
            for (number, bytes) in all.iter().enumerate() {
                for declared in [&["utf-8"][..], &["utf-16", "utf-8", "gb2312", "windows-1252"], &["us-ascii"]] {
                    assert_eq!(read(bytes, declared).1, text, "{number} {declared:?}");
                }
            }
        }
    }

    #[test]
    fn western_text_stays_western() {
        for text in [
            "ba\u{17e}edarci,µl\n",
            "Konzentration µg/ml 25 °C Größe\n",
            "25 °C, ±0,5 µl, é\n",
            "Prüfer Müller, Maßlösung\n",
            "“quoted” – 5 µm\n",
            "Temp °C\tm²\t10³\r\n",
            // A degree sign of another system's code page.
            "Temperature(¡C)\tA1\r\n",
        ] {
            let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
            assert!(!lost);
            let read = read(&bytes, &["utf-16", "utf-8", "gb2312", "windows-1252"]);
            assert_eq!(read, ("windows-1252".to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn western_and_greek_signs_in_utf_8_stay_utf_8() {
        for text in ["λ 254 nm, 5 μL", "25 °C ±0,5 µl, é", "créée, Größe", "Сода", "α-Al, β, m²·h"] {
            assert_eq!(read(text.as_bytes(), &["utf-8", "gb2312"]), ("UTF-8".to_owned(), text.to_owned()));
        }
    }

    /// Without line ends, digits or blanks the order of the bytes may be open: the zeros then make it a broken text.
    #[test]
    fn the_order_of_bytes_is_told_by_ascii_or_not_at_all() {
        for text in ["一一一一 1", "一一,一", "昀\t最\r\n", "Name", "最\n"] {
            for little in [true, false] {
                assert_eq!(read(&wide(text, little, false), &["utf-8"]).1, text, "{text} {little}");
            }
        }
        for text in ["一N", "NN一一"] {
            for little in [true, false] {
                assert!(read(&wide(text, little, false), &["utf-8"]).1.contains('\0'), "{text}");
            }
        }
    }

    #[test]
    fn a_mark_may_stand_there_twice() {
        let marked = "\u{feff}\u{feff}a\u{feff}1\n";
        for bytes in
            [marked.as_bytes(), &GB18030.encode(marked).0, &wide(marked, true, false), &wide(marked, false, true)]
        {
            assert_eq!(read(bytes, &["utf-8"]).1, "a\u{feff}1\n");
        }
    }

    #[test]
    fn what_is_ascii_has_the_declared_name() {
        assert_eq!(read(b"a,1\n", &["us-ascii"]).0, "windows-1252");
        assert_eq!(read(b"a,1\n", &["utf-16", "utf-8"]).0, "UTF-8");
    }
}
