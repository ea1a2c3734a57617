//! Bootstrap intervals over invocations.
//!
//! The percentile bootstrap (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993,
//! ch. 13): resample the invocations with replacement, take the statistic of each resample, and
//! cut off a tail at each end. With few invocations that interval is too narrow, because a resample
//! varies less than the sample did and no tail is known: so the tails are those of the *expanded*
//! percentile interval (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, § 4.2.3),
//! which for a mean gives Student's interval: 0.9 % instead of 2.5 % with ten of them. For a ratio the *blocks* are resampled, so that what a block's cells
//! had in common, a slow second of the machine say, cancels.

use super::describe::quantile;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// How many resamples.
const RESAMPLES: usize = 10_000;
/// What the two ends of an interval leave out together.
const ALPHA: f64 = 0.05;

/// An estimate with its 95 % confidence interval, in the unit of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The statistic of the samples themselves.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The interval of the mean, one sample per invocation; `None` of fewer than two.
pub fn mean_interval(samples: &[f64], seed: u64) -> Option<Interval> {
    interval(samples.len(), seed, |picked| {
        picked.map(|i| samples[i]).sum::<f64>() / samples.len() as f64
    })
}

/// The interval of the ratio of means, `samples[i]` and `base[i]` being of the same block; `None`
/// of fewer than two blocks, of unequal lengths, or where the base is not positive throughout.
pub fn ratio_interval(samples: &[f64], base: &[f64], seed: u64) -> Option<Interval> {
    if samples.len() != base.len() || base.iter().any(|&value| value <= 0.0) {
        return None;
    }
    interval(samples.len(), seed, |picked| {
        let (mut above, mut below) = (0.0, 0.0);
        picked.for_each(|i| {
            above += samples[i];
            below += base[i];
        });
        above / below
    })
}

fn interval(
    count: usize,
    seed: u64,
    statistic: impl Fn(&mut dyn Iterator<Item = usize>) -> f64,
) -> Option<Interval> {
    if count < 2 {
        return None;
    }
    let mut rng = Rng::with_seed(seed);
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .map(|_| statistic(&mut std::iter::repeat_with(|| rng.usize(..count)).take(count)))
        .collect();
    drawn.sort_by(f64::total_cmp);
    let tail = expanded_tail(count)?;
    Some(Interval {
        estimate: statistic(&mut (0..count)),
        low: quantile(&drawn, tail)?,
        high: quantile(&drawn, 1.0 - tail)?,
    })
}

/// The share of resamples that an interval of so many samples leaves out at each end: that which a
/// normal distribution has beyond √(n / (n − 1)) times Student's quantile.
fn expanded_tail(count: usize) -> Option<f64> {
    let count = count as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let bound = (count / (count - 1.0)).sqrt() * student.inverse_cdf(ALPHA / 2.0);
    Some(Normal::standard().cdf(bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_samples_leave_no_doubt() {
        let interval = mean_interval(&[3.0; 5], 1).expect("enough samples");
        assert_eq!(
            (interval.low, interval.estimate, interval.high),
            (3.0, 3.0, 3.0)
        );
    }

    #[test]
    fn what_blocks_have_in_common_cancels_in_the_ratio() {
        let base = [1.0, 5.0, 2.0, 9.0];
        let twice = base.map(|value| 2.0 * value);
        let ratio = ratio_interval(&twice, &base, 1).expect("enough blocks");
        for end in [ratio.low, ratio.estimate, ratio.high] {
            assert!((end - 2.0).abs() < 1e-12, "{ratio:?}");
        }
    }

    #[test]
    fn too_little_gives_no_interval() {
        assert_eq!(mean_interval(&[1.0], 1), None);
        assert_eq!(ratio_interval(&[1.0, 2.0], &[1.0], 1), None);
        assert_eq!(ratio_interval(&[1.0, 2.0], &[1.0, 0.0], 1), None);
    }

    #[test]
    fn the_tail_is_that_of_students_interval() {
        // t(9, 0.025) = 2.262157, × √(10/9) = 2.384525; the normal tail beyond is 0.008551.
        let tail = expanded_tail(10).expect("enough samples");
        assert!((tail - 0.008_551).abs() < 1e-5, "{tail}");
        let tail = expanded_tail(1_000_000).expect("enough samples");
        assert!((tail - 0.025).abs() < 1e-5, "{tail}");
    }

    /// In 95 of 100 experiments the interval should hold the truth. 600 of ten samples each,
    /// their seeds fixed; three standard errors of a binomial proportion are 2.7 points.
    #[test]
    fn the_interval_of_ten_samples_holds_the_truth_as_often_as_it_says() {
        let mut rng = fastrand::Rng::with_seed(3);
        let held = (0..600).filter(|&seed| {
            // Twelve uniforms less six: normal enough, mean 0, sd 1.
            let mut normal = || (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
            let samples: Vec<f64> = (0..10).map(|_| normal()).collect();
            let interval = mean_interval(&samples, seed).expect("enough samples");
            interval.low <= 0.0 && 0.0 <= interval.high
        });
        let share = held.count() as f64 / 600.0;
        assert!((0.923..=0.977).contains(&share), "{share}");
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_estimate_and_stays_within_the_samples(
            samples in prop::collection::vec(0.1f64..1e6, 2..30), seed: u64,
        ) {
            let interval = mean_interval(&samples, seed).expect("enough samples");
            let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
            let most = samples.iter().copied().fold(0.0, f64::max);
            prop_assert!(least <= interval.low + 1e-6 && interval.high <= most + 1e-6);
            prop_assert!(interval.low <= interval.high);
            prop_assert_eq!(interval, mean_interval(&samples, seed).expect("enough samples"));
        }
    }
}
