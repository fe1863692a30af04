//! The formats that are read: folder of the real files, and the check of one truth. One line each.

use instrument_adapters::Parsed;
use serde_json::Value;

mod balance;
mod chromeleon_json;
mod chromeleon_txt;
mod gen5;
mod nanodrop;
mod peaks;
mod plates;
mod qpcr;
mod shimadzu;
mod softmax;
mod vicell_xr;

/// Compares a reading with its truth; gives the number of values compared.
pub type Check = fn(&Parsed, &Value) -> usize;

#[rustfmt::skip]
pub const FORMATS: &[(&str, Check)] = &[
    ("SPEC-balance-sartorius-sbi", balance::check),
    ("agilent-biotek-gen5", gen5::check),
    ("agilent-chemstation-report", peaks::chemstation),
    ("cellcounter-vicell-xr", vicell_xr::check),
    ("moldev-softmax-pro", softmax::check),
    ("perkinelmer-totalchrom", peaks::totalchrom),
    ("qpcr-quantstudio", qpcr::check),
    ("tecan-magellan", plates::magellan),
    ("shimadzu-labsolutions", shimadzu::check),
    ("thermo-chromeleon-json", chromeleon_json::check),
    ("thermo-chromeleon-txt", chromeleon_txt::check),
    ("thermo-nanodrop", nanodrop::check),
    ("thermo-skanit", plates::skanit),
];
