//! When requests are to start: a schedule that knows nothing of the answers.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How requests follow each other at a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// At equal distances.
    Constant,
    /// Each whenever it likes: the distances are exponential and independent, as those of many
    /// users who know nothing of each other.
    Poisson,
}

impl Arrivals {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Constant, Self::Poisson];

    /// Its name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Poisson => "poisson",
        }
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The times at which requests are to start, from the start of the schedule; endless.
#[derive(Clone, Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    /// The mean distance.
    gap_ns: f64,
    /// How many there were.
    count: u64,
    /// When the last one was, where that depends on chance.
    at_ns: f64,
    rng: Rng,
}

impl Schedule {
    /// `rate_per_s` requests a second, more than 0. The same seed gives the same times; constant
    /// ones need none. Constant arrivals begin at once, Poisson's after a first distance.
    pub fn new(arrivals: Arrivals, rate_per_s: f64, seed: u64) -> Self {
        Self {
            arrivals,
            gap_ns: 1e9 / rate_per_s,
            count: 0,
            at_ns: 0.0,
            rng: Rng::with_seed(seed),
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let at_ns = match self.arrivals {
            // Not a sum, whose error would grow.
            Arrivals::Constant => self.count as f64 * self.gap_ns,
            Arrivals::Poisson => {
                // The inverse of the exponential distribution; 1 - u is never 0.
                self.at_ns -= (1.0 - self.rng.f64()).ln() * self.gap_ns;
                self.at_ns
            }
        };
        self.count += 1;
        Some(Duration::from_nanos(at_ns.round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gaps(schedule: Schedule, count: usize) -> Vec<f64> {
        let at: Vec<f64> = schedule.take(count).map(|at| at.as_secs_f64()).collect();
        at.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn a_constant_schedule_has_the_rate_times_the_seconds_in_any_whole_second() {
        for rate in [1, 3, 7, 50, 999] {
            let all = Schedule::new(Arrivals::Constant, f64::from(rate), 0);
            let at: Vec<Duration> = all.take(5 * rate as usize).collect();
            for second in 0..5 {
                let within = |at: &&Duration| at.as_secs() == second;
                assert_eq!(at.iter().filter(within).count(), rate as usize, "{rate}/s");
            }
        }
    }

    proptest! {
        #[test]
        fn times_never_fall_and_a_seed_gives_them_again(
            rate in 0.01..1e5, seed: u64, poisson: bool
        ) {
            let arrivals = Arrivals::ALL[usize::from(poisson)];
            let at: Vec<_> = Schedule::new(arrivals, rate, seed).take(200).collect();
            prop_assert!(at.is_sorted());
            let again: Vec<_> = Schedule::new(arrivals, rate, seed).take(200).collect();
            prop_assert_eq!(&at, &again);
            let other: Vec<_> = Schedule::new(arrivals, rate, seed ^ 1).take(200).collect();
            prop_assert_eq!(at != other, poisson);
        }

        /// Held against the distribution itself: n exponential distances have the mean's error
        /// 1/√n, and e⁻ˣ of them are longer than x means.
        #[test]
        fn poissons_distances_are_exponential_and_keep_the_rate(rate in 0.01..1e4, seed: u64) {
            let count = 20_000;
            let gaps = gaps(Schedule::new(Arrivals::Poisson, rate, seed), count + 1);
            let n = count as f64;
            let mean = gaps.iter().sum::<f64>() / n;
            prop_assert!((mean * rate - 1.0).abs() < 6.0 / n.sqrt(), "mean {}", mean * rate);
            for means in [0.1, 1.0, 3.0_f64] {
                let expected = (-means).exp();
                let longer = gaps.iter().filter(|&&gap| gap * rate > means).count() as f64 / n;
                let error = (expected * (1.0 - expected) / n).sqrt();
                prop_assert!((longer - expected).abs() < 6.0 * error, "{means}: {longer}");
            }
        }
    }
}
