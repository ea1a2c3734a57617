//! Gross, net and tare of a call and of an agent, what the server states of a call, and what an agent
//! read. Times in nanoseconds.

use crate::meter::{Call, NetSource};
use crate::protocol::{Final, Truth};
use crate::stats::quantile;
use crate::workflow::{Corpus, Kind};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CallAccount {
    /// The iteration's index, from 0.
    pub iteration: u64,
    /// The agent's index within it, from 0; 0 of a stream.
    pub agent: u32,
    /// Tokens received.
    pub tokens: u64,
    /// From its start to its end, by the client's clock.
    pub gross_ns: u64,
    /// What the server spent; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<u64>,
    /// How that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_source: Option<NetSource>,
    /// Time to first token, by the client's clock; absent without a token, as its parts are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<u64>,
    /// Of it, until there was a connection; absent if one was there, or the client does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ns: Option<u64>,
    /// Of it, from there until the request was written; absent if the client does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_ns: Option<u64>,
    /// Of it, from there until the reply's head was there; absent if the client does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_ns: Option<u64>,
    /// Of it, from its start until the reply's head was there: the three above together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_head_ns: Option<u64>,
    /// Of it, from the reply's head on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ns: Option<u64>,
    /// Time per output token; absent with fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ns: Option<u64>,
    /// Tokens generated as the server states them, or the pieces received where it states none.
    #[serde(default)]
    pub generated: u64,
    /// Tokens of the prompt that the server states, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// The server's account of its time; absent where it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<Stated>,
    /// What the call waited for at the server, as a mock tells it. A real server's account of one call
    /// does not hold it: see [`HotServer`](super::HotServer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
    /// Whether the mock wrote so many tokens late that the pace was not its profile's; absent without
    /// a mock that tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_late: Option<bool>,
    /// Tokens that the mock wrote more than 1 ms after they were due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_tokens: Option<u64>,
    /// How late the latest of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_late_ns: Option<u64>,
    /// Median delivery latency of its tokens; absent where nobody tells when they were sent, and where
    /// the spec asks for no detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_p50_ns: Option<u64>,
    /// The 99th percentile of it; absent with fewer than 1,000 tokens too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_p99_ns: Option<u64>,
}

/// A 99th percentile of fewer tokens is the luck of a few.
const LEAST_FOR_P99: usize = 1_000;

/// A server's own account of a call, ns. A duration that is left out of an account is zero, as
/// Ollama leaves out zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stated {
    /// From the request's arrival to the end; in llama.cpp's `timings` prompt and answer alone.
    pub total_ns: u64,
    /// Until a runner was granted; absent in llama.cpp's `timings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_ns: Option<u64>,
    /// Reading the prompt, cached tokens left out.
    pub prompt_eval_ns: u64,
    /// From the first token to the last.
    pub eval_ns: u64,
}

impl Stated {
    /// What of the total is neither load nor work on prompt or answer: the wait for a slot, *and* the
    /// tokenization of the prompt, ns; `None` of an account without a load.
    pub fn remainder_ns(&self) -> Option<u64> {
        let work = self
            .load_ns?
            .saturating_add(self.prompt_eval_ns)
            .saturating_add(self.eval_ns);
        Some(self.total_ns.saturating_sub(work))
    }

    fn of(last: &Final) -> Option<Self> {
        (last.total_duration > 0).then(|| Self {
            total_ns: last.total_duration,
            load_ns: last.timings.is_none().then_some(last.load_duration),
            prompt_eval_ns: last.prompt_eval_duration,
            eval_ns: last.eval_duration,
        })
    }
}

/// What a call waited for at the server, ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Waits {
    /// For a slot, and in the scheduler's queue where the server tells it from a reload.
    pub queueing_ns: u64,
    /// For the model to be loaded anew.
    pub reload_ns: u64,
}

impl Waits {
    /// As a mock's truth has it, each term by itself.
    fn told(truth: &Truth) -> Self {
        let terms = &truth.terms;
        Self {
            queueing_ns: terms.queue + terms.slot_wait,
            reload_ns: terms.drain + terms.recovery + terms.loading,
        }
    }
}

