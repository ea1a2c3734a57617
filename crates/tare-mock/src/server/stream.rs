//! A reply as it streams: each line or event a frame, and so an HTTP chunk, at its absolute time.

use super::composed::Spoken;
use super::form::{Dialect, Form, From, Route, Whole, first_event};
use super::log::Tell;
use super::realtime::{Arrival, News, Visit};
use super::replay::Words;
use super::socket::Ledger;
use crate::clock::Moment;
use crate::engine::{Account, StopReason};
use crate::protocol::wire::{Final, Truth, TruthTerms};
use bytes::Bytes;
use hyper::body::{Body, Frame};
use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How a reply is written.
pub struct Script {
    pub arrival: Arrival,
    /// How many requests had arrived before.
    pub number: u64,
    /// By the name that the request used.
    pub model: String,
    pub form: Form,
    pub truth: Tell,
}

impl Script {
    /// What a stream says for the next token, and how many tokens it is sent with; nothing where it
    /// is held back.
    fn token(&mut self, words: &mut Words, due: Duration) -> Option<(Bytes, usize)> {
        if let Some(recorded) = words.piece(due) {
            return Some(recorded);
        }
        let from = From {
            model: &self.model,
            number: self.number,
        };
        let line = match words {
            Words::Composed(composed) => {
                let (said, logprobs) = composed.token()?;
                self.form.piece(from, said, &logprobs)
            }
            words => self.form.piece(from, Spoken::Text(words.token()), &[]),
        };
        Some((line.into(), 1))
    }

    /// What ends a stream.
    fn end(&mut self, last: Final) -> Vec<u8> {
        let from = From {
            model: &self.model,
            number: self.number,
        };
        self.form.end(from, last)
    }

    /// What the server states about a reply that ends now. `spoken` is the time from the first
    /// token to the last.
    fn last(&self, account: &Account, spoken: Duration, told: Told) -> Final {
        let spoke = account.output_tokens > 0;
        // What making `context` takes comes after the total. Tokens that a held-up mock wrote during
        // that time count as computed before it.
        let total = self.arrival.elapsed().saturating_sub(account.context);
        let spoken = spoken.min(total.saturating_sub(account.first_token()));
        let truth = self.truth.complete(|| self.truth(terms(account), told));
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
            context: match self.form.dialect() {
                Dialect::Ollama(Route::Generate) => (0..account.prompt_tokens
                    + account.output_tokens)
                    .map(token_id)
                    .collect(),
                _ => Vec::new(),
            },
            total_duration: nanos(total),
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

    fn truth(&self, terms: TruthTerms, told: Told) -> Truth {
        let sent = told.sent.iter();
        let truth = Truth {
            received: self.arrival.moment.0,
            due: told.due,
            sent: sent
                .map(|at| nanos(at.since(self.arrival.moment)))
                .collect(),
            done: nanos(self.arrival.elapsed()),
            terms,
            ..Truth::default()
        };
        truth.with_lateness()
    }

    /// The whole reply as one object, for a request that does not stream or has nothing to say.
    pub async fn whole(&self, mut words: Words, visit: Visit) -> Vec<u8> {
        let mut whole = Whole::default();
        let account = loop {
            match visit.news().await {
                News::Token(_) => match &mut words {
                    Words::Composed(composed) => {
                        if let Some((said, logprobs)) = composed.token() {
                            whole.add(said, logprobs);
                        }
                    }
                    words => whole.text.push_str(words.token()),
                },
                News::Done(account) => break account,
                News::Refused(_) => continue, // never after the answer has begun
            }
        };
        let last = self.last(&account, account.decode, Told::default());
        let from = From {
            model: &self.model,
            number: self.number,
        };
        self.form.whole(from, &whole, last)
    }
}

/// When each token was due, and when it was written.
#[derive(Default)]
struct Told {
    due: Vec<u64>,
    sent: Vec<Moment>,
}

/// Where a request's time went, as the truth tells it.
pub fn terms(account: &Account) -> TruthTerms {
    TruthTerms {
        handling: nanos(account.handling),
        queue: nanos(account.queue),
        drain: nanos(account.drain),
        recovery: nanos(account.recovery),
        loading: nanos(account.loading),
        fitting: nanos(account.fitting),
        slot_wait: nanos(account.slot_wait),
        tokenizing: nanos(account.tokenizing),
        prefill: nanos(account.prefill),
        decode: nanos(account.decode),
        context: nanos(account.context),
        cached_tokens: account.cached_tokens.into(),
    }
}

/// The id of a conversation's token, the `index`th: as long as those of a real vocabulary, because a
/// last line is as long as its ids.
fn token_id(index: u32) -> u32 {
    /// Spreads what follows upon each other; odd, so that no two are the same before they are cut.
    const SPREAD: u32 = 2_654_435_761;
    /// A vocabulary has 2^18 tokens.
    const VOCABULARY_BITS: u32 = 18;
    index.wrapping_add(1).wrapping_mul(SPREAD) >> (u32::BITS - VOCABULARY_BITS)
}

/// A time in nanoseconds.
pub fn nanos(duration: Duration) -> u64 {
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
    /// Events that are to be written each by itself, after the one that was.
    rest: Bytes,
    /// Tokens that are sent with the last of them.
    rest_tokens: usize,
}

enum Phase {
    Speaking,
    /// All tokens are handed over; the last line waits until they are written.
    Flushing(Box<Account>),
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
            rest: Bytes::new(),
            rest_tokens: 0,
        }
    }

    /// A frame of what is to be sent now: all of it, or its first event, where each is written by
    /// itself.
    fn frame(&mut self, mut bytes: Bytes, tokens: usize) -> Frame<Bytes> {
        if !self.script.form.dialect().flushes_each_event() {
            self.ledger.hand(tokens);
            return Frame::data(bytes);
        }
        let first = first_event(&mut bytes);
        self.rest = bytes;
        self.rest_tokens = tokens;
        if self.rest.is_empty() {
            self.ledger.hand(std::mem::take(&mut self.rest_tokens));
        }
        Frame::data(first)
    }
}

