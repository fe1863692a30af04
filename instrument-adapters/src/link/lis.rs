//! LIS01-A2 (the former ASTM E1381): the receiving side as a state machine, and a sender.
//!
//! A sender asks with ENQ, sends frames `STX number text (ETB | ETX) c1 c2 CR LF`, each of which is answered by ACK or
//! NAK, and closes with EOT. Frames are numbered 1 to 7, then from 0. The checksum is the sum of the bytes from the
//! number to ETB or ETX, modulo 256, as two hexadecimal digits. ETB says that the record goes on in the next frame.
//!
//! A message ends behind its terminator record (`L`), not at EOT: EOT has no answer, so that a message which cannot be
//! kept could not be refused any more. The frame with the terminator is acknowledged after the message is kept, and
//! refused where it is not. The frames before it are acknowledged as they come; where their message does not become
//! whole, they are a fragment. A fragment that cannot be kept is owed, and until it is kept, no new transfer may begin:
//! ENQ is answered by NAK, which tells the sender to wait.
//!
//! A frame has one answer, once its line feed has come: a second one would be taken for the answer to the next frame.
//! A frame that comes again because its ACK was lost is acknowledged and not taken twice.

mod sender;
#[cfg(test)]
mod tests;

pub use sender::{Sender, SenderStep, frames};

use super::{End, Fault, Given, Keeper, Owed, Receive, is_line_end};

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

/// So often in a row a sender may hear NAK for a frame; by the standard it gives up then.
const PATIENCE: usize = 6;

/// What one transmission may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransmissionLimits {
    /// Bytes of text in one frame. The standard says 64,000; older devices send 240.
    pub frame: usize,
    /// Bytes of one message, frames joined; and of what comes outside of frames.
    pub message: usize,
}

impl Default for TransmissionLimits {
    fn default() -> Self {
        Self { frame: 64_000, message: 16 << 20 }
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
    /// The sender does not keep to the protocol: nothing is taken any more.
    Over,
}

/// What a frame that holds is.
enum Held {
    Next,
    /// The one before it again: its ACK was lost.
    Again,
}

/// The host's side of one connection.
#[derive(Debug, Clone)]
pub struct LisReceiver {
    limits: TransmissionLimits,
    state: State,
    /// Acknowledged text that belongs to no message yet.
    records: Vec<u8>,
    /// Where in them the record begins that has not ended.
    open: usize,
    /// Number, text and end mark of the frame that is coming.
    frame: Vec<u8>,
    tail: Vec<u8>,
    /// Bytes of the frame above the limit.
    skipped: usize,
    /// The last frame that was taken, whole.
    last: Option<Vec<u8>>,
    /// Frames that were refused, as they came, since one was taken; and why the last of them was.
    refused: Option<(Vec<u8>, Fault)>,
    /// How many damaged frames came in a row.
    damaged: usize,
    /// Bytes outside of frames.
    unframed: Vec<u8>,
    /// They hold the end mark of a frame whose STX is missing.
    headless: bool,
    owed: Owed,
}

impl Default for LisReceiver {
    fn default() -> Self {
        Self::new(TransmissionLimits::default())
    }
}

impl Receive for LisReceiver {
    fn feed(&mut self, bytes: &[u8], keeper: &mut dyn Keeper) -> Vec<u8> {
        bytes.iter().filter_map(|byte| self.byte(*byte, keeper)).collect()
    }

    fn end(&mut self, end: End, keeper: &mut dyn Keeper) -> bool {
        self.break_off(end, keeper);
        if self.state != State::Over {
            self.state = State::Neutral;
        }
        self.owed.settle(keeper)
    }

    fn is_idle(&self) -> bool {
        self.state == State::Neutral && self.unframed.is_empty() && self.owed.is_empty()
    }

    fn is_over(&self) -> bool {
        self.state == State::Over
    }
}

impl LisReceiver {
    /// A receiver between transmissions.
    pub fn new(limits: TransmissionLimits) -> Self {
        Self {
            limits,
            state: State::Neutral,
            records: Vec::new(),
            open: 0,
            frame: Vec::new(),
            tail: Vec::new(),
            skipped: 0,
            last: None,
            refused: None,
            damaged: 0,
            unframed: Vec::new(),
            headless: false,
            owed: Owed::default(),
        }
    }

