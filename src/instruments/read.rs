//! The one place where the server has an instrument file read.

use instrument_adapters::{Explained, NotRecognised, Options};

use crate::services::Services;

/// Reads a file with the adapters at hand. `adapter` names one where it is known.
///
/// # Errors
/// Where no adapter takes the file for its own, with each adapter's reason.
pub(super) fn read(
    services: &Services,
    name: &str,
    bytes: &[u8],
    adapter: Option<&str>,
    options: &Options,
) -> Result<Explained, NotRecognised> {
    services.adapters.explain(name, bytes, adapter, options)
}

/// What an import asks for: the points of curves stay in the file, from which plots are drawn.
pub(super) fn values_only() -> Options {
    Options { curves: false, ..Options::default() }
}
