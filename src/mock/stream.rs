//! A reply as it streams: each line or event a frame, and so an HTTP chunk, at its absolute time.

use super::json;
use super::openai::{self, Completion};
use super::realtime::{Arrival, News, Visit};
use super::replay::Words;
use super::socket::Ledger;
use crate::engine::{Account, StopReason};
use crate::meter::Moment;
use crate::ollama::Api;
use crate::ollama::wire::{Final, Truth, TruthTerms};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde::Serialize;
use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The form of a reply.
#[derive(Clone, Copy)]
pub enum Dialect {
    /// JSON lines.
    Ollama(Route),
    /// Server-sent events.
    OpenAi(Completion),
}

/// Which of Ollama's routes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/api/generate`
    Generate,
    /// `/api/generate` with `raw`: without `context`.
    RawGenerate,
    /// `/api/chat`
    Chat,
}

impl Dialect {
    /// The API that it is the form of.
    pub fn api(self) -> Api {
        match self {
            Dialect::Ollama(Route::Generate | Route::RawGenerate) => Api::Generate,
            Dialect::Ollama(Route::Chat) => Api::Chat,
            Dialect::OpenAi(_) => Api::OpenAi,
        }
    }

    /// The content type of a stream.
    pub fn stream_type(self) -> &'static str {
        match self {
            Dialect::Ollama(_) => "application/x-ndjson",
            Dialect::OpenAi(_) => "text/event-stream",
        }
    }

    /// The content type of a reply in one piece.
    pub fn whole_type(self) -> &'static str {
        match self {
            Dialect::Ollama(_) => "application/json; charset=utf-8",
            Dialect::OpenAi(_) => "application/json",
        }
    }
}

/// What Ollama's routes have in common.
#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: String,
    #[serde(flatten)]
    said: Said<'a>,
    done: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    last: Option<&'a Final>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Said<'a> {
    Response(&'a str),
    Message {
        role: &'static str,
        content: &'a str,
    },
}

/// How a reply is written.
pub struct Script {
    pub arrival: Arrival,
    /// How many requests had arrived before.
    pub number: u64,
    /// By the name that the request used.
    pub model: String,
    pub dialect: Dialect,
    pub truth: Tell,
}

/// Whether the last line, or the finish chunk, carries the truth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    Truth,
    NoMoreThanOllama,
}

impl Script {
    fn object(&self, route: Route, text: &str, last: Option<&Final>) -> Vec<u8> {
        json::bytes(&Line {
            model: &self.model,
            created_at: jiff::Timestamp::now().to_string(),
            said: match route {
                Route::Generate | Route::RawGenerate => Said::Response(text),
                Route::Chat => Said::Message {
                    role: "assistant",
                    content: text,
                },
            },
            done: last.is_some(),
            last,
        })
    }

    fn line(&self, route: Route, text: &str, last: Option<&Final>) -> Vec<u8> {
        let mut line = self.object(route, text, last);
        line.push(b'\n');
        line
    }

