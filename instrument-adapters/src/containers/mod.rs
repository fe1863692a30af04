//! What a file is packed in. Every container can show its head as lines of text, so that one kind of
//! detection serves all of them: a workbook shows its sheets and first rows, a binary file its attributes.

mod archive;
mod formats;
pub(crate) mod netcdf;
pub(crate) mod workbook;
mod xlsx;

use std::collections::HashMap;

use crate::encodings::Bytes;
use crate::text::{self, Text};

/// How much of a text file is looked at to tell whose it is.
const HEAD_BYTES: usize = 1 << 16;

/// The kinds of containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Container {
    /// Lines in one of the adapter's encodings.
    Text,
    /// Text whose lines say nothing, such as JSON: only its head is taken apart into lines.
    Tree,
    /// Sheets with rows of cells.
    Workbook,
    /// netCDF-3; the head is its attributes as `name = value`, its dimensions and its variables.
    Netcdf,
}

impl Container {
    /// True where the reader works on decoded lines.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Tree)
    }

    /// The whole file for a reader; `None` where it is not text in one of the encodings.
    pub fn decode(self, bytes: &[u8], encodings: &[String]) -> Option<Text> {
        match self {
            Self::Text => text::decode(bytes, encodings),
            Self::Tree => text::decode_whole(bytes, encodings),
            Self::Workbook | Self::Netcdf => None,
        }
    }

    /// The head as lines, or why the bytes are not such a container.
    fn head(self, bytes: &[u8]) -> Result<Text, String> {
        match self {
            Self::Text | Self::Tree => Err("text has a head in its encoding".into()),
            Self::Workbook => workbook::head(bytes),
            Self::Netcdf => netcdf::Netcdf::parse(bytes).map(|file| file.head()),
        }
    }
}

/// The heads of one file, each made once however many adapters ask for it.
pub(crate) struct Heads<'a> {
    bytes: &'a [u8],
    packed: HashMap<Container, Result<Text, String>>,
    /// By encoding: adapters that declare others before it share it too.
    texts: HashMap<(&'static str, usize), Text>,
    /// What the whole file shows of its encoding: the head alone may be ASCII.
    shows: Option<Bytes>,
}

impl<'a> Heads<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, packed: HashMap::new(), texts: HashMap::new(), shows: None }
    }

    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    pub fn get(&mut self, container: Container, encodings: &[String]) -> Result<&Text, String> {
        if !container.is_text() {
            let head = self.packed.entry(container).or_insert_with(|| container.head(self.bytes));
            return head.as_ref().map_err(Clone::clone);
        }
        // Packed bytes are letters in some encoding, and never a report.
        if self.bytes.starts_with(b"PK\x03\x04") {
            return Err("an archive, no text".into());
        }
        let shows = *self.shows.get_or_insert_with(|| Bytes::of(self.bytes));
        // The head is enough; an odd byte belongs to a code unit that goes on.
        let head = self.bytes.get(..HEAD_BYTES).unwrap_or(self.bytes);
        let chosen = shows.choose(head, encodings).ok_or_else(|| "in none of the declared encodings".to_owned())?;
        let key = (chosen.0.name(), chosen.1);
        Ok(self.texts.entry(key).or_insert_with(|| text::decode_as(head, chosen)))
    }
}
