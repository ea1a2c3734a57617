//! A model of an Ollama server that knows no clock, no socket and no thread: it is told the time.
//!
//! Today it models one request by itself: a load, a prefill, and tokens at a fixed gap, all at
//! absolute times counted from the request's arrival, so that lateness never adds up. Queue, slots
//! and reloads are to grow here.

mod profile;
mod reply;
pub mod text;

pub use profile::{Prefill, Profile, ProfileError};
pub use reply::{Asked, Plan, StopReason};
