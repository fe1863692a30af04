//! Qianfa.
#![recursion_limit = "256"]

pub mod api;
pub mod app;
pub mod audit;
pub mod catalogue;
pub mod certificates;
pub mod clock;
pub mod custody;
pub mod evaluation;
pub mod evidence;
pub mod identity;
pub mod input;
pub mod instruments;
pub mod intake;
pub mod jobs;
pub mod plot;
pub mod refusal;
pub mod regulation;
pub mod secrets;
pub mod services;
pub mod store;
pub mod testing;
pub mod web;
