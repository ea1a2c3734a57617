//! Faults: what a mock does to its replies on purpose, so that a client can be seen to survive it.
//!
//! A fault is written `KIND[=ARGUMENTS][@WHEN]` (`grammar.rs`); [`KINDS`] lists the kinds. Those of
//! a mock's own and those in a request's header [`FAULT_HEADER`] that strike a request make its
//! [`Plan`] (`plan.rs`). A reply with a plan is changed line by line (`line.rs`), its lines become
//! chunks, pauses and an end (`course.rs`), and those go out (`body.rs`); a reply without one
//! passes by all of it.
//!
//! They strike the routes that speak (`/api/generate`, `/api/chat`, `/v1/chat/completions`), and
//! combine in this order:
//!
//! 1. `status` replaces the reply; then only `slow-head` and `content-type` matter beside it.
//! 2. `slow-head` waits, once the reply could begin; `content-type` names its type.
//! 3. Each line: `bad-utf8`, then `huge-context`, then `extra-fields`.
//! 4. `merge` joins lines, and `split` cuts what is then one chunk.
//! 5. After a token: `stall`, then `truncate`, `error` or `reset`.
//!
//! Where two of a kind strike, stalls, slow heads and bad tokens add up. Of `truncate`, `error` and
//! `reset` the one that comes after fewer tokens counts, and of all others the first: a header's
//! come before the mock's own. What is to happen after more tokens than a reply has does not.
//!
//! A reply in one piece has no tokens: there `truncate` and `reset` end it after half of its bytes,
//! `stall` waits there, `split` cuts it, `bad-utf8` strikes whatever its token, `error` makes it an
//! error with status 500, as Ollama does, and `merge` means nothing.
//!
//! The last line stays true: a token counts as sent when the last byte of its line was. So `merge`
//! does not join the last line with others, because it tells when they were sent. After `reset`,
//! what the client has not read yet may be lost with the connection: that is what a reset is.

mod body;
mod course;
mod grammar;
mod line;
mod plan;

use hyper::StatusCode;
use hyper::header::HeaderValue;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

pub use body::Faulty;
pub use grammar::FaultError;
pub use plan::{Faults, Plan};

/// The request header that holds faults for this request, one or several with commas between them.
pub const FAULT_HEADER: &str = "x-tare-fault";

/// The kinds: how each is written, and what it does.
pub const KINDS: [(&str, &str); 12] = [
    (
        "truncate=N",
        "after N tokens the reply ends, without a last line",
    ),
    (
        "error=N[:MESSAGE]",
        "after N tokens a line says an error, and the reply ends",
    ),
    ("reset=N", "after N tokens the connection is reset"),
    (
        "stall=TIME[:N]",
        "after N tokens (1 if not given) the stream pauses for TIME",
    ),
    (
        "split=K",
        "each line is cut after K bytes into two HTTP chunks, a millisecond apart",
    ),
    ("merge=M", "M lines come in one HTTP chunk; not the last"),
    ("bad-utf8=N", "the text of the Nth token is not UTF-8"),
    (
        "status=CODE",
        "the reply is this error, 400 to 599, in Ollama's words",
    ),
    ("slow-head=TIME", "the reply begins that much later"),
    (
        "huge-context=N",
        "`context` in the last line of /api/generate has N ids",
    ),
    ("content-type=TYPE", "the reply says that it is of TYPE"),
    ("extra-fields", "every line has fields that nobody knows"),
];

/// The forms of WHEN, and what each means.
pub const WHENS: [(&str, &str); 3] = [
    (
        "@3",
        "the third request to a route that speaks, since the mock started",
    ),
    ("@2..5", "the second to the fifth"),
    (
        "@25%",
        "a quarter of them, by --fault-seed and the request's number",
    ),
];

/// A fault, and which requests it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it does.
    pub kind: Kind,
    /// Whom it strikes.
    pub when: When,
}

/// What a fault does. Tokens are counted from 1; "after 0" is before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The reply ends, properly as HTTP, but without a last line.
    Truncate {
        /// Tokens before.
        after: u32,
    },
    /// An error line, then the end.
    Error {
        /// Tokens before.
        after: u32,
        /// What it says, if not what Ollama says when its runner is gone.
        message: Option<String>,
    },
    /// The TCP connection is reset.
    Reset {
        /// Tokens before.
        after: u32,
    },
    /// A pause.
    Stall {
        /// How long.
        time: Duration,
        /// Tokens before.
        after: u32,
    },
    /// Each chunk is cut in two.
    Split {
        /// Bytes of the first part.
        at: NonZeroUsize,
    },
    /// Several lines in a chunk.
    Merge {
        /// How many.
        lines: NonZeroU32,
    },
    /// A byte that UTF-8 does not have.
    BadUtf8 {
        /// In the text of this token.
        token: NonZeroU32,
    },
    /// An error instead of a reply.
    Status(StatusCode),
    /// The reply begins later.
    SlowHead(Duration),
    /// A long last line.
    HugeContext {
        /// Ids in it, at most [`MOST_IDS`].
        ids: u32,
    },
    /// A content type of one's own.
    ContentType(HeaderValue),
    /// Fields that no client knows.
    ExtraFields,
}

/// As many ids as a context may be told to have: some 70 MB of them.
pub const MOST_IDS: u32 = 10_000_000;

/// Which requests a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// Those of these numbers, counted from 1, both included.
    Numbered {
        /// The first.
        first: NonZeroU64,
        /// The last.
        last: NonZeroU64,
    },
    /// Each with this probability, in millionths.
    Chance(u32),
}

/// A certainty, in millionths.
const CERTAIN: u32 = 1_000_000;
