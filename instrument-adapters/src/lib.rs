//! Reads instrument files into observations.
