//! One module a file family. A reader takes a file apart by its layout; what the parts mean
//! is in the adapter's TOML.

pub(crate) mod animl;
pub(crate) mod asm;
pub(crate) mod block_text;
pub(crate) mod boxed_report;
pub(crate) mod dashed_report;
pub(crate) mod delimited;
pub(crate) mod fixed_lines;
pub(crate) mod hl7;
pub(crate) mod jcamp_dx;
pub(crate) mod json_lines;
pub(crate) mod json_tree;
pub(crate) mod line_rules;
pub(crate) mod lis2;
pub(crate) mod marked_blocks;
pub(crate) mod netcdf_rows;
pub(crate) mod peak_csv;
pub(crate) mod quoted_report;
pub(crate) mod raw_points;
pub(crate) mod ruled_report;
pub(crate) mod sectioned;
pub(crate) mod sheet_text;
pub(crate) mod versions;
pub(crate) mod workbook;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::containers::Container;
use crate::model::Companion;
use crate::sink::Sink;
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
pub(crate) struct ReaderInput<'a> {
    pub name: &'a str,
    /// The file as it is, for readers of workbooks and binary formats.
    pub bytes: &'a [u8],
    /// Its lines; empty where the container does not hold text.
    pub text: &'a Text,
    pub companions: &'a [Companion],
}

/// Versions of readers, where they are not 1. Raise one when it comes to other values from the same file: every
/// adapter that is built on it is a draft again until somebody has looked.
const VERSIONS: &[(&str, u32)] = &[];

/// The version of a reader, part of an adapter's [`digest`](crate::digest).
pub(crate) fn version(reader: &str) -> u32 {
    VERSIONS.iter().find(|(name, _)| *name == reader).map_or(1, |(_, version)| *version)
}

/// Declares the readers: variant, module, name in `adapter.toml`, what the file is packed in.
macro_rules! readers {
    ($($variant:ident, $module:ident, $name:literal, $container:ident;)*) => {
        /// Which reader takes the file apart, with its own settings.
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub(crate) enum ReaderSpec {
            $(#[serde(rename = $name)] $variant($module::Settings),)*
        }

        impl ReaderSpec {
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            pub fn container(&self) -> Container {
                match self { $(Self::$variant(_) => Container::$container,)* }
            }
        }

        /// Runs the adapter's reader.
        pub(crate) fn read(reader: &ReaderSpec, input: &ReaderInput, sink: &mut Sink) -> Proof {
            match reader { $(ReaderSpec::$variant(settings) => $module::read(settings, input, sink),)* }
        }
    };
}

readers! {
    Animl, animl, "animl", Text;
    Asm, asm, "asm", Tree;
    BlockText, block_text, "block_text", Text;
    BoxedReport, boxed_report, "boxed_report", Text;
    DashedReport, dashed_report, "dashed_report", Text;
    Delimited, delimited, "delimited", Text;
    FixedLines, fixed_lines, "fixed_lines", Text;
    JsonTree, json_tree, "json_tree", Tree;
    Hl7, hl7, "hl7", Text;
    Lis2, lis2, "lis2", Text;
    JcampDx, jcamp_dx, "jcamp_dx", Text;
    NetcdfRows, netcdf_rows, "netcdf_rows", Netcdf;
    LineRules, line_rules, "line_rules", Text;
    MarkedBlocks, marked_blocks, "marked_blocks", Text;
    PeakCsv, peak_csv, "peak_csv", Text;
    QuotedReport, quoted_report, "quoted_report", Text;
    RawPoints, raw_points, "raw_points", Text;
    RuledReport, ruled_report, "ruled_report", Text;
    SheetText, sheet_text, "sheet_text", Text;
    Workbook, workbook, "workbook", Workbook;
    Sectioned, sectioned, "sectioned", Text;
}
