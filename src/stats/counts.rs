//! Success rates: how sure one is, and whether two or more differ.
//!
//! Of 20 runs that all succeeded the rate is not 100 % but somewhere above 83 %. The interval is
//! Clopper and Pearson's (*Biometrika* 26, 1934), which never claims too much, or Wilson's (*Journal
//! of the American Statistical Association* 22, 1927), which is narrower and right on average. Two
//! rates are compared exactly by Fisher's test, more than two by χ², which wants about five
//! successes and five failures in each. One rate is held against chance by the exact binomial test.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};
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

/// Fisher's exact test, two-sided: the chance of a table as unlikely as this one or more so, given
/// its margins, were both rates one; 0 to 1. Where all succeeded, or all failed, it is 1.
pub fn fisher_exact(a: Rate, b: Rate) -> f64 {
    // Tables differ in how many of the successes are a's.
    let (of_a, of_b) = (u64::from(a.tried), u64::from(b.tried));
    let succeeded = u64::from(a.succeeded) + u64::from(b.succeeded);
    let (least, most) = (succeeded.saturating_sub(of_b), of_a.min(succeeded));
    let mode = (of_a + 1) * (succeeded + 1) / (of_a + of_b + 2);
    let next = |x: u64| {
        let (out, left) = ((of_a - x) as f64, (succeeded - x) as f64);
        out * left / ((x + 1) as f64 * (of_b + x + 1 - succeeded) as f64)
    };
    as_rare(
        u64::from(a.succeeded),
        (least, most),
        mode.clamp(least, most),
        next,
    )
}

/// What Pearson's test says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// χ²; of two rates with Yates' correction.
    pub statistic: f64,
    /// Degrees of freedom: the rates less one.
    pub freedom: f64,
    /// The chance of a χ² at least as great, were all rates one; 0 to 1.
    pub p: f64,
    /// The least count of successes or failures that one rate would have, were all one. Below 5
    /// the p is not to be relied on (Cochran, *Biometrics* 10, 1954).
    pub least_expected: f64,
}

/// Pearson's χ² test of equal rates, for two with Yates' correction as SciPy's `chi2_contingency`;
/// `None` of fewer than two, or where all succeeded or all failed.
pub fn chi_square(rates: &[Rate]) -> Option<ChiSquare> {
    let sum = |count: &dyn Fn(&Rate) -> u32| rates.iter().map(|rate| f64::from(count(rate))).sum();
    let (succeeded, tried): (f64, f64) = (sum(&|rate| rate.succeeded), sum(&|rate| rate.tried));
    if rates.len() < 2 || succeeded == 0.0 || succeeded == tried {
        return None;
    }
    let (mut statistic, mut least_expected) = (0.0, f64::INFINITY);
    for rate in rates {
        for (seen, all) in [
            (rate.succeeded, succeeded),
            (rate.failed(), tried - succeeded),
        ] {
            let expected = f64::from(rate.tried) * all / tried;
            let off = (f64::from(seen) - expected).abs();
            let correction = if rates.len() == 2 { off.min(0.5) } else { 0.0 };
            statistic += (off - correction).powi(2) / expected;
            least_expected = least_expected.min(expected);
        }
    }
    let freedom = rates.len() as f64 - 1.0;
    Some(ChiSquare {
        statistic,
        freedom,
        p: ChiSquared::new(freedom).ok()?.sf(statistic),
        least_expected,
    })
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

    #[test]
    fn rates_that_are_all_one_or_all_zero_do_not_differ() {
        assert_eq!(fisher_exact(rate(5, 5), rate(9, 9)), 1.0);
        assert_eq!(fisher_exact(rate(0, 5), rate(0, 9)), 1.0);
        assert_eq!(chi_square(&[rate(5, 5), rate(9, 9)]), None);
        assert_eq!(chi_square(&[rate(1, 5)]), None);
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
        fn either_rate_may_come_first_and_failures_count_as_successes_do(a in rates(), b in rates()) {
            let p = fisher_exact(a, b);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p - fisher_exact(b, a)).abs() < 1e-9);
            let failures = |rate: Rate| Rate { succeeded: rate.failed(), ..rate };
            prop_assert!((p - fisher_exact(failures(a), failures(b))).abs() < 1e-9);
            let [forth, back] = [a, failures(a)].map(|rate| rate.binomial_p(0.5).unwrap());
            prop_assert!((forth - back).abs() < 1e-9 && (0.0..=1.0).contains(&forth));
            if let Some(found) = chi_square(&[a, b]) {
                let back = chi_square(&[b, a]).unwrap();
                prop_assert!((found.p - back.p).abs() < 1e-9 && (0.0..=1.0).contains(&found.p));
            }
        }
    }
}
