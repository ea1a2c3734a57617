//! A family of comparisons judged together.
//!
//! Ten comparisons at 5 % each hold a false verdict in up to two families of five. Holm's
//! procedure is run on the intervals themselves, so that a verdict and the interval beside it
//! cannot contradict each other: of k comparisons, intervals are made at 1 − α/k. Those that lie
//! in one region are decided; the r that are left get intervals at 1 − α/r; and so on until a round
//! decides none. Each comparison shows the interval of its last round. That is `holm.rs` with the
//! p-value of a comparison being the least α at which its interval decides, and a test says so.
//!
//! **What the level means.** A false verdict needs an interval that misses the truth, so one
//! comparison is judged falsely in at most α of cases. For the family Holm's proof wants hypotheses
//! that are true or false whatever comes out; but here every comparison can be judged falsely,
//! whatever the truth is, for two of its three verdicts are false. That its levels hold all the same
//! is proven for the two verdicts faster and slower of independent comparisons (Shaffer, "Control of
//! Directional Errors with Stagewise Multiple Test Procedures", *Annals of Statistics* 8, 1980;
//! Finner, "Stepwise Multiple Test Procedures and Control of Directional Errors", 27, 1999); beyond
//! that only the first round's, Bonferroni's, is. So the families were counted. The intervals do
//! *not* all hold together at 1 − α, each does at the level that it states: α is the verdicts'.
//!
//! Families with a false verdict, in % of 2,000 of six stacks against one base in ten blocks, at α
//! = 5 % and a margin of 5 % (`cargo run --release --example coverage`):
//!
//! | truth of the six | 3 % noise | 20 % noise |
//! |---|---|---|
//! | the base again (A/A) | 0.0 | 0.9 |
//! | on the margin's upper edge | 1.9 | 2.0 |
//! | three on the edge, three far beyond | 2.0 | 2.0 |
//! | one on the edge, five far beyond | 2.5 | 2.6 |
//! | on both edges | 3.0 | 2.9 |
//!
//! It stays below α because on an edge of the margin only one of the interval's two ends can err.

use super::bootstrap::Resampled;
use super::rank::cliffs_delta;
use super::verdict::{Further, Judgement, Margin, Verdict, detectable, further};

/// One comparison: the cost of a stack and of its base in each block, in one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What is compared, for the report.
    pub name: String,
    /// The stack's cost, a value per block; less is better.
    pub own: Vec<f64>,
    /// The base's cost in the same blocks, in the same order.
    pub base: Vec<f64>,
}

/// What is fixed before the first measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestParameters {
    /// How much of a difference does not matter.
    pub margin: Margin,
    /// In what share of families there may be a false verdict, 0 to 1.
    pub alpha: f64,
    /// Seed of the resampling.
    pub seed: u64,
}

impl TestParameters {
    /// At 5 %, with seed 1.
    pub fn new(margin: Margin) -> Self {
        Self {
            margin,
            alpha: 0.05,
            seed: 1,
        }
    }
}

/// Judges each comparison of a family, in the order given. One without an interval (fewer than two
/// blocks, sides of unequal length, a cost that is not positive) is undecided, and counts as a
/// member all the same.
pub fn judge(family: &[Comparison], terms: &TestParameters) -> Vec<Judgement> {
    let resampled: Vec<Option<Resampled>> = family
        .iter()
        .map(|comparison| Resampled::ratio(&comparison.own, &comparison.base, terms.seed))
        .collect();
    let verdict = |i: usize, alpha| {
        let ratio = resampled[i].as_ref().and_then(|r| r.interval(alpha));
        ratio.map_or(Verdict::Undecided, |ratio| terms.margin.verdict(&ratio))
    };
    let alphas = step_down(family.len(), terms.alpha, |i, alpha| {
        verdict(i, alpha) != Verdict::Undecided
    });
    let judged = family.iter().zip(&resampled).zip(alphas).enumerate();
    judged
        .map(|(i, ((comparison, resampled), alpha))| {
            let resampled = resampled.as_ref();
            let verdict = verdict(i, alpha);
            let undecided = verdict == Verdict::Undecided;
            Judgement {
                name: comparison.name.clone(),
                verdict,
                ratio: resampled.and_then(|r| r.interval(alpha)),
                alpha,
                margin: terms.margin,
                cliffs_delta: cliffs_delta(&comparison.own, &comparison.base),
                blocks: comparison.own.len().min(comparison.base.len()),
                detectable: resampled.and_then(|r| detectable(r, terms.margin, alpha)),
                further: undecided.then(|| match resampled {
                    Some(resampled) => further(resampled, terms.margin, alpha),
                    None => Further::Unknown,
                }),
            }
        })
        .collect()
}

