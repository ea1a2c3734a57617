//! How a request is made, and what makes the next one start: its stream, or the schedule.
//!
//! A schedule is kept by `async-io`'s timer under every runtime, because Tokio's own has ticks of a
//! millisecond, and by absolute times. What a stack adds to a request's start, such as the time until
//! a worker takes the task up, is part of the latency and told by itself as well.

use super::arrivals::Schedule;
use super::failure::ErrorKind;
use super::ledger::{Counts, Ledger, Span};
use super::setup::{Extent, Mode, Setup};
use super::signal::{Crew, Member, Signal};
use crate::client::Client;
use crate::meter::{Call, Digest, Moment, Recorder};
use crate::protocol::wire::Options as ModelOptions;
use crate::protocol::{Form, Ollama, Question};
use crate::run::Spec;
use crate::runtime::Runtime;
use async_io::Timer;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many ledgers there are: some more than there are processors that would wait for one.
pub const LEDGERS: usize = 16;
/// How long a stream waits that found no server, before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// What all tasks of a load share.
pub struct Shared<R: Runtime, C: Client<R>> {
    pub ollama: Ollama<R, C>,
    pub spec: Spec,
    pub setup: Setup,
    pub options: ModelOptions,
    pub expected: Option<Digest>,
    pub span: Span,
    pub ledgers: [Mutex<Ledger>; LEDGERS],
    /// Samples that may still begin, where requests are counted.
    pub left: AtomicU64,
    /// Samples that have begun.
    pub begun: AtomicU64,
    pub in_flight: AtomicUsize,
    pub most_in_flight: AtomicUsize,
    pub stop: Arc<Signal>,
}

impl<R: Runtime, C: Client<R>> Shared<R, C> {
    /// A stream of a closed loop.
    pub async fn stream(self: Arc<Self>, stream: usize, of: NonZeroUsize, _here: Member) {
        let mut number = stream as u64;
        while let Some(counts) = self.may_begin() {
            let failed = self.request(number, None, counts).await;
            if failed == Some(ErrorKind::NoConnection) {
                self.ollama.runtime().sleep(PAUSE).await;
            }
            number += of.get() as u64;
        }
    }

    /// Whether a stream may ask now, and whether that counts.
    fn may_begin(&self) -> Option<Counts> {
        let now = Moment::now();
        match self.span.end {
            _ if self.stop.is_raised() => None,
            _ if now < self.span.start => Some(Counts::WarmUp),
            Some(end) => (now < end).then_some(Counts::Sample),
            None => self.ticket(),
        }
    }

    /// One of the samples that may still begin.
    fn ticket(&self) -> Option<Counts> {
        let taken = self
            .left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        taken.ok().map(|_| Counts::Sample)
    }

    /// Starts requests at their times; each is a task of its own.
    pub async fn keep_schedule(self: Arc<Self>, began: Instant, crew: Arc<Crew>, _here: Member) {
        let Mode::Open {
            rate_per_s,
            arrivals,
            seed,
            most_in_flight,
        } = self.setup.mode
        else {
            return;
        };
        let warm_up = self.setup.warm_up();
        let start = Moment(self.span.start.0 - self.setup.warm_up_ns);
        for (number, at) in (0..).zip(Schedule::new(arrivals, rate_per_s, seed)) {
            let counts = match self.setup.extent {
                _ if at < warm_up => Some(Counts::WarmUp),
                Extent::Window { measure_ns, .. } => {
                    (at - warm_up < Duration::from_nanos(measure_ns)).then_some(Counts::Sample)
                }
                Extent::Requests { .. } => self.ticket(),
            };
            let Some(counts) = counts else { return };
            if Instant::now() < began + at {
                Timer::at(began + at).await;
            }
            if self.stop.is_raised() {
                return;
            }
            let intended = start.plus(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
            if self.in_flight.load(Relaxed) >= most_in_flight.get() {
                self.not_started(number, most_in_flight, counts);
                continue;
            }
            // Here and not in the task, so that the next one sees it.
            self.takes_off();
            let (shared, member) = (Arc::clone(&self), crew.join());
            drop(self.ollama.runtime().spawn(async move {
                let _here = member;
                shared.request(number, Some(intended), counts).await;
            }));
        }
    }

    fn not_started(&self, number: u64, most: NonZeroUsize, counts: Counts) {
        if counts == Counts::Sample {
            self.begun.fetch_add(1, Relaxed);
        }
        let words =
            || format!("{most} requests were under way, and --max-in-flight allows no more");
        let mut ledger = lock(&self.ledgers[number as usize % LEDGERS]);
        ledger.failed((ErrorKind::NotStarted, None), words, counts);
    }

    fn takes_off(&self) {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.most_in_flight.fetch_max(now, Relaxed);
    }

    /// One request, and what it was a failure of.
    async fn request(
        &self,
        number: u64,
        intended: Option<Moment>,
        counts: Counts,
    ) -> Option<ErrorKind> {
        if counts == Counts::Sample {
            self.begun.fetch_add(1, Relaxed);
        }
        if intended.is_none() {
            self.takes_off();
        }
        let prompt = self.setup.prompt.of(number);
        let question = Question {
            model: &self.spec.model,
            prompt: &prompt,
            options: &self.options,
            keep_alive: None,
            form: Form::Stream,
        };
        let mut recorder = Recorder::start(self.spec.tokens as usize);
        let started = recorder.started();
        let ledger = || lock(&self.ledgers[number as usize % LEDGERS]);
        if let (Some(intended), Counts::Sample) = (intended, counts) {
            ledger().started(started.since(intended));
        }
        let answer = self
            .ollama
            .ask(self.spec.api, &question, &mut recorder)
            .await;
        let call = answer.map(|last| recorder.finish(last));
        self.in_flight.fetch_sub(1, Relaxed);
        match call {
            Ok(call) => match self.wrong(&call) {
                None => {
                    let from = intended.unwrap_or(started);
                    let slo = self.setup.slo.as_ref();
                    ledger().answered(&call, from, self.span, counts, slo);
                    None
                }
                Some(words) => {
                    ledger().failed((ErrorKind::WrongTokens, None), || words, counts);
                    Some(ErrorKind::WrongTokens)
                }
            },
            Err(error) => {
                let key = ErrorKind::of(&error);
                ledger().failed(key, || error.to_string(), counts);
                Some(key.0)
            }
        }
    }

    /// What is wrong with an answer's tokens, where they are known beforehand.
    fn wrong(&self, call: &Call) -> Option<String> {
        let expected = self.expected?;
        let found = call.digest();
        (found != expected).then(|| {
            format!(
                "the tokens are not those that were sent: digest {found} of {}, expected {expected} of {}",
                call.token_count(),
                self.spec.tokens
            )
        })
    }
}

/// A task that panicked has left nothing half done in it.
pub fn lock(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
