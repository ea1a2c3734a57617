//! What is measured of a call: when each token was there, what the process spent, and the account
//! of gross, net and tare.

mod clock;
mod digest;
mod stalls;
mod timeline;
mod usage;

pub use clock::Moment;
pub use digest::Digest;
pub use stalls::Stalls;
pub use timeline::{Call, Lateness, NetSource, Recorder};
pub use usage::Usage;
