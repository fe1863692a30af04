//! The one place where the server has an instrument file read.

use instrument_adapters::{Explained, NotRecognised, Options, Parsed};

use crate::action::Services;

/// Reads a file with the adapters at hand and says what each line became. `adapter` names one where it is known.
///
/// # Errors
/// Where no adapter takes the file for its own, with each adapter's reason; where the reading did not come to its end
/// before one did. After that the result says so itself, in a problem.
pub(super) fn read(
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

/// What an import asks for: the points of curves stay in the file, from which plots are drawn.
pub(super) fn values_only() -> Options {
    Options { curves: false, ..Options::default() }
}
