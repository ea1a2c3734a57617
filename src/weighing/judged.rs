//! What is said of a part: for each figure a family of judgements against the base.
//!
//! Only blocks in which both sides were run count, so that an interrupted weighing is judged by what
//! is whole. The floor and the controls are compared too but are no members of the family: nobody
//! asks whether blocking threads are slower, and what is found of a control must not depend on how
//! many stacks stand beside it.

use super::figure::Figure;
use super::record::Weighed;
use super::subject::Role;
use crate::stats::{Comparison, Judgement, TestParameters, judge as judge_family};
use serde::{Deserialize, Serialize};

/// The chance that the base is found to differ from itself in any figure of a part. It is small,
/// because a false alarm here takes all verdicts away; and it is shared out among the figures,
/// because each of them could raise it.
const ALPHA_AGAIN: f64 = 0.01;

/// All that is said of one figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Family {
    /// Of which.
    pub figure: Figure,
    /// Stacks against the base, judged together.
    pub stacks: Vec<Judgement>,
    /// The floor, the base again and the positive controls against the base, each by itself.
    pub controls: Vec<Judgement>,
}

/// Judges all figures that the base has. `alpha` is the chance of a false verdict per family of
/// stacks, and for the floor and each positive control.
pub fn judge(weighed: &[Weighed], alpha: f64) -> Vec<Family> {
    let Some(base) = weighed.iter().find(|one| one.subject.role == Role::Base) else {
        return Vec::new();
    };
    let families = Figure::ALL.into_iter().map(|figure| {
        let at = |alpha| TestParameters {
            alpha,
            ..TestParameters::new(figure.margin())
        };
        let terms = at(alpha);
        let stacks = weighed.iter().filter(|one| one.subject.role == Role::Stack);
        let stacks: Vec<Comparison> = stacks.map(|one| comparison(one, base, figure)).collect();
        let strict = at(ALPHA_AGAIN / Figure::ALL.len() as f64);
        let by_itself = |one: &Weighed| {
            let terms = match one.subject.role {
                Role::Again => &strict,
                Role::Floor | Role::Control => &terms,
                Role::Base | Role::Stack => return None,
            };
            judge_family(&[comparison(one, base, figure)], terms).pop()
        };
        let controls = weighed.iter().filter_map(by_itself).collect();
        Family {
            figure,
            stacks: judge_family(&stacks, &terms),
            controls,
        }
    });
    let known = |family: &Family| {
        let all = family.stacks.iter().chain(&family.controls);
        all.into_iter().any(|judgement| judgement.blocks > 0)
    };
    families.filter(known).collect()
}

fn comparison(one: &Weighed, base: &Weighed, figure: Figure) -> Comparison {
    let (mut own, mut of_base) = (Vec::new(), Vec::new());
    for invocation in &one.invocations {
        let mut others = base.invocations.iter();
        let other = others.find(|other| other.block == invocation.block);
        if let (Some(value), Some(other)) = (
            figure.of(invocation),
            other.and_then(|other| figure.of(other)),
        ) {
            own.push(value);
            of_base.push(other);
        }
    }
    Comparison {
        name: one.subject.to_string(),
        own,
        base: of_base,
    }
}

#[cfg(test)]
mod tests {
    use super::super::canned::{ALIKE, all, invocation, part, subjects, ten_blocks};
    use super::super::{Invocation, Part};
    use super::*;
    use crate::stats::Verdict;

    fn family(part: &Part, figure: Figure) -> &Family {
        let mut families = part.families.iter();
        families.find(|family| family.figure == figure).expect("it")
    }

    fn names(judged: &[Judgement]) -> Vec<&str> {
        judged.iter().map(|one| one.name.as_str()).collect()
    }

