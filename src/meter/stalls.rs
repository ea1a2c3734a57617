//! How much of the time a processor stands still under a program that only wants to run: another
//! program, the kernel, or a virtual machine's host had it. Nothing here keeps time better than
//! that, and the system's own count of stolen time need not show it.

use super::Moment;
use std::time::Duration;

/// What a loop that only looks at the clock has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stalls {
    /// Share of the time in which it stood still, 0 to 1.
    pub share: f64,
    /// The longest that it stood still.
    pub longest: Duration,
}

impl Stalls {
    /// The least time between two looks at the clock that counts as standing still: a look takes
    /// well below a microsecond.
    pub const LEAST: Duration = Duration::from_micros(50);

    /// Looks at the clock for so long, on this thread and at full speed.
    pub fn seen_in(time: Duration) -> Self {
        let started = Moment::now();
        let looks = std::iter::repeat_with(Moment::now);
        Self::between(started, looks.take_while(|at| at.since(started) < time))
    }

    fn between(started: Moment, looks: impl Iterator<Item = Moment>) -> Self {
        let mut before = started;
        let (mut still, mut longest) = (Duration::ZERO, Duration::ZERO);
        for at in looks {
            let gap = at.since(before);
            if gap >= Self::LEAST {
                still += gap;
                longest = longest.max(gap);
            }
            before = at;
        }
        let all = before.since(started).as_secs_f64();
        Self {
            share: if all > 0.0 {
                still.as_secs_f64() / all
            } else {
                0.0
            },
            longest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_gaps_count() {
        let micros = [10, 20, 120, 130, 1_000];
        let looks = micros.map(|micros| Moment(micros * 1_000));
        let stalls = Stalls::between(Moment(0), looks.into_iter());
        assert_eq!(stalls.longest, Duration::from_micros(870));
        assert!((stalls.share - 0.97).abs() < 1e-9, "{stalls:?}");
    }

    #[test]
    fn no_look_is_no_stall() {
        let none = Stalls::between(Moment(5), std::iter::empty());
        assert_eq!((none.share, none.longest), (0.0, Duration::ZERO));
    }
}
