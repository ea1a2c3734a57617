//! How much an experiment can find.
//!
//! The power of a t-test is exact, by the noncentral t distribution: an effect of δ standard errors
//! is found when a t with that shift exceeds its critical value (Lehmann and Romano, *Testing
//! Statistical Hypotheses*, 2005, § 5.3). The spread is taken as known; as it was itself estimated
//! from a few runs, a number that comes out of here is a plan, not a promise.

use super::student::two_sided_quantile;
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::{checked_gamma_lr, ln_gamma};

/// The chance that the mean of `n` normal samples of standard deviation `sd` is found to lie above
/// zero, its true value being `effect`, by a t-test one-sided at `alpha`; 0 to 1. `None` of fewer
/// than two samples, or unless `effect` is finite, `sd` positive and `alpha` between 0 and a half.
#[cfg(test)]
pub fn power(effect: f64, sd: f64, n: usize, alpha: f64) -> Option<f64> {
    let shift = effect / sd * (n as f64).sqrt();
    if n < 2 || sd.is_nan() || sd <= 0.0 || !shift.is_finite() {
        return None;
    }
    let freedom = n as f64 - 1.0;
    let critical = two_sided_quantile(freedom, 2.0 * alpha)?;
    noncentral_upper_tail(critical, freedom, shift)
}

/// The minimal detectable effect: the least true mean of `n` samples of standard deviation `sd`
/// that a t-test one-sided at `alpha` finds with the given power, in the samples' unit; `None`
/// where [`power`] is, or unless the power lies between `alpha` and 1.
pub fn minimal_detectable_effect(sd: f64, n: usize, alpha: f64, power: f64) -> Option<f64> {
    if !(sd > 0.0 && sd.is_finite() && power > alpha && power < 1.0 && n > 1 && alpha < 0.5) {
        return None;
    }
    let freedom = n as f64 - 1.0;
    let critical = two_sided_quantile(freedom, 2.0 * alpha)?;
    // In probits the power is nearly a line in the shift, on which regula falsi (with the Illinois
    // weights: Dowell and Jarratt, *BIT* 11, 1971) needs a few steps.
    let probit = |p: f64| Normal::standard().inverse_cdf(p.clamp(1e-14, 1.0 - 1e-14));
    let off =
        |shift| Some(probit(noncentral_upper_tail(critical, freedom, shift)?) - probit(power));
    let guess = critical + probit(power);
    let (mut low, mut high) = ((0.0, off(0.0)?), (guess.max(1.0), off(guess.max(1.0))?));
    while high.1 < 0.0 {
        if high.0 > 1e9 {
            return None;
        }
        (low, high) = (high, (1.5 * high.0, off(1.5 * high.0)?));
    }
    for _ in 0..100 {
        let shift = high.0 - high.1 * (high.0 - low.0) / (high.1 - low.1);
        let found = (shift, off(shift)?);
        if found.1.abs() < 1e-10 || (high.0 - low.0) < 1e-10 * high.0 {
            return Some(shift * sd / (n as f64).sqrt());
        }
        if found.1 > 0.0 {
            (low.1, high) = (0.5 * low.1, found);
        } else {
            (high.1, low) = (0.5 * high.1, found);
        }
    }
    None
}

/// Beyond this shift the terms of the series vanish below what a float can hold.
const LARGEST_SHIFT: f64 = 37.0;
/// Beyond so many degrees of freedom the normal approximation errs by less than 10⁻⁶.
const MANY: f64 = 1_000.0;

/// The chance that a noncentral t lies above `t`, which is not negative: Lenth's Algorithm
/// AS 243 (*Applied Statistics* 38, 1989), its terms those of the upper tail.
fn noncentral_upper_tail(t: f64, freedom: f64, shift: f64) -> Option<f64> {
    if freedom > MANY {
        // Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.7.10.
        let z = (shift - t * (1.0 - 0.25 / freedom)) / (1.0 + t * t / (2.0 * freedom)).sqrt();
        return Some(Normal::standard().cdf(z));
    }
    if shift.abs() > LARGEST_SHIFT {
        // Next to so large a shift the normal part of t is nothing; what is left is χ².
        let ratio = (shift / t).powi(2) * freedom;
        let below = checked_gamma_lr(freedom / 2.0, ratio / 2.0).ok()?;
        return Some(if shift > 0.0 { below } else { 0.0 });
    }
    let rest = freedom / (t * t + freedom);
    let half = shift * shift / 2.0;
    // The weights of a Poisson variable, and those half a step on; all even ones add up to 1.
    let mut even = (-half).exp();
    let mut odd = shift / std::f64::consts::SQRT_2 * (-half - ln_gamma(1.5)).exp();
    let (mut sum, mut left, mut j) = (0.0, 1.0, 0.0);
    while j <= half || left > 1e-14 && j < half + 1_000.0 {
        sum += even * checked_beta_reg(freedom / 2.0, j + 0.5, rest).ok()?
            + odd * checked_beta_reg(freedom / 2.0, j + 1.0, rest).ok()?;
        left -= even;
        j += 1.0;
        even *= half / j;
        odd *= half / (j + 0.5);
    }
    Some((0.5 * sum).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_effect_is_found_at_the_level() {
        for n in [2, 5, 30] {
            let found = power(0.0, 1.0, n, 0.025).expect("a power");
            assert!((found - 0.025).abs() < 1e-9, "{n}: {found}");
        }
    }

    #[test]
    fn a_sure_thing_is_found() {
        assert!(power(100.0, 1.0, 30, 0.025).expect("a power") > 1.0 - 1e-12);
    }

    #[test]
    fn what_makes_no_sense_has_no_power() {
        assert_eq!(power(1.0, 1.0, 1, 0.05), None);
        assert_eq!(power(1.0, 0.0, 5, 0.05), None);
        assert_eq!(power(f64::NAN, 1.0, 5, 0.05), None);
        assert_eq!(power(1.0, 1.0, 5, 0.7), None);
        assert_eq!(minimal_detectable_effect(1.0, 5, 0.05, 1.0), None);
        assert_eq!(minimal_detectable_effect(f64::NAN, 5, 0.05, 0.8), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn the_least_effect_undoes_the_power(
            sd in 0.01f64..10.0, n in 3usize..60, alpha in 0.001f64..0.1, wanted in 0.5f64..0.95,
        ) {
            let effect = minimal_detectable_effect(sd, n, alpha, wanted);
            prop_assume!(effect.is_some());
            let effect = effect.unwrap();
            prop_assert!((power(effect, sd, n, alpha).unwrap() - wanted).abs() < 1e-6);
        }
    }
}
