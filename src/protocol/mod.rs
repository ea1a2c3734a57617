//! The inference server as a client sees it: what is sent, what comes back, and the calls. It is
//! Ollama by its own APIs, or whatever speaks OpenAI's.
//!
//! [`Api`] says which; a [`Question`] becomes its request. [`wire`] holds Ollama's types, which the
//! mock writes and the client reads. A [`Decoder`] turns bytes into tokens without any I/O: [`Ndjson`]
//! for Ollama's lines, [`Completion`] for OpenAI's chunks, which come as [`sse`]. [`call`] joins all
//! of it with an HTTP client, and [`identity`] finds out who is there.

pub mod api;
pub mod call;
pub mod completion;
pub mod decoder;
mod failure;
mod host;
pub mod identity;
mod load;
pub mod ndjson;
pub mod question;
pub mod sse;
pub mod timings;
pub mod wire;

pub use api::Api;
pub use call::{CallError, Greeting, Ollama, Sink};
pub use completion::Completion;
pub use decoder::{DecodeError, Decoder, Event};
pub use host::default_base_url;
pub use identity::{Described, Identity, ModelIdentity, Software};
pub use ndjson::Ndjson;
pub use question::{Form, Question};
pub use timings::Timings;
pub use wire::{ChatRequest, Final, GenerateRequest, KeepAlive, Message, Options, PassedOn, Truth};
