//! Trees of results and what can be said of them: what `tare report sweep` and `tare import` share.
//!
//! | question | file |
//! |---|---|
//! | Which files are there, what does each say, and does that follow from what it holds? | [`import`](crate::published::import) |
//! | Which figures, which factors, which configuration? | `figure.rs`, `factor.rs`, `configuration.rs` |
//! | What follows from all runs together? | `analysis/`, which reads no file |
//! | How is it said? | `text/` |
//!
//! The older reports drew conclusions from such trees that the trees do not carry (see `method.md`,
//! rules 9 and 13, as quoted in the README): the share of configurations above a default that was
//! itself measured, the best of many, an efficiency that measures how equal two durations are. So
//! each figure stands here beside what chance makes of it, and beside the true one where it is
//! known.

pub mod analysis;
pub(crate) mod configuration;
pub(crate) mod factor;
mod figure;
mod observation;
mod record;

pub mod text;

pub use factor::{Factor, Level, Seat, Setting};
pub use figure::Figure;
pub use observation::{Contended, Kind, Observation};
pub use record::{Record, SCHEMA};
