//! What came of all requests.

use super::failure::Errors;
use super::ledger::{Ledger, Samples};
use super::setup::{Mode, Setup};
use crate::meter::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What came of all requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Length of the time that counts, ns: the measuring window, or what there was of it; where
    /// requests are counted, until the last of them had ended.
    pub window_ns: u64,
    /// What became of the requests that count: those that were to start in the window.
    pub requests: Requests,
    /// Those that failed, by kind, the most frequent first.
    pub errors: Vec<Errors>,
    /// Answers that ended within the window, whenever they began.
    pub answers_in_window: u64,
    /// The same per second; absent of a window without length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_per_s: Option<f64>,
    /// Tokens that came within the window, whenever their answers began or ended; those of failed
    /// requests are not among them.
    pub tokens_in_window: u64,
    /// The same per second; absent of a window without length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<f64>,
    /// How long the requests that count took.
    pub latencies: Latencies,
    /// What of it was of use; absent where nobody said what is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goodput: Option<Goodput>,
    /// How many requests were under way.
    pub in_flight: InFlight,
    /// How late this process started requests by its own schedule; absent of a closed loop, which
    /// has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_lateness: Option<StartLateness>,
    /// How late the mock wrote by its profile's schedule; absent of a server that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_lateness: Option<ServerLateness>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As it was to.
    Complete,
    /// By Ctrl-C: what had ended by then counts, and is the shorter answers rather than the longer.
    Interrupted,
}

/// What became of the requests that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requests {
    /// All of them, those included that were not started because there were too many.
    pub begun: u64,
    /// Those with a whole answer, and the right one where it is known. All latencies are of these.
    pub answered: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were cut off at the end, neither answered nor failed.
    pub unfinished: u64,
}

/// How long requests took. Each is absent where it is not known of any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latencies {
    /// Time to first token: in an open loop from when the request was to start, in a closed loop
    /// from when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft: Option<Latency>,
    /// Between two tokens, one value per pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub itl: Option<Latency>,
    /// Time per output token, (last − first) / (n − 1), one value per answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot: Option<Latency>,
    /// To the end of the answer, from where the time to first token counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e2e: Option<Latency>,
    /// From the mock's write of a token to its being parsed here, one value per token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Latency>,
}

/// A distribution of times, ns. A quantile is absent where fewer than ten values lie beyond it: a
/// 99th percentile takes 1,000 values and a 99.9th 10,000.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Latency {
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean_ns: f64,
    /// The median; right within 0.8 %, as all quantiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ns: Option<u64>,
    /// What 90 % do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_ns: Option<u64>,
    /// What 95 % do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ns: Option<u64>,
    /// What 99 % do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ns: Option<u64>,
    /// What 99.9 % do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p999_ns: Option<u64>,
    /// All values; those of several results can be added up.
    pub histogram_ns: Histogram,
}

impl Latency {
    fn of(samples: &Samples) -> Option<Self> {
        let count = samples.histogram.count();
        (count > 0).then(|| Self::new(samples.histogram.clone(), samples.sum_ns as f64))
    }

    fn new(histogram_ns: Histogram, sum_ns: f64) -> Self {
        let quantile = |q| {
            let time = histogram_ns.quantile(q)?;
            Some(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        let count = histogram_ns.count();
        Self {
            count,
            mean_ns: sum_ns / count as f64,
            p50_ns: quantile(0.5),
            p90_ns: quantile(0.9),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
            p999_ns: quantile(0.999),
            histogram_ns,
        }
    }

    /// The distribution of both together, as if they had been one.
    #[must_use]
    fn merged(&self, other: &Latency) -> Self {
        let sum_ns = |one: &Latency| one.mean_ns * one.count as f64;
        let mut histogram = self.histogram_ns.clone();
        histogram.merge(&other.histogram_ns);
        Self::new(histogram, sum_ns(self) + sum_ns(other))
    }
}

/// Requests that were of use: answered within all limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Goodput {
    /// How many kept all limits.
    pub met: u64,
    /// Of how many: those answered and failed, and those cut off for taking too long. What Ctrl-C cut
    /// off is not among them.
    pub of: u64,
    /// The share, 0 to 1; absent of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Those that kept all limits, per second of the window in which they were to start; absent of
    /// a window without length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_s: Option<f64>,
}

/// How many requests were under way. In an open loop, more at the end than at the start is a queue
/// that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InFlight {
    /// When the window began.
    pub at_start: usize,
    /// When it ended.
    pub at_end: usize,
    /// The most at a time since it began.
    pub most: usize,
}

