//! MLLP, the Minimal Lower Layer Protocol of HL7: `VT message FS CR`; and the acknowledgement.

/// Start of a message.
pub const VT: u8 = 0x0b;
/// End of a message, with a carriage return behind it.
pub const FS: u8 = 0x1c;

/// What is wrong with what arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MllpError {
    /// Bytes outside a message.
    #[error("{0} bytes outside of a message")]
    Noise(usize),
    /// A message began before the last one had ended, or the connection was closed within it.
    #[error("a message was broken off after {} bytes", received.len())]
    BrokenOff {
        /// What had come of it.
        received: Vec<u8>,
    },
    /// More bytes than the limit allows; the message is lost.
    #[error("a message of more than {0} bytes")]
    TooLong(usize),
}

/// What follows from the bytes that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message without its frame; answer with [`ack`].
    Message(Vec<u8>),
    /// Something is wrong.
    Error(MllpError),
}

/// The host's side of one connection.
#[derive(Debug, Clone)]
pub struct Receiver {
    limit: usize,
    /// `None` between messages.
    message: Option<Vec<u8>>,
    overlong: bool,
    noise: usize,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new(16 << 20)
    }
}

impl Receiver {
    /// A receiver that takes messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, message: None, overlong: false, noise: 0 }
    }

    /// True between messages.
    pub fn is_idle(&self) -> bool {
        self.message.is_none()
    }

    /// Takes bytes as they arrive, in pieces of any size. A message is given as soon as its FS has come:
    /// some senders leave out the carriage return behind it.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            match (&mut self.message, *byte) {
                (_, VT) => {
                    self.report_noise(&mut events);
                    self.break_off(&mut events);
                    self.message = Some(Vec::new());
                }
                (Some(message), FS) => {
                    let message = std::mem::take(message);
                    self.message = None;
                    let overlong = std::mem::take(&mut self.overlong);
                    events.push(match overlong {
                        true => Event::Error(MllpError::TooLong(self.limit)),
                        false => Event::Message(message),
                    });
                }
                (Some(message), byte) if message.len() < self.limit => message.push(byte),
                (Some(_), _) => self.overlong = true,
                (None, b'\r' | b'\n') => {}
                (None, _) => self.noise += 1,
            }
        }
        self.report_noise(&mut events);
        events
    }

    /// The connection is closed, or silent for too long: what had come is given up.
    pub fn timeout(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.break_off(&mut events);
        events
    }

    fn report_noise(&mut self, events: &mut Vec<Event>) {
        if self.noise > 0 {
            events.push(Event::Error(MllpError::Noise(std::mem::take(&mut self.noise))));
        }
    }

    fn break_off(&mut self, events: &mut Vec<Event>) {
        self.overlong = false;
        if let Some(received) = self.message.take() {
            events.push(Event::Error(MllpError::BrokenOff { received }));
        }
    }
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

/// The acknowledgement of `message`, without its frame ([`wrap`] puts it on): sender and receiver are
/// exchanged, version, processing id and trigger event repeated, `text` stands in MSA-3.
///
/// The time of the acknowledgement (MSH-7) is left out, as this crate has no clock; see [`ack_at`]. A
/// message without a readable MSH is answered with the usual delimiters and an empty control id.
pub fn ack(message: &[u8], code: AckCode, text: &str) -> Vec<u8> {
    ack_at(message, code, text, "")
}

/// As [`ack`], with the time of the answer as HL7 writes it, such as `20260304091500+0800`.
pub fn ack_at(message: &[u8], code: AckCode, text: &str, at: &str) -> Vec<u8> {
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

    const MESSAGE: &[u8] =
        b"MSH|^~\\&|READER|LAB 2|LIMS|IDC|20260304091500||ORU^R01^ORU_R01|M-0001|P|2.5.1|||||CHN|UNICODE UTF-8\rOBR|1\r";

    #[test]
    fn messages_come_in_pieces() {
        let stream = [wrap(MESSAGE), wrap(b"MSH|second")].concat();
        for size in 1..40 {
            let mut receiver = Receiver::default();
            let events: Vec<_> = stream.chunks(size).flat_map(|c| receiver.feed(c)).collect();
            assert_eq!(events, [Event::Message(MESSAGE.to_vec()), Event::Message(b"MSH|second".to_vec())]);
            assert!(receiver.is_idle());
        }
    }

    #[test]
    fn noise_breaks_and_limits_are_told() {
        let mut receiver = Receiver::new(5);
        assert_eq!(receiver.feed(b"abc"), [Event::Error(MllpError::Noise(3))]);
        assert_eq!(receiver.feed(&wrap(b"123456")), [Event::Error(MllpError::TooLong(5))]);
        assert_eq!(receiver.feed(&wrap(b"12345")), [Event::Message(b"12345".to_vec())]);
        let broken = Event::Error(MllpError::BrokenOff { received: b"12".to_vec() });
        assert_eq!(receiver.feed(b"\x0b12\x0b34\x1c\r"), [broken.clone(), Event::Message(b"34".to_vec())]);
        receiver.feed(b"\x0b12");
        assert_eq!(receiver.timeout(), [broken]);
        assert!(receiver.timeout().is_empty());
    }

    #[test]
    fn the_acknowledgement_answers_the_sender() {
        let said = ack_at(MESSAGE, AckCode::Accept, "", "20260304091501");
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "MSH|^~\\&|LIMS|IDC|READER|LAB 2|20260304091501||ACK^R01^ACK|ACKM-0001|P|2.5.1||||||UNICODE UTF-8\r\
             MSA|AA|M-0001\r"
        );
        let said = String::from_utf8(ack(MESSAGE, AckCode::Error, "OBX|1: 无法读取\r^")).unwrap();
        assert!(said.ends_with("MSA|AE|M-0001|OBX\\F\\1: 无法读取\\X0D\\\\S\\\r"), "{said}");
        let other = b"\nMSH#*@!%#A#B#C#D###ORU*R01#7#T#2.3\n";
        let said = String::from_utf8(ack(other, AckCode::Reject, "no")).unwrap();
        assert_eq!(said, "MSH#*@!%#C#D#A#B###ACK*R01*ACK#ACK7#T#2.3\rMSA#AR#7#no\r");
        let said = String::from_utf8(ack(b"hello", AckCode::Reject, "no MSH")).unwrap();
        assert_eq!(said, "MSH|^~\\&|||||||ACK|ACK|P|2.5.1\rMSA|AR||no MSH\r");
    }

    #[test]
    fn text_never_mixes_encodings() {
        // GBK bytes in the header: the answer's text stays within ASCII.
        let gbk = b"MSH|^~\\&|\xca\xb5|||||| ORU^R01|1|P|2.5\r";
        let said = ack(gbk, AckCode::Error, "坏");
        assert!(said.ends_with(b"MSA|AE|1|?\r"));
    }

    proptest! {
        #[test]
        fn an_answer_is_always_two_segments(message in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,40}") {
            let noisy = [b"MSH".as_slice(), &message].concat();
            for message in [&message, &noisy] {
                let said = ack(message, AckCode::Error, &text);
                prop_assert!(said.starts_with(b"MSH") && said.ends_with(b"\r"));
                prop_assert_eq!(said.iter().filter(|b| **b == b'\r').count(), 2);
            }
        }

        #[test]
        fn noise_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut receiver = Receiver::new(20);
            receiver.feed(&bytes);
            receiver.timeout();
            prop_assert_eq!(receiver.feed(&wrap(b"ok")), [Event::Message(b"ok".to_vec())]);
        }
    }
}
