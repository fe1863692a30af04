//! Qianfa.
pub mod api;
pub mod audit;
pub mod clock;
pub mod identity;
pub mod refusal;
pub mod regulation;
pub mod secrets;
pub mod services;
pub mod store;