/// How late this process started requests by its own schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StartLateness {
    /// From when a request was to start to when it did.
    pub latency: Latency,
    /// Requests that started more than a millisecond late.
    pub late: u64,
    /// Whether so many did, more than 1 %, that the load was not the one asked for. The latencies
    /// hold the lateness, as those of a user would.
    pub off_schedule: bool,
}

/// How late the mock wrote by its profile's schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerLateness {
    /// Answers of which it told.
    pub answers: u64,
    /// Those in which more than 1 % of the tokens were written more than a millisecond late, so
    /// that the pace was not the profile's.
    pub late_answers: u64,
    /// Tokens that were written so late.
    pub late_tokens: u64,
    /// How late the latest was, ns.
    pub latest_ns: u64,
}

/// What the driver saw beside the requests' own account.
pub struct Observed {
    pub ending: Ending,
    pub window: Duration,
    pub begun: u64,
    pub in_flight: InFlight,
}

impl Outcome {
    pub(super) fn of(setup: &Setup, ledger: Ledger, seen: Observed) -> Self {
        let seconds = seen.window.as_secs_f64();
        let per_s = |count: u64| (seconds > 0.0).then(|| count as f64 / seconds);
        let failed = ledger.failures.count();
        let unfinished = seen.begun.saturating_sub(ledger.answered + failed);
        let tokens = ledger.tokens_within;
        let goodput = setup.slo.map(|_| {
            let of = match seen.ending {
                Ending::Complete => seen.begun,
                Ending::Interrupted => ledger.answered + failed,
            };
            Goodput {
                met: ledger.met,
                of,
                share: (of > 0).then(|| ledger.met as f64 / of as f64),
                per_s: per_s(ledger.met),
            }
        });
        let start_lateness = match setup.mode {
            Mode::Closed { .. } => None,
            Mode::Open { .. } => Latency::of(&ledger.start_lateness)
                .map(|latency| StartLateness::of(latency, ledger.started_late)),
        };
        Self {
            ending: seen.ending,
            window_ns: u64::try_from(seen.window.as_nanos()).unwrap_or(u64::MAX),
            requests: Requests {
                begun: seen.begun,
                answered: ledger.answered,
                failed,
                unfinished,
            },
            errors: ledger.failures.by_kind(),
            answers_in_window: ledger.answered_within,
            answers_per_s: per_s(ledger.answered_within),
            tokens_in_window: tokens,
            tokens_per_s: per_s(tokens),
            latencies: Latencies {
                ttft: Latency::of(&ledger.ttft),
                itl: Latency::of(&ledger.itl),
                tpot: Latency::of(&ledger.tpot),
                e2e: Latency::of(&ledger.e2e),
                delivery: Latency::of(&ledger.delivery),
            },
            goodput,
            in_flight: seen.in_flight,
            start_lateness,
            server_lateness: (ledger.told > 0).then_some(ServerLateness {
                answers: ledger.told,
                late_answers: ledger.late_answers,
                late_tokens: ledger.late_tokens,
                latest_ns: ledger.latest_ns,
            }),
        }
    }
}

