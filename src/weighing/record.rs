//! What is kept of a weighing: the one result format, versioned JSON.
//!
//! It holds every invocation's figures, so that any statistic can be computed again, and the
//! distributions of latencies as histograms that can be merged. Names end in their unit; what is
//! not known is absent and never zero. A judgement is kept beside the figures that it was made
//! from, because it also depends on the terms that were fixed beforehand.

use super::blocks::Ending;
use super::columns;
use super::judged::Family;
use super::standing::Standing;
use super::subject::{Changed, Subject};
use crate::corpus::CorpusIdentity;
use crate::meter::{Histogram, ProfileRun, Usage};
use crate::protocol::{Api, Described};
use crate::provenance::Provenance;
use crate::run::Outcome;
use crate::stats::mean;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use tare_mock::Profile;

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.result/1";

/// A whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// Name and version of the format.
    pub schema: String,
    /// Build, machine, command line, time, and what there spoils measurements.
    pub provenance: Provenance,
    /// What was fixed before the first measurement.
    pub setup: Setup,
    /// Why it ended.
    pub ending: Ending,
    /// Whether the verdicts in it can be believed.
    pub standing: Standing,
    /// One for each workload.
    pub parts: Vec<Part>,
}

impl Record {
    /// What is kept of parts that were weighed.
    pub fn new(provenance: Provenance, setup: Setup, parts: Vec<Part>, ending: Ending) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            provenance,
            setup,
            ending,
            standing: Standing::of(&parts),
            parts,
        }
    }
}

/// What was fixed before the first measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// What agents read; absent where there is no workload of agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusIdentity>,
    /// How many of its files an agent reads at once.
    pub ingest_concurrency: NonZeroUsize,
    /// Whether a recording proxy stood between the clients and the server: then delivery is from
    /// there, and gross and tare have its hop in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proxied: bool,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
        /// What it is.
        #[serde(flatten)]
        described: Described,
    },
}

/// What an iteration does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

/// All stacks under one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    #[serde(with = "columns")]
    #[cfg_attr(test, schemars(with = "columns::Invocations"))]
    pub invocations: Vec<Invocation>,
    /// What a closer look saw in one process more, whose times count for nothing; absent where there
    /// was none, because the weighing was interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_run: Option<ProfileRun>,
    /// Delivery latency of every token of all of them, ns, right within 3.9 %.
    pub delivery_histogram_ns: Histogram,
    /// Inter-token latency of all of them, ns, right within 3.9 %.
    pub itl_histogram_ns: Histogram,
}

/// One process. Times are means over its iterations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Invocation {
    /// The block, from 0.
    pub block: usize,
    /// How many processes of all ran before it.
    pub position: usize,
    /// Tokens of all iterations.
    pub tokens: u64,
    /// Wall-clock time of an iteration, ns.
    pub gross_ns: f64,
    /// What the server spent on it, ns; absent where it does not say, and of several agents, whose
    /// shares overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<f64>,
    /// Time that reading the corpus took, ns; of several agents, all together.
    pub ingest_ns: f64,
    /// Time to first token of each call, ns; absent where no token came by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<f64>,
    /// From the server's write of a token to its being parsed, ns; absent where the server does not
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
    pub late_calls: u64,
}

