//! Where a request's time went: the ground truth, each cause a term of its own.
//!
//! The terms follow each other without a gap, so that they add up to the whole to the nanosecond.
//! Ollama states some of the sums only; those are methods here.

use std::time::Duration;

/// The account of one request that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// When it arrived, counted from the engine's start.
    pub arrived: Duration,
    /// The handler's own work before it asks for a runner (the profile's `load`).
    pub handling: Duration,
    /// In the scheduler's queue, behind requests that wait for a load.
    pub queue: Duration,
    /// At the head of that queue, until the runner in the way had served its last request.
    pub drain: Duration,
    /// Until that runner's memory was free again, as the server's polls saw it.
    pub recovery: Duration,
    /// Start of the runner and loading of the weights, as the server's polls saw it.
    pub loading: Duration,
    /// Tokenization of the prompt by the handler, to see whether it fits the context.
    pub fitting: Duration,
    /// For a slot of the runner.
    pub slot_wait: Duration,
    /// Tokenization of the prompt by the runner, in the slot.
    pub tokenizing: Duration,
    /// Reading of the prompt, to the first token.
    pub prefill: Duration,
    /// From the first token to the last.
    pub decode: Duration,
    /// Tokenization of prompt and answer for `context`, after the total was written down.
    pub context: Duration,
    /// Tokens of the prompt, the cached ones included (`prompt_eval_count`).
    pub prompt_tokens: u32,
    /// Tokens of the prompt that the slot still had from an earlier one.
    pub cached_tokens: u32,
    /// Tokens of the answer (`eval_count`).
    pub output_tokens: u32,
    /// Why the answer ended.
    pub reason: StopReason,
}

impl Account {
    pub(super) fn new(arrived: Duration) -> Self {
        Self {
            arrived,
            handling: Duration::ZERO,
            queue: Duration::ZERO,
            drain: Duration::ZERO,
            recovery: Duration::ZERO,
            loading: Duration::ZERO,
            fitting: Duration::ZERO,
            slot_wait: Duration::ZERO,
            tokenizing: Duration::ZERO,
            prefill: Duration::ZERO,
            decode: Duration::ZERO,
            context: Duration::ZERO,
            prompt_tokens: 0,
            cached_tokens: 0,
            output_tokens: 0,
            reason: StopReason::Stop,
        }
    }

    /// The request's own reload: drain, memory, weights. A request that only waited while another's
    /// ran has it under `queue`.
    pub fn reload(&self) -> Duration {
        self.drain + self.recovery + self.loading
    }

    /// Ollama's `load_duration`: from the handler's entry until a runner was granted. It holds the
    /// queue and any reload, but neither the wait for a slot nor any tokenization.
    pub fn load(&self) -> Duration {
        self.handling + self.queue + self.reload()
    }

    /// What Ollama's `total_duration` holds beside `load_duration` and the work on prompt and answer:
    /// both tokenizations of the prompt, and the wait for a slot between them.
    pub fn remainder(&self) -> Duration {
        self.fitting + self.slot_wait + self.tokenizing
    }

    /// Ollama's `total_duration`: from entry to the answer's last token. `context` is made after it.
    pub fn total(&self) -> Duration {
        self.load() + self.remainder() + self.prefill + self.decode
    }

    /// From entry to the end: the total, and `context`.
    #[cfg(test)]
    pub fn whole(&self) -> Duration {
        self.total() + self.context
    }

    /// When the first token came, counted from the arrival; for an answer without tokens when the
    /// prompt was read.
    pub fn first_token(&self) -> Duration {
        self.total() - self.decode
    }
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StopReason {
    /// The model had said all.
    #[default]
    Stop,
    /// `num_predict` was reached.
    Length,
    /// Nothing was asked: the model was only loaded.
    Load,
    /// Nothing was asked, and nothing is to stay: the model was unloaded.
    Unload,
}

impl StopReason {
    /// As `done_reason` says it.
    pub fn name(self) -> &'static str {
        match self {
            StopReason::Stop => "stop",
            StopReason::Length => "length",
            StopReason::Load => "load",
            StopReason::Unload => "unload",
        }
    }
}
