//! A mock of an Ollama server.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod builder;
#[doc(hidden)]
pub mod clock;
mod engine;
mod mock;
#[doc(hidden)]
pub mod protocol;
mod server;
pub mod trace;

pub use builder::{Builder, Given, SPEEDS, SPREADS, StartError};
pub use engine::text::Text;
pub use engine::{Gpus, Line, Profile, ProfileError};
pub use mock::Mock;
pub use protocol::wire::{LATE, TRUTH_HEADER, Truth, TruthTerms};
pub use server::{
    Answered, Bound, Ending, FAULT_HEADER, FaultError, KINDS as FAULT_KINDS, ModelsError,
    ServeError, WHENS as FAULT_TIMES,
};
pub use trace::{Trace, TraceError};

/// The parts of a [`Profile`].
pub mod profile {
    pub use crate::engine::{
        AlsoServed, Batch, Cancelled, Capability, Jitter, Prefill, PromptCache, Reload, Tokenize,
        ToolCalls,
    };
}