    #[test]
    fn floor_again_and_controls_are_no_members_of_the_family() {
        let named = ["smol/hyper", "smol/hyper-1k", "+ mutex"];
        let part = ten_blocks(&named, |_| ALIKE);
        for family in &part.families {
            assert_eq!(names(&family.stacks), ["smol/hyper", "smol/hyper-1k"]);
            let controls = [
                "threads/raw",
                "tokio-mt/hyper (again)",
                "tokio-mt/hyper + mutex",
            ];
            assert_eq!(names(&family.controls), controls);
            let alphas: Vec<f64> = family.controls.iter().map(|judged| judged.alpha).collect();
            let whole = super::super::ALPHA;
            let strict = ALPHA_AGAIN / 5.0;
            assert_eq!(alphas, [whole, strict, whole], "each by itself");
        }
        assert_eq!(part.families.len(), Figure::ALL.len());
    }

    #[test]
    fn a_control_is_judged_alike_whatever_stands_beside_it() {
        let slow = |subject: &crate::weighing::Subject| match subject.role {
            Role::Control => all(1.2),
            _ => ALIKE,
        };
        let alone = ten_blocks(&["+ mutex"], slow);
        let beside = ten_blocks(&["smol/*", "smol/hyper", "smol/reqwest", "+ mutex"], slow);
        for (a, b) in alone.families.iter().zip(&beside.families) {
            assert_eq!(a.controls, b.controls);
        }
        let control = &family(&alone, Figure::Cpu).controls[2];
        assert_eq!(control.verdict, Verdict::Slower);
    }

    #[test]
    fn pairs_are_made_by_block_and_not_by_place() {
        // Run in another order, and the base's first block is missing.
        let part = part(&subjects(&["smol/hyper"]), 4, |subject, block| {
            let block = match subject.role {
                Role::Stack => 3 - block,
                Role::Base if block == 0 => return None,
                _ => block,
            };
            let times = 1.0 + block as f64;
            Some(invocation(block, 0, all(times)))
        });
        let judged = &family(&part, Figure::Cpu).stacks[0];
        assert_eq!(judged.blocks, 3);
        let ratio = judged.ratio.expect("three blocks");
        assert!((ratio.low - 1.0).abs() < 1e-9 && (ratio.high - 1.0).abs() < 1e-9);
        assert_eq!(judged.verdict, Verdict::Equivalent);
    }

    #[test]
    fn of_an_incomplete_last_block_only_pairs_count() {
        let run = |subject: &crate::weighing::Subject, block| {
            let cut = block == 4 && subject.role != Role::Floor && subject.role != Role::Base;
            (!cut).then(|| invocation(block, 0, ALIKE))
        };
        let part = part(&subjects(&["smol/hyper"]), 5, run);
        let family = family(&part, Figure::Tare);
        assert_eq!(family.stacks[0].blocks, 4);
        let blocks: Vec<usize> = family.controls.iter().map(|one| one.blocks).collect();
        assert_eq!(blocks, [5, 4], "the floor was run in all five");
    }

    #[test]
    fn a_figure_that_nobody_has_is_no_family_and_one_that_some_lack_is_undecided() {
        let without = |keep: fn(Role) -> bool| {
            part(&subjects(&["smol/hyper"]), 5, |subject, block| {
                let known = keep(subject.role);
                Some(Invocation {
                    net_ns: Some(1e6).filter(|_| known),
                    ..invocation(block, 0, ALIKE)
                })
            })
        };
        let none = without(|_| false);
        let figures: Vec<Figure> = none.families.iter().map(|family| family.figure).collect();
        assert_eq!(figures, [Figure::Gross, Figure::Delivery, Figure::Cpu]);
        let some = without(|role| role != Role::Stack);
        let judged = &family(&some, Figure::Tare).stacks[0];
        assert_eq!((judged.blocks, judged.verdict), (0, Verdict::Undecided));
        assert_eq!(judged.ratio, None);
    }

    #[test]
    fn without_a_base_there_is_nothing_to_say() {
        assert_eq!(judge(&[], super::super::ALPHA), []);
    }
}
