#![doc = include_str!("../ARCHITECTURE.md")]
#![recursion_limit = "256"]

pub extern crate calculation;
pub extern crate documents;
pub extern crate regulation;
pub extern crate units;
pub extern crate vocabulary;

pub mod accounts;
pub mod action;
pub mod api;
pub mod app;
pub mod bench;
pub mod business;
pub mod cases;
pub mod catalogue;
pub mod certificates;
pub mod clock;
pub mod corrections;
pub mod custody;
pub mod evaluations;
pub mod http;
pub mod instruments;
pub mod jobs;
pub mod lines;
pub mod mapping;
pub mod people;
pub mod record;
pub mod refusal;
pub mod secrets;
pub mod store;
pub mod text;
pub mod web;
