//! Several sittings together: random effects on one scale, on which estimates are about normal.
//!
//! Sittings differ by more than their intervals say. The variance between them is DerSimonian and
//! Laird's ("Meta-analysis in clinical trials", *Controlled Clinical Trials* 7, 1986); the interval
//! is Hartung and Knapp's (*Statistics in Medicine* 20, 2001, 1771–1782), by Student's t with one
//! degree of freedom less than there are sittings, which holds its level with few of them where the
//! normal interval is far too narrow. It is never narrower than the one that takes the variances as
//! known (Knapp and Hartung, *Statistics in Medicine* 22, 2003): sittings that happen to agree well
//! prove nothing.

use super::bootstrap::Interval;
use super::student::two_sided_quantile;

/// What one sitting says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

/// What several say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomEffects {
    /// The mean of all sittings that there could be.
    pub mean: Interval,
    /// The standard deviation between sittings.
    pub between_sd: f64,
}

/// Pools estimates at the confidence `1 − alpha`; `None` of fewer than two, or where a value is not
/// finite or an error is not positive.
pub fn random_effects(of: &[Estimate], alpha: f64) -> Option<RandomEffects> {
    let usable = |one: &Estimate| one.value.is_finite() && one.error.is_finite() && one.error > 0.0;
    if of.len() < 2 || !of.iter().all(usable) {
        return None;
    }
    let freedom = of.len() as f64 - 1.0;
    let weigh = |between: f64| -> Vec<f64> {
        let weights = of.iter().map(|one| 1.0 / (one.error * one.error + between));
        weights.collect()
    };
    let centre = |weights: &[f64]| {
        let sum: f64 = weights.iter().zip(of).map(|(w, one)| w * one.value).sum();
        sum / weights.iter().sum::<f64>()
    };
    let scatter = |weights: &[f64], centre: f64| -> f64 {
        let each = weights.iter().zip(of);
        each.map(|(w, one)| w * (one.value - centre).powi(2)).sum()
    };
    let fixed = weigh(0.0);
    let total: f64 = fixed.iter().sum();
    let squares: f64 = fixed.iter().map(|w| w * w).sum();
    let between = (scatter(&fixed, centre(&fixed)) - freedom) / (total - squares / total);
    let between = between.max(0.0);
    let weights = weigh(between);
    let estimate = centre(&weights);
    let spread = (scatter(&weights, estimate) / freedom).max(1.0);
    let error = (spread / weights.iter().sum::<f64>()).sqrt();
    let half = error * two_sided_quantile(freedom, alpha)?;
    Some(RandomEffects {
        mean: Interval {
            estimate,
            low: estimate - half,
            high: estimate + half,
        },
        between_sd: between.sqrt(),
    })
}

/// The standard error that the interval of a mean of so many samples implies, by Student's t; `None`
/// where there is no interval of them.
pub fn standard_error(interval: &Interval, samples: usize, alpha: f64) -> Option<f64> {
    let freedom = samples.checked_sub(1)? as f64;
    Some((interval.high - interval.low) / 2.0 / two_sided_quantile(freedom, alpha)?)
}
