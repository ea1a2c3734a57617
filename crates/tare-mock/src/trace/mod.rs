//! A trace: what a real server answered, byte by byte, and when.
//!
//! One person with a GPU records; everybody else's mock plays it again. A trace is a text file, one
//! JSON object per line, so that it can be read, cut and compared with ordinary tools:
//!
//! ```json
//! {"trace":{"schema":"tare.trace/1","recorded":"2026-11-22T10:00:00Z","api":"generate",…}}
//! {"request":{"model":"gemma3","prompt":"Why?","stream":true}}
//! {"piece":{"at_ns":312345678,"data":"{\"model\":\"gemma3\",…}\n"}}
//! {"end":{"at_ns":912345678}}
//! ```
//!
//! The first line is the [`Head`]; then come the exchanges, each a request, the pieces of its reply
//! (a line of JSON or a server-sent event each, with the bytes that ended it) and its end. Times
//! count from the moment before the request was written, by the recording client's clock.
//!
//! | file | question |
//! |---|---|
//! | `tape` | where a piece begins and ends, while the reply comes |
//! | `answer` | what the pieces say, and when each token of it came |
//! | `file` | how a trace is read and written, and which ones ship |

mod answer;
mod file;
mod tape;

pub use answer::{Answer, Token, UnsoundError};
pub use tape::{NotText, Tape};

use crate::protocol::{Api, Software};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.trace/1";

/// A recording of answers of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Where it comes from.
    pub head: Head,
    /// The calls, in the order in which they were made; at least one.
    pub exchanges: Vec<Exchange>,
}

/// Where a trace comes from. It names no host and no user, so that it can be given away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`SCHEMA`].
    pub schema: String,
    /// Before the first call, UTC.
    pub recorded: jiff::Timestamp,
    /// What recorded it: tare's version and commit.
    pub recorder: String,
    /// What answered.
    pub server: Software,
    /// Its version, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The model that was asked.
    pub model: String,
    /// Digest of that model, where the server states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How it was asked.
    pub api: Api,
    /// The machine of the recorder, which need not be the server's.
    pub machine: Machine,
    /// What else there is to know: the server's machine, its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A machine, in short. What the system does not tell is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Such as `linux`.
    pub os: String,
    /// Such as `x86_64`.
    pub arch: String,
    /// Name of the first CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Cores that the recorder might use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
}

/// One call that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    request: Value,
    pieces: Vec<Piece>,
    end_ns: u64,
    answer: Answer,
}

impl Exchange {
    /// A call of this API: the body of the request, the reply's pieces in the order in which they
    /// came, and when it was complete, in nanoseconds from the start.
    ///
    /// # Errors
    /// When the reply cannot be read as an answer.
    pub fn new(
        api: Api,
        request: Value,
        pieces: Vec<Piece>,
        end_ns: u64,
    ) -> Result<Self, UnsoundError> {
        Ok(Self {
            answer: Answer::of(api, &pieces)?,
            request,
            pieces,
            end_ns,
        })
    }

    /// The body of the request.
    pub fn request(&self) -> &Value {
        &self.request
    }

    /// The reply, in the order in which it came; at least one.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// When the reply was complete, nanoseconds from the start.
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// What the reply says.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }
}

/// One line of a reply, or one server-sent event, with the bytes that ended it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// When its last byte was read, nanoseconds from the start. Pieces that came in one read have
    /// one time.
    pub at_ns: u64,
    /// Its bytes.
    pub data: String,
}
