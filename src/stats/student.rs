//! Student's t: the test of one sample, and the interval for the ratio of pairs too few to resample.
//!
//! A bootstrap of three pairs never leaves the range of the three, so its interval excludes 1
//! whenever all three lie on one side: by chance in one case of four. Student's interval of the
//! mean log ratio knows how little three are, at the price of assuming that the log ratios are
//! about normal.

use super::describe::{all_finite, all_positive};
use super::{Interval, sample_sd};
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

/// What a t-test says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TTest {
    /// The difference in standard errors.
    pub t: f64,
    /// Degrees of freedom; Welch's need not be whole.
    pub freedom: f64,
    /// The chance of a t at least as far from zero, were there no difference; two-sided, 0 to 1.
    pub p: f64,
}

impl TTest {
    /// Of a difference and its standard error; `None` where the error is zero or either is not
    /// finite, for then there is no t.
    pub(super) fn of(difference: f64, error: f64, freedom: f64) -> Option<Self> {
        let t = difference / error;
        let usable = error > 0.0 && t.is_finite();
        let p = 2.0 * upper_tail(t.abs(), freedom)?;
        usable.then_some(Self { t, freedom, p })
    }
}

/// Whether the mean of normal samples is the one expected (Student, *Biometrika* 6, 1908); `None`
/// of fewer than two samples, of samples all equal, or where a value is not finite.
pub fn one_sample_t(samples: &[f64], expected: f64) -> Option<TTest> {
    let samples = all_finite(samples)?;
    let error = sample_sd(samples)? / (samples.len() as f64).sqrt();
    TTest::of(
        super::mean(samples)? - expected,
        error,
        samples.len() as f64 - 1.0,
    )
}

/// The mean with Student's interval at the confidence `1 − alpha`: for so many samples that resampling
/// them would only take time. `None` of fewer than two, where one is not finite, or unless `alpha`
/// lies between 0 and 1.
pub fn mean_by_t(samples: &[f64], alpha: f64) -> Option<Interval> {
    let error = sample_sd(all_finite(samples)?)? / (samples.len() as f64).sqrt();
    let half = error * two_sided_quantile(samples.len() as f64 - 1.0, alpha)?;
    let estimate = super::mean(samples)?;
    Some(Interval {
        estimate,
        low: estimate - half,
        high: estimate + half,
    })
}

/// The ratio of geometric means, `samples[i]` and `base[i]` being of the same block, with its
/// interval at the confidence `1 − alpha`; `None` of fewer than two blocks, of unequal lengths, or
/// where a value is not positive.
pub fn paired_ratio(samples: &[f64], base: &[f64], alpha: f64) -> Option<Interval> {
    if samples.len() != base.len() || !all_positive(samples) || !all_positive(base) {
        return None;
    }
    let pairs = samples.iter().zip(base);
    let logs: Vec<f64> = pairs.map(|(sample, base)| (sample / base).ln()).collect();
    let error = sample_sd(&logs)? / (logs.len() as f64).sqrt();
    let half = error * two_sided_quantile(logs.len() as f64 - 1.0, alpha)?;
    let mean = super::mean(&logs)?;
    Some(Interval {
        estimate: mean.exp(),
        low: (mean - half).exp(),
        high: (mean + half).exp(),
    })
}

/// The chance of a T above `t`, 0 to 1; `None` unless the freedom is positive and finite.
pub(super) fn upper_tail(t: f64, freedom: f64) -> Option<f64> {
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    (freedom.is_finite() && t.is_finite()).then(|| student.sf(t))
}

