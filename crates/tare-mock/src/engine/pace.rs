//! How much longer a step takes than the profile's gap: by the batch, by who else computes on the
//! GPU, by chance.

use super::profile::Batch;
use std::time::Duration;

/// A factor on a duration, not below 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factor(f64);

impl Factor {
    pub const ONE: Self = Self(1.0);

    pub fn new(factor: f64) -> Self {
        Self(factor.max(0.0))
    }

    /// What makes everything `speed` times as fast; `speed` is above 0.
    pub fn at_speed(speed: f64) -> Self {
        Self::new(1.0 / speed)
    }

    pub fn times(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    pub fn over(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }

    /// The duration times the factor, to the nearest nanosecond; by a factor of 1 exactly the
    /// duration, however long. Beyond what counts in nanoseconds (584 years) it is that bound.
    pub fn of(self, duration: Duration) -> Duration {
        if self == Self::ONE {
            return duration;
        }
        Duration::from_nanos((duration.as_nanos() as f64 * self.0 + 0.5) as u64)
    }
}

/// What so many streams in one runner make of the gap.
pub fn of_batch(batch: &Batch, streams: usize) -> Factor {
    let further = streams.saturating_sub(1);
    let stated: f64 = batch.growth.iter().take(further).sum();
    let beyond = further.saturating_sub(batch.growth.len());
    let last = batch.growth.last().copied().unwrap_or(0.0);
    Factor::new(1.0 + stated + last * beyond as f64)
}

/// What so many runners that compute on one GPU make of each one's time.
pub fn of_share(shared_gpu: f64, runners: u32) -> Factor {
    Factor::new(1.0 + (shared_gpu - 1.0) * f64::from(runners.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_stream_adds_its_growth_and_the_last_one_repeats() {
        let batch = Batch {
            growth: vec![0.25, 0.5],
        };
        for (streams, expected) in [(0, 1.0), (1, 1.0), (2, 1.25), (3, 1.75), (5, 2.75)] {
            assert_eq!(of_batch(&batch, streams), Factor(expected), "{streams}");
        }
        assert_eq!(of_batch(&Batch { growth: vec![] }, 9), Factor::ONE);
    }

    #[test]
    fn a_factor_of_one_changes_no_nanosecond_of_any_duration() {
        let long = Duration::new(u64::MAX, 999_999_999);
        assert_eq!(Factor::ONE.of(long), long);
        assert_eq!(Factor::new(2.0).of(long), Duration::from_nanos(u64::MAX));
        assert_eq!(
            Factor::new(1.5).of(Duration::from_nanos(3)),
            Duration::from_nanos(5)
        );
    }

    #[test]
    fn alone_a_runner_has_the_whole_gpu() {
        assert_eq!(of_share(2.5, 0), Factor::ONE);
        assert_eq!(of_share(2.5, 1), Factor::ONE);
        assert_eq!(of_share(2.5, 2), Factor(2.5));
        assert_eq!(of_share(2.5, 3), Factor(4.0));
    }
}
