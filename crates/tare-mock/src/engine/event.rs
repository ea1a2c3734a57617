//! What an engine says: each event with the exact time at which it was due.

use super::{Account, RequestId, ServerId};
use std::sync::Arc;
use std::time::Duration;

/// Something that happened. Times count from the engine's start.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A model is ready in a new runner.
    Loaded {
        /// Where.
        server: ServerId,
        /// Which model.
        model: Arc<str>,
        /// When the server saw that it was ready.
        at: Duration,
    },
    /// A runner was stopped: its keep-alive is over, another takes its place, or a client said so.
    Unloaded {
        /// Where.
        server: ServerId,
        /// Which model.
        model: Arc<str>,
        /// When it was stopped. Its memory may come back later.
        at: Duration,
    },
    /// A request got its runner, though maybe not yet a slot: `load_duration` ends here.
    Granted {
        /// Which request.
        id: RequestId,
        /// When.
        at: Duration,
    },
    /// A token is there. The first one ends the prefill.
    Token {
        /// Of which request.
        id: RequestId,
        /// Which one, counted from 0.
        index: u32,
        /// When.
        at: Duration,
    },
    /// A request is served: with its last token, or, where it has none, with what came last; where
    /// a `context` is made, when that is there.
    Done {
        /// Which one.
        id: RequestId,
        /// When.
        at: Duration,
        /// Where its time went.
        account: Account,
    },
    /// A request is not served.
    Refused {
        /// Which one.
        id: RequestId,
        /// When.
        at: Duration,
        /// Why.
        reason: Refusal,
    },
}

impl Event {
    /// When it was due.
    #[cfg(test)]
    pub fn at(&self) -> Duration {
        match self {
            Event::Loaded { at, .. }
            | Event::Unloaded { at, .. }
            | Event::Granted { at, .. }
            | Event::Token { at, .. }
            | Event::Done { at, .. }
            | Event::Refused { at, .. } => *at,
        }
    }

    /// The request that it is about; `None` where it is about a runner.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Event::Loaded { .. } | Event::Unloaded { .. } => None,
            Event::Granted { id, .. }
            | Event::Token { id, .. }
            | Event::Done { id, .. }
            | Event::Refused { id, .. } => Some(*id),
        }
    }
}

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// As many requests as may already wait for a load.
    Busy,
    /// The engine has no such server.
    NoSuchServer,
}
