//! Link layers of instruments that send over a serial line or a socket, without any I/O.
//!
//! Bytes are fed in as they arrive, in pieces of any size; what is to be answered and what has come
//! whole is given back. [`lis`] is LIS01-A2 (ASTM E1381) with its ENQ, frames and checksums, [`mllp`]
//! the Minimal Lower Layer Protocol of HL7. Sockets, serial ports and clocks are the caller's.
//!
//! ```
//! use instrument_adapters::link::lis::{ACK, Event, Receiver, Sender, Step};
//!
//! let message = b"H|\\^&\rP|1\rO|1|SX20260001\rR|1|^^^Factor VIII|102|%||||F\rL|1|N\r";
//! let mut analyser = Sender::new(message);
//! let mut host = Receiver::default();
//! let mut received = Vec::new();
//! let mut step = Step::Send(analyser.begin());
//! while let Step::Send(bytes) = step {
//!     let mut answer = None;
//!     for event in host.feed(&bytes) {
//!         answer = answer.or(event.reply());
//!         if let Event::Message(text) = event {
//!             received.push(text);
//!         }
//!     }
//!     step = answer.map_or(Step::Done, |byte| analyser.answer(byte));
//! }
//! assert_eq!(received, [message.to_vec()]);
//! # assert_eq!(ACK, 0x06);
//! ```

pub mod lis;
pub mod mllp;
