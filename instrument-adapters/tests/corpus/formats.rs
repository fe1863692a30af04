//! The formats that are read: folder of the real files, and the check of one truth. One line each.

use instrument_adapters::Parsed;
use serde_json::Value;

mod andi;
mod animl;
mod asm_input;
mod balance;
mod chromeleon_json;
mod empower_json;
mod jcamp;
mod nanodrop;
mod peaks;
mod softmax;

/// Compares a reading with its truth; gives the number of values compared.
pub type Check = fn(&Parsed, &Value) -> usize;

#[rustfmt::skip]
pub const FORMATS: &[(&str, Check)] = &[
    ("SPEC-balance-sartorius-sbi", balance::check),
    ("agilent-chemstation-report", peaks::chemstation),
    ("allotrope-asm-lc", asm_input::check),
    ("andi-netcdf", andi::check),
    ("animl", animl::check),
    ("jcamp-dx", jcamp::check),
    ("moldev-softmax-pro", softmax::check),
    ("perkinelmer-totalchrom", peaks::totalchrom),
    ("thermo-chromeleon-json", chromeleon_json::check),
    ("thermo-nanodrop", nanodrop::check),
    ("waters-empower-json", empower_json::check),
];
