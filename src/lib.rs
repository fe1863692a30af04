//! Qianfa.
pub mod api;
pub mod audit;
pub mod catalogue;
pub mod certificates;
pub mod clock;
pub mod identity;
pub mod refusal;
pub mod regulation;
pub mod secrets;
pub mod services;
pub mod store;
pub mod testing;
