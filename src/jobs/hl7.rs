//! HL7 version 2 over MLLP: the frame around a message, and the acknowledgement. Pure.

use chrono::{DateTime, Utc};
use chrono_tz::Asia::Shanghai;

/// Begins a block.
pub const VT: u8 = 0x0B;
/// Ends it, followed by a carriage return.
pub const FS: u8 = 0x1C;

/// What has come in of a block.
pub struct Blocks {
    block: Option<Vec<u8>>,
    most: usize,
}

/// What a byte completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A message.
    Whole(Vec<u8>),
    /// More bytes than a message may have; the connection is of no use any more.
    TooLarge(Vec<u8>),
}

impl Blocks {
    /// Blocks of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { block: None, most }
    }

    /// One byte that came in. What stands between blocks is nothing.
    pub fn byte(&mut self, byte: u8) -> Option<Block> {
        match (&mut self.block, byte) {
            (_, VT) => self.block = Some(Vec::new()),
            (Some(_), FS) => return self.block.take().map(Block::Whole),
            (Some(block), other) => {
                block.push(other);
                if block.len() > self.most {
                    return self.block.take().map(Block::TooLarge);
                }
            }
            (None, _) => {}
        }
        None
    }

    /// A block that has begun and not ended.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        self.block.take().filter(|block| !block.is_empty())
    }
}

/// The fields of a header that an acknowledgement repeats.
struct Header {
    separator: char,
    encoding: String,
    application: String,
    facility: String,
    trigger: String,
    control_id: String,
    processing_id: String,
    version: String,
}

fn header(message: &[u8]) -> Option<Header> {
    let end = message.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(message.len());
    let text = String::from_utf8_lossy(message.get(..end)?).into_owned();
    let rest = text.strip_prefix("MSH")?;
    let separator = rest.chars().next().filter(|c| !c.is_alphanumeric())?;
    let fields: Vec<&str> = rest.split(separator).collect();
    // Field 1 is the separator itself, so that MSH-3 stands at place 2 here.
    let field = |number: usize| fields.get(number - 1).map(|text| (*text).to_owned()).unwrap_or_default();
    Some(Header {
        separator,
        encoding: field(2),
        application: field(3),
        facility: field(4),
        trigger: field(9).split(['^', '~']).nth(1).unwrap_or_default().to_owned(),
        control_id: field(10),
        processing_id: field(11),
        version: field(12),
    })
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is kept.
    Accept,
    /// It could not be kept: send it again.
    Error,
    /// It is no message.
    Reject,
}

/// Whether there is a header at all.
pub fn is_message(message: &[u8]) -> bool {
    header(message).is_some()
}

/// The acknowledgement of a message, in its block.
pub fn acknowledgement(message: &[u8], answer: Answer, why: &str, now: DateTime<Utc>, id: &str) -> Vec<u8> {
    let header = header(message).unwrap_or(Header {
        separator: '|',
        encoding: "^~\\&".into(),
        application: String::new(),
        facility: String::new(),
        trigger: String::new(),
        control_id: String::new(),
        processing_id: "P".into(),
        version: "2.5.1".into(),
    });
    let s = header.separator;
    let word = match answer {
        Answer::Accept => "AA",
        Answer::Error => "AE",
        Answer::Reject => "AR",
    };
    let component = header.encoding.chars().next().unwrap_or('^');
    let kind = match header.trigger.as_str() {
        "" => "ACK".to_owned(),
        trigger => format!("ACK{component}{trigger}{component}ACK"),
    };
    let time = now.with_timezone(&Shanghai).format("%Y%m%d%H%M%S%z");
    // What we say must not break the message that says it.
    let why: String =
        why.chars().map(|c| if c == s || c.is_control() || header.encoding.contains(c) { ' ' } else { c }).collect();
    let (application, facility) = (&header.application, &header.facility);
    let (encoding, control) = (&header.encoding, &header.control_id);
    let (processing, version) = (&header.processing_id, &header.version);
    let text = format!(
        "MSH{s}{encoding}{s}QIANFA{s}{s}{application}{s}{facility}{s}{time}{s}{s}{kind}{s}{id}{s}{processing}{s}{version}\r\
         MSA{s}{word}{s}{control}{s}{why}\r"
    );
    let mut block = vec![VT];
    block.extend_from_slice(text.as_bytes());
    block.extend_from_slice(&[FS, b'\r']);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_cut_out_of_the_stream() {
        let mut blocks = Blocks::new(10);
        let found: Vec<Block> =
            b"noise\x0bMSH|\x1c\r\x0bMSH|2\x1c\r\x0bMSH".iter().filter_map(|byte| blocks.byte(*byte)).collect();
        assert_eq!(found, [Block::Whole(b"MSH|".to_vec()), Block::Whole(b"MSH|2".to_vec())]);
        assert_eq!(blocks.end().as_deref(), Some(&b"MSH"[..]));
        let found: Vec<Block> = b"\x0b12345678901".iter().filter_map(|byte| blocks.byte(*byte)).collect();
        assert!(matches!(&found[..], [Block::TooLarge(bytes)] if bytes.len() == 11));
    }

    #[test]
    fn an_acknowledgement_names_the_message() {
        let message = b"MSH|^~\\&|ANALYSER|LAB|LIS|QC|20260302090000||ORU^R01^ORU_R01|MSG-7|P|2.3.1\rOBX|1\r";
        let now = DateTime::parse_from_rfc3339("2026-03-02T01:00:00Z").unwrap().to_utc();
        let told = String::from_utf8(acknowledgement(message, Answer::Accept, "", now, "A1")).unwrap();
        assert_eq!(
            told,
            "\u{b}MSH|^~\\&|QIANFA||ANALYSER|LAB|20260302090000+0800||ACK^R01^ACK|A1|P|2.3.1\rMSA|AA|MSG-7|\r\u{1c}\r"
        );
        let told = String::from_utf8(acknowledgement(b"GET / HTTP", Answer::Reject, "no|HL7", now, "A2")).unwrap();
        assert!(told.contains("\rMSA|AR||no HL7\r"), "{told:?}");
        assert!(is_message(message) && !is_message(b"MSHX") && !is_message(b""));
    }
}
