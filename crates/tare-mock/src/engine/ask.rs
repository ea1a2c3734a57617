//! What a client asks of a server, as far as the engine's time depends on it.

use super::account::StopReason;
use super::playback::Recording;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One of an engine's servers, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub usize);

/// One request, by the order of arrival, across all servers of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(super) u64);

impl RequestId {
    /// How many requests had arrived before this one.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

/// A request. `Ask { model, prompt, ..Ask::default() }` is one with Ollama's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ask<'a> {
    /// The model's name, or whatever stands for its file: one runner serves one of these.
    pub model: &'a str,
    /// What its handler does with the prompt beside handing it to a runner.
    pub form: Form,
    /// The whole prompt, template included. Empty: the model is only loaded, or, with a
    /// `keep_alive` of zero, unloaded.
    pub prompt: &'a str,
    /// Tokens to generate (`num_predict`); without it as many as the profile says.
    pub output: Option<u32>,
    /// An answer whose end is known beforehand; it overrides `output`.
    pub answer: Option<KnownAnswer>,
    /// The options that a runner is started with.
    pub runner: RunnerOptions,
    /// How long the model stays loaded afterwards; without it as before, at first as the profile
    /// says.
    pub keep_alive: Option<KeepAlive>,
    /// An answer that was recorded: it is played, and no runner asked for.
    pub recording: Option<&'a Arc<Recording>>,
}

/// What a handler does with a prompt beside handing it to a runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Form {
    /// It tokenizes it to see whether it fits the context: `/api/chat`, and what is made of it.
    #[default]
    Chat,
    /// The same, and at the end once more, with the answer, for `context`: `/api/generate`.
    Generate,
    /// Nothing: `/api/generate` with `raw`.
    Raw,
}

/// How an answer ends that was made up as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAnswer {
    /// Tokens to generate.
    pub tokens: u32,
    /// Why there are no more.
    pub reason: StopReason,
}

/// The options that a runner is started with: another value of any of them needs another runner.
/// Sampling options are not among them and never reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunnerOptions {
    /// Context length of one slot, in tokens.
    pub num_ctx: u32,
    /// Prompt tokens evaluated at a time.
    pub num_batch: u32,
    /// Layers on the GPU; asked for below 0 it takes whatever is loaded.
    pub num_gpu: i32,
    /// Which GPU holds the small tensors.
    pub main_gpu: i32,
    /// Whether the weights are mapped; without it the server decides.
    pub use_mmap: Option<bool>,
    /// Threads on the CPU; 0: the server decides.
    pub num_thread: u32,
}

impl Default for RunnerOptions {
    /// Ollama's defaults.
    fn default() -> Self {
        Self {
            num_ctx: 4096,
            num_batch: 512,
            num_gpu: -1,
            main_gpu: 0,
            use_mmap: None,
            num_thread: 0,
        }
    }
}

impl RunnerOptions {
    /// Whether a runner started with `self` may serve a request that asks for `asked`.
    pub(super) fn serve(&self, asked: &Self) -> bool {
        let num_gpu = if asked.num_gpu < 0 {
            asked.num_gpu
        } else {
            self.num_gpu
        };
        Self { num_gpu, ..*self } == *asked
    }
}

/// How long a model stays loaded once it is idle. The shorter is the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeepAlive {
    /// So long; zero unloads at once.
    For(Duration),
    /// Until something else needs the room: what a negative `keep_alive` means.
    Forever,
}

impl KeepAlive {
    /// Unloads at once.
    pub const NONE: Self = Self::For(Duration::ZERO);
}
