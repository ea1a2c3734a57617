//! Doing the runs of an experiment, one after the other, and keeping each as soon as it has ended.

use super::design::{Arm, At, Experiment};
use super::record::{Record, Run, RunResult};
use super::schedule::Due;
use super::store::{Ending, Store, StoreError};
use crate::run::{Outcome, ProcessError, Program, Spec};
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Who is told how it goes, and can end it.
pub trait Watch {
    /// A run begins; so much time everything from here on will take, where that is known yet.
    fn begins(&mut self, due: &Due, arm: &Arm, left: Option<Duration>);
    /// It is finished and on the disk; so many are left.
    fn ended(&mut self, due: &Due, record: &Record, left: usize);
    /// Lets so much time pass; breaks when somebody wants it to end.
    fn pause(&mut self, time: Duration) -> ControlFlow<()>;
    /// The run that began last says how far it is.
    fn said(&self, line: &str) {
        let _ = line;
    }
    /// Whether somebody wants it to end now.
    fn interrupted(&self) -> bool;
}

/// With what it is done.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// The program that runs an arm of this build.
    pub program: &'a Program,
    /// The address of each server, by the name under which specs name it.
    pub addresses: &'a BTreeMap<String, String>,
    /// Begin no block that would end later than this after the start, by how long the ones before
    /// took; but always do two.
    pub time_limit: Option<Duration>,
}

/// Does the runs that are not finished. A run that fails is noted and the next one begins, until too many
/// in a row have failed. `decided` is asked after each block, with all records and how many blocks are
/// done, whether that is enough.
///
/// # Errors
/// When a record can't be kept: going on would be for nothing.
pub fn sit(
    store: &mut Store,
    bench: Bench<'_>,
    watch: &mut impl Watch,
    mut decided: impl FnMut(&Experiment, &[Record], usize) -> bool,
) -> Result<Ending, StoreError> {
    let experiment = store.experiment().clone();
    let part = store.manifest().part;
    let mut hand = Hand {
        bench,
        experiment: &experiment,
        warm: None,
        unit: None,
        failures: 0,
        pace: Pace::default(),
        left: experiment
            .order(part)
            .into_iter()
            .filter(|due| !store.is_finished(due))
            .collect(),
    };
    let started = Instant::now();
    let blocks: Vec<usize> = experiment.blocks_in(part).collect();
    let mut ending = Ending::Done;
    let mut begun = 0;
    for (done, &block) in blocks.iter().enumerate() {
        let order = experiment.block(block, false);
        let order: Vec<Due> = order
            .into_iter()
            .filter(|due| !store.is_finished(due))
            .collect();
        if order.is_empty() {
            continue;
        }
        if let Some(limit) = bench.time_limit
            && begun >= 2
            && started
                .elapsed()
                .mul_f64(f64::from(begun + 1) / f64::from(begun))
                > limit
        {
            ending = Ending::Limit;
            break;
        }
        begun += 1;
        for due in &order {
            if let ControlFlow::Break(ending) = hand.run(store, due, watch)? {
                return Ok(ending);
            }
        }
        if experiment.until_decided && decided(&experiment, store.records(), done + 1) {
            ending = Ending::Decided;
            break;
        }
    }
    let done: Vec<usize> = blocks
        .into_iter()
        .filter(|&block| block < experiment.profile_blocks)
        .collect();
    for due in done.iter().flat_map(|&block| experiment.block(block, true)) {
        if !store.is_finished(&due)
            && let ControlFlow::Break(ending) = hand.run(store, &due, watch)?
        {
            return Ok(ending);
        }
    }
    Ok(ending)
}

/// Who does the runs of a sitting.
struct Hand<'a> {
    bench: Bench<'a>,
    experiment: &'a Experiment,
    /// The unit whose servers are warm.
    warm: Option<At>,
    /// The unit that ran last, and in which block.
    unit: Option<(At, usize)>,
    failures: u32,
    pace: Pace,
    left: Vec<Due>,
}

