//! The receiving side of LIS01-A2 (formerly ASTM E1381): ENQ, numbered frames with checksums, EOT. Pure: bytes in,
//! answers and messages out.
//!
//! A message begins with a header record (`H`) and ends with a terminator record (`L`). The frame that completes it is
//! answered only after the message is kept, so that what was acknowledged is durable.

pub const STX: u8 = 0x02;
pub const ETX: u8 = 0x03;
pub const EOT: u8 = 0x04;
pub const ENQ: u8 = 0x05;
pub const ACK: u8 = 0x06;
pub const NAK: u8 = 0x15;
pub const ETB: u8 = 0x17;
const CR: u8 = b'\r';
const LF: u8 = b'\n';

/// What the receiver wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Send this byte.
    Answer(u8),
    /// Keep this message, then say by [`Receiver::kept`] whether it worked.
    Message(Vec<u8>),
    /// Records that were acknowledged and never became a message.
    Broken(Vec<u8>, &'static str),
}

/// One connection.
pub struct Receiver {
    /// Between ENQ and EOT.
    receiving: bool,
    /// The frame that is being read, from STX on.
    frame: Option<Vec<u8>>,
    /// The number that the next frame has.
    expected: u8,
    /// Records so far, each ending with CR.
    records: Vec<u8>,
    /// The records before the frame whose message is being kept: what is gone back to when that fails.
    before: Vec<u8>,
    most: usize,
}