impl Invocation {
    /// What an outcome amounts to, to the nanosecond.
    pub fn of(outcome: &Outcome, block: usize, position: usize) -> Self {
        let mean_of = |figure: &dyn Fn(&crate::run::Iteration) -> u64| {
            let mean = outcome.mean(|iteration| Some(figure(iteration) as f64));
            mean.map(f64::round)
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
            net_ns: outcome
                .mean(|iteration| iteration.net_ns.map(|net| net as f64))
                .map(f64::round),
            ingest_ns: mean_of(&|iteration| iteration.ingest_ns).unwrap_or_default(),
            ttft_ns: mean(&ttft).map(f64::round),
            delivery_ns: (delivered > 0)
                .then(|| (delivery.as_nanos() as f64 / delivered as f64).round()),
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

    /// Tare less the reading of files, ns; of an agent alone.
    pub fn calls_ns(&self) -> Option<f64> {
        let read = self.ingest_ns > 0.0;
        self.tare_ns()
            .filter(|_| read)
            .map(|tare| tare - self.ingest_ns)
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

#[cfg(test)]
mod tests {
    use super::super::canned::{ALIKE, large, record, ten_blocks};
    use super::*;
    use crate::meter::Process;
    use crate::run::{CallAccount, Iteration};
    use crate::stack::Stack;
    use std::time::Duration;

    fn outcome() -> Outcome {
        let mut delivered = Histogram::new();
        (0..4).for_each(|_| delivered.record(Duration::from_nanos(50)));
        let iteration = |gross_ns, net_ns| Iteration {
            gross_ns,
            net_ns,
            ingest_ns: 10,
            tokens: 2,
            delivery_ns: 100,
            late_calls: 1,
            ..Iteration::default()
        };
        let call = |ttft_ns| CallAccount {
            ttft_ns,
            ..CallAccount::default()
        };
        Outcome {
            stack: Stack::FLOOR,
            io: "native".to_owned(),
            threads: NonZeroUsize::MIN,
            workers_seen: None,
            iterations: vec![iteration(1000, Some(700)), iteration(1100, Some(900))],
            usage: Usage {
                user_ns: 30,
                system_ns: 10,
                voluntary_switches: 8,
                ..Usage::default()
            },
            profile_run: None,
            process: Some(Process {
                peak_rss_bytes: 7,
                threads: 2,
            }),
            threads_most: Some(3),
            agents: Vec::new(),
            calls: vec![call(Some(40)), call(None), call(Some(60))],
            texts: Vec::new(),
            corpus: None,
            delivery_histogram_ns: delivered,
            itl_histogram_ns: Histogram::new(),
            load: None,
        }
    }

    #[test]
    fn an_invocation_is_the_means_of_its_iterations_and_the_sums_of_its_counts() {
        let one = Invocation::of(&outcome(), 3, 17);
        assert_eq!((one.block, one.position, one.tokens), (3, 17, 4));
        assert_eq!((one.gross_ns, one.net_ns), (1050.0, Some(800.0)));
        assert_eq!((one.tare_ns(), one.ttft_ns), (Some(250.0), Some(50.0)));
        assert_eq!((one.ingest_ns, one.delivery_ns), (10.0, Some(50.0)));
        assert_eq!(one.cpu_per_token_ns(), Some(10.0));
        assert_eq!(
            one.per_token(|used| Some(used.voluntary_switches)),
            Some(2.0)
        );
        assert_eq!(one.per_token(|used| used.sockets.map(|it| it.reads)), None);
        assert_eq!((one.peak_rss_bytes, one.threads_most), (Some(7), Some(3)));
        assert_eq!(one.late_calls, 2);
    }

    #[test]
    fn what_an_outcome_does_not_know_an_invocation_does_not() {
        let mut outcome = outcome();
        outcome
            .iterations
            .iter_mut()
            .for_each(|it| it.net_ns = None);
        outcome.iterations.iter_mut().for_each(|it| it.tokens = 0);
        outcome.calls.clear();
        outcome.delivery_histogram_ns = Histogram::new();
        let one = Invocation::of(&outcome, 0, 0);
        assert_eq!((one.net_ns, one.tare_ns()), (None, None));
        assert_eq!((one.ttft_ns, one.delivery_ns), (None, None));
        assert_eq!(one.cpu_per_token_ns(), None);
        let text = serde_json::to_string(&one).expect("JSON");
        assert!(!text.contains("null") && !text.contains("net_ns"), "{text}");
    }

    #[test]
    fn json_gives_the_same_again_and_holds_no_null() {
        let part = ten_blocks(&["smol/hyper", "+ delay=50us/chunk"], |_| ALIKE);
        let mut record = record(vec![part]);
        // A number that a careless reader gets wrong in its last bit.
        record.parts[0].weighed[0].invocations[0].gross_ns = 31_415_926.535_897_93;
        record.parts[0].weighed[0].invocations[0].ingest_ns = 0.1 + 0.2;
        let text = serde_json::to_string(&record).expect("JSON");
        let read: Record = serde_json::from_str(&text).expect("a record");
        assert_eq!(read, record);
        assert!(!text.contains("null"));
    }

    #[test]
    fn a_result_of_fifteen_blocks_is_small_enough_to_keep() {
        let record = large();
        let runs = record.parts.iter().flat_map(|part| &part.weighed);
        assert_eq!(
            runs.map(|one| one.invocations.len()).sum::<usize>(),
            2 * 15 * 15
        );
        let text = serde_json::to_string(&record).expect("JSON");
        assert!(text.len() <= 300_000, "{} bytes", text.len());
        let read: Record = serde_json::from_str(&text).expect("a record");
        assert_eq!(read, record);
    }
}
