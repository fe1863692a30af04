//! MLLP, the Minimal Lower Layer Protocol of HL7: `VT message FS CR`; and the acknowledgement, which is made after the
//! message is kept.

use super::{End, Fault, Given, Keeper, Owed, Receive, is_line_end};

/// Start of a message.
pub const VT: u8 = 0x0b;
/// End of a message, with a carriage return behind it.
pub const FS: u8 = 0x1c;

/// The host's side of one connection.
#[derive(Debug, Clone)]
pub struct MllpReceiver {
    limit: usize,
    /// `None` between messages.
    message: Option<Vec<u8>>,
    /// Bytes of the message above the limit.
    skipped: usize,
    /// Bytes outside of messages.
    unframed: Vec<u8>,
    owed: Owed,
    over: bool,
}

impl Default for MllpReceiver {
    fn default() -> Self {
        Self::new(16 << 20)
    }
}

impl Receive for MllpReceiver {
    fn feed(&mut self, bytes: &[u8], keeper: &mut dyn Keeper) -> Vec<u8> {
        let mut answers = Vec::new();
        for byte in bytes {
            if self.over {
                break;
            }
            match (&mut self.message, *byte) {
                (_, VT) => {
                    self.break_off(End::Restart, keeper);
                    self.message = Some(Vec::new());
                }
                // Some senders leave out the carriage return behind it.
                (Some(message), FS) => {
                    let message = std::mem::take(message);
                    self.message = None;
                    answers.extend(self.answer(&message, keeper));
                }
                (Some(message), byte) if message.len() < self.limit => message.push(byte),
                (Some(_), _) => answers.extend(self.skip(keeper)),
                (None, byte) => self.unframed(byte, keeper),
            }
        }
        answers
    }

    fn end(&mut self, end: End, keeper: &mut dyn Keeper) -> bool {
        self.break_off(end, keeper);
        self.owed.settle(keeper)
    }

    fn is_idle(&self) -> bool {
        self.message.is_none() && self.unframed.is_empty() && self.owed.is_empty()
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

impl MllpReceiver {
    /// A receiver that takes messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, message: None, skipped: 0, unframed: Vec::new(), owed: Owed::default(), over: false }
    }

    /// Has what was in a frame kept, and answers: AA where it is, AE where it is to be sent again, AR where sending it
    /// again is of no use.
    fn answer(&mut self, message: &[u8], keeper: &mut dyn Keeper) -> Vec<u8> {
        let fault = match std::mem::take(&mut self.skipped) {
            0 if is_message(message) => None,
            0 => Some(Fault::NotHl7),
            _ => Some(Fault::TooLong(self.limit)),
        };
        let given = match &fault {
            None => Given::Message(message),
            // An empty block holds nothing that could be kept.
            Some(fault) => Given::Fragment { bytes: message, fault },
        };
        let kept = if message.is_empty() { Ok(()) } else { keeper.keep(given) };
        let (code, text) = match (kept, fault) {
            (Ok(()), None) => (AckCode::Accept, String::new()),
            (Ok(()), Some(fault)) => (AckCode::Reject, fault.to_string()),
            (Err(why), _) => (AckCode::Error, why),
        };
        wrap(&ack(message, code, &text, &keeper.time()))
    }

    /// A byte above the limit. The end of the message is waited for, since an answer in its middle would be missed; not
    /// for ever.
    fn skip(&mut self, keeper: &mut dyn Keeper) -> Vec<u8> {
        self.skipped += 1;
        if self.skipped <= self.limit.saturating_mul(4) {
            return Vec::new();
        }
        self.over = true;
        let message = self.message.take().unwrap_or_default();
        self.answer(&message, keeper)
    }

    /// A byte outside of messages. Line ends alone are nothing; within other bytes they belong to them.
    fn unframed(&mut self, byte: u8, keeper: &mut dyn Keeper) {
        if self.unframed.is_empty() && is_line_end(byte) {
            return;
        }
        self.unframed.push(byte);
        if self.unframed.len() >= self.limit {
            self.over = true;
            self.owed.give(std::mem::take(&mut self.unframed), Fault::TooLong(self.limit), keeper);
        }
    }

    /// Hands over what never became a message. Nothing of it was acknowledged.
    fn break_off(&mut self, end: End, keeper: &mut dyn Keeper) {
        self.owed.give(std::mem::take(&mut self.unframed), Fault::Unframed, keeper);
        self.skipped = 0;
        if let Some(received) = self.message.take() {
            self.owed.give(received, Fault::BrokenOff(end), keeper);
        }
    }
}

/// Whether it begins with a header that can be read.
fn is_message(message: &[u8]) -> bool {
    !Head::of(message).fields.is_empty()
}

/// A message in its frame.
pub fn wrap(message: &[u8]) -> Vec<u8> {
    [&[VT], message, &[FS, b'\r']].concat()
}

/// What the receiver says of a message (HL7 table 0008).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckCode {
    /// `AA`: taken.
    Accept,
    /// `AE`: understood, and something in it is wrong.
    Error,
    /// `AR`: not to be dealt with, such as another type of message.
    Reject,
}