impl Hand<'_> {
    /// One run; breaks when the sitting is over.
    fn run(
        &mut self,
        store: &mut Store,
        due: &Due,
        watch: &mut impl Watch,
    ) -> Result<ControlFlow<Ending>, StoreError> {
        let Some((workload, arm)) = self.experiment.arm(due.at) else {
            return Ok(ControlFlow::Continue(()));
        };
        watch.begins(due, arm, self.pace.left(&self.left));
        // A team and its agents alone are one thing to the servers.
        let unit = Some((due.unit, due.block));
        let pause = match self.unit.is_none() || self.unit == unit {
            true => Duration::ZERO,
            false => self.experiment.cool_down,
        };
        if watch.interrupted() || watch.pause(pause).is_break() {
            return Ok(ControlFlow::Break(Ending::Interrupted));
        }
        self.unit = unit;
        let begun = Instant::now();
        let at = jiff::Timestamp::now();
        let spec = self.spec(arm, due);
        let ran = self
            .warm_up(due, watch)
            .and_then(|()| self.invoke(arm, &spec, watch));
        let took = begun.elapsed();
        let result = match ran {
            Ok(outcome) => {
                self.failures = 0;
                self.warm = Some(due.unit);
                RunResult::Run(Box::new(Run::of(outcome, spec.detail)))
            }
            Err(error) if error.is_of_interruption(|| watch.interrupted()) => {
                return Ok(ControlFlow::Break(Ending::Interrupted));
            }
            Err(error) => {
                self.failures += 1;
                self.warm = None;
                RunResult::Failure(error.to_string().replace('\n', " "))
            }
        };
        let cut_short = matches!(&result, RunResult::Run(run) if run.was_interrupted());
        let record = Record {
            workload: workload.name.clone(),
            arm: arm.name.clone(),
            block: due.block,
            position: store.records().len(),
            sitting: store.manifest().sittings.len().saturating_sub(1),
            at,
            took_ns: u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
            profiled: due.profiled,
            result,
        };
        self.left.retain(|other| other != due);
        self.pace.note(due, took + pause);
        store.append(record.clone())?;
        watch.ended(due, &record, self.left.len());
        if cut_short {
            return Ok(ControlFlow::Break(Ending::Interrupted));
        }
        let over = self.failures >= self.experiment.failures_in_a_row.get();
        Ok(match over && !self.left.is_empty() {
            true => ControlFlow::Break(Ending::GivenUp),
            false => ControlFlow::Continue(()),
        })
    }

    /// Brings the servers into the state that the runs of this arm find, where another arm was there.
    fn warm_up(&self, due: &Due, watch: &impl Watch) -> Result<(), ProcessError> {
        if self.warm == Some(due.unit) {
            return Ok(());
        }
        let Some((_, arm)) = self.experiment.arm(due.unit) else {
            return Ok(());
        };
        let spec = self.spec(arm, due);
        (0..self.experiment.warm_up_runs).try_for_each(|_| self.invoke(arm, &spec, watch).map(drop))
    }

    fn invoke(&self, arm: &Arm, spec: &Spec, watch: &impl Watch) -> Result<Outcome, ProcessError> {
        let peer;
        let program = match arm.program.split_first() {
            None => self.bench.program,
            Some((program, arguments)) => {
                peer = Program::peer(program, arguments);
                &peer
            }
        };
        program.invoke_with(spec, &|line| watch.said(line), &|| watch.interrupted())
    }

    /// What the process of a run is told: real addresses, the block's seed.
    fn spec(&self, arm: &Arm, due: &Due) -> Spec {
        let mut spec = arm.spec.clone();
        spec.profile_run = due.profiled;
        if due.profiled {
            // What is counted hardly varies.
            spec.iterations = spec.iterations.div_ceil(4);
        }
        spec.proxied = self.experiment.proxied;
        spec.resolve(self.bench.addresses);
        if self.experiment.seed_per_block {
            spec.add_to_seeds(due.block as u64);
        }
        spec
    }
}

/// How long runs take, by how long those of the same arm took so far.
#[derive(Default)]
struct Pace {
    by_arm: HashMap<(At, bool), (Duration, u32)>,
}

impl Pace {
    fn note(&mut self, due: &Due, took: Duration) {
        let (total, count) = self.by_arm.entry((due.at, due.profiled)).or_default();
        *total += took;
        *count += 1;
    }

    /// What these runs will take: each as the mean of its arm's so far, or where there is none, as the
    /// mean of the other arms. `None` before the first.
    fn left(&self, runs: &[Due]) -> Option<Duration> {
        let own = |&(total, count): &(Duration, u32)| total / count;
        let others: Duration = self.by_arm.values().map(own).sum();
        let others = others.checked_div(u32::try_from(self.by_arm.len()).ok()?)?;
        let expected = runs.iter().map(|due| {
            let known = self.by_arm.get(&(due.at, due.profiled));
            known.map_or(others, own)
        });
        Some(expected.sum())
    }
}
