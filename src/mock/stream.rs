//! A reply as it streams: each line a frame, and so an HTTP chunk, at its absolute time.

use super::alarm::Alarm;
use super::json;
use super::socket::Ledger;
use crate::engine::Plan;
use crate::meter::Moment;
use crate::ollama::{Final, Truth};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde::Serialize;
use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// When a request arrived, by the two readings of one clock that are needed.
#[derive(Clone, Copy)]
pub struct Arrival {
    instant: Instant,
    moment: Moment,
}

impl Arrival {
    /// Now.
    pub fn now() -> Self {
        Self {
            instant: Instant::now(),
            moment: Moment::now(),
        }
    }

    /// So long after the arrival.
    pub fn plus(self, after: Duration) -> Instant {
        self.instant + after
    }

    fn elapsed_ns(self) -> u64 {
        Moment::now().since(self.moment).as_nanos() as u64
    }
}

/// Which of the two line formats.
#[derive(Clone, Copy)]
pub enum Dialect {
    /// `/api/generate`
    Generate,
    /// `/api/chat`
    Chat,
}

/// What both dialects have.
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
#[derive(Clone)]
pub struct Script {
    pub plan: Plan,
    pub model: String,
    pub dialect: Dialect,
    /// Whether the last line carries the truth.
    pub truth: bool,
}

impl Script {
    fn line(&self, text: &str, last: Option<&Final>) -> Vec<u8> {
        let mut line = json::bytes(&Line {
            model: &self.model,
            created_at: jiff::Timestamp::now().to_string(),
            said: match self.dialect {
                Dialect::Generate => Said::Response(text),
                Dialect::Chat => Said::Message {
                    role: "assistant",
                    content: text,
                },
            },
            done: last.is_some(),
            last,
        });
        line.push(b'\n');
        line
    }

    /// What the server states about a reply that ends now. `spoken` is the time from the first
    /// token to the last.
    fn last(&self, arrival: Arrival, spoken: Duration, truth: Option<Truth>) -> Final {
        let plan = &self.plan;
        let nanos = |duration: Duration| duration.as_nanos() as u64;
        let spoke = plan.tokens > 0;
        Final {
            done_reason: Some(Cow::Borrowed(plan.reason.name())),
            context: match self.dialect {
                Dialect::Generate => (0..plan.prompt_tokens + plan.tokens).collect(),
                Dialect::Chat => Vec::new(),
            },
            total_duration: arrival.elapsed_ns(),
            load_duration: nanos(plan.load),
            prompt_eval_count: if spoke { plan.prompt_tokens.into() } else { 0 },
            prompt_eval_duration: nanos(plan.prefill),
            eval_count: plan.tokens.into(),
            eval_duration: nanos(spoken),
            tare_truth: truth,
        }
    }

    /// The whole reply as one object, for a request that does not stream; it is due now.
    pub fn whole(&self, arrival: Arrival) -> Vec<u8> {
        let text: String = self.plan.text().collect();
        let spoken = self.plan.end().saturating_sub(self.plan.due(0));
        let truth = self.truth.then(|| Truth {
            received: arrival.moment.0,
            due: Vec::new(),
            sent: Vec::new(),
            done: arrival.elapsed_ns(),
        });
        let last = self.last(arrival, spoken, truth);
        let mut line = self.line(&text, Some(&last));
        line.pop();
        line
    }
}

/// A reply under way. It must be made when its first line is due: the head leaves with that line.
pub struct Stream {
    script: Script,
    arrival: Arrival,
    ledger: Rc<Ledger>,
    text: Box<dyn Iterator<Item = &'static str>>,
    next: u32,
    alarm: Alarm,
    phase: Phase,
}

enum Phase {
    Speaking,
    /// All tokens are handed over; the last line waits until they are written.
    Flushing,
    Ended,
}

impl Stream {
    pub fn new(script: Script, arrival: Arrival, ledger: Rc<Ledger>, alarm: Alarm) -> Self {
        ledger.begin();
        Self {
            text: Box::new(script.plan.text()),
            script,
            arrival,
            ledger,
            next: 0,
            alarm,
            phase: Phase::Speaking,
        }
    }

    fn truth(&self, sent: &[Moment]) -> Truth {
        let plan = &self.script.plan;
        let nanos = |duration: Duration| duration.as_nanos() as u64;
        Truth {
            received: self.arrival.moment.0,
            due: (0..plan.tokens).map(|i| nanos(plan.due(i))).collect(),
            sent: sent
                .iter()
                .map(|at| nanos(at.since(self.arrival.moment)))
                .collect(),
            done: self.arrival.elapsed_ns(),
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
            match this.phase {
                Phase::Speaking if this.next == this.script.plan.tokens => {
                    this.phase = Phase::Flushing;
                }
                Phase::Speaking => {
                    let due = this.arrival.plus(this.script.plan.due(this.next));
                    ready!(this.alarm.poll_until(cx, due));
                    this.next += 1;
                    let token = this.text.next().unwrap_or_default();
                    this.ledger.hand();
                    let line = this.script.line(token, None);
                    return Poll::Ready(Some(Ok(Frame::data(line.into()))));
                }
                Phase::Flushing => {
                    let sent = ready!(this.ledger.poll_sent(cx));
                    let spoken = match sent.as_slice() {
                        [first, .., last] => last.since(*first),
                        _ => Duration::ZERO,
                    };
                    let truth = this.script.truth.then(|| this.truth(&sent));
                    let last = this.script.last(this.arrival, spoken, truth);
                    this.phase = Phase::Ended;
                    let line = this.script.line("", Some(&last));
                    return Poll::Ready(Some(Ok(Frame::data(line.into()))));
                }
                Phase::Ended => return Poll::Ready(None),
            }
        }
    }
}
