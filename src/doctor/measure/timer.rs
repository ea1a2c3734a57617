//! How late a sleep ends, which on Linux includes the 50 µs that the kernel allows itself to wake
//! several at once.

use super::{Spread, micros};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Short, so that there are a thousand of them in half a second; longer ones are no less late.
const SLEEP: Duration = Duration::from_micros(300);
const SAMPLES: usize = 1_000;
const PATIENCE: Duration = Duration::from_millis(1_200);

/// The time from when sleeps were to end until they did.
pub fn lateness() -> Option<Spread> {
    let started = Instant::now();
    let mut late = Vec::with_capacity(SAMPLES);
    while late.len() < SAMPLES && started.elapsed() < PATIENCE {
        let before = Instant::now();
        sleep(SLEEP);
        late.push(micros(before.elapsed().saturating_sub(SLEEP)));
    }
    Spread::of(late)
}
