//! One struct a table, as stored. Workflows turn them into decisions, views into what a reader sees.
//!
//! No row carries `revision`: SQLite raises it after the row was answered, so what `returning` gave would be behind.

mod audit;
mod certificates;
mod evaluation;
mod instruments;
mod intake;
mod people;
mod register;
mod testing;

pub use audit::*;
pub use certificates::*;
pub use evaluation::*;
pub use instruments::*;
pub use intake::*;
pub use people::*;
pub use register::*;
pub use testing::*;
