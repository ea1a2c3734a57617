//! What is kept of a weighing: the one result format, versioned JSON.
//!
//! It holds every invocation's figures, so that any statistic can be computed again, and the
//! distributions of latencies as histograms that can be merged. Names end in their unit; what is
//! not known is absent and never zero. A judgement is kept beside the figures that it was made
//! from, because it also depends on the terms that were fixed beforehand.

use super::judged::Family;
use super::subject::{Changed, Subject};
use crate::engine::Profile;
use crate::invocation::Outcome;
use crate::meter::{Histogram, Usage};
use crate::ollama::{Api, Software};
use crate::provenance::Provenance;
use crate::stats::mean;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.result/1";

/// A whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// Build, machine, command line, time, and what there spoils measurements.
    pub provenance: Provenance,
    /// What was fixed before the first measurement.
    pub setup: Setup,
    /// One for each workload.
    pub parts: Vec<Part>,
}

/// What was fixed before the first measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// How the server was asked.
    pub api: Api,
    /// The model that was asked.
    pub model: String,
    /// Worker threads of each runtime; `tokio-local` has one by design.
    pub threads: NonZeroUsize,
    /// Seed of each answer's text.
    pub text_seed: u64,
    /// Seed of the order within the blocks.
    pub order_seed: u64,
    /// Processors that the invocations were kept on; absent where the system chose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processors: Vec<usize>,
    /// The folder that agents read.
    pub corpus: String,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Served {
    /// A mock, in a process of its own.
    Mock {
        /// As it was asked for: a shipped name or a file.
        name: String,
        /// The latency model itself.
        profile: Box<Profile>,
    },
    /// A server that was there.
    There {
        /// Its address.
        base_url: String,
        /// What it says that it is.
        software: Software,
        /// Its version, if it says one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
}

/// What an iteration does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Workload {
    /// One streamed answer.
    Stream,
    /// One answer in one piece.
    Whole,
    /// So many agents at once, each of which reads the corpus and makes both calls.
    Agents {
        /// How many.
        agents: NonZeroUsize,
    },
}

/// All cells under one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What an iteration did.
    pub workload: Workload,
    /// Who answered.
    pub server: Served,
    /// Tokens of each answer.
    pub tokens: u32,
    /// Iterations of each invocation before those that count.
    pub warm_up: u32,
    /// Iterations of each invocation that count.
    pub iterations: u64,
    /// The chance of a false verdict in each of the families.
    pub alpha: f64,
    /// What was run, in the order of reports.
    pub weighed: Vec<Weighed>,
    /// What is said of it, a family per figure.
    pub families: Vec<Family>,
}

/// One of those that were run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighed {
    /// Which.
    #[serde(flatten)]
    pub subject: Subject,
    /// In what it differs from the base.
    pub changed: Changed,
    /// `native` or `bridged`.
    pub io: String,
    /// Worker threads that its runtime was made with.
    pub threads: NonZeroUsize,
    /// Its processes, in the order in which they ran.
    pub invocations: Vec<Invocation>,
    /// Delivery latency of every token of all of them, ns.
    pub delivery_histogram_ns: Histogram,
    /// Inter-token latency of all of them, ns.
    pub itl_histogram_ns: Histogram,
}

/// One process. Times are means over its iterations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// The block, from 0.
    pub block: usize,
    /// How many processes of all ran before it.
    pub position: usize,
    /// Tokens of all iterations.
    pub tokens: u64,
    /// Wall-clock time of an iteration.
    pub gross_ns: f64,
    /// What the server spent on it; absent where it does not say, and of several agents, whose
    /// shares overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<f64>,
    /// Time that reading the corpus took; of several agents, all together.
    pub ingest_ns: f64,
    /// Time to first token of each call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<f64>,
    /// From the server's write of a token to its being parsed; absent where the server does not
    /// tell when it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_ns: Option<f64>,
    /// What the process used during all iterations.
    pub usage: Usage,
    /// The most memory that was resident at once, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_bytes: Option<u64>,
    /// The most threads that were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads_most: Option<u64>,
    /// Calls in which the mock was late, so that the pace was not its profile's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_calls: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Invocation {
    /// What an outcome amounts to.
    pub fn of(outcome: &Outcome, block: usize, position: usize) -> Self {
        let mean_of = |figure: &dyn Fn(&crate::invocation::Iteration) -> u64| {
            outcome.mean(|iteration| Some(figure(iteration) as f64))
        };
        let ttft: Vec<f64> = outcome
            .calls
            .iter()
            .filter_map(|call| call.ttft_ns)
            .map(|ns| ns as f64)
            .collect();
        let tokens = outcome.tokens();
        let delivered = outcome.delivery_histogram_ns.count();
        let delivery = outcome.total(|iteration| iteration.delivery_ns);
        Self {
            block,
            position,
            tokens,
            gross_ns: mean_of(&|iteration| iteration.gross_ns).unwrap_or_default(),
            net_ns: outcome.mean(|iteration| iteration.net_ns.map(|net| net as f64)),
            ingest_ns: mean_of(&|iteration| iteration.ingest_ns).unwrap_or_default(),
            ttft_ns: mean(&ttft),
            delivery_ns: (delivered > 0).then(|| delivery.as_nanos() as f64 / delivered as f64),
            usage: outcome.usage,
            peak_rss_bytes: outcome.process.map(|process| process.peak_rss_bytes),
            threads_most: outcome.threads_most,
            late_calls: outcome.iterations.iter().map(|i| i.late_calls).sum(),
        }
    }

    /// Gross less net, ns.
    pub fn tare_ns(&self) -> Option<f64> {
        self.net_ns.map(|net| self.gross_ns - net)
    }

    /// Processor time per token, ns.
    pub fn cpu_per_token_ns(&self) -> Option<f64> {
        let cpu = self.usage.cpu().as_nanos() as f64;
        (self.tokens > 0).then(|| cpu / self.tokens as f64)
    }

    /// One of the counts of what was used, per token.
    pub fn per_token(&self, count: impl Fn(&Usage) -> Option<u64>) -> Option<f64> {
        let count = count(&self.usage)? as f64;
        (self.tokens > 0).then(|| count / self.tokens as f64)
    }
}

impl Weighed {
    /// One value of each invocation that has it.
    pub fn values(&self, figure: impl Fn(&Invocation) -> Option<f64>) -> Vec<f64> {
        self.invocations.iter().filter_map(figure).collect()
    }
}
