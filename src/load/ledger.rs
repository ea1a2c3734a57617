//! What is noted of each request when it is answered or has failed; nothing is noted per token
//! while an answer streams, but by the call's own recorder.
//!
//! There are a few ledgers, so that tasks seldom wait for each other, and they are merged at the end.

use super::failure::{ErrorKind, Failures};
use super::slo::Slo;
use crate::meter::{Call, Histogram, Moment};
use crate::protocol::wire::LATE;
use std::time::Duration;

/// The time that counts.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its first moment.
    pub start: Moment,
    /// The first moment after it; `None` where requests are counted and not time.
    pub end: Option<Moment>,
}

impl Span {
    /// Whether a moment lies within it.
    pub fn holds(self, moment: Moment) -> bool {
        moment >= self.start && self.end.is_none_or(|end| moment < end)
    }
}

/// Whether a request is a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// No: it is part of the load alone.
    WarmUp,
    /// Yes.
    Sample,
}

/// Times, as a histogram and a sum.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// How often each occurred.
    pub histogram: Histogram,
    /// All together, ns.
    pub sum_ns: u128,
}

impl Samples {
    pub fn record(&mut self, time: Duration) {
        self.histogram.record(time);
        self.sum_ns += time.as_nanos();
    }

    fn merge(&mut self, other: &Samples) {
        self.histogram.merge(&other.histogram);
        self.sum_ns += other.sum_ns;
    }
}

/// What is noted.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Time to first token.
    pub ttft: Samples,
    /// Between two tokens.
    pub itl: Samples,
    /// Time per output token, one per answer.
    pub tpot: Samples,
    /// From end to end.
    pub e2e: Samples,
    /// From the server's write of a token to its being parsed.
    pub delivery: Samples,
    /// From when a request was to start to when it started.
    pub start_lateness: Samples,
    /// Requests that started more than [`LATE`] after they were to.
    pub started_late: u64,
    /// Samples that were answered.
    pub answered: u64,
    /// Of them, those that kept all limits.
    pub met: u64,
    /// Samples that failed.
    pub failures: Failures,
    /// Answers that ended within the span, samples or not.
    pub answered_within: u64,
    /// Tokens that came within the span, those of samples or not, of answered requests.
    pub tokens_within: u64,
    /// When the last answer or failure came.
    pub last: Option<Moment>,
    /// When the last answer came.
    pub last_answer: Option<Moment>,
    /// Samples whose mock told how late it was.
    pub told: u64,
    /// Of them, those in which it was so late that the pace was not its profile's.
    pub late_answers: u64,
    /// Tokens of them that it wrote late.
    pub late_tokens: u64,
    /// How late the latest was, ns.
    pub latest_ns: u64,
    /// Nothing that comes now counts.
    closed: bool,
}

impl Ledger {
    /// Ends it: what is noted from here on is not.
    pub fn close(&mut self) -> Self {
        let closed = Self {
            closed: true,
            ..Self::default()
        };
        std::mem::replace(self, closed)
    }

    /// Notes that a request of a schedule has started.
    pub fn started(&mut self, lateness: Duration) {
        if self.closed {
            return;
        }
        self.start_lateness.record(lateness);
        self.started_late += u64::from(lateness > Duration::from_nanos(LATE));
    }

    /// Notes an answer. `intended` is when the request was to start.
    pub fn answered(
        &mut self,
        call: &Call,
        intended: Moment,
        span: Span,
        counts: Counts,
        slo: Option<&Slo>,
    ) {
        if self.closed {
            return;
        }
        let ended = call.ended();
        self.last = self.last.max(Some(ended));
        self.last_answer = self.last_answer.max(Some(ended));
        self.answered_within += u64::from(span.holds(ended));
        self.tokens_within += match span.holds(intended) && span.holds(ended) {
            true => call.token_count() as u64,
            false => call.received().filter(|&at| span.holds(at)).count() as u64,
        };
        if counts == Counts::WarmUp {
            return;
        }
        self.answered += 1;
        let ttft = call.received().next().map(|at| at.since(intended));
        let tpot = call.tpot();
        let e2e = ended.since(intended);
        if let Some(ttft) = ttft {
            self.ttft.record(ttft);
        }
        if let Some(tpot) = tpot {
            self.tpot.record(tpot);
        }
        self.e2e.record(e2e);
        call.itl().for_each(|it| self.itl.record(it));
        call.delivery().for_each(|it| self.delivery.record(it));
        self.met += u64::from(slo.is_some_and(|slo| slo.is_met(ttft, tpot, e2e)));
        if let Some(lateness) = call.lateness() {
            self.told += 1;
            self.late_answers += u64::from(lateness.off_schedule);
            self.late_tokens += lateness.tokens;
            let most = u64::try_from(lateness.most.as_nanos()).unwrap_or(u64::MAX);
            self.latest_ns = self.latest_ns.max(most);
        }
    }

