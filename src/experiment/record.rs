//! What one run left: a line of `runs.jsonl`.
//!
//! Names end in their unit. What is not known is absent and never zero.

use super::design::{Arm, At, Experiment, Workload};
use super::metric;
use crate::load;
use crate::meter::{Histogram, ProfileRun, Usage};
use crate::run::{AgentAccount, CallAccount, CorpusAccount, Iteration, Outcome, TranscriptEntry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

/// One run of an arm: a process, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// The workload's name.
    pub workload: String,
    /// The arm's name.
    pub arm: String,
    /// The block, from 0.
    pub block: usize,
    /// How many runs of the experiment began before it.
    pub position: usize,
    /// Index of the sitting that it was run in.
    pub sitting: usize,
    /// When it began.
    pub at: jiff::Timestamp,
    /// Wall-clock time of the whole process, its start and its warm-up included, ns.
    pub took_ns: u64,
    /// Whether it ran under the profiler: then its times count for nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub profiled: bool,
    /// What came of it.
    #[serde(flatten)]
    pub result: RunResult,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// It ended well.
    Run(Box<Run>),
    /// It failed, for this reason.
    Failure(String),
}

/// A run that ended well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// The value of every metric that is known of it, by the metric's id, in the metric's unit.
    pub values: BTreeMap<String, f64>,
    /// Iterations that count; of a load, requests that were answered.
    pub iterations: u64,
    /// Tokens of all of them.
    pub tokens: u64,
    /// Tokens that the mock wrote late by its profile's schedule.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_tokens: u64,
    /// `native` or `bridged`.
    pub io: String,
    /// Worker threads that the runtime was made with; absent of a program that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<NonZeroUsize>,
    /// What the process used during all iterations.
    pub usage: Usage,
    /// Delivery latency of every token, ns, right within 3.9 %.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub delivery_histogram_ns: Histogram,
    /// Inter-token latency, ns, right within 3.9 %.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub itl_histogram_ns: Histogram,
    /// What the profiler counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_run: Option<ProfileRun>,
    /// What came of a load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Box<load::Outcome>>,
    /// Every iteration, agent and call, where the spec asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

/// Every iteration, agent and call of a run, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Detail {
    /// Every iteration.
    pub iterations: Vec<Iteration>,
    /// Every agent of every iteration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentAccount>,
    /// Every call of every iteration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallAccount>,
    /// What was asked and answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TranscriptEntry>,
    /// What the first agent read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusAccount>,
}

impl Record {
    /// The run, if it ended well.
    pub fn run(&self) -> Option<&Run> {
        match &self.result {
            RunResult::Run(run) => Some(run),
            RunResult::Failure(_) => None,
        }
    }

    /// The run, if it ended well and its times count.
    pub fn timed(&self) -> Option<&Run> {
        self.finished().filter(|_| !self.profiled)
    }

    /// The run, if it came to its own end: it is not done again.
    pub fn finished(&self) -> Option<&Run> {
        self.run().filter(|run| !run.was_interrupted())
    }

    /// Whether it is of this arm.
    pub fn is_of(&self, workload: &Workload, arm: &Arm) -> bool {
        self.arm == arm.name && self.workload == workload.name
    }

    /// Where its arm stands; `None` if the experiment has no such arm.
    pub fn place(&self, experiment: &Experiment) -> Option<At> {
        let mut workloads = experiment.workloads.iter();
        let workload = workloads.position(|of| of.name == self.workload)?;
        let mut arms = experiment.workloads[workload].arms.iter();
        let arm = arms.position(|arm| arm.name == self.arm)?;
        Some(At { workload, arm })
    }
}

/// Of a run so large a share of late tokens says that its pace was not its profile's.
pub const MOST_LATE: f64 = 0.01;

impl Run {
    /// What is kept of an outcome.
    pub fn of(outcome: Outcome, keep_detail: bool) -> Self {
        let [mut delivery, mut itl] = [Histogram::new(), Histogram::new()];
        if outcome.profile_run.is_none() {
            delivery.merge_coarsely(&outcome.delivery_histogram_ns);
            itl.merge_coarsely(&outcome.itl_histogram_ns);
        }
        Self {
            values: metric::values(&outcome),
            iterations: match &outcome.load {
                Some(load) => load.requests.answered,
                None => outcome.iterations.len() as u64,
            },
            tokens: outcome.tokens(),
            late_tokens: outcome.late_tokens(),
            io: outcome.io,
            threads: Some(outcome.threads),
            usage: outcome.usage,
            delivery_histogram_ns: delivery,
            itl_histogram_ns: itl,
            profile_run: outcome.profile_run,
            load: outcome.load,
            detail: keep_detail.then_some(Detail {
                iterations: outcome.iterations,
                agents: outcome.agents,
                calls: outcome.calls,
                texts: outcome.texts,
                corpus: outcome.corpus,
            }),
        }
    }

    /// The value of a metric, in its unit.
    pub fn value(&self, metric: &str) -> Option<f64> {
        self.values.get(metric).copied()
    }

    /// Whether it is a load that somebody ended before its time.
    pub fn was_interrupted(&self) -> bool {
        let ending = self.load.as_ref().map(|load| load.ending);
        ending == Some(load::Ending::Interrupted)
    }

    /// Whether the mock was so late that the pace was not its profile's.
    pub fn mock_was_late(&self) -> bool {
        self.late_tokens as f64 > MOST_LATE * self.tokens as f64
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_empty(histogram: &Histogram) -> bool {
    histogram.count() == 0
}