/// The t that |T| exceeds with the probability `alpha`, above 0 and at most 1, of which
/// the t is 0; `None` of any other.
pub(super) fn two_sided_quantile(freedom: f64, alpha: f64) -> Option<f64> {
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    if !(alpha > 0.0 && alpha <= 1.0) {
        return None;
    }
    let found = -student.inverse_cdf(alpha / 2.0);
    // Its nine digits, and Newton's step to the rest.
    let step = (student.sf(found) - alpha / 2.0) / student.pdf(found);
    Some(if step.is_finite() {
        found + step
    } else {
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        for (freedom, alpha, expected) in [
            (1.0, 0.05, 12.706),
            (2.0, 0.05, 4.303),
            (3.0, 0.05, 3.182),
            (4.0, 0.05, 2.776),
            (5.0, 0.01, 4.032),
            (9.0, 0.05, 2.262),
            (30.0, 0.05, 2.042),
            (120.0, 0.05, 1.980),
            (2.0, 0.001, 31.599),
        ] {
            let found = two_sided_quantile(freedom, alpha).expect("a distribution");
            assert!(
                (found - expected).abs() < 5e-4 * expected,
                "{freedom}, {alpha}: {found}"
            );
        }
    }

    #[test]
    fn the_interval_is_that_of_the_mean_log_ratio() {
        let (samples, base) = ([2.0, 4.4, 5.4], [1.0, 2.0, 3.0]);
        let ratio = paired_ratio(&samples, &base, 0.05).expect("enough pairs");
        let logs = [2.0f64.ln(), 2.2f64.ln(), 1.8f64.ln()];
        let mean = logs.iter().sum::<f64>() / 3.0;
        let half = 4.3027 * sample_sd(&logs).expect("three") / 3f64.sqrt();
        assert!((ratio.estimate.ln() - mean).abs() < 1e-12);
        assert!((ratio.low.ln() - (mean - half)).abs() < 1e-4, "{ratio:?}");
        assert!((ratio.high.ln() - (mean + half)).abs() < 1e-4, "{ratio:?}");
    }

    #[test]
    fn three_pairs_on_one_side_decide_nothing_by_themselves() {
        let ratio = paired_ratio(&[1.1, 1.02, 1.2], &[1.0; 3], 0.05).expect("enough pairs");
        assert!(ratio.low < 1.0 && ratio.high > 1.0, "{ratio:?}");
    }

    #[test]
    fn the_interval_of_a_mean_is_where_the_test_against_its_ends_gives_alpha() {
        let samples = [3.1, 4.7, 2.2, 5.0, 3.3, 4.1];
        let mean = mean_by_t(&samples, 0.05).expect("enough samples");
        for end in [mean.low, mean.high] {
            let p = one_sample_t(&samples, end).expect("a test").p;
            assert!((p - 0.05).abs() < 1e-9, "{p}");
        }
        assert_eq!(mean_by_t(&[1.0], 0.05), None);
        assert_eq!(mean_by_t(&[1.0, f64::NAN], 0.05), None);
    }

    #[test]
    fn too_little_gives_no_interval() {
        assert_eq!(paired_ratio(&[1.0], &[1.0], 0.05), None);
        assert_eq!(paired_ratio(&[1.0, 2.0], &[1.0], 0.05), None);
        assert_eq!(paired_ratio(&[1.0, 2.0], &[1.0, 0.0], 0.05), None);
        assert_eq!(paired_ratio(&[1.0, -2.0], &[1.0, 1.0], 0.05), None);
        assert_eq!(paired_ratio(&[1.0, f64::INFINITY], &[1.0, 1.0], 0.05), None);
        assert_eq!(paired_ratio(&[1.0, 2.0], &[1.0, 1.0], 0.0), None);
        let point = paired_ratio(&[1.0, 2.0], &[1.0, 1.0], 1.0).expect("of no confidence at all");
        assert_eq!(point.low, point.high);
        assert_eq!(one_sample_t(&[1.0], 0.0), None);
        assert_eq!(one_sample_t(&[0.1; 3], 0.0), None, "no spread, no t");
        assert_eq!(one_sample_t(&[1.0, f64::NAN], 0.0), None);
    }

    /// Under pairs that differ by chance alone, 95 % intervals must hold 1 in about 95 % of cases,
    /// whatever the number of pairs.
    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let mut rng = fastrand::Rng::with_seed(5);
        let mut normal = || (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        for pairs in [2, 3, 10] {
            let held = (0..2_000).filter(|_| {
                let samples: Vec<f64> = (0..pairs).map(|_| (0.1 * normal()).exp()).collect();
                let ratio = paired_ratio(&samples, &vec![1.0; pairs], 0.05);
                ratio.is_some_and(|ratio| ratio.low <= 1.0 && 1.0 <= ratio.high)
            });
            let share = held.count() as f64 / 2_000.0;
            assert!((0.935..0.965).contains(&share), "{pairs} pairs: {share}");
        }
    }

    proptest! {
        #[test]
        fn a_t_test_never_yields_what_is_no_number(
            samples in prop::collection::vec(any::<f64>(), 0..6), expected: f64,
        ) {
            if let Some(found) = one_sample_t(&samples, expected) {
                prop_assert!(found.t.is_finite() && (0.0..=1.0).contains(&found.p), "{found:?}");
            }
        }

        #[test]
        fn the_interval_holds_its_estimate_and_turns_with_the_pairs(
            pairs in prop::collection::vec((0.1f64..1e3, 0.1f64..1e3), 2..20),
        ) {
            let (samples, base): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let ratio = paired_ratio(&samples, &base, 0.05).expect("enough pairs");
            prop_assert!(ratio.low <= ratio.estimate && ratio.estimate <= ratio.high);
            let turned = paired_ratio(&base, &samples, 0.05).expect("enough pairs");
            prop_assert!((ratio.low * turned.high - 1.0).abs() < 1e-6);
        }
    }
}