    /// Notes a failure; that of a request which is no sample is none.
    pub fn failed(
        &mut self,
        key: (ErrorKind, Option<u16>),
        words: impl FnOnce() -> String,
        counts: Counts,
    ) {
        if self.closed || counts == Counts::WarmUp {
            return;
        }
        let now = Moment::now();
        self.last = self.last.max(Some(now));
        self.failures.note(now, key, words);
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: Ledger) {
        self.ttft.merge(&other.ttft);
        self.itl.merge(&other.itl);
        self.tpot.merge(&other.tpot);
        self.e2e.merge(&other.e2e);
        self.delivery.merge(&other.delivery);
        self.start_lateness.merge(&other.start_lateness);
        self.started_late += other.started_late;
        self.answered += other.answered;
        self.met += other.met;
        self.failures.merge(other.failures);
        self.answered_within += other.answered_within;
        self.tokens_within += other.tokens_within;
        self.last = self.last.max(other.last);
        self.last_answer = self.last_answer.max(other.last_answer);
        self.told += other.told;
        self.late_answers += other.late_answers;
        self.late_tokens += other.late_tokens;
        self.latest_ns = self.latest_ns.max(other.latest_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Recorder;
    use crate::protocol::{Final, Sink};

    const SECOND: u64 = 1_000_000_000;

    fn call() -> Call {
        let mut recorder = Recorder::start(3);
        ["a", "b", "c"]
            .into_iter()
            .for_each(|it| recorder.token(it));
        recorder.finish(Final::default())
    }

    fn noted(call: &Call, intended: Moment, span: Span, counts: Counts) -> Ledger {
        let mut ledger = Ledger::default();
        let slo = "e2e=500ms".parse().expect("a limit");
        ledger.answered(call, intended, span, counts, Some(&slo));
        ledger
    }

    #[test]
    fn tokens_count_where_they_came_and_requests_where_they_were_to_start() {
        let call = call();
        let before = Moment(call.ended().0 - SECOND);
        let (start, end) = (before, Some(call.ended().plus(SECOND)));
        let within = noted(&call, before, Span { start, end }, Counts::Sample);
        assert_eq!((within.tokens_within, within.answered_within), (3, 1));
        let over = Span {
            start,
            end: Some(before.plus(1)),
        };
        let after = noted(&call, before, over, Counts::Sample);
        assert_eq!((after.tokens_within, after.answered_within), (0, 0));
        assert_eq!(after.answered, 1, "it is a sample all the same");
        let warm_up = noted(&call, before, Span { start, end }, Counts::WarmUp);
        assert_eq!((warm_up.tokens_within, warm_up.answered), (3, 0));
        assert_eq!(warm_up.e2e.histogram.count(), 0);
    }

    #[test]
    fn times_count_from_when_the_request_was_to_start() {
        let call = call();
        let span = Span {
            start: Moment(0),
            end: None,
        };
        let early = Moment(call.ended().0 - SECOND);
        let late = noted(&call, early, span, Counts::Sample);
        for samples in [&late.ttft, &late.e2e] {
            assert!(samples.sum_ns >= u128::from(SECOND) * 9 / 10);
        }
        assert!(late.itl.sum_ns < u128::from(SECOND) / 2 && late.itl.histogram.count() == 2);
        assert_eq!(late.met, 0, "a second is more than the limit");
        let intended = Moment(call.ended().0);
        assert_eq!(noted(&call, intended, span, Counts::Sample).met, 1);
    }

    #[test]
    fn what_comes_after_the_end_is_not_noted() {
        let (call, mut ledger) = (call(), Ledger::default());
        ledger.started(Duration::from_millis(2));
        let kept = ledger.close();
        assert_eq!(
            (kept.started_late, kept.start_lateness.histogram.count()),
            (1, 1)
        );
        let span = Span {
            start: Moment(0),
            end: None,
        };
        ledger.answered(&call, call.ended(), span, Counts::Sample, None);
        ledger.failed((ErrorKind::Broken, None), String::new, Counts::Sample);
        ledger.started(Duration::ZERO);
        let of = (
            ledger.answered,
            ledger.failures.count(),
            ledger.tokens_within,
        );
        assert_eq!(
            (of, ledger.start_lateness.histogram.count()),
            ((0, 0, 0), 0)
        );
    }
}