impl Drop for Stream {
    /// A stream that has not ended is cut: by a fault, or because its client went away.
    fn drop(&mut self) {
        if let Phase::Ended = self.phase {
            return;
        }
        self.script.truth.cut(|| {
            let told = Told {
                due: std::mem::take(&mut self.due),
                sent: self.ledger.sent(),
            };
            self.script.truth(TruthTerms::default(), told)
        });
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
        if !this.rest.is_empty() {
            let (rest, tokens) = (std::mem::take(&mut this.rest), this.rest_tokens);
            return Poll::Ready(Some(Ok(this.frame(rest, tokens))));
        }
        loop {
            match &this.phase {
                Phase::Speaking => match ready!(this.visit.poll_news(cx)) {
                    News::Token(due) => {
                        let Some((line, tokens)) = this.script.token(&mut this.words, due) else {
                            continue;
                        };
                        this.due.extend(std::iter::repeat_n(nanos(due), tokens));
                        return Poll::Ready(Some(Ok(this.frame(line, tokens))));
                    }
                    News::Done(account) => this.phase = Phase::Flushing(Box::new(account)),
                    News::Refused(_) => this.phase = Phase::Ended,
                },
                Phase::Flushing(account) => {
                    let sent = ready!(this.ledger.poll_sent(cx));
                    // As long as it took, but not less than it was to take: tokens that a held-up
                    // mock wrote in one go were not computed in no time.
                    let spoken = match sent.as_slice() {
                        [first, .., last] => last.since(*first).max(account.decode),
                        // What is sent in one piece, as a call is, was spoken before that.
                        _ => account.decode,
                    };
                    let due = std::mem::take(&mut this.due);
                    let last = this.script.last(account, spoken, Told { due, sent });
                    let line = match this.words.last(account.total(), last.tare_truth.as_ref()) {
                        Some(line) => line,
                        None => this.script.end(last).into(),
                    };
                    this.phase = Phase::Ended;
                    return Poll::Ready(Some(Ok(this.frame(line, 0))));
                }
                Phase::Ended => return Poll::Ready(None),
            }
        }
    }
}