impl Receiver {
    /// A receiver of messages of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { receiving: false, frame: None, expected: 1, records: Vec::new(), before: Vec::new(), most }
    }

    /// Whether records have come that are no message yet, or a frame has begun.
    pub fn busy(&self) -> bool {
        self.receiving
    }

    /// One byte that came in.
    pub fn byte(&mut self, byte: u8) -> Vec<Event> {
        if let Some(frame) = &mut self.frame {
            frame.push(byte);
            // A frame is over with the LF; one that grows past all measure is none.
            let over = byte == LF || frame.len() > self.most.saturating_add(64);
            if !over {
                return Vec::new();
            }
            let frame = self.frame.take().unwrap_or_default();
            return self.framed(&frame);
        }
        match byte {
            ENQ => {
                let mut events = self.broken("a new transfer began");
                (self.receiving, self.expected) = (true, 1);
                events.push(Event::Answer(ACK));
                events
            }
            EOT => {
                self.receiving = false;
                self.broken("the transfer ended without a terminator record")
            }
            STX if self.receiving => {
                self.frame = Some(Vec::new());
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What is left when the sender falls silent or the connection ends.
    pub fn end(&mut self, why: &'static str) -> Vec<Event> {
        let half = self.frame.take();
        self.receiving = false;
        if self.records.is_empty()
            && let Some(half) = half.filter(|half| !half.is_empty())
        {
            return vec![Event::Broken(half, why)];
        }
        self.broken(why)
    }

    /// The answer to the frame that completed a message: it was kept, or it was not and is to be sent again.
    pub fn kept(&mut self, kept: bool) -> u8 {
        if kept {
            self.before.clear();
            self.expected = (self.expected + 1) % 8;
            return ACK;
        }
        self.records = std::mem::take(&mut self.before);
        NAK
    }

    fn broken(&mut self, why: &'static str) -> Vec<Event> {
        let left = std::mem::take(&mut self.records);
        if left.is_empty() { Vec::new() } else { vec![Event::Broken(left, why)] }
    }

    /// A whole frame without its STX: number, text, ETB or ETX, checksum, CR, LF.
    fn framed(&mut self, frame: &[u8]) -> Vec<Event> {
        let Some((number, text)) = checked(frame) else { return vec![Event::Answer(NAK)] };
        if number != self.expected {
            // The frame before it again: our answer was lost. Anything else is out of order.
            let again = number == (self.expected + 7) % 8;
            return vec![Event::Answer(if again { ACK } else { NAK })];
        }
        if self.records.len().saturating_add(text.len()) > self.most {
            let mut events = self.broken("the message is larger than the limit");
            self.receiving = false;
            events.push(Event::Answer(NAK));
            return events;
        }
        let before = self.records.clone();
        self.records.extend_from_slice(text);
        if self.complete() {
            self.before = before;
            return vec![Event::Message(std::mem::take(&mut self.records))];
        }
        self.expected = (self.expected + 1) % 8;
        vec![Event::Answer(ACK)]
    }

    /// The last record is a terminator.
    fn complete(&self) -> bool {
        let Some(whole) = self.records.strip_suffix(&[CR]) else { return false };
        let last = whole.rsplit(|byte| *byte == CR).next().unwrap_or_default();
        last.first() == Some(&b'L') && last.get(1).is_none_or(|next| !next.is_ascii_alphanumeric())
    }
}

/// Number and text of a frame whose checksum is right.
fn checked(frame: &[u8]) -> Option<(u8, &[u8])> {
    let frame = frame.strip_suffix(&[LF])?;
    let frame = frame.strip_suffix(&[CR]).unwrap_or(frame);
    let (body, sum) = frame.split_at_checked(frame.len().checked_sub(2)?)?;
    let end = body.last().copied()?;
    if end != ETX && end != ETB {
        return None;
    }
    let said = u8::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    if checksum(body) != said {
        return None;
    }
    let number = body.first().filter(|digit| (b'0'..=b'7').contains(digit))? - b'0';
    let text = body.get(1..body.len().checked_sub(1)?)?;
    Some((number, text))
}

/// The sum of the bytes from the frame number to ETB or ETX, modulo 256.
pub fn checksum(body: &[u8]) -> u8 {
    body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u8, text: &str, end: u8) -> Vec<u8> {
        let mut body = vec![b'0' + number];
        body.extend_from_slice(text.as_bytes());
        body.push(end);
        let sum = checksum(&body);
        let mut all = vec![STX];
        all.extend_from_slice(&body);
        all.extend_from_slice(format!("{sum:02X}\r\n").as_bytes());
        all
    }

    fn feed(receiver: &mut Receiver, bytes: &[u8]) -> Vec<Event> {
        bytes.iter().flat_map(|byte| receiver.byte(*byte)).collect()
    }

    #[test]
    fn a_message_over_several_frames_is_put_together() {
        let mut one = Receiver::new(10_000);
        assert_eq!(feed(&mut one, &[ENQ]), [Event::Answer(ACK)]);
        assert_eq!(feed(&mut one, &frame(1, "H|\\^&\r", ETX)), [Event::Answer(ACK)]);
        assert_eq!(feed(&mut one, &frame(2, "R|1|^^^A|12", ETB)), [Event::Answer(ACK)]);
        assert_eq!(feed(&mut one, &frame(3, ".5\r", ETX)), [Event::Answer(ACK)]);
        let whole = feed(&mut one, &frame(4, "L|1|N\r", ETX));
        assert_eq!(whole, [Event::Message(b"H|\\^&\rR|1|^^^A|12.5\rL|1|N\r".to_vec())]);
        // Not kept: the sender sends the frame again, and it is the same message.
        assert_eq!(one.kept(false), NAK);
        assert_eq!(feed(&mut one, &frame(4, "L|1|N\r", ETX)), whole);
        assert_eq!(one.kept(true), ACK);
        assert_eq!(feed(&mut one, &[EOT]), []);
        assert!(!one.busy());
    }

    #[test]
    fn a_wrong_checksum_or_number_is_refused_and_a_repeated_frame_taken_once() {
        let mut one = Receiver::new(10_000);
        feed(&mut one, &[ENQ]);
        let mut wrong = frame(1, "H|\r", ETX);
        wrong[2] = b'X';
        assert_eq!(feed(&mut one, &wrong), [Event::Answer(NAK)]);
        assert_eq!(feed(&mut one, &frame(3, "H|\r", ETX)), [Event::Answer(NAK)]);
        assert_eq!(feed(&mut one, &frame(1, "H|\r", ETX)), [Event::Answer(ACK)]);
        assert_eq!(feed(&mut one, &frame(1, "H|\r", ETX)), [Event::Answer(ACK)], "our answer was lost");
        assert_eq!(feed(&mut one, &frame(2, "L|1\r", ETX)), [Event::Message(b"H|\rL|1\r".to_vec())]);
        one.kept(true);
        // Eight frames on the numbers begin again at 0; a second message of the same transfer is one of its own.
        for number in 3..=7 {
            feed(&mut one, &frame(number, "H|\r", ETX));
        }
        assert_eq!(feed(&mut one, &frame(0, "P|1\r", ETX)), [Event::Answer(ACK)]);
    }

    #[test]
    fn what_never_became_a_message_is_not_lost() {
        let mut one = Receiver::new(10_000);
        feed(&mut one, &[ENQ]);
        feed(&mut one, &frame(1, "H|\rR|1|||5\r", ETX));
        assert!(matches!(&feed(&mut one, &[EOT])[..], [Event::Broken(left, _)] if left == b"H|\rR|1|||5\r"));
        feed(&mut one, &[ENQ]);
        feed(&mut one, &frame(1, "H|\r", ETX)[..4]);
        assert!(matches!(&one.end("silence")[..], [Event::Broken(left, "silence")] if left == b"1H|"));
        let mut small = Receiver::new(8);
        feed(&mut small, &[ENQ]);
        feed(&mut small, &frame(1, "H|123\r", ETX));
        let events = feed(&mut small, &frame(2, "R|123\r", ETX));
        assert!(matches!(&events[..], [Event::Broken(..), Event::Answer(NAK)]));
    }
}
