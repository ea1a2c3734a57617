//! Replies that tell how a task goes, a line a step: pull, push and create.

use super::form::{Dialect, Route};
use super::json;
use super::reply::{self, Reply};
use super::routes::Error;
use crate::protocol::wire::ErrorBody;
use hyper::StatusCode;
use serde::Serialize;
use std::borrow::Cow;

/// The dialect of Ollama's own errors.
const OWN: Dialect = Dialect::Ollama(Route::Generate);

/// What was done of a task, and how it ended.
#[derive(Default)]
pub struct Progress {
    steps: Vec<String>,
    error: Option<Error>,
}

#[derive(Serialize)]
struct Line<'a> {
    status: &'a str,
}

impl Progress {
    /// A step was taken.
    pub fn step(&mut self, status: impl Into<String>) {
        self.steps.push(status.into());
    }

    /// The same, after which all was done, or not.
    pub fn ended(mut self, outcome: Result<(), Error>) -> Self {
        match outcome {
            Ok(()) => self.step("success"),
            Err(error) => self.error = Some(error),
        }
        self
    }

    /// The reply: a line a step, or only how it ended.
    pub fn reply(self, streams: bool) -> Reply {
        match self.error {
            Some(error) if !streams => {
                let body = json::bytes(&body(&error));
                let mut reply = reply::with_type(reply::whole(body), "application/json");
                *reply.status_mut() = error.0;
                reply
            }
            Some(error) if self.steps.is_empty() => reply::refused_stream(OWN, &error),
            error if streams => {
                let steps = self.steps.iter();
                let mut lines: Vec<_> = steps.map(|status| line(&Line { status })).collect();
                lines.extend(error.iter().map(|error| line(&body(error))));
                let body = reply::in_chunks(lines);
                reply::with_type(body, "application/x-ndjson")
            }
            _ => {
                let status = self.steps.last().map_or("", String::as_str);
                let body = json::bytes(&Line { status });
                reply::with_type(reply::whole(body), "application/json")
            }
        }
    }
}

/// A step that can't be taken, of nobody's fault.
pub fn failure(words: impl Into<Cow<'static, str>>) -> Error {
    Error(StatusCode::INTERNAL_SERVER_ERROR, words.into())
}

fn body(error: &Error) -> ErrorBody<'_> {
    ErrorBody {
        error: Cow::Borrowed(&*error.1),
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = json::bytes(value);
    line.push(b'\n');
    line
}
