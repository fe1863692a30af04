//! Link layers of instruments that send over a serial line or a socket, without any I/O.
//!
//! Bytes are fed in as they arrive, in pieces of any size; what is to be answered comes back. What has come whole is
//! handed to a [`Keeper`], and only what it has kept is acknowledged. [`lis`] is LIS01-A2 (ASTM E1381) with its ENQ,
//! frames and checksums, [`mllp`] the Minimal Lower Layer Protocol of HL7, [`lines`] what balances print: no frame at
//! all, silence ends a printout. Sockets, serial ports and clocks are the caller's.
//!
//! Nothing that came in vanishes: it is a message, or a fragment with the reason why it is not one, or the sender was
//! informed that it was not taken and holds it still. What the keeper cannot keep at the moment is owed and offered
//! again.
//!
//! ```
//! use instrument_adapters::link::lis::{LisReceiver, Sender, SenderStep};
//! use instrument_adapters::link::{Given, Receive};
//!
//! let message = b"H|\\^&\rP|1\rO|1|SX20260001\rR|1|^^^Factor VIII|102|%||||F\rL|1|N\r";
//! let mut analyser = Sender::new(message);
//! let mut host = LisReceiver::default();
//! let mut kept = Vec::new();
//! let mut step = SenderStep::Send(analyser.begin());
//! while let SenderStep::Send(bytes) = step {
//!     let answer = host.feed(&bytes, &mut |given: Given<'_>| {
//!         kept.push(given.bytes().to_vec());
//!         Ok(())
//!     });
//!     step = answer.first().map_or(SenderStep::Done, |byte| analyser.answer(*byte));
//! }
//! assert_eq!(kept, [message.to_vec()]);
//! ```

pub mod lines;
pub mod lis;
pub mod mllp;

/// The receiving side of one connection.
pub trait Receive {
    /// Takes bytes as they arrive, in pieces of any size, and gives back what is to be sent. The pieces make no
    /// difference.
    fn feed(&mut self, bytes: &[u8], keeper: &mut dyn Keeper) -> Vec<u8>;

    /// The sender is silent for too long, or the connection is over: what had come of a message is a fragment. False
    /// where something is owed still; to be called again then.
    fn end(&mut self, end: End, keeper: &mut dyn Keeper) -> bool;

    /// True between messages: nothing is lost by closing the connection.
    fn is_idle(&self) -> bool;

    /// True where the sender does not keep to the protocol: the connection is to be closed.
    fn is_over(&self) -> bool;
}

/// Who keeps what comes in.
pub trait Keeper {
    /// Keeps it durably. The error is for the sender, in so far as its protocol has words.
    ///
    /// # Errors
    /// Where it is not kept. A message is then refused so that it is sent again; a fragment is offered again.
    fn keep(&mut self, given: Given<'_>) -> Result<(), String>;

    /// The time of an answer as HL7 writes it, such as `20260304091500+0800`; empty where there is no clock.
    fn time(&mut self) -> String {
        String::new()
    }
}

impl<F: FnMut(Given<'_>) -> Result<(), String>> Keeper for F {
    fn keep(&mut self, given: Given<'_>) -> Result<(), String> {
        self(given)
    }
}

/// What is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<'a> {
    /// A message that has come whole, without its frames.
    Message(&'a [u8]),
    /// Bytes that are not a message.
    Fragment {
        /// Text of acknowledged frames, or bytes as they came where they never were in a frame that held.
        bytes: &'a [u8],
        /// Why they are not one.
        fault: &'a Fault,
    },
}

impl<'a> Given<'a> {
    /// Its bytes.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Message(bytes) | Self::Fragment { bytes, .. } => bytes,
        }
    }
}

/// What is wrong with what arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes outside a frame.
    #[error("bytes outside of a frame")]
    Unframed,
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
    /// A frame is missing.
    #[error("frame {found} came, frame {expected} was expected")]
    Sequence {
        /// As sent.
        found: char,
        /// The next number.
        expected: char,
    },
    /// A frame that had been acknowledged came again with other bytes.
    #[error("frame {0} came again with other bytes")]
    Changed(char),
    /// More bytes than the limit allows; those above it are not here.
    #[error("more than {0} bytes")]
    TooLong(usize),
    /// It came whole and the keeper could not keep it.
    #[error("it could not be kept: {0}")]
    NotKept(String),
    /// A block that is not a message of HL7.
    #[error("no HL7 message: it does not begin with MSH")]
    NotHl7,
    /// The message ended before its last record.
    #[error("the message was broken off: {0}")]
    BrokenOff(End),
}

/// What ended a transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum End {
    /// The sender closed the transmission.
    #[error("the sender ended the transfer")]
    Sender,
    /// The sender began anew.
    #[error("a new transfer began")]
    Restart,
    /// Nothing came any more.
    #[error("the sender fell silent")]
    Silence,
    /// The connection is gone.
    #[error("the connection broke off")]
    Closed,
    /// The receiving side ends.
    #[error("the server stopped")]
    Stopped,
    /// The sender does not keep to the protocol.
    #[error("too much was refused in a row")]
    GivenUp,
}

/// Fragments that could not be kept yet, in the order in which they came.
#[derive(Debug, Clone, Default)]
struct Owed(Vec<(Vec<u8>, Fault)>);

impl Owed {
    /// Has a fragment kept, behind those that wait already.
    fn give(&mut self, bytes: Vec<u8>, fault: Fault, keeper: &mut dyn Keeper) {
        if !bytes.is_empty() {
            self.0.push((bytes, fault));
            self.settle(keeper);
        }
    }

    /// Offers again what waits. True where nothing waits any more.
    fn settle(&mut self, keeper: &mut dyn Keeper) -> bool {
        let kept = |(bytes, fault): &(Vec<u8>, Fault)| keeper.keep(Given::Fragment { bytes, fault }).is_ok();
        let done = self.0.iter().map(kept).take_while(|kept| *kept).count();
        self.0.drain(..done);
        self.0.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{Fault, Given, Keeper};

    /// Keeps everything, or nothing.
    #[derive(Debug, Default)]
    pub(crate) struct Kept {
        pub messages: Vec<Vec<u8>>,
        pub fragments: Vec<(Vec<u8>, Fault)>,
        /// Messages and fragments in the order in which they were kept.
        pub all: Vec<Vec<u8>>,
        pub refuses: bool,
    }

    impl Keeper for Kept {
        fn keep(&mut self, given: Given<'_>) -> Result<(), String> {
            if self.refuses {
                return Err("the disk is full".into());
            }
            match given {
                Given::Message(bytes) => self.messages.push(bytes.to_vec()),
                Given::Fragment { bytes, fault } => self.fragments.push((bytes.to_vec(), fault.clone())),
            }
            self.all.push(given.bytes().to_vec());
            Ok(())
        }

        fn time(&mut self) -> String {
            "20260304091501+0800".into()
        }
    }
}
