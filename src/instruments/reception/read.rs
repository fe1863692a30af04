//! The one place where the server has an instrument file read.

use instrument_adapters::{Companion, DateOrder, Explained, NotRecognised, Options, Parsed};

use crate::action::Services;
use crate::store::rows::InstrumentRow;
use crate::vocabulary::instruments::DayOrder;

/// Reads a file with the adapters in use and says what each line became. `adapter` names one where it is known.
///
/// # Errors
/// Where no adapter takes the file for its own, with each adapter's reason; where the reading did not come to its end
/// before one did. After that the result says so itself, in a problem.
pub(in crate::instruments) fn read(
    services: &Services,
    name: &str,
    bytes: &[u8],
    adapter: Option<&str>,
    options: &Options,
) -> Result<Explained, NotRecognised> {
    services.adapters.explain(name, bytes, adapter, options)
}

/// The same without the account of the lines, which an import does not keep.
///
/// # Errors
/// As [`read`].
pub(super) fn parse(
    services: &Services,
    name: &str,
    bytes: &[u8],
    adapter: Option<&str>,
    options: &Options,
) -> Result<Parsed, NotRecognised> {
    services.adapters.parse(name, bytes, adapter, options)
}

/// What an import asks for: the values, read as the register says of the instrument. The points of curves stay in the
/// file, from which plots are drawn.
pub(super) fn options(instrument: Option<&InstrumentRow>, companions: Vec<Companion>) -> Options {
    let order = |order: DayOrder| match order {
        DayOrder::Dmy => DateOrder::Dmy,
        DayOrder::Mdy => DateOrder::Mdy,
    };
    Options {
        curves: false,
        companions,
        date_order: instrument.and_then(|one| one.date_order).map(order),
        zone: instrument.and_then(|one| one.zone.clone()),
    }
}

/// The names of the files beside it that the file's adapter asks for. Empty where none recognises it.
#[must_use]
pub fn companions_wanted(services: &Services, name: &str, bytes: &[u8], adapter: Option<&str>) -> Vec<String> {
    // Most files have no companions at all: then nobody needs to look into the file.
    let set = services.adapters.set();
    if set.iter().all(|one| one.companion_names(name).is_empty()) {
        return Vec::new();
    }
    let found = services.adapters.detect(name, bytes).map(|detection| detection.candidates).unwrap_or_default();
    let id = match (adapter, found.as_slice()) {
        (Some(id), _) => id,
        (None, [one]) => one.adapter.as_str(),
        _ => return Vec::new(),
    };
    set.get(id).map(|one| one.companion_names(name)).unwrap_or_default()
}
