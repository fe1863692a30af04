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
        if let Some(marked) = Encoding::for_bom(bytes) {
            return Self::Proven(marked);
        }
        // GB18030 has a mark too.
        if bytes.starts_with(&[0x84, 0x31, 0x95, 0x33]) {
            return Self::Proven((GB18030, 4));
        }
        if let Some(encoding) = unmarked_utf_16(bytes) {
            return Self::Proven((encoding, 0));
        }
        if bytes.is_ascii() {
            return Self::Ascii;
        }
        match std::str::from_utf8(bytes) {
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

/// UTF-16 without its mark: every second byte of its digits, blanks and line ends is a zero, which no text in another
/// encoding has at all.
fn unmarked_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..1 << 16).unwrap_or(bytes);
    if !head.contains(&0) {
        return None;
    }
    let (mut little, mut big, mut units) = (0_usize, 0_usize, 0_usize);
    let (mut little_ends, mut big_ends) = (false, false);
    for unit in head.chunks_exact(2) {
        units += 1;
        // Read the other way round, tabs and line ends would be letters that no instrument writes.
        little_ends |= matches!(unit, [b'\t' | b'\n' | b'\r', 0]);
        big_ends |= matches!(unit, [0, b'\t' | b'\n' | b'\r']);
        match unit {
            [0, 0] => return None,
            [low, 0] if is_written(*low) => little += 1,
            [0, low] if is_written(*low) => big += 1,
            _ => {}
        }
    }
    // A Chinese character may have a zero byte as well.
    let encoding = match (little_ends, big_ends) {
        (true, false) => UTF_16LE,
        (false, true) => UTF_16BE,
        _ if little > big => UTF_16LE,
        _ => UTF_16BE,
    };
    (little.max(big) * 20 >= units).then_some(encoding)
}

fn is_written(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
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
}

/// True where the bytes are strictly GB18030 and their characters stand together as Chinese ones do. A Western letter
/// stands alone among ASCII, and would take the letter behind it for its second byte.
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
        ] {
            let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
            assert!(!lost);
            let read = read(&bytes, &["utf-16", "utf-8", "gb2312", "windows-1252"]);
            assert_eq!(read, ("windows-1252".to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn what_is_ascii_has_the_declared_name() {
        assert_eq!(read(b"a,1\n", &["us-ascii"]).0, "windows-1252");
        assert_eq!(read(b"a,1\n", &["utf-16", "utf-8"]).0, "UTF-8");
    }
}
