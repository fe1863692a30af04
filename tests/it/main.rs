//! The integration tests: one binary, the real server, both databases.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;
mod world;

mod adapters;
mod architecture;
mod audit_trail;
mod bench;
mod browser;
mod cases;
mod certificates;
mod cli;
mod codes;
mod demo;
mod evaluation;
mod flow;
mod golden;
mod instrument_actions;
mod instruments_in;
mod invariants;
mod kill;
mod lines;
mod listeners;
mod openapi;
mod operations;
mod pages;
mod permissions;
mod plots;
mod problems;
mod registers;
mod requirements;
mod sessions;
mod snapshots;
mod store;
mod words;
