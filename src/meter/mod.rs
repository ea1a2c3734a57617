//! What is measured of a call and of a process: when each token was there, what was used, and the
//! account of gross, net and tare.

mod allocations;
mod digest;
mod first_token;
mod histogram;
mod process;
mod profile_run;
mod stalls;
mod timeline;
mod usage;

pub use crate::clock::Moment;
pub use allocations::{Allocations, Counting};
pub use digest::Digest;
pub use first_token::FirstToken;
pub use histogram::Histogram;
pub use process::{FileIo, Process};
pub use profile_run::{Lens, ProfileRun};
pub use stalls::Stalls;
pub use timeline::{Call, Lateness, NetSource, Recorder};
pub use usage::{SocketIo, Usage};
