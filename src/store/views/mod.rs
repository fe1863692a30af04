//! Read models: what lists and pages show.
