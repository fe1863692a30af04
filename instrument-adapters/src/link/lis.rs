//! LIS01-A2 (the former ASTM E1381): the receiving side as a state machine, and a sender.
//!
//! A sender asks with ENQ, sends frames `STX number text (ETB | ETX) c1 c2 CR LF`, each of which is
//! answered by ACK or NAK, and closes with EOT. Frames are numbered 1 to 7, then from 0. The checksum is
//! the sum of the bytes from the number to ETB or ETX, modulo 256, as two hexadecimal digits. ETB says that
//! the record goes on in the next frame.
//!
//! A frame is answered once its line feed has come. A frame that comes again after its ACK was lost is
//! acknowledged and not taken twice. Nothing is delivered before EOT, and nothing of a transmission that
//! was broken off.

/// Start of a frame.
pub const STX: u8 = 0x02;
/// End of the last frame of a record.
pub const ETX: u8 = 0x03;
/// End of a transmission.
pub const EOT: u8 = 0x04;
/// Request to send.
pub const ENQ: u8 = 0x05;
/// Taken.
pub const ACK: u8 = 0x06;
/// Not taken; to be sent again.
pub const NAK: u8 = 0x15;
/// End of a frame whose record goes on.
pub const ETB: u8 = 0x17;
const CR: u8 = b'\r';
const LF: u8 = b'\n';

/// What one transmission may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text in one frame. The standard says 64,000; older devices send 240.
    pub frame: usize,
    /// Bytes of one transmission, frames joined.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { frame: 64_000, message: 16 << 20 }
    }
}

/// What is wrong with what arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Bytes outside a frame.
    #[error("{0} bytes outside of a frame")]
    Noise(usize),
    /// A frame without the parts of one.
    #[error("frame {frame}: {what}")]
    Frame {
        /// Its number as sent; `?` where there is none.
        frame: char,
        /// What was expected.
        what: &'static str,
    },
    /// The sum of the bytes is another one than the frame says.
    #[error("frame {frame}: checksum {found}, the bytes add up to {expected}")]
    Checksum {
        /// Its number as sent.
        frame: char,
        /// As sent.
        found: String,
        /// As added up.
        expected: String,
    },
    /// A frame is missing, or one came again with another text.
    #[error("frame {found} came, frame {expected} was expected")]
    Sequence {
        /// As sent.
        found: char,
        /// The next number.
        expected: char,
    },
    /// More bytes than the limits allow.
    #[error("more than {0} bytes")]
    TooLong(usize),
    /// The transmission ended before its last frame; what had come is in `received`.
    #[error("the transmission was broken off after {} bytes", received.len())]
    BrokenOff {
        /// Text of the frames that had been taken.
        received: Vec<u8>,
    },
}

/// What follows from the bytes that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Answer with [`ACK`].
    Ack,
    /// Answer with [`NAK`].
    Nak,
    /// A transmission has come whole: the text of its frames, joined. It may hold more than one message.
    Message(Vec<u8>),
    /// Something is wrong; the answer, where one is due, is an event of its own.
    Error(LinkError),
}

impl Event {
    /// The byte to answer with, if any.
    pub fn reply(&self) -> Option<u8> {
        match self {
            Self::Ack => Some(ACK),
            Self::Nak => Some(NAK),
            Self::Message(_) | Self::Error(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between transmissions.
    Neutral,
    /// After ENQ, between frames.
    Waiting,
    /// Between STX and ETB or ETX.
    Text,
    /// Behind ETB or ETX: checksum, CR, LF.
    Tail,
}

/// The host's side of one connection.
#[derive(Debug, Clone)]
pub struct Receiver {
    limits: Limits,
    state: State,
    message: Vec<u8>,
    /// Number, text and end mark of the frame that is coming.
    frame: Vec<u8>,
    tail: Vec<u8>,
    /// The frame is longer than the limit; its end is waited for.
    overlong: bool,
    /// The last frame that was taken, whole.
    last: Option<Vec<u8>>,
    /// The last frame was refused and has not come again.
    owed: bool,
    /// The message is longer than the limit: all further frames are refused.
    refused: bool,
    noise: usize,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Receiver {
    /// A receiver between transmissions.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Neutral,
            message: Vec::new(),
            frame: Vec::new(),
            tail: Vec::new(),
            overlong: false,
            last: None,
            owed: false,
            refused: false,
            noise: 0,
        }
    }

    /// True between transmissions: nothing is lost by closing the connection.
    pub fn is_idle(&self) -> bool {
        self.state == State::Neutral
    }

    /// Takes bytes as they arrive, in pieces of any size.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in bytes {
            self.byte(*byte, &mut events);
        }
        self.report_noise(&mut events);
        events
    }

