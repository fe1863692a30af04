//! One module a file family. A reader takes a file apart by its layout; what the parts mean
//! stands in the adapter's TOML.

pub(crate) mod block_text;
pub(crate) mod delimited;
pub(crate) mod fixed_lines;
pub(crate) mod json_tree;
pub(crate) mod peak_csv;
pub(crate) mod quoted_report;
pub(crate) mod ruled_report;

use crate::model::Companion;
use crate::sink::Sink;
use crate::spec::ReaderSpec;
use crate::text::Text;

/// What a format's own proof says of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// The end mark, the count or the frame is there and fits.
    Holds,
    /// It is missing or does not fit.
    Fails,
    /// The format has none.
    None,
}

/// One file on its way through a reader.
pub(crate) struct Input<'a> {
    pub name: &'a str,
    pub text: &'a Text,
    pub companions: &'a [Companion],
}

/// Runs the adapter's reader.
pub(crate) fn read(reader: &ReaderSpec, input: &Input, sink: &mut Sink) -> Proof {
    match reader {
        ReaderSpec::RuledReport(s) => ruled_report::read(s, input, sink),
        ReaderSpec::QuotedReport(s) => quoted_report::read(s, input, sink),
        ReaderSpec::JsonTree(s) => json_tree::read(s, input, sink),
        ReaderSpec::BlockText(s) => block_text::read(s, input, sink),
        ReaderSpec::Delimited(s) => delimited::read(s, input, sink),
        ReaderSpec::FixedLines(s) => fixed_lines::read(s, input, sink),
        ReaderSpec::PeakCsv(s) => peak_csv::read(s, input, sink),
    }
}
