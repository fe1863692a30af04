//! The instrument's side of LIS01-A2, for tests and simulators.

use super::{ACK, CR, ENQ, EOT, ETB, ETX, LF, STX, checksum};

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
pub enum SenderStep {
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
    closing: Option<SenderStep>,
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
    pub fn answer(&mut self, byte: u8) -> SenderStep {
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
            self.closing = Some(SenderStep::Failed);
            return SenderStep::Send(vec![EOT]);
        }
        let Some(done) = self.done else { return SenderStep::Send(vec![ENQ]) };
        match self.frames.get(done) {
            Some(frame) => SenderStep::Send(frame.clone()),
            None => {
                self.closing = Some(SenderStep::Done);
                SenderStep::Send(vec![EOT])
            }
        }
    }
}
