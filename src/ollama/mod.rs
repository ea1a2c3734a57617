//! Ollama's protocol as a client sees it: what is sent, what comes back, and the calls.
//!
//! [`wire`] holds the types, which the mock writes and the client reads; [`ndjson`] turns bytes
//! into tokens without any I/O; [`call`] joins both with an HTTP client.

pub mod call;
pub mod ndjson;
pub mod wire;

pub use call::{CallError, Ollama, Sink};
pub use ndjson::{Decoder, Event};
pub use wire::{ChatRequest, Final, GenerateRequest, KeepAlive, Message, Options, Truth};
