//! A model of Ollama servers that knows no clock, no socket and no thread: it is told the time.
//!
//! In go arrivals and departures of requests, each with its time; out come events (a runner is
//! granted, a token is there, a request is done) and when the next one is due. So the same
//! [`Engine`] runs behind HTTP in real time, and in tests and simulations as fast as it can. Equal
//! seeds and inputs give equal events, however often the caller looks.
//!
//! | file | question |
//! |---|---|
//! | `scheduler` | which request gets a runner when: queue, reload, eviction, keep-alive |
//! | `runner` | what one loaded model has: slots, options, who waits |
//! | `tokenize` | when texts are made into tokens, before the prompt is read and after the answer |
//! | `decode` | when each token comes: prefill, lockstep, shared GPUs |
//! | `pace`, `jitter` | how much longer than alone and undisturbed a step takes |
//! | `playback` | an answer that was recorded, at its recorded times |
//! | `prompt_cache` | which tokens of a prompt need not be read |
//! | `account` | where a request's time went |
//! | `profile` | the figures of all that |
//! | `text` | what the answer says |
//!
//! Not modelled: the weights of two models loading side by side (the pending loop here waits until
//! a runner is ready), models that do not fit into memory, prompts longer than the context, the
//! stall that one stream's prefill causes to others of its batch, what tokenization costs those
//! that compute on the same processor, and that the runner tokenizes the next prompt while it still
//! reads one whose client has left.

mod account;
mod agenda;
mod ask;
mod decode;
mod event;
mod jitter;
mod machine;
mod pace;
mod playback;
mod profile;
mod prompt_cache;
mod request;
mod runner;
mod scheduler;
#[cfg(test)]
mod tests;
pub mod text;
mod tokenize;

pub use account::{Account, StopReason};
pub use ask::{Ask, Form, KeepAlive, KnownAnswer, RequestId, RunnerOptions, ServerId};
pub use event::{Event, Refusal};
pub use machine::{Engine, EngineConfig, Gpus, Loaded};
pub use playback::Recording;
pub use profile::{
    AlsoServed, Batch, Cancelled, Capability, Jitter, Prefill, Profile, PromptCache, Reload,
    Tokenize, ToolCalls,
};
pub use tokenize::count_tokens;