impl Outcome {
    /// Several loads, one after the other, as if they had been one; `None` of none. Requests under way are
    /// the most of any.
    pub fn pooled<'a>(loads: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut loads = loads.into_iter();
        let first = loads.next()?.clone();
        Some(loads.fold(first, Self::and))
    }

    fn and(mut self, other: &Self) -> Self {
        if other.ending == Ending::Interrupted {
            self.ending = other.ending;
        }
        self.window_ns += other.window_ns;
        self.requests.begun += other.requests.begun;
        self.requests.answered += other.requests.answered;
        self.requests.failed += other.requests.failed;
        self.requests.unfinished += other.requests.unfinished;
        for errors in &other.errors {
            let same = |it: &&mut Errors| (it.kind, it.status) == (errors.kind, errors.status);
            match self.errors.iter_mut().find(same) {
                Some(known) => known.count += errors.count,
                None => self.errors.push(errors.clone()),
            }
        }
        self.errors
            .sort_by_key(|errors| std::cmp::Reverse(errors.count));
        self.answers_in_window += other.answers_in_window;
        self.tokens_in_window += other.tokens_in_window;
        let seconds = self.window_ns as f64 / 1e9;
        let per_s = |count: u64| (seconds > 0.0).then(|| count as f64 / seconds);
        self.answers_per_s = per_s(self.answers_in_window);
        self.tokens_per_s = per_s(self.tokens_in_window);
        let (of, more) = (&mut self.latencies, &other.latencies);
        for (of, more) in [
            (&mut of.ttft, &more.ttft),
            (&mut of.itl, &more.itl),
            (&mut of.tpot, &more.tpot),
            (&mut of.e2e, &more.e2e),
            (&mut of.delivery, &more.delivery),
        ] {
            *of = merged(of.take(), more.as_ref(), |of, more| of.merged(more));
        }
        self.goodput = merged(self.goodput.take(), other.goodput.as_ref(), |of, more| {
            let (met, of) = (of.met + more.met, of.of + more.of);
            Goodput {
                met,
                of,
                share: (of > 0).then(|| met as f64 / of as f64),
                per_s: per_s(met),
            }
        });
        self.in_flight = InFlight {
            at_start: self.in_flight.at_start.max(other.in_flight.at_start),
            at_end: self.in_flight.at_end.max(other.in_flight.at_end),
            most: self.in_flight.most.max(other.in_flight.most),
        };
        self.start_lateness = merged(
            self.start_lateness.take(),
            other.start_lateness.as_ref(),
            |of, more| StartLateness::of(of.latency.merged(&more.latency), of.late + more.late),
        );
        self.server_lateness = merged(
            self.server_lateness.take(),
            other.server_lateness.as_ref(),
            |of, more| ServerLateness {
                answers: of.answers + more.answers,
                late_answers: of.late_answers + more.late_answers,
                late_tokens: of.late_tokens + more.late_tokens,
                latest_ns: of.latest_ns.max(more.latest_ns),
            },
        );
        self
    }
}

fn merged<T: Clone>(of: Option<T>, more: Option<&T>, both: impl FnOnce(&T, &T) -> T) -> Option<T> {
    match (of, more) {
        (Some(of), Some(more)) => Some(both(&of, more)),
        (of, more) => of.or_else(|| more.cloned()),
    }
}

impl StartLateness {
    fn of(latency: Latency, late: u64) -> Self {
        Self {
            off_schedule: late * 100 > latency.count,
            late,
            latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::ErrorKind;

    fn load(ttft_ms: &[u64], failed: u64) -> Outcome {
        let mut ttft = Samples::default();
        for &ms in ttft_ms {
            ttft.record(Duration::from_millis(ms));
        }
        let answered = ttft_ms.len() as u64;
        let errors = Errors {
            kind: ErrorKind::Broken,
            status: None,
            count: failed,
            first: "gone".to_owned(),
        };
        Outcome {
            ending: Ending::Complete,
            window_ns: 1_000_000_000,
            requests: Requests {
                begun: answered + failed,
                answered,
                failed,
                unfinished: 0,
            },
            errors: if failed > 0 { vec![errors] } else { Vec::new() },
            answers_in_window: answered,
            answers_per_s: Some(answered as f64),
            tokens_in_window: 10 * answered,
            tokens_per_s: Some(10.0 * answered as f64),
            latencies: Latencies {
                ttft: Latency::of(&ttft),
                itl: None,
                tpot: None,
                e2e: None,
                delivery: None,
            },
            goodput: None,
            in_flight: InFlight {
                at_start: 0,
                at_end: 1,
                most: 2,
            },
            start_lateness: None,
            server_lateness: None,
        }
    }

    #[test]
    fn two_loads_add_up_to_one_of_both() {
        let (one, other) = (load(&[5; 30], 1), load(&[9; 12], 2));
        let both = Outcome::pooled([&one, &other]).expect("two");
        assert_eq!((both.requests.begun, both.requests.answered), (45, 42));
        assert_eq!((both.errors.len(), both.errors[0].count), (1, 3));
        assert_eq!(both.tokens_per_s, Some(210.0));
        // Against every single value of both.
        let ttft = both.latencies.ttft.expect("answers");
        let all = [[5; 30].as_slice(), &[9; 12]].concat();
        let expected = load(&all, 0).latencies.ttft.expect("answers");
        assert_eq!(ttft.histogram_ns, expected.histogram_ns);
        assert_eq!(ttft.p50_ns, expected.p50_ns);
        assert!((ttft.mean_ns / expected.mean_ns - 1.0).abs() < 1e-9);
        assert_eq!(Outcome::pooled([]), None);
    }
}
