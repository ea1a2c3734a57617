//! What a set of samples is like: its middle, its spread, its quantiles.
//!
//! A quantile between two samples is taken linearly between them: type 7 of Hyndman and Fan
//! ("Sample Quantiles in Statistical Packages", *The American Statistician* 50, 1996), the default
//! of NumPy, SciPy and R. Samples that hold a NaN have no quantiles, and a mean of NaN.

use serde::{Deserialize, Serialize};

/// The arithmetic mean; `None` of nothing. Never outside the samples, so that the mean of equal
/// samples is their value to the last bit, and their spread zero.
pub fn mean(samples: &[f64]) -> Option<f64> {
    let mean = (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / samples.len() as f64)?;
    let least = samples.iter().copied().fold(f64::INFINITY, f64::min);
    let most = samples.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(if mean.is_finite() {
        mean.clamp(least, most)
    } else {
        mean
    })
}

/// The sample standard deviation (n − 1); `None` of fewer than two samples.
pub fn sample_sd(samples: &[f64]) -> Option<f64> {
    let mean = mean(samples)?;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    (samples.len() > 1).then(|| (squares / (samples.len() - 1) as f64).sqrt())
}

/// The coefficient of variation: the sample standard deviation as a share of the mean's size, 0.1
/// for 10 %; `None` of fewer than two samples, or where the mean is zero or not finite.
pub fn variation(samples: &[f64]) -> Option<f64> {
    let share = sample_sd(samples)? / mean(samples)?.abs();
    share.is_finite().then_some(share)
}

/// The quantile `q`, 0 to 1, of samples in ascending order, between neighbours linearly (type 7 of
/// Hyndman and Fan, 1996); `None` of nothing.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let below = sorted[at.floor() as usize];
    let above = sorted[at.ceil() as usize];
    Some(below + (above - below) * at.fract())
}

/// The three values that cut the samples into quarters, in the samples' unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// A quarter of the samples lies below.
    pub first: f64,
    /// Half of them.
    pub median: f64,
    /// Three quarters.
    pub third: f64,
}

impl Quartiles {
    /// Of samples in any order; `None` of nothing, or where one is not finite.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let sorted = ascending(samples)?;
        Some(Self {
            first: quantile(&sorted, 0.25)?,
            median: quantile(&sorted, 0.5)?,
            third: quantile(&sorted, 0.75)?,
        })
    }

    /// The interquartile range: how far the third lies above the first.
    pub fn range(&self) -> f64 {
        self.third - self.first
    }
}

/// The median of samples in any order; `None` of nothing, or where one is not finite.
pub fn median(samples: &[f64]) -> Option<f64> {
    quantile(&ascending(samples)?, 0.5)
}

fn ascending(samples: &[f64]) -> Option<Vec<f64>> {
    let mut sorted = all_finite(samples)?.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

/// The same samples; `None` if one is NaN or infinite.
pub(super) fn all_finite(samples: &[f64]) -> Option<&[f64]> {
    let finite = samples.iter().all(|sample| sample.is_finite());
    finite.then_some(samples)
}

/// Whether each is above zero, and finite.
pub(super) fn all_positive(samples: &[f64]) -> bool {
    let positive = |&sample: &f64| sample > 0.0 && sample.is_finite();
    samples.iter().all(positive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile(&sorted, 0.5), Some(2.5));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile(&[7.0], 0.3), Some(7.0));
    }

    #[test]
    fn nothing_has_none_of_them() {
        assert_eq!(mean(&[]), None);
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!((median(&[]), Quartiles::of(&[])), (None, None));
        assert_eq!((sample_sd(&[1.0]), variation(&[1.0])), (None, None));
        assert_eq!(variation(&[-1.0, 1.0]), None, "of a mean of zero");
        assert_eq!(median(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn equal_samples_have_no_spread_to_the_last_bit() {
        // The sum of three tenths is not three tenths.
        assert_eq!(mean(&[0.1; 3]), Some(0.1));
        assert_eq!(sample_sd(&[0.1; 3]), Some(0.0));
    }

    proptest! {
        #[test]
        fn quartiles_are_in_order_whatever_the_samples_order(
            mut samples in prop::collection::vec(-1e6f64..1e6, 1..40),
        ) {
            let quartiles = Quartiles::of(&samples).expect("samples");
            prop_assert!(quartiles.first <= quartiles.median && quartiles.median <= quartiles.third);
            prop_assert_eq!(Some(quartiles.median), median(&samples));
            samples.reverse();
            prop_assert_eq!(Some(quartiles), Quartiles::of(&samples));
        }
    }
}