    /// One byte, and the answer that is due with it.
    fn byte(&mut self, byte: u8, keeper: &mut dyn Keeper) -> Option<u8> {
        match (self.state, byte) {
            (State::Over, _) => None,
            // A device that starts anew has forgotten what it had sent.
            (_, ENQ) => Some(self.begin(keeper)),
            (_, EOT) => {
                self.break_off(End::Sender, keeper);
                self.state = State::Neutral;
                None
            }
            (State::Neutral, _) => self.unframed(byte, keeper),
            (_, STX) => {
                self.unfinished();
                self.state = State::Text;
                None
            }
            (State::Waiting, _) => self.unframed(byte, keeper),
            (State::Text, ETB | ETX) => {
                self.frame.push(byte);
                self.state = State::Tail;
                None
            }
            (State::Text, _) => self.more(byte, keeper),
            (State::Tail, LF) => {
                self.tail.push(byte);
                self.state = State::Waiting;
                Some(self.judge(keeper))
            }
            (State::Tail, _) => self.more(byte, keeper),
        }
    }

    fn begin(&mut self, keeper: &mut dyn Keeper) -> u8 {
        self.break_off(End::Restart, keeper);
        let ready = self.owed.settle(keeper);
        self.state = if ready { State::Waiting } else { State::Neutral };
        if ready { ACK } else { NAK }
    }

    /// A byte of the frame that is coming.
    fn more(&mut self, byte: u8, keeper: &mut dyn Keeper) -> Option<u8> {
        // Number and end mark are not text; nor is what follows them.
        let room = self.limits.frame.saturating_add(2);
        let (part, full) = match self.state {
            State::Tail => (&mut self.tail, room),
            _ => (&mut self.frame, room - 1),
        };
        if part.len() < full {
            part.push(byte);
            return None;
        }
        self.skipped += 1;
        (self.skipped > self.limits.message).then(|| self.give_up(keeper))
    }

    /// A byte outside of frames. Line ends and answers alone are nothing; within other bytes they belong to them.
    fn unframed(&mut self, byte: u8, keeper: &mut dyn Keeper) -> Option<u8> {
        if self.unframed.is_empty() && (is_line_end(byte) || matches!(byte, ACK | NAK)) {
            return None;
        }
        self.unframed.push(byte);
        if self.unframed.len() >= self.limits.message {
            self.owed.give(std::mem::take(&mut self.unframed), Fault::TooLong(self.limits.message), keeper);
            return Some(self.give_up(keeper));
        }
        self.headless |= self.state == State::Waiting && matches!(byte, ETB | ETX);
        // The end of a frame whose STX was lost: its sender waits for an answer.
        (byte == LF && std::mem::take(&mut self.headless)).then(|| self.nak(keeper))
    }

    /// Takes or refuses the frame that has come whole, and says which.
    fn judge(&mut self, keeper: &mut dyn Keeper) -> u8 {
        let taken = self.check().and_then(|held| match held {
            Held::Next => self.take(keeper),
            Held::Again => Ok(()),
        });
        let answer = match taken {
            Ok(()) => {
                (self.refused, self.damaged) = (None, 0);
                ACK
            }
            Err(fault) => {
                // The sender did nothing wrong where it is we who cannot keep it.
                let ours = matches!(fault, Fault::NotKept(_));
                self.refuse(fault);
                if ours { NAK } else { self.nak(keeper) }
            }
        };
        self.frame.clear();
        self.tail.clear();
        self.skipped = 0;
        answer
    }

    fn check(&self) -> Result<Held, Fault> {
        let frame = self.number();
        if self.skipped > 0 {
            return Err(Fault::TooLong(self.limits.frame));
        }
        let (first, second) = match *self.tail.as_slice() {
            [first, second, CR, LF] | [first, second, LF] => (first, second),
            _ => {
                let what = "two digits of a checksum, CR and LF are expected at its end";
                return Err(Fault::Frame { frame, what });
            }
        };
        let found = String::from_utf8_lossy(&[first, second]).into_owned();
        let expected = checksum(&self.frame);
        if !found.eq_ignore_ascii_case(&expected) {
            return Err(Fault::Checksum { frame, found, expected });
        }
        let last = self.last.as_ref().and_then(|last| last.first()).copied();
        if self.last.as_ref() == Some(&self.frame) {
            return Ok(Held::Again);
        }
        let number = self.frame.first().copied();
        let next = if last == Some(b'7') { b'0' } else { last.unwrap_or(b'0').wrapping_add(1) };
        match number {
            _ if number == Some(next) => Ok(Held::Next),
            _ if number == last => Err(Fault::Changed(frame)),
            _ => Err(Fault::Sequence { found: frame, expected: char::from(next) }),
        }
    }

