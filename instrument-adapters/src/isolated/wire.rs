//! What goes over the pipes: a head in JSON behind its length, then the bytes that the head counts.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::adapter::Explained;
use crate::model::{Companion, DateOrder, Options, Parsed};
use crate::selftest::{TestReport, TestedFile};
use crate::set::{Detection, NotRecognised};

/// Raised with every change of what is said here: both sides must be of one version.
pub(super) const VERSION: u32 = 2;

/// No head is longer: what a worker says must not fill the memory of who asked.
const MAX_HEAD: u32 = 1 << 28;

/// A name with the number of bytes that follow.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attached {
    pub name: String,
    pub size: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AttachedCase {
    pub file: Attached,
    pub expected: Option<String>,
    pub reject: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The adapters that are not as embedded; tested already.
    Load {
        own: Vec<String>,
        withdrawn: Vec<String>,
    },
    /// A file, then its companions.
    Read {
        file: Attached,
        companions: Vec<Attached>,
        adapter: Option<String>,
        /// Read with this one, which is not loaded.
        declaration: Option<String>,
        curves: bool,
        date_order: Option<DateOrder>,
        zone: Option<String>,
        explain: bool,
    },
    Detect {
        file: Attached,
    },
    /// A file that is not an instrument's: what is done with it is the program's own matter.
    Other {
        /// What is to be done, in the program's own word.
        kind: String,
        /// What the program wants to be known beside the file.
        beside: String,
        file: Attached,
    },
    /// An adapter that is not loaded, with its cases.
    Test {
        declaration: String,
        cases: Vec<AttachedCase>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The first word of a worker.
    Ready {
        version: u32,
        limited: bool,
    },
    Loaded,
    /// Sent before the reading starts.
    Began {
        adapter: String,
        seconds: Option<u64>,
    },
    Parsed(Parsed),
    Explained(Explained),
    Detected(Detection),
    Tested(TestReport),
    /// What the program's own reader found; `None` where it has no reader of that kind.
    Other(Option<String>),
    NotRecognised(NotRecognised),
    Panicked {
        message: String,
    },
    /// The answer is longer than one may be.
    TooLong,
}

/// Which adapter is to read a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum With<'a> {
    /// The one that takes it for its own.
    Any,
    /// The one of that id.
    Id(&'a str),
    /// One that is not loaded.
    Declaration(&'a str),
}

impl<'a> With<'a> {
    pub fn named(id: Option<&'a str>) -> Self {
        id.map_or(Self::Any, Self::Id)
    }

    fn id(self) -> Option<&'a str> {
        if let Self::Id(id) = self { Some(id) } else { None }
    }

    fn declaration(self) -> Option<&'a str> {
        if let Self::Declaration(text) = self { Some(text) } else { None }
    }
}

impl Request {
    /// A reading, with the bytes to send behind it.
    pub fn read<'a>(
        name: &str,
        bytes: &'a [u8],
        adapter: With,
        options: &'a Options,
        explain: bool,
    ) -> (Self, Vec<&'a [u8]>) {
        let companion = |c: &Companion| attached(&c.name, &c.bytes);
        let request = Self::Read {
            file: attached(name, bytes),
            companions: options.companions.iter().map(companion).collect(),
            adapter: adapter.id().map(str::to_owned),
            declaration: adapter.declaration().map(str::to_owned),
            curves: options.curves,
            date_order: options.date_order,
            zone: options.zone.clone(),
            explain,
        };
        let mut parts = vec![bytes];
        parts.extend(options.companions.iter().map(|c| c.bytes.as_slice()));
        (request, parts)
    }

    pub fn other<'a>(kind: &str, beside: &str, bytes: &'a [u8]) -> (Self, Vec<&'a [u8]>) {
        let (kind, beside) = (kind.to_owned(), beside.to_owned());
        (Self::Other { kind, beside, file: attached("", bytes) }, vec![bytes])
    }

    pub fn detect<'a>(name: &str, bytes: &'a [u8]) -> (Self, Vec<&'a [u8]>) {
        (Self::Detect { file: attached(name, bytes) }, vec![bytes])
    }

    pub fn test<'a>(declaration: &str, cases: &'a [TestedFile]) -> (Self, Vec<&'a [u8]>) {
        let case = |c: &TestedFile| AttachedCase {
            file: attached(&c.name, &c.bytes),
            expected: c.expected.clone(),
            reject: c.reject,
        };
        let request = Self::Test { declaration: declaration.to_owned(), cases: cases.iter().map(case).collect() };
        (request, cases.iter().map(|c| c.bytes.as_slice()).collect())
    }
}

fn attached(name: &str, bytes: &[u8]) -> Attached {
    Attached { name: name.to_owned(), size: bytes.len() as u64 }
}

/// Writes a head and what it counts.
pub(super) fn send(to: &mut impl Write, head: &impl Serialize, parts: &[&[u8]]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let length = u32::try_from(head.len()).ok().filter(|length| *length <= MAX_HEAD);
    let length = length.ok_or(io::ErrorKind::FileTooLarge)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(&head)?;
    for part in parts {
        to.write_all(part)?;
    }
    to.flush()
}

/// Reads a head; `None` where the other side has closed its end.
pub(super) fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    let mut read = 0;
    while let Some(rest) = length.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) if read == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_HEAD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no message of this program"));
    }
    let head = receive_bytes(from, u64::from(length))?;
    serde_json::from_slice(&head).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Reads what a head has counted. Memory grows with what comes, not with what is announced.
pub(super) fn receive_bytes(from: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == size { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_arrives() {
        let mut pipe = Vec::new();
        let (request, parts) = Request::detect("a.txt", b"abc");
        send(&mut pipe, &request, &parts).unwrap();
        let mut from = pipe.as_slice();
        let Some(Request::Detect { file }) = receive(&mut from).unwrap() else { panic!("another request") };
        assert_eq!((file.name.as_str(), file.size), ("a.txt", 3));
        assert_eq!(receive_bytes(&mut from, 3).unwrap(), b"abc");
        assert!(receive::<Request>(&mut from).unwrap().is_none());
    }

    #[test]
    fn a_message_that_is_none_is_an_error() {
        for bytes in [&b"\x01"[..], b"\xff\xff\xff\xff", b"\x09\0\0\0{}", b"hello world"] {
            assert!(receive::<Request>(&mut &bytes[..]).is_err(), "{bytes:?}");
        }
    }
}
