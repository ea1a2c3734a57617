//! What an agent needs of an HTTP client: send a request, take the reply piece by piece.
//!
//! Like the runtime, the client is a generic parameter and never an object. A reply's body *lends*
//! each piece ([`Body::chunk`]) instead of handing it over, so that a client which reads into a
//! buffer of its own, as the floor does, needs no allocation per piece.
//!
//! Equal terms for all: kept-alive connections, `TCP_NODELAY`, no proxy, no redirect, no
//! compression, and the same four time limits. The last three limits are enforced in one place for
//! every client, [`guard`], at the price of one timer per call.

mod endpoint;
mod gate;
pub mod guard;
mod hyper;
mod idle;
mod raw;
mod reqwest;
pub mod tamper;
mod timing;

use crate::inject::Inject;
use crate::runtime::Runtime;
use ::hyper::Method;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

pub use self::endpoint::{Endpoint, EndpointError};
pub use self::hyper::Hyper;
pub use self::raw::Raw;
pub use self::reqwest::Reqwest;
pub use self::timing::Timing;

/// Whether a client does its I/O on the runtime under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// On the runtime's own reactor.
    Native,
    /// On a Tokio reactor beside the runtime, by `async-compat`.
    Bridged,
}

impl fmt::Display for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Io::Native => "native",
            Io::Bridged => "bridged",
        })
    }
}

/// Whether the reads of a client's sockets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketReads {
    /// Each.
    Counted,
    /// None: the client makes its own sockets and shows them to nobody.
    Unseen,
}

/// How much a client asks the kernel for in one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBuffer {
    /// The client's own strategy.
    Adaptive,
    /// Exactly so many bytes, at least [`ReadBuffer::LEAST`].
    Exact(usize),
}

impl ReadBuffer {
    /// A reply's head must fit the read buffer, and Ollama's is a few hundred bytes.
    pub const LEAST: usize = 1024;
}

/// The time limits of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limits {
    /// To make a TCP connection.
    pub connect: Duration,
    /// From the start of the call to the reply's head. Ollama sends it with the first token, so
    /// it spans the load of a model, the queue and the prefill.
    pub head: Duration,
    /// Between two pieces of the body.
    pub gap: Duration,
    /// For the whole call.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(300),
            gap: Duration::from_secs(60),
            call: Duration::from_secs(1800),
        }
    }
}

/// What a client is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server.
    pub endpoint: Endpoint,
    /// Time limits.
    pub limits: Limits,
    /// Read buffer, for the clients that let it be set.
    pub read_buffer: ReadBuffer,
    /// Headers that every request carries beside the content type.
    pub headers: Vec<(&'static str, &'static str)>,
    /// What is built into every call on purpose; nothing, but in a control.
    pub inject: Option<Inject>,
    /// Whether the time in the decoder is taken, for a closer look.
    pub time_decoding: bool,
}

impl Options {
    /// Default limits, adaptive buffer, no further header.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            limits: Limits::default(),
            read_buffer: ReadBuffer::Adaptive,
            headers: Vec::new(),
            inject: None,
            time_decoding: false,
        }
    }
}

/// An HTTP client on runtime `R`. A clone shares the connections.
pub trait Client<R: Runtime>: Clone + Send + Sync + 'static {
    /// The body of a reply.
    type Body: Body;

    /// Makes a client; connects to nothing yet.
    ///
    /// # Errors
    /// When the options can't be had with this client, or the client can't start.
    fn new(rt: R, options: &Options) -> Result<Self, ClientError>;

    /// Where this client does its I/O on `R`.
    fn io() -> Io;

    /// Whether the reads of its sockets are counted.
    fn socket_reads() -> SocketReads {
        SocketReads::Counted
    }

    /// Sends a request with a JSON body (or none, if empty) and waits for the reply's head.
    ///
    /// # Errors
    /// When no connection can be made or it breaks. A reply of any status is no error here.
    fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> impl Future<Output = Result<Reply<Self::Body>, ClientError>> + Send;
}

/// A reply's head, and its body to come.
pub struct Reply<B> {
    /// The HTTP status.
    pub status: u16,
    /// The content type without its parameters, lower case; empty if the server sent none.
    pub content_type: String,
    /// When it came, and what went before it.
    pub timing: Timing,
    /// The body.
    pub body: B,
}

impl<B> Reply<B> {
    /// The same reply with another body.
    pub fn map<T>(self, with: impl FnOnce(B) -> T) -> Reply<T> {
        Reply {
            status: self.status,
            content_type: self.content_type,
            timing: self.timing,
            body: with(self.body),
        }
    }
}

/// A reply's body, which lends its pieces one by one.
pub trait Body: Send + 'static {
    /// The next piece, of whatever size the client has at hand; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks, or ends before the body does.
    fn chunk(&mut self) -> impl Future<Output = Result<Option<&[u8]>, ClientError>> + Send;
}

/// The part of a call that ran out of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Making the connection.
    Connect,
    /// Waiting for the reply's head.
    Head,
    /// Waiting for the next piece of the body.
    Gap,
    /// The whole call.
    Call,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Connect => "made no connection",
            Phase::Head => "sent no reply",
            Phase::Gap => "sent nothing further",
            Phase::Call => "did not finish the call",
        })
    }
}

/// Why a call failed below the level of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// The server.
        to: Endpoint,
        /// What the system said.
        source: io::Error,
    },
    /// A limit ran out.
    #[error("{to} {phase} within {limit:?}; raise the limit, or see whether the server is stuck")]
    TimedOut {
        /// The server.
        to: Endpoint,
        /// Which limit.
        phase: Phase,
        /// Its value.
        limit: Duration,
    },
    /// The connection broke, or what came over it is not HTTP.
    #[error("the exchange with {to} failed: {reason}")]
    Broken {
        /// The server.
        to: Endpoint,
        /// The client's own words, causes included.
        reason: String,
    },
    /// The client can't be made so.
    #[error("cannot make the HTTP client: {0}")]
    Unusable(String),
}

impl ClientError {
    fn broken(to: &Endpoint, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Broken {
            to: to.clone(),
            reason: with_causes(error),
        }
    }
}

/// An error and its causes, in one line, each said once.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

/// The content type without parameters, lower case.
fn bare_content_type(value: Option<&[u8]>) -> String {
    let value = String::from_utf8_lossy(value.unwrap_or_default());
    let bare = value.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}