impl AckCode {
    fn text(self) -> &'static str {
        match self {
            Self::Accept => "AA",
            Self::Error => "AE",
            Self::Reject => "AR",
        }
    }
}

/// The acknowledgement of `message`, without its frame ([`wrap`] puts it on): sender and receiver are exchanged, version,
/// processing id and trigger event repeated, `text` is written to MSA-3. `at` is the time of the answer (MSH-7) as HL7
/// writes it, such as `20260304091500+0800`; this crate has no clock. A message without a readable MSH is answered with
/// the usual delimiters and an empty control id.
pub fn ack(message: &[u8], code: AckCode, text: &str, at: &str) -> Vec<u8> {
    let head = Head::of(message);
    let field = |n: usize| head.fields.get(n.saturating_sub(1)).copied().unwrap_or_default();
    let version = if field(12).is_empty() { b"2.5.1" } else { field(12) };
    let processing = if field(11).is_empty() { b"P" } else { field(11) };
    let event = field(9).split(|b| *b == head.component).nth(1).unwrap_or_default();
    // The header's own bytes are in the sender's encoding, which is only then UTF-8 when it says so.
    let utf8 = field(18).to_ascii_uppercase().windows(5).any(|w| w == b"UTF-8");
    let foreign = head.fields.iter().any(|f| !f.is_ascii());
    let (text, charset): (String, &[u8]) = match text.is_ascii() || utf8 {
        true => (text.to_owned(), field(18)),
        false if foreign => (text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(), field(18)),
        false => (text.to_owned(), b"UNICODE UTF-8"),
    };
    let control = [b"ACK", field(10)].concat();
    // HL7 gives a control id 20 characters.
    let control = control.get(..20).unwrap_or(&control);
    let kind = match event {
        [] => b"ACK".to_vec(),
        event => [b"ACK", [head.component].as_slice(), event, &[head.component], b"ACK"].concat(),
    };
    let msh: Vec<&[u8]> = vec![
        b"MSH",
        head.encoding,
        field(5),
        field(6),
        field(3),
        field(4),
        at.as_bytes(),
        b"",
        &kind,
        control,
        processing,
        version,
        b"",
        b"",
        b"",
        b"",
        b"",
        charset,
    ];
    let mut out = msh.join(&head.field);
    while out.last() == Some(&head.field) {
        out.pop();
    }
    out.push(b'\r');
    let said = head.escape(&text);
    let msa: Vec<&[u8]> = vec![b"MSA", code.text().as_bytes(), field(10), &said];
    out.extend(msa.join(&head.field));
    while out.last() == Some(&head.field) {
        out.pop();
    }
    out.push(b'\r');
    out
}

/// The first segment of a message, as far as it can be read.
struct Head<'a> {
    field: u8,
    component: u8,
    encoding: &'a [u8],
    /// Field n at place n - 1; MSH-1 is the delimiter itself.
    fields: Vec<&'a [u8]>,
}

impl<'a> Head<'a> {
    fn of(message: &'a [u8]) -> Self {
        let usual = Self { field: b'|', component: b'^', encoding: b"^~\\&", fields: Vec::new() };
        let start = message.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let body = message.get(start..).unwrap_or_default();
        let line = body.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
        let Some([field, rest @ ..]) = line.strip_prefix(b"MSH") else { return usual };
        let fields: Vec<&[u8]> = [&[][..]].into_iter().chain(rest.split(|b| b == field)).collect();
        let Some(encoding) = fields.get(1).copied().filter(|e| e.len() >= 4) else { return usual };
        let component = encoding.first().copied().unwrap_or(b'^');
        Self { field: *field, component, encoding, fields }
    }