impl CallAccount {
    /// The account of a call of an agent in an iteration.
    pub fn of(call: &Call, iteration: u64, agent: u32) -> Self {
        let parts = call.first_token();
        let last = &call.last;
        let pieces = call.token_count() as u64;
        Self {
            iteration,
            agent,
            tokens: pieces,
            gross_ns: nanos(call.gross()),
            net_ns: call.net().map(nanos),
            net_source: call.net_source(),
            ttft_ns: call.ttft().map(nanos),
            connect_ns: parts.and_then(|parts| parts.connect).map(nanos),
            request_ns: parts.and_then(|parts| parts.request).map(nanos),
            head_ns: parts.and_then(|parts| parts.head).map(nanos),
            until_head_ns: parts.map(|parts| nanos(parts.until_head)),
            first_token_ns: parts.map(|parts| nanos(parts.token)),
            tpot_ns: call.tpot().map(nanos),
            generated: match last.eval_count {
                0 => pieces,
                stated => stated,
            },
            prompt_tokens: (last.prompt_eval_count > 0).then_some(last.prompt_eval_count),
            stated: Stated::of(last),
            waits: last.tare_truth.as_ref().map(Waits::told),
            mock_late: call.lateness().map(|lateness| lateness.off_schedule),
            late_tokens: call.lateness().map(|lateness| lateness.tokens),
            most_late_ns: call.lateness().map(|lateness| nanos(lateness.most)),
            delivery_p50_ns: None,
            delivery_p99_ns: None,
        }
    }

    /// Notes how its tokens' delivery latency was distributed, which takes memory for all of them.
    pub(super) fn note_delivery(&mut self, call: &Call) {
        let mut delivery: Vec<f64> = call.delivery().map(|it| it.as_nanos() as f64).collect();
        delivery.sort_by(f64::total_cmp);
        let of = |share| quantile(&delivery, share).map(|ns| ns as u64);
        self.delivery_p50_ns = of(0.5);
        self.delivery_p99_ns = of(0.99).filter(|_| delivery.len() >= LEAST_FOR_P99);
    }

    /// Gross less net; negative if the server states more than there was.
    pub fn tare_ns(&self) -> Option<i64> {
        tare(self.gross_ns, self.net_ns)
    }
}

/// One agent's run: what it read, and both calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AgentAccount {
    /// The iteration's index, from 0.
    pub iteration: u64,
    /// The agent's index within it, from 0.
    pub agent: u32,
    /// Tokens of both answers.
    pub tokens: u64,
    /// From its beginning to its end.
    pub gross_ns: u64,
    /// What the server spent on both calls; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<u64>,
    /// Time that reading the corpus took.
    pub ingest_ns: u64,
}

impl AgentAccount {
    /// Gross less net; negative if the server states more than there was.
    pub fn tare_ns(&self) -> Option<i64> {
        tare(self.gross_ns, self.net_ns)
    }
}

fn tare(gross: u64, net: Option<u64>) -> Option<i64> {
    let signed = |nanos| i64::try_from(nanos).unwrap_or(i64::MAX);
    net.map(|net| signed(gross) - signed(net))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What an agent read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CorpusAccount {
    /// Files that were read.
    pub files: usize,
    /// CSV files among them.
    pub csv: usize,
    /// JSON files among them.
    pub json: usize,
    /// Markdown files among them.
    pub markdown: usize,
    /// Bytes of the files that were read.
    pub bytes: usize,
    /// Files of no kind that is read.
    pub ignored: usize,
    /// Files that should have been read and could not be.
    pub skipped: Vec<SkippedFile>,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SkippedFile {
    /// The file, relative to the corpus.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl CorpusAccount {
    /// The account of a corpus.
    pub fn of(corpus: &Corpus) -> Self {
        let skipped = corpus.skipped.iter().map(|skipped| SkippedFile {
            path: skipped.path.display().to_string(),
            reason: skipped.reason.replace('\n', " "),
        });
        Self {
            files: corpus.documents.len(),
            csv: corpus.count(Kind::Csv),
            json: corpus.count(Kind::Json),
            markdown: corpus.count(Kind::Markdown),
            bytes: corpus.bytes(),
            ignored: corpus.ignored,
            skipped: skipped.collect(),
        }
    }
}
