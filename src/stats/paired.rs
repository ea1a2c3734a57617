//! One side against another, block by block: the ratio of means and that of geometric means at any
//! level, what so many blocks could find, and how many more it would take.

use super::bootstrap::{Interval, Resampled};
use super::describe::quantile;
use super::student::paired_ratio;
use super::verdict::{Margin, detectable};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Resamples of the blocks, each planned for.
const PLANS: usize = 200;
/// Where the two ends of the range are further apart, it says nothing.
const WORTHLESS: f64 = 30.0;
/// The power that is planned for: four cases of five.
const POWER: f64 = 0.8;

/// Further blocks that would decide a comparison in four cases of five: the middle 80 % of what
/// resamples of the blocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunsNeeded {
    /// One resample in ten needs at most so many.
    pub low: usize,
    /// Nine in ten need at most so many.
    pub high: usize,
}

/// The costs of two sides in the same blocks.
pub struct Sides {
    own: Vec<f64>,
    base: Vec<f64>,
    means: Resampled,
}

impl Sides {
    /// `None` of fewer than two blocks, of unequal lengths, or where a value is not positive.
    pub fn new(own: &[f64], base: &[f64]) -> Option<Self> {
        Some(Self {
            means: Resampled::ratio(own, base, 1)?,
            own: own.to_vec(),
            base: base.to_vec(),
        })
    }

    /// The ratio of means, at the confidence `1 − alpha`.
    pub fn ratio(&self, alpha: f64) -> Option<Interval> {
        self.means.interval(alpha)
    }

    /// The ratio of geometric means, at the confidence `1 − alpha`.
    pub fn geometric(&self, alpha: f64) -> Option<Interval> {
        paired_ratio(&self.own, &self.base, alpha)
    }

    /// The least true ratio that would be judged slower in four cases of five.
    pub fn detectable(&self, margin: Margin, alpha: f64) -> Option<f64> {
        detectable(&self.means, margin, alpha)
    }

    /// Further blocks that would decide it; `None` where the range is worthless: its ends lie apart by
    /// a factor of more than 30, or a tenth of the resamples sits on the margin's edge.
    pub fn runs_needed(&self, margin: Margin, alpha: f64) -> Option<RunsNeeded> {
        let pairs = self.own.iter().zip(&self.base);
        let logs: Vec<f64> = pairs.map(|(own, base)| (own / base).ln()).collect();
        let (count, mut rng) = (logs.len(), Rng::with_seed(1));
        let mut plans: Vec<f64> = (0..PLANS)
            .map(|_| {
                let drawn = (0..count).map(|_| logs[rng.usize(..count)]);
                let (sum, squares) =
                    drawn.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
                let n = count as f64;
                let centre = sum / n;
                let variance = ((squares - sum * centre) / (n - 1.0)).max(0.0);
                blocks_needed(centre, variance, margin, alpha)
            })
            .collect();
        plans.sort_unstable_by(f64::total_cmp);
        let [low, high] = [quantile(&plans, 0.1)?, quantile(&plans, 0.9)?];
        let further = |blocks: f64| (blocks.ceil() as usize).saturating_sub(count).max(1);
        let useful = high.is_finite() && high <= WORTHLESS * low.max(1.0);
        let (low, high) = (further(low), further(high));
        (useful && high as f64 <= WORTHLESS * low as f64).then_some(RunsNeeded { low, high })
    }
}

/// The blocks that decide a log ratio by the normal approximation with the correction for an
/// estimated variance, z²/2 (Guenther, *The American Statistician* 35, 1981).
fn blocks_needed(centre: f64, variance: f64, margin: Margin, alpha: f64) -> f64 {
    let normal = Normal::standard();
    let distance = centre.abs() - margin.high().ln();
    // Beyond the margin one end must clear it; within it both must, at worst adding up their misses.
    let power = if distance > 0.0 {
        POWER
    } else {
        (1.0 + POWER) / 2.0
    };
    let level = normal.inverse_cdf(1.0 - alpha / 2.0);
    let steps = level + normal.inverse_cdf(power);
    steps * steps * variance / (distance * distance) + level * level / 2.0
}
