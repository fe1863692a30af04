//! Qianfa.
pub mod regulation;
pub mod audit;
pub mod clock;
pub mod refusal;
pub mod store;