    /// The sender has been silent for too long (the standard says 30 seconds), or the connection is
    /// closed: what had come is given up.
    pub fn timeout(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.state != State::Neutral {
            self.break_off(&mut events);
        }
        self.state = State::Neutral;
        events
    }

    fn byte(&mut self, byte: u8, events: &mut Vec<Event>) {
        match (self.state, byte) {
            // A device that starts anew has forgotten what it had sent.
            (_, ENQ) => {
                self.report_noise(events);
                if self.state != State::Neutral {
                    self.break_off(events);
                }
                self.reset();
                self.state = State::Waiting;
                events.push(Event::Ack);
            }
            (State::Neutral, EOT | CR | LF) => {}
            (State::Neutral, _) => self.noise += 1,
            (_, EOT) => self.end(events),
            (_, STX) => {
                self.report_noise(events);
                self.frame.clear();
                self.tail.clear();
                self.overlong = false;
                self.state = State::Text;
            }
            (State::Waiting, CR | LF) => {}
            // Perhaps a frame whose STX was lost.
            (State::Waiting, _) => {
                self.noise += 1;
                self.owed = true;
            }
            (State::Text, ETB | ETX) => {
                self.frame.push(byte);
                self.state = State::Tail;
            }
            // Number and end mark are no text.
            (State::Text, _) if self.frame.len() > self.limits.frame => self.overlong = true,
            (State::Text, _) => self.frame.push(byte),
            (State::Tail, _) => {
                self.tail.push(byte);
                if byte == LF || self.tail.len() == 4 {
                    self.state = State::Waiting;
                    self.judge(events);
                }
            }
        }
    }

    fn report_noise(&mut self, events: &mut Vec<Event>) {
        if self.noise > 0 {
            events.push(Event::Error(LinkError::Noise(std::mem::take(&mut self.noise))));
        }
    }

    /// Takes or refuses the frame that has come whole.
    fn judge(&mut self, events: &mut Vec<Event>) {
        match self.check() {
            Ok(true) => {
                let text = self.frame.get(1..self.frame.len().saturating_sub(1)).unwrap_or_default();
                self.message.extend_from_slice(text);
                self.last = Some(std::mem::take(&mut self.frame));
                self.owed = false;
                events.push(Event::Ack);
            }
            // The same frame again: its ACK was lost.
            Ok(false) => {
                self.owed = false;
                events.push(Event::Ack);
            }
            Err(error) => {
                self.owed = true;
                events.push(Event::Error(error));
                events.push(Event::Nak);
            }
        }
    }

    /// Whether the frame is the next one; false for a repetition of the last.
    fn check(&mut self) -> Result<bool, LinkError> {
        let number = self.frame.first().copied().unwrap_or(b'?');
        let frame = if number.is_ascii_graphic() { char::from(number) } else { '?' };
        if self.overlong {
            return Err(LinkError::TooLong(self.limits.frame));
        }
        let [first, second, CR, LF] = *self.tail.as_slice() else {
            return Err(LinkError::Frame {
                frame,
                what: "two digits of a checksum, CR and LF are expected at its end",
            });
        };
        let found = String::from_utf8_lossy(&[first, second]).into_owned();
        let expected = checksum(&self.frame);
        if !found.eq_ignore_ascii_case(&expected) {
            return Err(LinkError::Checksum { frame, found, expected });
        }
        let last = self.last.as_ref().and_then(|l| l.first().copied()).unwrap_or(b'0');
        let next = next_number(last);
        if self.last.as_ref() == Some(&self.frame) {
            return Ok(false);
        }
        if number != next {
            return Err(LinkError::Sequence { found: frame, expected: char::from(next) });
        }
        if self.refused || self.message.len().saturating_add(self.frame.len()) > self.limits.message {
            self.refused = true;
            return Err(LinkError::TooLong(self.limits.message));
        }
        Ok(true)
    }

