//! What balances print over a serial line: no frame, no answer, nothing is sent again. Silence ends a printout.

use super::{End, Fault, Given, Keeper, Owed, Receive};

/// The host's side of one connection.
#[derive(Debug, Clone)]
pub struct LineReceiver {
    limit: usize,
    printout: Vec<u8>,
    /// The beginning of the printout is a fragment already: it was longer than the limit.
    overlong: bool,
    owed: Owed,
}

impl LineReceiver {
    /// A receiver that takes printouts of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, printout: Vec::new(), overlong: false, owed: Owed::default() }
    }
}

impl Receive for LineReceiver {
    /// Nothing is ever answered. A printout that is too long is cut into fragments: nobody would send it again.
    fn feed(&mut self, bytes: &[u8], keeper: &mut dyn Keeper) -> Vec<u8> {
        for byte in bytes {
            if self.printout.len() >= self.limit {
                self.overlong = true;
                self.owed.give(std::mem::take(&mut self.printout), Fault::TooLong(self.limit), keeper);
            }
            self.printout.push(*byte);
        }
        Vec::new()
    }

    /// Nobody waits for an answer, so that a printout that cannot be kept as a message is a fragment.
    fn end(&mut self, _: End, keeper: &mut dyn Keeper) -> bool {
        let printout = std::mem::take(&mut self.printout);
        if std::mem::take(&mut self.overlong) {
            self.owed.give(printout, Fault::TooLong(self.limit), keeper);
        } else if !printout.iter().all(u8::is_ascii_whitespace)
            && let Err(why) = keeper.keep(Given::Message(&printout))
        {
            self.owed.give(printout, Fault::NotKept(why), keeper);
        }
        self.owed.settle(keeper)
    }

    fn is_idle(&self) -> bool {
        self.printout.is_empty() && self.owed.is_empty()
    }

    fn is_over(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::testing::Kept;

    #[test]
    fn silence_ends_a_printout() {
        let (mut receiver, mut kept) = (LineReceiver::new(20), Kept::default());
        receiver.feed(b"N  1.", &mut kept);
        receiver.feed(b"5 g\r\n", &mut kept);
        assert!(!receiver.is_idle() && kept.messages.is_empty());
        assert!(receiver.end(End::Silence, &mut kept) && receiver.is_idle());
        assert_eq!(kept.messages, [b"N  1.5 g\r\n".to_vec()]);
        // Line feeds alone are not a printout.
        receiver.feed(b"\r\n", &mut kept);
        assert!(receiver.end(End::Closed, &mut kept));
        assert_eq!((kept.messages.len(), kept.fragments.len()), (1, 0));
    }

    #[test]
    fn what_is_too_long_or_not_kept_is_a_fragment() {
        let (mut receiver, mut kept) = (LineReceiver::new(4), Kept::default());
        kept.refuses = true;
        receiver.feed(b"abc", &mut kept);
        assert!(!receiver.end(End::Silence, &mut kept) && !receiver.is_idle(), "it is owed");
        kept.refuses = false;
        assert!(receiver.end(End::Silence, &mut kept));
        assert!(matches!(&kept.fragments[..], [(bytes, Fault::NotKept(_))] if bytes == b"abc"));
        receiver.feed(b"abcdefghi", &mut kept);
        assert!(receiver.end(End::Silence, &mut kept));
        let cut = [b"abcd".to_vec(), b"efgh".to_vec(), b"i".to_vec()].map(|bytes| (bytes, Fault::TooLong(4)));
        assert_eq!(kept.fragments[1..], cut);
        receiver.feed(b"1 g", &mut kept);
        assert!(receiver.end(End::Silence, &mut kept));
        assert_eq!(kept.messages, [b"1 g".to_vec()]);
    }
}