/// The level at which each of `count` comparisons is judged last. What is decided at one level
/// must be so at any higher one.
pub(crate) fn step_down(
    count: usize,
    alpha: f64,
    decided: impl Fn(usize, f64) -> bool,
) -> Vec<f64> {
    let mut levels = vec![alpha; count];
    let mut left: Vec<usize> = (0..count).collect();
    while !left.is_empty() {
        let level = alpha / left.len() as f64;
        left.iter().for_each(|&i| levels[i] = level);
        let before = left.len();
        left.retain(|&i| !decided(i, level));
        if left.len() == before {
            break;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::super::holm::holm;
    use super::*;
    use proptest::prelude::*;

    const BASE: [f64; 6] = [10.0, 11.0, 10.5, 9.5, 10.2, 9.9];

    fn comparison(name: &str, by: [f64; 6]) -> Comparison {
        Comparison {
            name: name.to_owned(),
            own: BASE.iter().zip(by).map(|(base, by)| base * by).collect(),
            base: BASE.to_vec(),
        }
    }

    fn family() -> Vec<Comparison> {
        vec![
            comparison("same", [1.0, 1.002, 0.998, 1.001, 0.999, 1.0]),
            comparison("half", [0.5, 0.51, 0.49, 0.5, 0.52, 0.5]),
            comparison("twice", [2.0, 2.1, 1.9, 2.0, 2.0, 2.1]),
            comparison("unclear", [1.2, 1.0, 1.3, 1.1, 1.25, 0.95]),
        ]
    }

    #[test]
    fn each_gets_the_verdict_of_its_interval() {
        let judged = judge(&family(), &TestParameters::new(Margin::TARE));
        let verdicts: Vec<Verdict> = judged.iter().map(|found| found.verdict).collect();
        use Verdict::{Equivalent, Faster, Slower, Undecided};
        assert_eq!(verdicts, [Equivalent, Faster, Slower, Undecided]);
        for found in &judged {
            let ratio = found.ratio.expect("an interval");
            assert_eq!(found.margin.verdict(&ratio), found.verdict, "{found:?}");
            assert!(found.detectable.expect("an effect") > 1.05);
        }
        assert_eq!(judged[2].cliffs_delta, Some(1.0));
        // Three were decided at a quarter of 5 %, and left the fourth all of it.
        let alphas: Vec<f64> = judged.iter().map(|found| found.alpha).collect();
        assert_eq!(alphas, [0.0125, 0.0125, 0.0125, 0.05]);
        let Some(Further::Invocations(more)) = judged[3].further else {
            panic!("{:?}", judged[3]);
        };
        assert!((5..50).contains(&more), "{more}");
        assert_eq!(judged[0].further, None);
    }

    #[test]
    fn on_the_margin_nothing_decides() {
        let by = [1.05 * 1.2, 1.05 / 1.2, 1.05 * 1.1, 1.05 / 1.1, 1.05, 1.05];
        let mut on = comparison("on", by);
        on.base = vec![1.0; 6];
        let mean = by.iter().sum::<f64>() / 6.0;
        on.own = by.iter().map(|value| value / mean * 1.05).collect();
        let judged = judge(&[on], &TestParameters::new(Margin::TARE));
        assert_eq!(judged[0].verdict, Verdict::Undecided);
        assert_eq!(judged[0].further, Some(Further::Unreachable));
    }

    #[test]
    fn what_has_no_ratio_is_undecided_and_says_so() {
        for (own, base) in [
            (vec![1.0], vec![1.0]),
            (vec![], vec![]),
            (vec![1.0, 2.0], vec![1.0]),
            (vec![1.0, -2.0], vec![1.0, 1.0]),
            (vec![1.0, f64::NAN], vec![1.0, 1.0]),
        ] {
            let name = "broken".to_owned();
            let judged = judge(
                &[Comparison { name, own, base }],
                &TestParameters::new(Margin::TARE),
            );
            assert_eq!(judged[0].verdict, Verdict::Undecided);
            assert_eq!(
                (judged[0].ratio, judged[0].further),
                (None, Some(Further::Unknown))
            );
        }
        assert_eq!(judge(&[], &TestParameters::new(Margin::TARE)), []);
    }

    #[test]
    fn the_order_of_the_family_decides_nothing() {
        let mut family = family();
        let mut judged = judge(&family, &TestParameters::new(Margin::TARE));
        family.reverse();
        judged.reverse();
        assert_eq!(judge(&family, &TestParameters::new(Margin::TARE)), judged);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_verdict_is_its_intervals_and_turns_with_the_pair(
            blocks in prop::collection::vec((1.0f64..1.3, 1.0f64..1.3), 2..12),
            shift in 0.7f64..1.4,
        ) {
            let comparison = |name: &str, mut blocks: Vec<(f64, f64)>| {
                blocks.iter_mut().for_each(|(own, _)| *own *= shift);
                let (own, base) = blocks.into_iter().unzip();
                Comparison { name: name.to_owned(), own, base }
            };
            let there = comparison("there", blocks.clone());
            let back = Comparison {
                own: there.base.clone(),
                base: there.own.clone(),
                ..there.clone()
            };
            let shuffled = comparison("shuffled", blocks.into_iter().rev().collect());
            let terms = TestParameters::new(Margin::TARE);
            let [there, back, shuffled] =
                [there, back, shuffled].map(|one| judge(&[one], &terms).remove(0));
            let interval = there.ratio.unwrap();
            prop_assert!(interval.low <= interval.estimate && interval.estimate <= interval.high);
            prop_assert_eq!(there.verdict, terms.margin.verdict(&interval));
            prop_assert_eq!(there.further.is_some(), there.verdict == Verdict::Undecided);
            prop_assert!((interval.low * back.ratio.unwrap().high - 1.0).abs() < 1e-9);
            prop_assert!((interval.low / shuffled.ratio.unwrap().low - 1.0).abs() < 1e-9);
            prop_assert_eq!(there.cliffs_delta, back.cliffs_delta.map(|delta| -delta));
        }
    }

    proptest! {
        #[test]
        fn steps_are_holms(p_values in prop::collection::vec(0.0f64..0.2, 1..12)) {
            let levels = step_down(p_values.len(), 0.05, |i, level| p_values[i] <= level);
            let adjusted = holm(&p_values).unwrap();
            for (i, &p) in p_values.iter().enumerate() {
                // But for the last bit of a level that is just met.
                prop_assume!((adjusted[i] - 0.05).abs() > 1e-12);
                prop_assert_eq!(p <= levels[i], adjusted[i] <= 0.05);
            }
        }
    }
}
