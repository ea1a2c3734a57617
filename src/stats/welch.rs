//! Welch's t: whether two independent samples have one mean, be their spreads equal or not.
//!
//! For stacks of different machines or days, which share no blocks: within blocks compare pairs
//! (see `verdict.rs`), which is sharper. The degrees of freedom are Welch and Satterthwaite's
//! (Welch, "The Generalization of 'Student's' Problem", *Biometrika* 34, 1947).

use super::Interval;
use super::describe::all_finite;
use super::student::{TTest, two_sided_quantile};
use super::{mean, sample_sd};

/// The difference of the means of two independent samples, as far as that can be said.
struct Difference {
    /// The first's mean less the second's.
    estimate: f64,
    /// Its standard error.
    error: f64,
    /// Degrees of freedom of the error.
    freedom: f64,
}

impl Difference {
    /// `None` where a sample has fewer than two values or one that is not finite, or where neither
    /// varies.
    fn of(a: &[f64], b: &[f64]) -> Option<Self> {
        let squared_error = |samples: &[f64]| {
            let sd = sample_sd(all_finite(samples)?)?;
            Some(sd * sd / samples.len() as f64)
        };
        let (of_a, of_b) = (squared_error(a)?, squared_error(b)?);
        let share = |error: f64, samples: &[f64]| {
            let share = error / (of_a + of_b);
            share * share / (samples.len() - 1) as f64
        };
        let found = Self {
            estimate: mean(a)? - mean(b)?,
            error: (of_a + of_b).sqrt(),
            freedom: 1.0 / (share(of_a, a) + share(of_b, b)),
        };
        let usable = found.error > 0.0 && found.error.is_finite() && found.freedom.is_finite();
        usable.then_some(found)
    }
}

/// Whether the means differ: `a`'s less `b`'s; `None` where a sample has fewer than two values or
/// one that is not finite, or where neither varies.
pub fn welch_t(a: &[f64], b: &[f64]) -> Option<TTest> {
    let found = Difference::of(a, b)?;
    TTest::of(found.estimate, found.error, found.freedom)
}

/// `a`'s mean less `b`'s in the samples' unit, with its interval at the confidence `1 − alpha`;
/// `None` as for [`welch_t`], or where `alpha` is not between 0 and 1.
pub fn welch_interval(a: &[f64], b: &[f64], alpha: f64) -> Option<Interval> {
    let found = Difference::of(a, b)?;
    let half = found.error * two_sided_quantile(found.freedom, alpha)?;
    Some(Interval {
        estimate: found.estimate,
        low: found.estimate - half,
        high: found.estimate + half,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_vary_has_no_error() {
        assert_eq!(welch_t(&[0.1; 3], &[0.3; 3]), None);
        assert_eq!(welch_t(&[1.0], &[1.0, 2.0]), None);
        assert_eq!(welch_t(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert!(
            welch_t(&[1.0; 3], &[1.0, 2.0]).is_some(),
            "one of them varies"
        );
    }

    proptest! {
        #[test]
        fn the_test_and_the_interval_agree(
            a in prop::collection::vec(-1e3f64..1e3, 2..12),
            b in prop::collection::vec(-1e3f64..1e3, 2..12),
            alpha in 0.001f64..0.5,
        ) {
            let (test, back) = (welch_t(&a, &b).unwrap(), welch_t(&b, &a).unwrap());
            prop_assert!((test.t + back.t).abs() < 1e-9 && (test.p - back.p).abs() < 1e-12);
            let interval = welch_interval(&a, &b, alpha).unwrap();
            prop_assert!(interval.low <= interval.estimate && interval.estimate <= interval.high);
            if (test.p - alpha).abs() > 1e-6 {
                prop_assert_eq!(test.p < alpha, interval.low > 0.0 || interval.high < 0.0);
            }
        }

        #[test]
        fn no_samples_make_it_panic(
            a in prop::collection::vec(any::<f64>(), 0..5),
            b in prop::collection::vec(any::<f64>(), 0..5),
        ) {
            if let Some(found) = welch_t(&a, &b) {
                prop_assert!(found.t.is_finite() && (0.0..=1.0).contains(&found.p), "{found:?}");
            }
        }
    }
}
