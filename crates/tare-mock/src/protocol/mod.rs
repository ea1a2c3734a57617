//! The wire, as both of its ends know it: what is asked, what is answered, and how the bytes of an
//! answer become tokens, without any I/O.
//!
//! [`Api`] says how a server is asked. [`wire`] holds Ollama's types, which a server writes and a
//! client reads. A [`Decoder`] turns bytes into tokens: [`Ndjson`] for Ollama's lines, [`Completion`]
//! for OpenAI's chunks, which come as [`sse`].

pub mod api;
pub mod completion;
pub mod decoder;
pub mod failure;
pub mod ndjson;
pub mod software;
pub mod sse;
pub mod timings;
pub mod wire;

pub use api::Api;
pub use completion::Completion;
pub use decoder::{DecodeError, Decoder, Event};
pub use ndjson::Ndjson;
pub use software::Software;
pub use timings::Timings;
pub use wire::{ChatRequest, Final, GenerateRequest, KeepAlive, Message, Options, PassedOn, Truth};
