//! What is noted of a request that failed: its kind, when, and the first one's words.

use crate::client::ClientError;
use crate::meter::Moment;
use crate::protocol::CallError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// No connection could be made.
    NoConnection,
    /// One of the client's time limits ran out.
    TimedOut,
    /// The connection broke, or what came over it is not HTTP.
    Broken,
    /// The server refused, with an HTTP status and its words.
    Refused,
    /// What answered does not speak this API.
    OtherApi,
    /// The server said an error in the middle of the answer.
    GaveUp,
    /// The answer ended without its last word.
    Truncated,
    /// The answer is not the JSON that it should be.
    Malformed,
    /// The answer is whole, but not the one that the mock was to send.
    WrongTokens,
    /// The request could not be written.
    Unwritable,
    /// It was not started, because there were too many at the time.
    NotStarted,
}

impl ErrorKind {
    /// That of a call's failure, and the HTTP status, if one was the reason.
    pub fn of(error: &CallError) -> (Self, Option<u16>) {
        match error {
            CallError::Client(ClientError::Connect { .. } | ClientError::Unusable(_)) => {
                (Self::NoConnection, None)
            }
            CallError::Client(ClientError::TimedOut { .. }) => (Self::TimedOut, None),
            CallError::Client(ClientError::Broken { .. }) => (Self::Broken, None),
            CallError::Refused { status, .. } => (Self::Refused, Some(*status)),
            CallError::NotOllama { status, .. } => (Self::OtherApi, Some(*status)),
            CallError::GaveUp { .. } => (Self::GaveUp, None),
            CallError::Truncated { .. } => (Self::Truncated, None),
            CallError::Malformed { .. } => (Self::Malformed, None),
            CallError::Unwritable(_) | CallError::Inexpressible { .. } => (Self::Unwritable, None),
        }
    }

    /// Whether it is what one sees of a server that is gone.
    pub fn is_of_the_connection(self) -> bool {
        matches!(self, Self::NoConnection | Self::Broken)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoConnection => "no connection",
            Self::TimedOut => "timed out",
            Self::Broken => "broken",
            Self::Refused => "refused",
            Self::OtherApi => "other API",
            Self::GaveUp => "gave up",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::WrongTokens => "wrong tokens",
            Self::Unwritable => "unwritable",
            Self::NotStarted => "not started",
        })
    }
}

/// All failures of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Errors {
    /// Which kind.
    pub kind: ErrorKind,
    /// The HTTP status, where one was the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many.
    pub count: u64,
    /// What the first of them said.
    pub first: String,
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} ({status})", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

type Key = (ErrorKind, Option<u16>);

/// The failures of the requests that count.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    all: Vec<(Moment, Key)>,
    first: BTreeMap<Key, (Moment, String)>,
}

impl Failures {
    /// Notes one that ended now.
    pub fn note(&mut self, at: Moment, key: Key, words: impl FnOnce() -> String) {
        self.all.push((at, key));
        self.first.entry(key).or_insert_with(|| (at, words()));
    }

    /// Adds those that another one noted.
    pub fn merge(&mut self, other: Failures) {
        self.all.extend(other.all);
        for (key, (at, words)) in other.first {
            let first = self.first.entry(key).or_insert_with(|| (at, words.clone()));
            if at < first.0 {
                *first = (at, words);
            }
        }
    }

    /// Takes out those after `last` that show a server which is gone, and says how many they were.
    pub fn take_gone(&mut self, last: Moment) -> u64 {
        let before = self.all.len();
        self.all
            .retain(|(at, (kind, _))| *at <= last || !kind.is_of_the_connection());
        (before - self.all.len()) as u64
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.all.len() as u64
    }

    /// By kind, the most frequent first.
    pub fn by_kind(&self) -> Vec<Errors> {
        let mut counts: BTreeMap<Key, u64> = BTreeMap::new();
        for (_, key) in &self.all {
            *counts.entry(*key).or_default() += 1;
        }
        let mut kinds: Vec<Errors> = counts
            .into_iter()
            .map(|((kind, status), count)| Errors {
                kind,
                status,
                count,
                first: self
                    .first
                    .get(&(kind, status))
                    .map_or_else(String::new, |(_, words)| words.clone()),
            })
            .collect();
        kinds.sort_by_key(|errors| std::cmp::Reverse(errors.count));
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Key = (ErrorKind::Refused, Some(503));
    const BROKEN: Key = (ErrorKind::Broken, None);

    fn noted(all: &[(u64, Key)]) -> Failures {
        let mut failures = Failures::default();
        for &(at, key) in all {
            failures.note(Moment(at), key, || format!("at {at}"));
        }
        failures
    }

    #[test]
    fn kinds_are_counted_and_the_first_of_all_speaks() {
        let mut failures = noted(&[(5, BROKEN), (6, REFUSED), (7, REFUSED)]);
        failures.merge(noted(&[(2, REFUSED)]));
        let kinds = failures.by_kind();
        let told: Vec<_> = kinds
            .iter()
            .map(|it| (it.to_string(), it.count, it.first.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("refused (503)".to_owned(), 3, "at 2"),
                ("broken".to_owned(), 1, "at 5")
            ]
        );
        assert_eq!(failures.count(), 4);
    }

    #[test]
    fn what_shows_that_the_server_is_gone_can_be_taken_out() {
        let mut failures = noted(&[(5, BROKEN), (11, REFUSED), (12, BROKEN)]);
        assert_eq!(failures.take_gone(Moment(10)), 1);
        assert_eq!(failures.count(), 2);
    }
}