    /// The number of the frame as sent.
    fn number(&self) -> char {
        self.frame.first().filter(|number| number.is_ascii_graphic()).map_or('?', |number| char::from(*number))
    }

    /// Joins the frame's text to the records and has every message kept that ends in it. Where one is not, all is as it
    /// was before: the sender sends the frame again.
    fn take(&mut self, keeper: &mut dyn Keeper) -> Result<(), Fault> {
        let text = self.frame.get(1..self.frame.len().saturating_sub(1)).unwrap_or_default();
        let before = self.records.len();
        if before.saturating_add(text.len()) > self.limits.message {
            return Err(Fault::TooLong(self.limits.message));
        }
        self.records.extend_from_slice(text);
        // Some devices leave out the record's end before ETX.
        if self.frame.last() == Some(&ETX) && !self.records.last().copied().is_none_or(is_line_end) {
            self.records.push(CR);
        }
        let (mut begin, mut open) = (0, self.open);
        while let Some(end) = line_end(&self.records, open) {
            let record = self.records.get(open..end).unwrap_or_default();
            // Both of CR LF belong to the record.
            open = end + self.records.iter().skip(end).take_while(|byte| is_line_end(**byte)).count();
            if !is_terminator(record) {
                continue;
            }
            let message = self.records.get(begin..open).unwrap_or_default();
            if let Err(why) = keeper.keep(Given::Message(message)) {
                self.records.truncate(before);
                return Err(Fault::NotKept(why));
            }
            begin = open;
        }
        self.records.drain(..begin);
        self.open = open - begin;
        self.last = Some(std::mem::take(&mut self.frame));
        Ok(())
    }

    /// Remembers a frame that was refused, in case that it never comes right.
    fn refuse(&mut self, fault: Fault) {
        let raw = [&[STX], self.frame.as_slice(), &self.tail].concat();
        let (mut all, _) = self.refused.take().unwrap_or((Vec::new(), Fault::Unframed));
        if !all.ends_with(&raw) {
            // Their sender holds them still: a bound may cost the older ones.
            if all.len() + raw.len() > self.limits.message.saturating_add(self.limits.frame) {
                all.clear();
            }
            all.extend(raw);
        }
        self.refused = Some((all, fault));
    }

    /// The answer to a damaged frame; the last one where there were too many.
    fn nak(&mut self, keeper: &mut dyn Keeper) -> u8 {
        self.damaged += 1;
        if self.damaged > PATIENCE { self.give_up(keeper) } else { NAK }
    }

    fn give_up(&mut self, keeper: &mut dyn Keeper) -> u8 {
        self.break_off(End::GivenUp, keeper);
        self.state = State::Over;
        NAK
    }

    /// A frame that began and never ended was not acknowledged; it is kept beside those that were refused.
    fn unfinished(&mut self) {
        if matches!(self.state, State::Text | State::Tail) {
            self.refuse(Fault::Frame { frame: self.number(), what: "it never ended" });
        }
        self.frame.clear();
        self.tail.clear();
        (self.skipped, self.headless) = (0, false);
    }

    /// Hands over what never became a message, and forgets the transmission.
    fn break_off(&mut self, end: End, keeper: &mut dyn Keeper) {
        self.unfinished();
        self.owed.give(std::mem::take(&mut self.unframed), Fault::Unframed, keeper);
        let records = std::mem::take(&mut self.records);
        if !records.iter().copied().all(is_line_end) {
            self.owed.give(records, Fault::BrokenOff(end), keeper);
        }
        if let Some((raw, fault)) = self.refused.take() {
            self.owed.give(raw, fault, keeper);
        }
        (self.open, self.damaged, self.last) = (0, 0, None);
    }
}

/// Where the record ends that begins there; its line end is not part of it.
fn line_end(records: &[u8], begin: usize) -> Option<usize> {
    records.iter().skip(begin).position(|byte| is_line_end(*byte)).map(|length| begin + length)
}

/// The record that ends a message.
fn is_terminator(record: &[u8]) -> bool {
    record.first() == Some(&b'L') && record.get(1).is_none_or(|next| !next.is_ascii_alphanumeric())
}

/// The two digits that follow a frame: `bytes` are its number, text and end mark.
pub fn checksum(bytes: &[u8]) -> String {
    format!("{:02X}", bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)))
}
