//! The clock: `CLOCK_MONOTONIC`, which every process of a machine reads alike, so that the mock's
//! send times and the client's can be subtracted.

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A reading of `CLOCK_MONOTONIC`, in nanoseconds since an arbitrary start, comparable between the
/// processes of one machine until it is rebooted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment(pub u64);

impl Moment {
    /// The present.
    #[inline]
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::CLOCK_MONOTONIC)
            .expect("every system that Rust's own Instant runs on has this clock");
        Self(u64::try_from(Duration::from(time).as_nanos()).unwrap_or(u64::MAX))
    }

    /// The time from `earlier` to here; zero if `earlier` is later.
    #[inline]
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `nanos` later.
    #[inline]
    pub fn plus(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}