    /// EOT: what has come is whole, or was broken off.
    fn end(&mut self, events: &mut Vec<Event>) {
        self.report_noise(events);
        let closed = self.last.as_ref().is_some_and(|l| l.last() == Some(&ETX));
        if self.state == State::Waiting && closed && !self.owed && !self.refused {
            events.push(Event::Message(std::mem::take(&mut self.message)));
        } else {
            self.break_off(events);
        }
        self.reset();
        self.state = State::Neutral;
    }

    /// Says what is given up; a transmission without a frame is no loss.
    fn break_off(&mut self, events: &mut Vec<Event>) {
        if self.last.is_some() || self.owed || self.state != State::Waiting {
            events.push(Event::Error(LinkError::BrokenOff { received: std::mem::take(&mut self.message) }));
        }
        self.reset();
    }

    fn reset(&mut self) {
        self.message.clear();
        self.frame.clear();
        self.tail.clear();
        self.last = None;
        self.overlong = false;
        self.owed = false;
        self.refused = false;
    }
}

fn next_number(last: u8) -> u8 {
    if last == b'7' { b'0' } else { last.wrapping_add(1) }
}

/// The two digits that follow a frame: `bytes` are its number, text and end mark.
pub fn checksum(bytes: &[u8]) -> String {
    format!("{:02X}", bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)))
}

/// A message as frames: each record in frames of its own, a record longer than `text` bytes in several.
pub fn frames(message: &[u8], text: usize) -> Vec<Vec<u8>> {
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for record in message.split_inclusive(|byte| *byte == CR) {
        let mut pieces = record.chunks(text.max(1)).peekable();
        while let Some(piece) = pieces.next() {
            let number = b'0' + u8::try_from((frames.len() + 1) % 8).unwrap_or_default();
            let end = if pieces.peek().is_some() { ETB } else { ETX };
            let body: Vec<u8> = [number].iter().chain(piece).chain(&[end]).copied().collect();
            let sum = checksum(&body);
            frames.push([&[STX], body.as_slice(), sum.as_bytes(), &[CR, LF]].concat());
        }
    }
    frames
}

/// What a sender does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes and wait for an answer.
    Send(Vec<u8>),
    /// All is sent, EOT included.
    Done,
    /// The other side refused six times: EOT was the last that was sent.
    Failed,
}

/// The instrument's side, for tests and simulators.
#[derive(Debug, Clone)]
pub struct Sender {
    frames: Vec<Vec<u8>>,
    /// How many of the frames are acknowledged; `None` before the answer to ENQ.
    done: Option<usize>,
    refused: usize,
    closing: Option<Step>,
}

impl Sender {
    /// A message of records that end with CR, in frames of at most 240 bytes of text.
    pub fn new(message: &[u8]) -> Self {
        Self::with_frames(frames(message, 240))
    }

    /// Frames made elsewhere, with their numbers and checksums.
    pub fn with_frames(frames: Vec<Vec<u8>>) -> Self {
        Self { frames, done: None, refused: 0, closing: None }
    }

    /// The request to send.
    pub fn begin(&mut self) -> Vec<u8> {
        vec![ENQ]
    }

