//! Doing it: a process per run, and what came of each into its place.

use super::blocks::{Due, Ending, Until, weigh};
use super::figure::Figure;
use super::judged::{Family, judge};
use super::record::{Invocation, Part, Served, Setup, Weighed, Workload};
use super::subject::{Changed, Role, Subject};
use crate::meter::Histogram;
use crate::run::{Answers, Connection, ProcessError, Program, Spec, Work};
use crate::stats::Verdict;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// The chance of a false verdict in a family, all looks at it together.
pub const ALPHA: f64 = 0.05;

/// What is to be weighed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What holds for all of it.
    pub setup: Setup,
    /// The folder that agents read; empty where there is no workload of agents.
    pub corpus: PathBuf,
    /// The workloads.
    pub parts: Vec<PartPlan>,
    /// When it ends.
    pub until: Until,
    /// Whether it ends before, when all is decided.
    pub stop: Stop,
}

/// Whether a weighing ends when all is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No: it is judged once, at the end.
    AtTheEnd,
    /// Yes: it is looked at after 5 blocks and whenever they have doubled. Each look has half the
    /// chance of a false verdict that was left, so that looking often does not raise it.
    WhenDecided,
}

/// One workload.
#[derive(Clone, Debug)]
pub struct PartPlan {
    /// What an iteration does.
    pub workload: Workload,
    /// Who answers.
    pub server: Served,
    /// Where.
    pub base_url: String,
    /// Tokens of each answer.
    pub tokens: u32,
    /// Iterations of each invocation before those that count.
    pub warm_up: u32,
    /// Iterations of each invocation that count.
    pub iterations: u64,
    /// What is run.
    pub subjects: Vec<Subject>,
}

/// Who is told how it goes, and can end it.
pub trait Watch {
    /// A run begins: the how-manieth, counted from 0, and of which subject.
    fn begins(&mut self, due: Due, subject: &Subject);
    /// All that is timed is done, and one process more looks closer at a subject.
    fn looks_closer(&mut self, subject: &Subject);
    /// Whether somebody wants it to end now.
    fn interrupted(&self) -> bool;
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// The workloads, with what was finished of each.
    pub parts: Vec<Part>,
    /// Why it ended.
    pub ending: Ending,
    /// The invocation that failed, where that was why.
    pub failure: Option<ProcessError>,
}

