//! A judgement in a sentence that claims no more than its verdict.
//!
//! The words come from the verdict alone: only `faster` says faster. A report prints these
//! sentences and adds no adjectives.

use super::verdict::{Further, Judgement, Verdict};
use std::fmt;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::Equivalent => "equivalent",
            Verdict::Undecided => "undecided",
        })
    }
}

impl fmt::Display for Further {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Further::Invocations(more) => write!(
                f,
                "{more} further invocations of each would decide it in four cases of five, if ratio \
                 and spread are what they seem"
            ),
            Further::Unreachable => f.write_str(
                "no number of further invocations that could be run would decide it: the ratio seems \
                 to lie on the margin, or too near",
            ),
            Further::Unknown => f.write_str(
                "there is no interval: at least two blocks of positive costs on both sides are needed",
            ),
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            verdict,
            margin,
            ..
        } = self;
        write!(f, "{name}: {verdict}")?;
        f.write_str(match verdict {
            Verdict::Faster | Verdict::Slower => " by more than the margin",
            Verdict::Equivalent => " within the margin",
            Verdict::Undecided => "",
        })?;
        if let Some(ratio) = self.ratio {
            write!(
                f,
                ". × {:.4} [{:.4}, {:.4}] at {} %, margin {:.4} to {:.4}",
                ratio.estimate,
                ratio.low,
                ratio.high,
                Percent(1.0 - self.alpha),
                margin.low(),
                margin.high(),
            )?;
        }
        if let Some(delta) = self.cliffs_delta {
            write!(f, ", Cliff's delta {delta:+.2}")?;
        }
        let blocks = if self.blocks == 1 { "block" } else { "blocks" };
        write!(f, ", {} {blocks}", self.blocks)?;
        if let (Verdict::Undecided, Some(ratio)) = (verdict, self.detectable) {
            write!(
                f,
                ". So many find ratios beyond {:.4} and {:.4} in four cases of five",
                ratio.recip(),
                ratio
            )?;
        }
        match self.further {
            Some(further) => write!(f, "; {further}."),
            None => f.write_str("."),
        }
    }
}

/// A share in per cent, with two digits after the point where it has them.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.2}", 100.0 * self.0);
        f.write_str(digits.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, Margin, TestParameters, judge};
    use super::*;

    fn said(by: &[f64]) -> String {
        let comparison = Comparison {
            name: "smol/hyper".to_owned(),
            own: by.to_vec(),
            base: vec![1.0; by.len()],
        };
        judge(&[comparison], &TestParameters::new(Margin::TARE))[0].to_string()
    }

    #[test]
    fn a_sentence_claims_no_more_than_its_verdict() {
        for (by, verdict) in [
            (&[2.0, 2.1, 2.0, 1.9][..], "slower"),
            (&[0.5, 0.52, 0.5, 0.5], "faster"),
            (&[1.0, 1.001, 0.999, 1.0], "equivalent"),
            (&[1.3, 0.9, 1.1, 1.2], "undecided"),
            (&[1.0], "undecided"),
        ] {
            let said = said(by);
            for word in ["faster", "slower", "equivalent", "undecided"] {
                assert_eq!(said.contains(word), word == verdict, "{said}");
            }
            for word in [
                "significant",
                "improve",
                "stable",
                "better",
                "worse",
                "no difference",
            ] {
                assert!(!said.contains(word), "{said}");
            }
        }
    }

    #[test]
    fn a_sentence_holds_what_it_rests_on() {
        assert_eq!(
            said(&[2.0; 4]),
            "smol/hyper: slower by more than the margin. × 2.0000 [2.0000, 2.0000] at 95 %, \
             margin 0.9524 to 1.0500, Cliff's delta +1.00, 4 blocks."
        );
        assert_eq!(
            said(&[1.0]),
            "smol/hyper: undecided, Cliff's delta +0.00, 1 block; there is no interval: at least \
             two blocks of positive costs on both sides are needed."
        );
        assert_eq!(Percent(0.99875).to_string(), "99.88");
    }
}
