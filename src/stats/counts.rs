//! Success rates: how sure one is, and whether chance alone explains it.
//!
//! Of 20 runs that all succeeded the rate is not 100 % but somewhere above 83 %. The interval is
//! Clopper and Pearson's (*Biometrika* 26, 1934), which never claims too much, or Wilson's (*Journal
//! of the American Statistical Association* 22, 1927), which is narrower and right on average. One
//! rate is held against chance by the exact binomial test.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::checked_beta_reg;

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    succeeded: u32,
    tried: u32,
}

impl Rate {
    /// `None` where nothing was tried, or more succeeded than were.
    pub fn new(succeeded: u32, tried: u32) -> Option<Self> {
        (tried > 0 && succeeded <= tried).then_some(Self { succeeded, tried })
    }

    /// The share that succeeded, 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.succeeded) / f64::from(self.tried)
    }

    fn failed(self) -> u32 {
        self.tried - self.succeeded
    }

    /// Wilson's interval of the share, its ends in order, at the confidence `1 − alpha`; `None`
    /// unless `alpha` lies between 0 and 1.
    pub fn wilson(self, alpha: f64) -> Option<(f64, f64)> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return None;
        }
        let (n, share) = (f64::from(self.tried), self.share());
        let z = -Normal::standard().inverse_cdf(alpha / 2.0);
        let centre = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half =
            z / (1.0 + z * z / n) * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        // At the ends the formula is exact but for its last bit.
        let low = if self.succeeded == 0 {
            0.0
        } else {
            centre - half
        };
        let high = if self.failed() == 0 {
            1.0
        } else {
            centre + half
        };
        Some((low.max(0.0), high.min(1.0)))
    }

    /// Clopper and Pearson's interval of the share, its ends in order, at the confidence
    /// `1 − alpha` or above; `None` unless `alpha` lies between 0 and 1.
    pub fn clopper_pearson(self, alpha: f64) -> Option<(f64, f64)> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return None;
        }
        let (k, n) = (f64::from(self.succeeded), f64::from(self.tried));
        let low = match self.succeeded {
            0 => 0.0,
            _ => beta_quantile(k, n - k + 1.0, alpha / 2.0)?,
        };
        let high = match self.failed() {
            0 => 1.0,
            _ => 1.0 - beta_quantile(n - k, k + 1.0, alpha / 2.0)?,
        };
        Some((low, high))
    }

    /// The exact binomial test, two-sided: the chance of a count as unlikely as this one or more so,
    /// were the true share `null`; 0 to 1, as SciPy's `binomtest`. `None` unless `null` lies between
    /// 0 and 1.
    pub fn binomial_p(self, null: f64) -> Option<f64> {
        if !(null > 0.0 && null < 1.0) {
            return None;
        }
        let odds = null / (1.0 - null);
        let next = |k: u64| (u64::from(self.tried) - k) as f64 / (k + 1) as f64 * odds;
        let mode = ((f64::from(self.tried) + 1.0) * null) as u64;
        let counts = (0, u64::from(self.tried));
        Some(as_rare(
            u64::from(self.succeeded),
            counts,
            mode.min(counts.1),
            next,
        ))
    }
}

/// The share of the counts from `least` to `most` that are as rare as `own` or rarer, a count's
/// weight being its neighbour's times `next`. Weights are taken relative to the likeliest one's, the
/// `mode`, so that none overflows.
fn as_rare(own: u64, (least, most): (u64, u64), mode: u64, next: impl Fn(u64) -> f64) -> f64 {
    let mut weights = vec![1.0; (most - least + 1) as usize];
    let at = |x: u64| (x - least) as usize;
    for x in mode..most {
        weights[at(x + 1)] = weights[at(x)] * next(x);
    }
    for x in (least..mode).rev() {
        weights[at(x)] = weights[at(x + 1)] / next(x);
    }
    // A count as likely as this one counts, though its weight may differ in the last bits.
    let own = weights[at(own)] * (1.0 + 1e-9);
    let rarer: f64 = weights.iter().filter(|&&weight| weight <= own).sum();
    (rarer / weights.iter().sum::<f64>()).min(1.0)
}

/// The x below which a beta variable lies with the probability `p`, by halving.
fn beta_quantile(a: f64, b: f64, p: f64) -> Option<f64> {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        match checked_beta_reg(a, b, middle).ok()? < p {
            true => low = middle,
            false => high = middle,
        }
    }
    Some(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(succeeded: u32, tried: u32) -> Rate {
        Rate::new(succeeded, tried).expect("a rate")
    }

    #[test]
    fn a_rate_is_of_something() {
        assert_eq!(Rate::new(0, 0), None);
        assert_eq!(Rate::new(3, 2), None);
        assert_eq!(rate(1, 4).share(), 0.25);
    }

    #[test]
    fn twenty_of_twenty_are_not_all() {
        let (low, high) = rate(20, 20).clopper_pearson(0.05).expect("an interval");
        // The rate at which 20 in a row happen in one case of forty.
        assert!((low.powi(20) - 0.025).abs() < 1e-12 && high == 1.0, "{low}");
        assert_eq!(rate(0, 20).wilson(0.05).expect("an interval").0, 0.0);
        assert_eq!(rate(1, 2).wilson(0.0), None);
        assert_eq!(rate(1, 2).clopper_pearson(f64::NAN), None);
    }

    #[test]
    fn thirteen_of_eighteen_are_what_chance_gives_in_one_case_of_ten() {
        let p = rate(13, 18).binomial_p(0.5).expect("a p");
        assert!((p - 0.096).abs() < 5e-4, "{p}");
        assert_eq!(rate(9, 18).binomial_p(0.5), Some(1.0));
        for null in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(rate(1, 2).binomial_p(null), None);
        }
    }

    fn rates() -> impl Strategy<Value = Rate> {
        (1u32..60).prop_flat_map(|tried| (0..=tried).prop_map(move |got| rate(got, tried)))
    }

    proptest! {
        #[test]
        fn an_interval_holds_the_share_and_wilsons_is_within_reach(
            own in rates(), alpha in 0.001f64..0.5,
        ) {
            for (low, high) in [own.wilson(alpha).unwrap(), own.clopper_pearson(alpha).unwrap()] {
                prop_assert!(0.0 <= low && low <= own.share() + 1e-12);
                prop_assert!(own.share() - 1e-12 <= high && high <= 1.0);
            }
        }

        #[test]
        fn failures_count_as_successes_do(a in rates()) {
            let failures = |rate: Rate| Rate { succeeded: rate.failed(), ..rate };
            let [forth, back] = [a, failures(a)].map(|rate| rate.binomial_p(0.5).unwrap());
            prop_assert!((forth - back).abs() < 1e-9 && (0.0..=1.0).contains(&forth));
        }
    }
}
