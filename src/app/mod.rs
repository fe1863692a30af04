//! The program: configuration, logging, commands, and the server that holds everything else together.

pub mod archive;
pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod follow;
pub mod keys;
pub mod routes;
pub mod serve;
pub mod telemetry;
