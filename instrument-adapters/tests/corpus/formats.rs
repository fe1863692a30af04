//! The formats that are read: folder of the real files, and the check of one truth. One line each.

use instrument_adapters::Parsed;
use serde_json::Value;

mod andi;
mod animl;
mod asm_input;
mod balance;
mod cells;
mod chromeleon_json;
mod chromeleon_txt;
mod empower_json;
mod gen5;
mod jcamp;
mod messages;
mod nanodrop;
mod peaks;
mod plates;
mod qpcr;
mod shimadzu;
mod softmax;
mod uvvis;
mod vicell_xr;

/// Compares a reading with its truth; gives the number of values compared.
pub type Check = fn(&Parsed, &Value) -> usize;

#[rustfmt::skip]
pub const FORMATS: &[(&str, Check)] = &[
    ("SPEC-balance-mt-sics", balance::mt_sics),
    ("SPEC-balance-sartorius-sbi", balance::check),
    ("agilent-biotek-gen5", gen5::check),
    ("SPEC-osmometer-ai3320", balance::osmometer),
    ("agilent-chemstation-report", peaks::chemstation),
    ("agilent-msd-results", peaks::msd),
    ("agilent-openlab-rdl", peaks::openlab),
    ("astm-lis2", messages::results),
    ("cellcounter-vicell-blu", cells::vicell),
    ("cellcounter-vicell-xr", vicell_xr::check),
    ("dpcr-qiacuity", cells::qiacuity),
    ("hl7-v2", messages::results),
    ("allotrope-asm-lc", asm_input::check),
    ("andi-netcdf", andi::check),
    ("animl", animl::check),
    ("jcamp-dx", jcamp::check),
    ("moldev-softmax-pro", softmax::check),
    ("perkinelmer-envision", cells::envision),
    ("perkinelmer-totalchrom", peaks::totalchrom),
    ("qpcr-cfx", cells::cfx),
    ("qpcr-quantstudio", qpcr::check),
    ("shimadzu-labsolutions", shimadzu::check),
    ("tecan-magellan", plates::magellan),
    ("thermo-chromeleon-json", chromeleon_json::check),
    ("thermo-chromeleon-txt", chromeleon_txt::check),
    ("thermo-nanodrop", nanodrop::check),
    ("thermo-uvvis", uvvis::check),
    ("thermo-skanit", plates::skanit),
    ("waters-empower-json", empower_json::check),
];