/// Weighs all of it. An invocation that fails ends it, and what was finished is judged: with a server
/// that is gone, or a build that loses tokens, more runs say no more.
pub fn run(program: &Program, plan: &Plan, watch: &mut impl Watch) -> Done {
    let mut parts: Vec<Part> = plan.parts.iter().map(PartPlan::unweighed).collect();
    let subjects: Vec<_> = plan
        .parts
        .iter()
        .map(|part| part.subjects.clone())
        .collect();
    let mut left = ALPHA;
    let mut failure = None;
    let mut ending = {
        let parts = std::cell::RefCell::new(&mut parts);
        let invoke = |due: Due| {
            if watch.interrupted() {
                return ControlFlow::Break(());
            }
            let part = &plan.parts[due.part];
            watch.begins(due, &part.subjects[due.subject]);
            match program.invoke(&part.spec(plan, due.subject, false)) {
                Ok(outcome) => {
                    let weighed = &mut parts.borrow_mut()[due.part].weighed[due.subject];
                    weighed.threads = outcome.threads;
                    weighed
                        .delivery_histogram_ns
                        .merge_coarsely(&outcome.delivery_histogram_ns);
                    weighed
                        .itl_histogram_ns
                        .merge_coarsely(&outcome.itl_histogram_ns);
                    let invocation = Invocation::of(&outcome, due.block, due.position);
                    weighed.invocations.push(invocation);
                    ControlFlow::Continue(())
                }
                Err(error) if error.is_of_interruption(|| watch.interrupted()) => {
                    ControlFlow::Break(())
                }
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        let enough = |blocks: usize| {
            if plan.stop == Stop::AtTheEnd || !is_look(blocks) {
                return false;
            }
            left /= 2.0;
            let parts = parts.borrow();
            parts
                .iter()
                .all(|part| is_decided(&judge(&part.weighed, left)))
        };
        weigh(&subjects, plan.until, plan.setup.order_seed, invoke, enough)
    };
    if ending != Ending::Interrupted {
        match look_closer(program, plan, &mut parts, watch) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => ending = Ending::Interrupted,
            Err(error) => {
                failure = Some(error);
                ending = Ending::Interrupted;
            }
        }
    }
    // Halving leaves as much as the last look took.
    for part in &mut parts {
        part.alpha = left;
        part.families = judge(&part.weighed, left);
    }
    Done {
        parts,
        ending,
        failure,
    }
}

/// Looks closer at each in one process more, whose times count for nothing.
fn look_closer(
    program: &Program,
    plan: &Plan,
    parts: &mut [Part],
    watch: &mut impl Watch,
) -> Result<ControlFlow<()>, ProcessError> {
    for (of, part) in plan.parts.iter().zip(parts) {
        for (index, one) in part.weighed.iter_mut().enumerate() {
            if watch.interrupted() {
                return Ok(ControlFlow::Break(()));
            }
            watch.looks_closer(&one.subject);
            match program.invoke(&of.spec(plan, index, true)) {
                Ok(outcome) => one.profile_run = outcome.profile_run,
                Err(error) if error.is_of_interruption(|| watch.interrupted()) => {
                    return Ok(ControlFlow::Break(()));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// 5, 10, 20, 40, …
fn is_look(blocks: usize) -> bool {
    blocks.is_multiple_of(5) && (blocks / 5).is_power_of_two()
}

/// Whether every stack's tare and CPU time are judged.
fn is_decided(families: &[Family]) -> bool {
    let asked = families
        .iter()
        .filter(|family| matches!(family.figure, Figure::Tare | Figure::Cpu));
    let mut stacks = asked.flat_map(|family| &family.stacks);
    stacks.all(|stack| stack.verdict != Verdict::Undecided)
}

impl PartPlan {
    /// With nothing weighed yet.
    fn unweighed(&self) -> Part {
        let base = self
            .subjects
            .iter()
            .find(|subject| subject.role == Role::Base);
        let weighed = |subject: &Subject| Weighed {
            subject: *subject,
            changed: base.map_or(Changed::Several, |base| {
                Changed::between(base.stack, subject.stack)
            }),
            io: subject.stack.io().to_string(),
            threads: NonZeroUsize::MIN,
            invocations: Vec::new(),
            profile_run: None,
            delivery_histogram_ns: Histogram::new(),
            itl_histogram_ns: Histogram::new(),
        };
        Part {
            workload: self.workload,
            server: self.server.clone(),
            tokens: self.tokens,
            warm_up: self.warm_up,
            iterations: self.iterations,
            alpha: ALPHA,
            weighed: self.subjects.iter().map(weighed).collect(),
            families: Vec::new(),
        }
    }

    fn spec(&self, plan: &Plan, subject: usize, profile_run: bool) -> Spec {
        let setup = &plan.setup;
        let subject = &self.subjects[subject];
        Spec {
            stack: subject.stack,
            threads: setup.threads,
            base_url: self.base_url.clone(),
            api: setup.api,
            model: setup.model.clone(),
            work: match self.workload {
                Workload::Stream => Work::Stream {
                    connection: Connection::Warm,
                },
                Workload::Whole => Work::Whole,
                Workload::Agents { agents } => Work::Agents {
                    agents,
                    corpus: plan.corpus.clone(),
                },
            },
            tokens: self.tokens,
            ingest_concurrency: setup.ingest_concurrency,
            seed: setup.text_seed,
            warm_up: self.warm_up,
            iterations: self.iterations,
            answers: match self.server {
                Served::Mock { .. } => Answers::Known,
                Served::There { .. } => Answers::Unknown,
            },
            proxied: setup.proxied,
            inject: subject.inject,
            profile_run,
            detail: false,
            processors: setup.processors.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canned::{ALIKE, Times, all, ten_blocks};
    use super::*;

    #[test]
    fn it_is_looked_at_whenever_the_blocks_have_doubled() {
        let looks: Vec<usize> = (1..100).filter(|&blocks| is_look(blocks)).collect();
        assert_eq!(looks, [5, 10, 20, 40, 80]);
    }

    #[test]
    fn all_is_decided_when_every_cell_is_in_tare_and_in_cpu_time() {
        let decided = |smol: Times| {
            let part = ten_blocks(
                &["smol/hyper", "tokio-local/hyper"],
                |subject| match subject.stack.to_string().as_str() {
                    "smol/hyper" => smol,
                    _ => ALIKE,
                },
            );
            is_decided(&part.families)
        };
        assert!(decided(ALIKE) && decided(all(2.0)));
        // On the margin nothing is decided, whichever of the two figures it is.
        assert!(!decided(Times {
            tare: 1.0501,
            cpu: f64::NAN,
            ..ALIKE
        }));
        let unknown = Times {
            cpu: f64::NAN,
            ..ALIKE
        };
        assert!(!decided(unknown));
        // Nobody waits for delivery.
        assert!(decided(Times {
            delivery: -1.0,
            ..ALIKE
        }));
    }
}