    /// Text with the delimiters and line ends escaped.
    fn escape(&self, text: &str) -> Vec<u8> {
        let mark = |n: usize| self.encoding.get(n).copied();
        let escape = mark(2).unwrap_or(b'\\');
        let mut out = Vec::new();
        for byte in text.bytes() {
            let letter: &[u8] = match byte {
                b if b == self.field => b"F",
                b if b == self.component => b"S",
                b if Some(b) == mark(1) => b"R",
                b if b == escape => b"E",
                b if Some(b) == mark(3) => b"T",
                b'\r' => b"X0D",
                b'\n' => b"X0A",
                VT | FS => continue,
                other => {
                    out.push(other);
                    continue;
                }
            };
            out.push(escape);
            out.extend_from_slice(letter);
            out.push(escape);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::link::testing::Kept;

    const MESSAGE: &[u8] =
        b"MSH|^~\\&|READER|LAB 2|LIMS|IDC|20260304091500||ORU^R01^ORU_R01|M-0001|P|2.5.1|||||CHN|UNICODE UTF-8\rOBR|1\r";

    /// The words that were answered, in their order.
    fn said(answers: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(answers).into_owned();
        text.split("\rMSA|").skip(1).map(|rest| rest.chars().take(2).collect()).collect()
    }

    #[test]
    fn messages_come_in_pieces() {
        let second = b"MSH|^~\\&|second\r".to_vec();
        let stream = [wrap(MESSAGE), wrap(&second)].concat();
        for size in 1..40 {
            let (mut receiver, mut kept) = (MllpReceiver::default(), Kept::default());
            let answers: Vec<u8> = stream.chunks(size).flat_map(|piece| receiver.feed(piece, &mut kept)).collect();
            assert_eq!((said(&answers), answers.first()), (vec!["AA".to_owned(), "AA".into()], Some(&VT)));
            assert_eq!(kept.messages, [MESSAGE.to_vec(), second.clone()]);
            assert!(receiver.is_idle() && kept.fragments.is_empty());
        }
    }

    #[test]
    fn only_what_is_kept_is_accepted() {
        let (mut receiver, mut kept) = (MllpReceiver::default(), Kept { refuses: true, ..Kept::default() });
        let answer = receiver.feed(&wrap(MESSAGE), &mut kept);
        assert!(String::from_utf8(answer).unwrap().contains("|20260304091501+0800|"));
        assert_eq!(said(&receiver.feed(&wrap(MESSAGE), &mut kept)), ["AE"]);
        assert_eq!(said(&receiver.feed(&wrap(b"hello"), &mut kept)), ["AE"], "not even as a fragment");
        kept.refuses = false;
        assert_eq!(said(&receiver.feed(&wrap(MESSAGE), &mut kept)), ["AA"]);
        assert_eq!(said(&receiver.feed(&wrap(b"hello"), &mut kept)), ["AR"]);
        assert_eq!(said(&receiver.feed(&wrap(b""), &mut kept)), ["AR"]);
        assert_eq!(kept.messages, [MESSAGE.to_vec()]);
        assert_eq!(kept.fragments, [(b"hello".to_vec(), Fault::NotHl7)]);
    }

    #[test]
    fn what_is_no_message_is_a_fragment() {
        let (mut receiver, mut kept) = (MllpReceiver::new(8), Kept::default());
        assert!(receiver.feed(b"\r\nabc\r\nd", &mut kept).is_empty() && !receiver.is_idle());
        assert_eq!(said(&receiver.feed(&wrap(b"MSH|^~\\&|"), &mut kept)), ["AR"], "a byte too long");
        assert_eq!(said(&receiver.feed(&wrap(b"MSH|^~\\&"), &mut kept)), ["AA"]);
        receiver.feed(b"\x0b12\x0bMSH|^~\\&\x1c\r\x0b34", &mut kept);
        assert!(receiver.end(End::Closed, &mut kept) && receiver.is_idle());
        assert_eq!(
            kept.fragments,
            [
                (b"abc\r\nd".to_vec(), Fault::Unframed),
                (b"MSH|^~\\&".to_vec(), Fault::TooLong(8)),
                (b"12".to_vec(), Fault::BrokenOff(End::Restart)),
                (b"34".to_vec(), Fault::BrokenOff(End::Closed)),
            ]
        );
        assert_eq!(kept.messages.len(), 2);
        // Without an end in sight, the connection is given up, within frames and outside.
        assert_eq!(said(&receiver.feed(&[&[VT], &[b'x'; 41][..]].concat(), &mut kept)), ["AR"]);
        assert!(receiver.is_over() && receiver.feed(&wrap(b"MSH|^~\\&"), &mut kept).is_empty());
        let mut receiver = MllpReceiver::new(8);
        receiver.feed(b"12345678", &mut kept);
        assert!(receiver.is_over());
        assert_eq!(kept.fragments.last(), Some(&(b"12345678".to_vec(), Fault::TooLong(8))));
    }

    #[test]
    fn a_fragment_that_cannot_be_kept_is_owed() {
        let (mut receiver, mut kept) = (MllpReceiver::default(), Kept { refuses: true, ..Kept::default() });
        receiver.feed(b"noise\x0bMSH|half", &mut kept);
        assert!(!receiver.end(End::Closed, &mut kept) && !receiver.is_idle());
        kept.refuses = false;
        assert!(receiver.end(End::Closed, &mut kept) && receiver.is_idle());
        assert_eq!(kept.all, [b"noise".to_vec(), b"MSH|half".to_vec()]);
    }

    #[test]
    fn the_acknowledgement_answers_the_sender() {
        let said = ack(MESSAGE, AckCode::Accept, "", "20260304091501");
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "MSH|^~\\&|LIMS|IDC|READER|LAB 2|20260304091501||ACK^R01^ACK|ACKM-0001|P|2.5.1||||||UNICODE UTF-8\r\
             MSA|AA|M-0001\r"
        );
        let said = String::from_utf8(ack(MESSAGE, AckCode::Error, "OBX|1: 无法读取\r^", "")).unwrap();
        assert!(said.ends_with("MSA|AE|M-0001|OBX\\F\\1: 无法读取\\X0D\\\\S\\\r"), "{said}");
        let other = b"\nMSH#*@!%#A#B#C#D###ORU*R01#7#T#2.3\n";
        let said = String::from_utf8(ack(other, AckCode::Reject, "no", "")).unwrap();
        assert_eq!(said, "MSH#*@!%#C#D#A#B###ACK*R01*ACK#ACK7#T#2.3\rMSA#AR#7#no\r");
        let said = String::from_utf8(ack(b"hello", AckCode::Reject, "no MSH", "")).unwrap();
        assert_eq!(said, "MSH|^~\\&|||||||ACK|ACK|P|2.5.1\rMSA|AR||no MSH\r");
    }

    #[test]
    fn text_never_mixes_encodings() {
        // GBK bytes in the header: the answer's text stays within ASCII.
        let gbk = b"MSH|^~\\&|\xca\xb5|||||| ORU^R01|1|P|2.5\r";
        let said = ack(gbk, AckCode::Error, "坏", "");
        assert!(said.ends_with(b"MSA|AE|1|?\r"));
    }

    proptest! {
        #[test]
        fn an_answer_is_always_two_segments(message in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,40}") {
            let noisy = [b"MSH".as_slice(), &message].concat();
            for message in [&message, &noisy] {
                let said = ack(message, AckCode::Error, &text, "");
                prop_assert!(said.starts_with(b"MSH") && said.ends_with(b"\r"));
                prop_assert_eq!(said.iter().filter(|b| **b == b'\r').count(), 2);
            }
        }

        /// Whatever comes in whatever pieces: a message is accepted exactly where it is kept, and no byte is in none of
        /// messages, fragments and refused blocks.
        #[test]
        fn pieces_make_no_difference_and_nothing_vanishes(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(wrap(b"MSH|^~\\&|A\r")),
                    Just(wrap(b"nothing")),
                    Just(b"\x0bhalf".to_vec()),
                    Just(b"noise\r\n".to_vec()),
                    prop::collection::vec(any::<u8>(), 0..12),
                ],
                0..12,
            ),
            size in 1usize..30,
        ) {
            let stream = parts.concat();
            let run = |size: usize| {
                let (mut receiver, mut kept) = (MllpReceiver::new(200), Kept::default());
                let answers: Vec<u8> = stream.chunks(size).flat_map(|piece| receiver.feed(piece, &mut kept)).collect();
                prop_assert!(receiver.end(End::Closed, &mut kept) && receiver.is_idle());
                Ok((answers, kept))
            };
            let (answers, kept) = run(stream.len().max(1))?;
            let (others, other) = run(size)?;
            prop_assert_eq!((&answers, &kept.messages, &kept.fragments), (&others, &other.messages, &other.fragments));
            let accepted = said(&answers).iter().filter(|word| *word == "AA").count();
            prop_assert_eq!(accepted, kept.messages.len());
            let text = |bytes: &[u8]| -> Vec<u8> {
                bytes.iter().copied().filter(|byte| !matches!(*byte, VT | FS | b'\r' | b'\n')).collect()
            };
            prop_assert_eq!(text(&kept.all.concat()), text(&stream));
        }
    }
}
