//! A mock of an Ollama server, for the tests of whatever talks to one.
//!
//! No model computes: the text is made up from a seed, and every delay follows a profile, so that
//! each token's time is known before it is sent. The mock runs on a thread of the test's own
//! process, speaks Ollama's API and the four that Ollama translates (OpenAI's chat, completions and
//! responses, Anthropic's messages) over a real socket, breaks its replies where it is told to, and
//! can be asked afterwards what it was asked and when it wrote each token.
//!
//! ```
//! use std::io::{self, Read, Write};
//! use std::net::{SocketAddr, TcpStream};
//! use tare_mock::{Ending, Mock};
//!
//! /// The client under test.
//! fn ask(server: SocketAddr, prompt: &str) -> io::Result<String> {
//!     let body = format!(r#"{{"model":"gemma3","prompt":"{prompt}","options":{{"num_predict":8}}}}"#);
//!     let mut stream = TcpStream::connect(server)?;
//!     write!(stream, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
//!     let mut reply = String::new();
//!     stream.read_to_string(&mut reply)?;
//!     let complete = reply.contains(r#""done":true"#);
//!     complete.then_some(reply).ok_or(io::ErrorKind::UnexpectedEof.into())
//! }
//!
//! // A token per millisecond; the first answer breaks off after three tokens, the second does not.
//! let mock = Mock::builder().profile("paced-1ms").fault("truncate=3@1").start()?;
//! assert!(ask(mock.address(), "Why?").is_err());
//! assert!(ask(mock.address(), "Why?").is_ok());
//!
//! let truths = mock.truths();
//! assert_eq!(truths[0].ending, Ending::Cut);
//! let truth = truths[1].truth.as_ref().expect("it was answered");
//! assert_eq!(truth.due.len(), 8);
//! assert_eq!(truth.terms.decode, 7_000_000, "seven gaps, in nanoseconds");
//! assert!(truth.sent.iter().zip(&truth.due).all(|(sent, due)| sent >= due));
//! # Ok::<(), tare_mock::StartError>(())
//! ```
//!
//! A client that is not in the test's process gets the same truth in the last line of its reply, if
//! its request has the header [`TRUTH_HEADER`]; and a request's header [`FAULT_HEADER`] adds faults
//! for itself.
//!
//! | to | there is |
//! |---|---|
//! | start a mock | [`Mock::builder`], [`Builder`] |
//! | know what it says | [`Text`], the tokens of a seed; a [`trace`], what a real server said |
//! | know what happened | [`Mock::truths`], [`Answered`], [`Truth`] |
//! | set its pace | [`Profile`], a shipped one or one's own |
//! | break its replies | [`Builder::fault`], [`FAULT_KINDS`], [`FAULT_TIMES`] |
//!
//! The mock needs a Unix system; its timing is best on Linux. It reads no file but its profile and
//! its trace, asks no other server, and writes nothing to disk, whatever a request says.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod builder;
#[doc(hidden)]
pub mod clock;
mod engine;
mod file;
mod mock;
#[doc(hidden)]
pub mod protocol;
mod server;
pub mod trace;

pub use builder::{Builder, Given, SPEEDS, SPREADS, StartError};
pub use engine::text::Text;
pub use engine::{Gpus, Profile};
pub use file::{FileError, Line};
pub use mock::Mock;
pub use protocol::wire::{LATE, TRUTH_HEADER, Truth, TruthTerms};
pub use server::{
    Answered, Bound, Ending, FAULT_HEADER, FaultError, KINDS as FAULT_KINDS, ModelsError,
    ServeError, WHENS as FAULT_TIMES,
};
pub use trace::Trace;

/// The parts of a [`Profile`].
pub mod profile {
    pub use crate::engine::{
        AlsoServed, Batch, Cancelled, Capability, Jitter, Prefill, PromptCache, Reload, Tokenize,
        ToolCalls,
    };
}
