//! What a run tells: the sums of each iteration, the account of each agent and call, how
//! the tokens' latencies were distributed, and what the process used.
//!
//! What is not known is absent and never zero. Names end in their unit.

use super::account::{AgentAccount, CallAccount, CorpusAccount};
use super::rates::Rates;
use super::texts::TranscriptEntry;
use crate::client::Io;
use crate::load;
use crate::meter::{Call, Histogram, Process, ProfileRun, Usage};
use crate::stack::Stack;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::time::Duration;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// On what.
    pub stack: Stack,
    /// `native` or `bridged`.
    pub io: String,
    /// Worker threads that the runtime was made with.
    pub threads: NonZeroUsize,
    /// Threads of the process that carry a worker's name, counted at the end of the work; absent
    /// where the system does not tell.
    pub workers_seen: Option<usize>,
    /// Each iteration that counts, in order. The tokens of every one were those expected.
    pub iterations: Vec<Iteration>,
    /// What the process used during them, reading the clock and checking the tokens included.
    pub usage: Usage,
    /// What a closer look saw, where it was asked for. The times of such a run are those of a
    /// process that was slowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_run: Option<ProfileRun>,
    /// Its memory and threads at the end of the work; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The most threads that lived at one of the moments when they were counted: before the
    /// warm-up, after it and at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads_most: Option<u64>,
    /// Every agent of every iteration, in order; of streams there are none.
    #[serde(default)]
    pub agents: Vec<AgentAccount>,
    /// Every call of every iteration, in order.
    #[serde(default)]
    pub calls: Vec<CallAccount>,
    /// What was asked and answered, call by call, where the spec wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TranscriptEntry>,
    /// What the first agent read, where the spec asks for detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusAccount>,
    /// Delivery latency of every token whose sending the mock told of.
    #[serde(default)]
    pub delivery_histogram_ns: Histogram,
    /// Inter-token latency of every call.
    #[serde(default)]
    pub itl_histogram_ns: Histogram,
    /// What came of a load; then there are neither iterations nor accounts, and what was used and the
    /// histograms are those of its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Box<load::Outcome>>,
}

/// One iteration. Times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Iteration {
    /// Wall-clock time by the client's clock; of several agents, until the last has ended.
    pub gross_ns: u64,
    /// What the server spent; absent for several agents, whose shares overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<u64>,
    /// Time that reading the corpus took; of several agents, all together.
    pub ingest_ns: u64,
    /// Time to first token of the (first) call, by the client's clock.
    pub ttft_ns: u64,
    /// Tokens received.
    pub tokens: u64,
    /// Delivery latency of all tokens together.
    pub delivery_ns: u64,
    /// Tokens that the mock wrote late, by its own account.
    #[serde(default)]
    pub late_tokens: u64,
    /// Calls in which it wrote so many late that the pace was not its profile's.
    #[serde(default)]
    pub late_calls: u64,
}

impl Iteration {
    /// Counts how late the mock was in one of its calls.
    pub(super) fn note_lateness(&mut self, call: &Call) {
        if let Some(lateness) = call.lateness() {
            self.late_tokens += lateness.tokens;
            self.late_calls += u64::from(lateness.off_schedule);
        }
    }

    /// Gross less net.
    pub fn tare_ns(&self) -> Option<f64> {
        self.net_ns.map(|net| self.gross_ns as f64 - net as f64)
    }
}

impl Outcome {
    /// The sum of one figure over all iterations.
    pub fn total(&self, figure: impl Fn(&Iteration) -> u64) -> Duration {
        Duration::from_nanos(self.iterations.iter().map(figure).sum())
    }

    /// Tokens of all iterations; of a load those that came within its window.
    pub fn tokens(&self) -> u64 {
        match &self.load {
            Some(load) => load.tokens_in_window,
            None => self.iterations.iter().map(|it| it.tokens).sum(),
        }
    }

    /// Tokens that the mock wrote late, by its own account.
    pub fn late_tokens(&self) -> u64 {
        match &self.load {
            Some(load) => load.server_lateness.map_or(0, |late| late.late_tokens),
            None => self.iterations.iter().map(|it| it.late_tokens).sum(),
        }
    }

    /// Whether the mock was late in one of its calls, so that their pace was not its profile's.
    pub fn mock_was_late(&self) -> bool {
        self.iterations
            .iter()
            .any(|iteration| iteration.late_calls > 0)
    }

    /// The mean of one figure over the iterations that have it.
    pub fn mean(&self, figure: impl Fn(&Iteration) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.iterations.iter().filter_map(figure).collect();
        crate::stats::mean(&values)
    }

    /// What was used per token, kind by kind; `None` without a token.
    pub fn rates(&self) -> Option<Rates> {
        Rates::of(&self.usage, self.tokens())
    }

    /// CPU time per token, in nanoseconds.
    pub fn cpu_per_token_ns(&self) -> f64 {
        self.usage.cpu().as_nanos() as f64 / self.tokens().max(1) as f64
    }
}

impl From<Io> for String {
    fn from(io: Io) -> String {
        io.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Allocations, FileIo, NetSource};

    #[test]
    fn one_late_call_marks_the_outcome() {
        let outcome = |late_calls| Outcome {
            stack: Stack::FLOOR,
            io: "native".to_owned(),
            threads: NonZeroUsize::MIN,
            workers_seen: None,
            iterations: vec![
                Iteration::default(),
                Iteration {
                    late_calls,
                    ..Iteration::default()
                },
            ],
            usage: Usage::default(),
            profile_run: None,
            process: None,
            threads_most: None,
            agents: Vec::new(),
            calls: Vec::new(),
            texts: Vec::new(),
            corpus: None,
            delivery_histogram_ns: Histogram::new(),
            itl_histogram_ns: Histogram::new(),
            load: None,
        };
        assert!(outcome(1).mock_was_late());
        assert!(!outcome(0).mock_was_late());
    }

    #[test]
    fn json_gives_the_same_again() {
        let mut histogram = Histogram::new();
        histogram.record(Duration::from_micros(20));
        let outcome = Outcome {
            stack: Stack::FLOOR,
            io: "native".to_owned(),
            threads: NonZeroUsize::MIN,
            workers_seen: Some(1),
            iterations: vec![Iteration {
                tokens: 2,
                net_ns: Some(5),
                ..Iteration::default()
            }],
            usage: Usage {
                heap: Some(Allocations {
                    allocations: 3,
                    ..Allocations::default()
                }),
                sockets: None,
                files: Some(FileIo::default()),
                ..Usage::default()
            },
            profile_run: None,
            process: Some(Process {
                peak_rss_bytes: 1 << 20,
                threads: 4,
            }),
            threads_most: Some(5),
            agents: vec![AgentAccount::default()],
            calls: vec![CallAccount {
                net_ns: Some(7),
                net_source: Some(NetSource::MockTruth),
                connect_ns: None,
                request_ns: Some(2),
                ..CallAccount::default()
            }],
            texts: Vec::new(),
            corpus: None,
            delivery_histogram_ns: histogram.clone(),
            itl_histogram_ns: histogram,
            load: None,
        };
        let text = serde_json::to_string(&outcome).expect("an outcome is JSON");
        assert!(
            !text.contains("sockets") && !text.contains("connect_ns"),
            "{text}"
        );
        let read: Outcome = serde_json::from_str(&text).expect("an outcome");
        assert_eq!(read, outcome);
    }
}