    /// What follows from an answer of the host. An answer to EOT is not due and ends the sending.
    pub fn answer(&mut self, byte: u8) -> Step {
        if let Some(end) = &self.closing {
            return end.clone();
        }
        if byte == ACK {
            self.refused = 0;
            self.done = Some(self.done.map_or(0, |n| n + 1));
        } else {
            self.refused += 1;
        }
        if self.refused >= 6 {
            self.closing = Some(Step::Failed);
            return Step::Send(vec![EOT]);
        }
        let Some(done) = self.done else { return Step::Send(vec![ENQ]) };
        match self.frames.get(done) {
            Some(frame) => Step::Send(frame.clone()),
            None => {
                self.closing = Some(Step::Done);
                Step::Send(vec![EOT])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MESSAGE: &[u8] = b"H|\\^&\rP|1\rO|1|SX20260001\rR|1|^^^FVIII|102|%\rL|1|N\r";

    /// All events of a whole transmission of these frames.
    fn send(receiver: &mut Receiver, frames: &[Vec<u8>]) -> Vec<Event> {
        let mut events = receiver.feed(&[ENQ]);
        for frame in frames {
            events.extend(receiver.feed(frame));
        }
        events.extend(receiver.feed(&[EOT]));
        events
    }

    fn messages(events: &[Event]) -> Vec<&[u8]> {
        events.iter().filter_map(|e| if let Event::Message(m) = e { Some(m.as_slice()) } else { None }).collect()
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // Sum of '1', "H|\^&", CR and ETX by hand: 31+48+7c+5c+5e+26+0d+03 = 1e5.
        assert_eq!(checksum(b"1H|\\^&\r\x03"), "E5");
        assert_eq!(frames(b"H|\\^&\r", 240), [b"\x021H|\\^&\r\x03E5\r\n".to_vec()]);
    }

    #[test]
    fn each_frame_is_acknowledged_and_the_text_joined() {
        let mut receiver = Receiver::default();
        let frames = frames(MESSAGE, 7);
        assert!(frames.len() > 8 && frames.iter().any(|f| f.contains(&ETB)));
        let events = send(&mut receiver, &frames);
        assert_eq!(events.iter().filter(|e| **e == Event::Ack).count(), frames.len() + 1);
        assert_eq!(messages(&events), [MESSAGE]);
        assert!(receiver.is_idle());
    }

    #[test]
    fn a_damaged_frame_is_refused_until_it_comes_right() {
        let good = frames(MESSAGE, 240);
        let mut bad = good[3].clone();
        bad[20] ^= 1;
        let mut receiver = Receiver::default();
        let sent = [&good[..3], &[bad.clone()], &good[3..]].concat();
        let events = send(&mut receiver, &sent);
        assert!(events.iter().any(|e| matches!(e, Event::Error(LinkError::Checksum { frame: '4', .. }))));
        assert_eq!(events.iter().filter(|e| **e == Event::Nak).count(), 1);
        assert_eq!(messages(&events), [MESSAGE]);
        // Never mended: nothing is delivered.
        let events = send(&mut receiver, &[&good[..3], &[bad]].concat());
        assert!(messages(&events).is_empty());
        assert!(matches!(events.last(), Some(Event::Error(LinkError::BrokenOff { received })) if !received.is_empty()));
    }

    #[test]
    fn a_frame_sent_twice_is_taken_once_and_a_missing_one_is_noticed() {
        let good = frames(MESSAGE, 240);
        let mut receiver = Receiver::default();
        let twice = [&good[..2], &good[1..]].concat();
        assert_eq!(messages(&send(&mut receiver, &twice)), [MESSAGE]);
        let gap = [&good[..2], &good[3..]].concat();
        let events = send(&mut receiver, &gap);
        assert!(messages(&events).is_empty());
        assert!(events.contains(&Event::Error(LinkError::Sequence { found: '4', expected: '3' })));
    }

    #[test]
    fn a_record_that_goes_on_is_not_whole() {
        let mut receiver = Receiver::default();
        let cut: Vec<_> = frames(MESSAGE, 4).into_iter().take(1).collect();
        let events = send(&mut receiver, &cut);
        assert!(matches!(events.last(), Some(Event::Error(LinkError::BrokenOff { .. }))));
    }

    #[test]
    fn limits_noise_silence_and_a_new_start() {
        let mut receiver = Receiver::new(Limits { frame: 10, message: 12 });
        let long = frames(b"0123456789a\r", 240);
        assert!(send(&mut receiver, &long).contains(&Event::Error(LinkError::TooLong(10))));
        let many = frames(b"012345\r012345\r", 240);
        let events = send(&mut receiver, &many);
        assert!(events.contains(&Event::Error(LinkError::TooLong(12))) && messages(&events).is_empty());

        let mut receiver = Receiver::default();
        assert_eq!(receiver.feed(b"abc\r\n"), [Event::Error(LinkError::Noise(3))]);
        assert_eq!(receiver.feed(&[ENQ, EOT]), [Event::Ack]);
        assert!(receiver.timeout().is_empty());
        receiver.feed(&[ENQ]);
        receiver.feed(&frames(MESSAGE, 240)[0]);
        assert!(matches!(receiver.timeout().as_slice(), [Event::Error(LinkError::BrokenOff { .. })]));
        receiver.feed(&[ENQ]);
        receiver.feed(&frames(MESSAGE, 240)[0]);
        let again = receiver.feed(&[ENQ]);
        assert!(matches!(again.as_slice(), [Event::Error(LinkError::BrokenOff { .. }), Event::Ack]));
        assert_eq!(receiver.feed(b"\x021A\x03zz\r\n").last(), Some(&Event::Nak));
        assert_eq!(receiver.feed(b"\x021A\x03\r\n").last(), Some(&Event::Nak));
    }

    #[test]
    fn a_sender_gives_up_after_six_refusals() {
        let mut sender = Sender::new(MESSAGE);
        assert_eq!(sender.begin(), [ENQ]);
        let mut step = sender.answer(ACK);
        for _ in 0..6 {
            assert!(matches!(&step, Step::Send(bytes) if bytes.first() == Some(&STX)));
            step = sender.answer(NAK);
        }
        assert_eq!(step, Step::Send(vec![EOT]));
        assert_eq!(sender.answer(NAK), Step::Failed);
    }

    proptest! {
        /// Whatever the text, the size of frames and the pieces in which it arrives.
        #[test]
        fn what_is_sent_arrives(
            records in prop::collection::vec("[ -~\u{80}-\u{7ff}]{0,80}", 1..12),
            size in 1usize..60,
            piece in 1usize..50,
        ) {
            let message: Vec<u8> = records.iter().flat_map(|r| [r.as_bytes(), b"\r"].concat()).collect();
            let mut bytes = vec![ENQ];
            bytes.extend(frames(&message, size).concat());
            bytes.push(EOT);
            let mut receiver = Receiver::default();
            let events: Vec<_> = bytes.chunks(piece).flat_map(|c| receiver.feed(c)).collect();
            prop_assert_eq!(messages(&events), [message.as_slice()]);
            prop_assert!(!events.contains(&Event::Nak));
        }

        /// One changed byte within the frames never yields another message.
        #[test]
        fn a_changed_byte_is_noticed(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = vec![ENQ];
            bytes.extend(frames(MESSAGE, 12).concat());
            bytes.push(EOT);
            let at = place.index(bytes.len());
            prop_assume!(!bytes[at].eq_ignore_ascii_case(&byte));
            bytes[at] = byte;
            let mut receiver = Receiver::default();
            let events = receiver.feed(&bytes);
            for message in messages(&events) {
                prop_assert_eq!(message, MESSAGE);
            }
        }

        /// Noise yields events in proportion, and no panic.
        #[test]
        fn noise_is_survived(bytes in prop::collection::vec(prop_oneof![0u8..32, any::<u8>()], 0..400)) {
            let mut receiver = Receiver::new(Limits { frame: 20, message: 40 });
            prop_assert!(receiver.feed(&bytes).len() <= 3 * bytes.len() + 1);
        }
    }
}
