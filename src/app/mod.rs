//! The program: configuration, logging, commands, and the server that holds everything else together.

pub mod archive;
pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod follow;
pub mod health;
pub mod keys;
pub mod modes;
pub mod routes;
pub mod serve;
pub mod settings;
pub mod signals;
pub mod telemetry;
pub mod tls;
