//! What can be said of one stack against its base: faster, slower, equivalent, or nothing yet.
//!
//! A margin fixed beforehand cuts all ratios of costs into three regions: below it, within it (its
//! ends included), above it. The verdict is the region in which the *whole* interval lies, and
//! `undecided` where it lies in no single one. So `slower` says "slower by more than the margin";
//! an interval that excludes 1 and reaches into the margin is undecided, however far out its middle
//! lies, for a difference too small to matter has not been ruled out; and an interval that excludes
//! 1 within the margin is equivalent: a difference shown not to matter. The other rule in use, that
//! the interval excludes 1 and the estimate the margin, would call a stack slower whose interval
//! says that it may be equivalent, so that the table contradicts its verdict, and would leave some
//! intervals two verdicts.
//!
//! As the three regions do not overlap, this tests three hypotheses with one interval and without
//! a price (Goeman, Solari and Stijnen, "Three-sided hypothesis testing", *Statistics in Medicine*
//! 29, 2010): a false verdict needs an interval that misses the truth. `equivalent` is the two
//! one-sided tests at half of alpha each, stricter than the usual 90 % interval at 5 %.
//!
//! The margin is symmetric for ratios, 1/(1 + m) to 1 + m, so that turning the pair around turns
//! the verdict around.

use super::Interval;
use super::bootstrap::Resampled;
use super::power::minimal_detectable_effect;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The power that is planned for: to find what is there in four cases of five.
const POWER: f64 = 0.8;

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval of the ratio lies wholly below the margin.
    Faster,
    /// It lies wholly above the margin.
    Slower,
    /// It lies wholly within the margin.
    Equivalent,
    /// It lies in no single one, or there is none.
    Undecided,
}

/// How much of a difference does not matter, as a share: 0.05 is a ratio from 1/1.05 to 1.05.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "f64", into = "f64")]
pub struct Margin(f64);

impl Margin {
    /// For gross, end to end: 1 %.
    pub const GROSS: Self = Self(0.01);
    /// For tare, and what it consists of: 5 %.
    pub const TARE: Self = Self(0.05);

    /// The least ratio within.
    pub fn low(self) -> f64 {
        1.0 / self.high()
    }

    /// The greatest ratio within.
    pub fn high(self) -> f64 {
        1.0 + self.0
    }

    /// The verdict of an interval.
    pub fn verdict(self, ratio: &Interval) -> Verdict {
        match ratio {
            ratio if ratio.low > self.high() => Verdict::Slower,
            ratio if ratio.high < self.low() => Verdict::Faster,
            ratio if ratio.low >= self.low() && ratio.high <= self.high() => Verdict::Equivalent,
            _ => Verdict::Undecided,
        }
    }
}

impl TryFrom<f64> for Margin {
    type Error = &'static str;

    fn try_from(share: f64) -> Result<Self, Self::Error> {
        let sensible = share > 0.0 && share.is_finite();
        sensible
            .then_some(Self(share))
            .ok_or("a margin is a share above zero, such as 0.05")
    }
}

impl From<Margin> for f64 {
    fn from(margin: Margin) -> f64 {
        margin.0
    }
}

/// The least true ratio that would be judged slower in four cases of five.
pub(super) fn detectable(resampled: &Resampled, margin: Margin, alpha: f64) -> Option<f64> {
    let beyond = minimal_detectable_effect(resampled.sd(), resampled.count(), alpha / 2.0, POWER)?;
    let ratio = margin.high() * beyond.exp();
    ratio.is_finite().then_some(ratio)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Equivalent => "equivalent",
            Self::Undecided => "undecided",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(low: f64, high: f64) -> Verdict {
        let estimate = (low * high).sqrt();
        Margin::TARE.verdict(&Interval {
            estimate,
            low,
            high,
        })
    }

    #[test]
    fn the_whole_interval_decides() {
        assert_eq!(verdict(1.06, 1.2), Verdict::Slower);
        assert_eq!(verdict(0.8, 0.95), Verdict::Faster);
        assert_eq!(verdict(0.97, 1.03), Verdict::Equivalent);
        assert_eq!(
            verdict(1.01, 1.03),
            Verdict::Equivalent,
            "differs, and does not matter"
        );
        assert_eq!(
            verdict(1.01, 1.4),
            Verdict::Undecided,
            "differs, and may not matter"
        );
        assert_eq!(verdict(0.9, 1.1), Verdict::Undecided);
        assert_eq!(verdict(f64::NAN, f64::NAN), Verdict::Undecided);
    }

    #[test]
    fn the_ends_of_the_margin_are_within() {
        assert_eq!(
            verdict(Margin::TARE.low(), Margin::TARE.high()),
            Verdict::Equivalent
        );
        assert_eq!(verdict(1.05, 1.06), Verdict::Undecided);
    }

    #[test]
    fn a_margin_is_a_share_above_zero() {
        for share in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            assert!(Margin::try_from(share).is_err(), "{share}");
        }
        assert_eq!(
            serde_json::to_string(&Margin::TARE).expect("a number"),
            "0.05"
        );
        assert!(serde_json::from_str::<Margin>("-1").is_err());
    }

    proptest! {
        #[test]
        fn turning_the_pair_turns_the_verdict(low in 0.5f64..1.5, wide in 1.0f64..1.3) {
            let turned = match verdict(low, low * wide) {
                Verdict::Faster => Verdict::Slower,
                Verdict::Slower => Verdict::Faster,
                same => same,
            };
            prop_assert_eq!(verdict(1.0 / (low * wide), 1.0 / low), turned);
        }
    }
}
