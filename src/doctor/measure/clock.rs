//! What the clock that everything is timed by can tell apart, and what a look at it costs.

use nix::time::{ClockId, clock_getres};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The clock's cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockCost {
    /// Of one reading, ns.
    pub read_ns: f64,
    /// The least difference that it shows, ns, as the system says.
    pub resolution_ns: Option<f64>,
}

impl ClockCost {
    /// That of `CLOCK_MONOTONIC`, in the quickest of several rounds: the others were interrupted.
    pub fn here() -> Self {
        const ROUNDS: usize = 20;
        const READINGS: u32 = 10_000;
        let round = || {
            let started = Instant::now();
            for _ in 0..READINGS {
                black_box(Instant::now());
            }
            started.elapsed()
        };
        let quickest = (0..ROUNDS).map(|_| round()).min().unwrap_or_default();
        let resolution = clock_getres(ClockId::CLOCK_MONOTONIC).ok();
        Self {
            read_ns: quickest.as_secs_f64() * 1e9 / f64::from(READINGS),
            resolution_ns: resolution.map(|time| Duration::from(time).as_secs_f64() * 1e9),
        }
    }
}
