//! A mock of an Ollama server.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod clock;
pub mod engine;
pub mod protocol;
pub mod server;
pub mod trace;
