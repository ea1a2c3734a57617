//! The inference server as a client sees it: what is sent, what comes back, and the calls. It is
//! Ollama by its own APIs, or whatever speaks OpenAI's.
//!
//! The wire types and the sans-IO decoders are those of [`tare_mock::protocol`], because the mock
//! writes what a client reads. Here a [`Question`] becomes a request of an [`Api`], [`call`] joins
//! it and the reply's [`Decoder`] with an HTTP client, and [`identity`] finds out who is there.

pub mod call;
mod host;
pub mod identity;
mod load;
pub mod question;

pub use call::{CallError, Ollama, Opening, Sink};
pub use host::default_base_url;
pub use identity::{Described, Identity, ModelIdentity};
pub use question::{Form, Question};
pub use tare_mock::protocol::{
    Api, ChatRequest, Completion, DecodeError, Decoder, Event, Final, GenerateRequest, KeepAlive,
    Message, Ndjson, Options, PassedOn, Software, Timings, Truth,
};
pub use tare_mock::protocol::{api, wire};