    fn from(&self) -> openai::From<'_> {
        openai::From {
            model: &self.model,
            number: self.number,
        }
    }

    /// What a stream says for a token, the `index`th from 0.
    fn token(&self, text: &str, index: usize) -> Vec<u8> {
        match self.dialect {
            Dialect::Ollama(route) => self.line(route, text, None),
            Dialect::OpenAi(completion) => completion.token(self.from(), text, index),
        }
    }

    /// What ends a stream.
    fn end(&self, last: &Final) -> Vec<u8> {
        match self.dialect {
            Dialect::Ollama(route) => self.line(route, "", Some(last)),
            Dialect::OpenAi(completion) => completion.end(self.from(), last),
        }
    }

    /// What the server states about a reply that ends now. `spoken` is the time from the first
    /// token to the last.
    fn last(&self, account: &Account, spoken: Duration, told: Told) -> Final {
        let spoke = account.output_tokens > 0;
        let truth = (self.truth == Tell::Truth).then(|| self.truth(account, told));
        let done_reason = Some(Cow::Borrowed(account.reason.name()));
        if let StopReason::Load | StopReason::Unload = account.reason {
            // Ollama states no times of these.
            return Final {
                done_reason,
                tare_truth: truth,
                ..Final::default()
            };
        }
        Final {
            done_reason,
            context: match self.dialect {
                Dialect::Ollama(Route::Generate) => {
                    (0..account.prompt_tokens + account.output_tokens).collect()
                }
                _ => Vec::new(),
            },
            total_duration: nanos(self.arrival.elapsed()),
            load_duration: nanos(account.load()),
            prompt_eval_count: if spoke {
                account.prompt_tokens.into()
            } else {
                0
            },
            prompt_eval_duration: nanos(account.prefill),
            eval_count: account.output_tokens.into(),
            eval_duration: nanos(spoken),
            tare_truth: truth,
            tare_proxy: None,
            timings: None,
        }
    }

    fn truth(&self, account: &Account, told: Told) -> Truth {
        let sent = told.sent.iter();
        let truth = Truth {
            received: self.arrival.moment.0,
            due: told.due,
            sent: sent
                .map(|at| nanos(at.since(self.arrival.moment)))
                .collect(),
            done: nanos(self.arrival.elapsed()),
            terms: TruthTerms {
                handling: nanos(account.handling),
                queue: nanos(account.queue),
                drain: nanos(account.drain),
                recovery: nanos(account.recovery),
                loading: nanos(account.loading),
                slot_wait: nanos(account.slot_wait),
                prefill: nanos(account.prefill),
                decode: nanos(account.decode),
                cached_tokens: account.cached_tokens.into(),
            },
            ..Truth::default()
        };
        truth.with_lateness()
    }

    /// The whole reply as one object, for a request that does not stream or has nothing to say.
    pub async fn whole(&self, mut words: Words, visit: Visit) -> Vec<u8> {
        let mut answer = String::new();
        let account = loop {
            match visit.news().await {
                News::Token(_) => answer.push_str(words.token()),
                News::Done(account) => break account,
                News::Refused(_) => continue, // never after the answer has begun
            }
        };
        let last = self.last(&account, account.decode, Told::default());
        match self.dialect {
            Dialect::Ollama(route) => self.object(route, &answer, Some(&last)),
            Dialect::OpenAi(completion) => completion.whole(self.from(), &answer, &last),
        }
    }
}

/// When each token was due, and when it was written.
#[derive(Default)]
struct Told {
    due: Vec<u64>,
    sent: Vec<Moment>,
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A reply under way. It must be made when its first line is due: the head leaves with that line.
pub struct Stream {
    script: Script,
    visit: Visit,
    ledger: Rc<Ledger>,
    words: Words,
    due: Vec<u64>,
    phase: Phase,
}

enum Phase {
    Speaking,
    /// All tokens are handed over; the last line waits until they are written.
    Flushing(Account),
    Ended,
}

impl Stream {
    pub fn new(script: Script, words: Words, visit: Visit, ledger: Rc<Ledger>) -> Self {
        ledger.begin();
        Self {
            words,
            script,
            visit,
            ledger,
            due: Vec::new(),
            phase: Phase::Speaking,
        }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        loop {
            match &this.phase {
                Phase::Speaking => match ready!(this.visit.poll_news(cx)) {
                    News::Token(due) => {
                        let (line, tokens) = match this.words.piece(due) {
                            Some(piece) => piece,
                            None => {
                                let line = this.script.token(this.words.token(), this.due.len());
                                (line.into(), 1)
                            }
                        };
                        this.due.extend(std::iter::repeat_n(nanos(due), tokens));
                        this.ledger.hand(tokens);
                        return Poll::Ready(Some(Ok(Frame::data(line))));
                    }
                    News::Done(account) => this.phase = Phase::Flushing(account),
                    News::Refused(_) => this.phase = Phase::Ended,
                },
                Phase::Flushing(account) => {
                    let sent = ready!(this.ledger.poll_sent(cx));
                    // As long as it took, but not less than it was to take: tokens that a held-up
                    // mock wrote in one go were not computed in no time.
                    let spoken = match sent.as_slice() {
                        [first, .., last] => last.since(*first).max(account.decode),
                        _ => Duration::ZERO,
                    };
                    let due = std::mem::take(&mut this.due);
                    let last = this.script.last(account, spoken, Told { due, sent });
                    let line = match this.words.last(account.total(), last.tare_truth.as_ref()) {
                        Some(line) => line,
                        None => this.script.end(&last).into(),
                    };
                    this.phase = Phase::Ended;
                    return Poll::Ready(Some(Ok(Frame::data(line))));
                }
                Phase::Ended => return Poll::Ready(None),
            }
        }
    }
}
