//! What is said of a part: for each figure a family of judgements against the base.
//!
//! Only blocks in which both sides were run count, so that an interrupted weighing is judged by what
//! is whole. The floor and the controls are compared too but are no members of the family: nobody
//! asks whether blocking threads are slower, and what is found of a control must not depend on how
//! many cells stand beside it.

use super::figure::Figure;
use super::record::Weighed;
use super::subject::Role;
use crate::stats::{Comparison, Judgement, Terms, judge as judge_family};
use serde::{Deserialize, Serialize};

/// All that is said of one figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// Of which.
    pub figure: Figure,
    /// Cells against the base, judged together.
    pub cells: Vec<Judgement>,
    /// The floor, the base again and the positive controls against the base, each by itself.
    pub controls: Vec<Judgement>,
}

/// Judges all figures that the base has. `alpha` is the chance of a false verdict per family.
pub fn judge(weighed: &[Weighed], alpha: f64) -> Vec<Family> {
    let Some(base) = weighed.iter().find(|one| one.subject.role == Role::Base) else {
        return Vec::new();
    };
    let families = Figure::ALL.into_iter().map(|figure| {
        let terms = Terms {
            alpha,
            ..Terms::new(figure.margin())
        };
        let compared = |role: fn(Role) -> bool| -> Vec<Comparison> {
            let chosen = weighed.iter().filter(|one| role(one.subject.role));
            chosen.map(|one| comparison(one, base, figure)).collect()
        };
        let cells = compared(|role| role == Role::Cell);
        let controls = compared(|role| matches!(role, Role::Floor | Role::Again | Role::Control));
        Family {
            figure,
            cells: judge_family(&cells, &terms),
            controls: controls
                .iter()
                .flat_map(|one| judge_family(std::slice::from_ref(one), &terms))
                .collect(),
        }
    });
    let known = |family: &Family| {
        let all = family.cells.iter().chain(&family.controls);
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
