//! Two one-sided tests: whether a mean lies within bounds fixed beforehand.
//!
//! A large p-value of a test for a difference shows nothing; equivalence has to be shown as such.
//! The mean is called equivalent where both "it is at or below the lower bound" and "it is at or
//! above the upper bound" are refused (Schuirmann, *Journal of Pharmacokinetics and
//! Biopharmaceutics* 15, 1987). At a level of 5 % that is the same as a *90 %* interval inside the
//! bounds, each of the two tests using one of its ends. Of pairs, test their differences, or the
//! differences of their logarithms against the logarithms of the bounds.

use super::describe::all_finite;
use super::student::upper_tail;
use super::{mean, sample_sd};
use serde::{Deserialize, Serialize};

/// What the two tests say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tost {
    /// The chance of a mean so far above the lower bound, did the true one lie on it; 0 to 1.
    pub p_above_low: f64,
    /// The chance of a mean so far below the upper bound, did the true one lie on it; 0 to 1.
    pub p_below_high: f64,
}

impl Tost {
    /// The p-value of equivalence: the larger of the two.
    pub fn p(&self) -> f64 {
        self.p_above_low.max(self.p_below_high)
    }
}

/// Tests whether the mean lies between the bounds, in the samples' unit; `None` of fewer than two
/// samples, of samples all equal, where a value is not finite, or where `low` is not below `high`.
pub fn tost(samples: &[f64], low: f64, high: f64) -> Option<Tost> {
    let samples = all_finite(samples)?;
    let mean = mean(samples)?;
    let error = sample_sd(samples)? / (samples.len() as f64).sqrt();
    let freedom = samples.len() as f64 - 1.0;
    if !(error > 0.0 && low < high) {
        return None;
    }
    Some(Tost {
        p_above_low: upper_tail((mean - low) / error, freedom)?,
        p_below_high: upper_tail((high - mean) / error, freedom)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::student::two_sided_quantile;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_tested_has_no_p() {
        assert_eq!(tost(&[1.0], 0.0, 2.0), None);
        assert_eq!(tost(&[0.1; 3], 0.0, 2.0), None);
        assert_eq!(tost(&[1.0, f64::NAN], 0.0, 2.0), None);
        assert_eq!(tost(&[1.0, 2.0], 2.0, 2.0), None);
        assert_eq!(tost(&[1.0, 2.0], f64::NAN, 2.0), None);
    }

    proptest! {
        #[test]
        fn equivalent_at_5_percent_is_a_90_percent_interval_inside(
            samples in prop::collection::vec(-1.0f64..1.0, 2..20),
            low in -2.0f64..0.0, high in 0.0f64..2.0,
        ) {
            let p = tost(&samples, low, high).unwrap().p();
            prop_assume!((p - 0.05).abs() > 1e-6);
            let error = sample_sd(&samples).unwrap() / (samples.len() as f64).sqrt();
            let half = error * two_sided_quantile(samples.len() as f64 - 1.0, 0.1).unwrap();
            let mean = mean(&samples).unwrap();
            prop_assert_eq!(p < 0.05, low < mean - half && mean + half < high);
        }
    }
}
