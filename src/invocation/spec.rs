//! What an invocation is told, and what it tells.

use crate::cell::Cell;
use crate::client::Io;
use crate::meter::{Call, Usage};
use crate::ollama::Api;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// What to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// On what.
    pub cell: Cell,
    /// Worker threads of the runtime.
    pub threads: NonZeroUsize,
    /// The mock's address.
    pub base_url: String,
    /// How to ask it.
    #[serde(default)]
    pub api: Api,
    /// The model to ask.
    pub model: String,
    /// What to do.
    pub work: Work,
    /// Tokens of each answer.
    pub tokens: u32,
    /// Seed of each answer's text.
    pub seed: u64,
    /// Iterations before the clock starts.
    pub warm_up: u32,
    /// Iterations that count.
    pub iterations: u64,
}

/// What an iteration does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// One streamed answer.
    Stream {
        /// Over which connection.
        connection: Connection,
    },
    /// So many agents at once, each reading the corpus and making both calls.
    Agents {
        /// How many; 1 needs no topology.
        agents: NonZeroUsize,
        /// The folder they read.
        corpus: PathBuf,
    },
}

/// The connection of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// A new one each time.
    Cold,
    /// Kept from the iteration before.
    Warm,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// On what.
    pub cell: Cell,
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
}

/// One iteration. Times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Tokens of all iterations.
    pub fn tokens(&self) -> u64 {
        self.iterations
            .iter()
            .map(|iteration| iteration.tokens)
            .sum()
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

    #[test]
    fn a_spec_that_names_no_api_asks_by_generate() {
        let spec = r#"{"cell":"threads/raw","threads":1,"base_url":"http://127.0.0.1:1","model":"m",
            "work":{"stream":{"connection":"warm"}},"tokens":1,"seed":1,"warm_up":0,"iterations":1}"#;
        let spec: Spec = serde_json::from_str(spec).expect("a spec");
        assert_eq!(spec.api, Api::Generate);
    }

    #[test]
    fn one_late_call_marks_the_outcome() {
        let outcome = |late_calls| Outcome {
            cell: Cell::FLOOR,
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
        };
        assert!(outcome(1).mock_was_late());
        assert!(!outcome(0).mock_was_late());
    }
}
