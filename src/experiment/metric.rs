//! The metrics: one table, which the judge, the reports, CSV, the gate and `--metric` read.
//!
//! To add one is an entry here, and the code in `meter` or `run` that measures what it is made of.

use super::design::{Cadence, Kind, Workload};
use crate::load::Latency;
use crate::meter::Usage;
use crate::run::{Iteration, Outcome};
use crate::stats::{Margin, mean};
use std::collections::BTreeMap;

/// Something that a run has one value of.
#[derive(Clone, Copy)]
pub struct Metric {
    /// How it is called in records and on the command line.
    pub id: &'static str,
    /// How tables call it.
    pub title: &'static str,
    /// In what its values are.
    pub unit: Unit,
    /// What it is, in a line.
    pub meaning: &'static str,
    /// Which way is better.
    pub better: Better,
    /// The words for more and less of it.
    pub words: Words,
    /// How much of a difference does not matter.
    pub margin: Margin,
    /// Whether only runs under the profiler have it.
    pub profiled: bool,
    /// Of which workloads it is a metric.
    pub applies: fn(&Workload) -> bool,
    /// How it follows from an outcome; `None` where it is not known.
    of: fn(&Outcome) -> Option<f64>,
}

/// In what values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds, shown as milliseconds.
    Millis,
    /// Nanoseconds, shown as microseconds.
    Micros,
    /// A plain number.
    Count,
    /// Bytes, shown as such.
    Bytes,
    /// Bytes, shown as megabytes (10⁶).
    Megabytes,
}

impl Unit {
    /// How it is written, and by what a value is divided for it.
    pub fn shown(self) -> (&'static str, f64) {
        match self {
            Self::Millis => ("ms", 1e6),
            Self::Micros => ("µs", 1e3),
            Self::Count => ("", 1.0),
            Self::Bytes => ("B", 1.0),
            Self::Megabytes => ("MB", 1e6),
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less: it is a cost.
    Less,
    /// More.
    More,
}

/// The words for more and less of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Of times: `slower`, `faster`.
    Pace,
    /// Of amounts: `higher`, `lower`.
    Amount,
}

/// All metrics, in the order of reports.
pub const METRICS: &[Metric] = &[
    Metric {
        id: "calls",
        title: "calls",
        unit: Unit::Millis,
        meaning: "tare of the calls: gross - net - ingest, what talking to the model costs beside the model's own time",
        words: Words::Amount,
        applies: |workload| is_paced(workload) && reads_files(workload),
        of: |outcome| {
            outcome.mean(|one| {
                let tare = one.tare_ns()?;
                (one.ingest_ns > 0).then_some(tare - one.ingest_ns as f64)
            })
        },
        ..COST
    },
    Metric {
        id: "ingest",
        title: "ingest",
        unit: Unit::Millis,
        meaning: "reading and parsing the corpus, until the first call can be made",
        words: Words::Pace,
        applies: reads_files,
        of: |outcome| mean_of(outcome, |one| one.ingest_ns).filter(|&ingest| ingest > 0.0),
        ..COST
    },
    Metric {
        id: "tare",
        title: "tare",
        unit: Unit::Millis,
        meaning: "gross - net of an iteration: all that the agent's own process added",
        words: Words::Amount,
        applies: |workload| is_paced(workload) && !is_load(workload),
        of: |outcome| outcome.mean(Iteration::tare_ns),
        ..COST
    },
    Metric {
        id: "delivery",
        title: "delivery",
        unit: Unit::Micros,
        meaning: "from the server's write of a token until the agent has it parsed, mean over tokens",
        words: Words::Pace,
        of: |outcome| {
            if let Some(load) = &outcome.load {
                return Some(load.latencies.delivery.as_ref()?.mean_ns);
            }
            let delivered = outcome.delivery_histogram_ns.count();
            let sum = outcome.total(|one| one.delivery_ns).as_nanos() as f64;
            (delivered > 0).then(|| sum / delivered as f64)
        },
        ..COST
    },
    Metric {
        id: "delivery-p99",
        title: "delivery p99",
        unit: Unit::Micros,
        meaning: "the delivery latency that 99 % of a run's tokens do not exceed; from 1,000 tokens on",
        words: Words::Pace,
        of: |outcome| {
            let p99 = outcome.delivery_histogram_ns.quantile(0.99)?;
            Some(p99.as_nanos() as f64)
        },
        ..COST
    },
    Metric {
        id: "cpu",
        title: "CPU/token",
        unit: Unit::Micros,
        meaning: "processor time of the whole process per token, user and system",
        words: Words::Amount,
        of: |outcome| per_token(outcome, |used| Some(used.cpu().as_nanos() as u64)),
        ..COST
    },
    Metric {
        id: "gross",
        title: "gross",
        unit: Unit::Millis,
        meaning: "wall-clock time of an iteration; of a team its makespan",
        words: Words::Pace,
        margin: Margin::GROSS,
        applies: |workload| !is_load(workload),
        of: |outcome| mean_of(outcome, |one| one.gross_ns),
        ..COST
    },
    Metric {
        id: "net",
        title: "net",
        unit: Unit::Millis,
        meaning: "the time that the server itself spent on an iteration; it must not depend on the arm",
        words: Words::Amount,
        margin: Margin::GROSS,
        applies: |workload| !is_load(workload),
        of: |outcome| outcome.mean(|one| one.net_ns.map(|net| net as f64)),
        ..COST
    },
    Metric {
        id: "ttft",
        title: "TTFT",
        unit: Unit::Millis,
        meaning: "time to first token by the client's clock, mean over calls; of an open loop from the intended start",
        words: Words::Pace,
        margin: Margin::GROSS,
        of: |outcome| {
            if let Some(load) = &outcome.load {
                return Some(load.latencies.ttft.as_ref()?.mean_ns);
            }
            let known = outcome.calls.iter().filter_map(|call| call.ttft_ns);
            mean(&known.map(|ns| ns as f64).collect::<Vec<_>>())
        },
        ..COST
    },
    Metric {
        id: "throughput",
        title: "tokens/s",
        meaning: "tokens that came per second of a load's window, those of failed requests left out",
        better: Better::More,
        margin: Margin::GROSS,
        applies: is_load,
        of: |outcome| outcome.load.as_ref()?.tokens_per_s,
        ..COST
    },
    Metric {
        id: "answers",
        title: "answers/s",
        meaning: "answers that ended per second of a load's window",
        better: Better::More,
        margin: Margin::GROSS,
        applies: is_load,
        of: |outcome| outcome.load.as_ref()?.answers_per_s,
        ..COST
    },
    Metric {
        id: "goodput",
        title: "goodput",
        meaning: "share of a load's requests that were answered within all limits of --slo",
        better: Better::More,
        margin: Margin::GROSS,
        applies: is_load,
        of: |outcome| outcome.load.as_ref()?.goodput?.share,
        ..COST
    },
    Metric {
        id: "ttft-p99",
        title: "TTFT p99",
        unit: Unit::Millis,
        meaning: "the time to first token that 99 % of a load's requests do not exceed; from 1,000 requests on",
        words: Words::Pace,
        margin: Margin::GROSS,
        applies: is_load,
        of: |outcome| p99(outcome.load.as_ref()?.latencies.ttft.as_ref()),
        ..COST
    },
    Metric {
        id: "itl-p99",
        title: "ITL p99",
        unit: Unit::Millis,
        meaning: "the time between two tokens that 99 % of a load's do not exceed; from 1,000 on",
        words: Words::Pace,
        margin: Margin::GROSS,
        applies: is_load,
        of: |outcome| p99(outcome.load.as_ref()?.latencies.itl.as_ref()),
        ..COST
    },
    Metric {
        id: "e2e",
        title: "E2E",
        unit: Unit::Millis,
        meaning: "time to the end of an answer, mean over a load's requests",
        words: Words::Pace,
        margin: Margin::GROSS,
        applies: is_load,
        of: |outcome| Some(outcome.load.as_ref()?.latencies.e2e.as_ref()?.mean_ns),
        ..COST
    },
    Metric {
        id: "switches",
        title: "switches/token",
        unit: Unit::Count,
        meaning: "context switches per token, voluntary and forced",
        words: Words::Amount,
        of: |outcome| {
            per_token(outcome, |used| {
                Some(used.voluntary_switches + used.involuntary_switches)
            })
        },
        ..COST
    },
    Metric {
        id: "system-calls",
        title: "syscalls/token",
        unit: Unit::Count,
        meaning: "system calls per token, counted in runs of their own",
        words: Words::Amount,
        profiled: true,
        of: |outcome| outcome.profile_run?.system_calls_per_token(),
        ..COST
    },
    Metric {
        id: "decoding",
        title: "decoding/token",
        unit: Unit::Micros,
        meaning: "time from a piece of a reply to its tokens' being parsed, per token, in runs of their own",
        words: Words::Amount,
        profiled: true,
        of: |outcome| outcome.profile_run?.decoding_per_token_ns(),
        ..COST
    },
    Metric {
        id: "reads",
        title: "reads/token",
        unit: Unit::Count,
        meaning: "reads of a socket that brought something, per token; unknown of reqwest",
        words: Words::Amount,
        of: |outcome| per_token(outcome, |used| used.sockets.map(|sockets| sockets.reads)),
        ..COST
    },
    Metric {
        id: "allocations",
        title: "allocations/token",
        unit: Unit::Count,
        meaning: "blocks of memory allocated per token",
        words: Words::Amount,
        of: |outcome| per_token(outcome, |used| used.heap.map(|heap| heap.allocations)),
        ..COST
    },
    Metric {
        id: "allocated",
        title: "allocated/token",
        unit: Unit::Bytes,
        meaning: "bytes of memory allocated per token",
        words: Words::Amount,
        of: |outcome| per_token(outcome, |used| used.heap.map(|heap| heap.bytes)),
        ..COST
    },
    Metric {
        id: "memory",
        title: "peak memory",
        unit: Unit::Megabytes,
        meaning: "the most memory that was resident at once",
        words: Words::Amount,
        of: |outcome| Some(outcome.process?.peak_rss_bytes as f64),
        ..COST
    },
    Metric {
        id: "threads",
        title: "threads",
        unit: Unit::Count,
        meaning: "the most threads that were seen at once",
        words: Words::Amount,
        of: |outcome| Some(outcome.threads_most? as f64),
        ..COST
    },
];

/// What most metrics have in common.
const COST: Metric = Metric {
    id: "",
    title: "",
    unit: Unit::Count,
    meaning: "",
    better: Better::Less,
    words: Words::Amount,
    margin: Margin::TARE,
    profiled: false,
    applies: |_| true,
    of: |_| None,
};

/// The metric of this id.
pub fn find(id: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.id == id)
}

/// All that is known of an outcome, by id. Those of a run under the profiler are only what it counted,
/// for the times of such a run count for nothing.
pub fn values(outcome: &Outcome) -> BTreeMap<String, f64> {
    let wanted = METRICS
        .iter()
        .filter(|metric| metric.profiled == outcome.profile_run.is_some());
    let known =
        wanted.filter_map(|metric| Some((metric.id.to_owned(), tidy((metric.of)(outcome)?))));
    known.collect()
}

/// To seven digits that count: more than anything here is measured to, and half the size in JSON.
fn tidy(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}

fn is_paced(workload: &Workload) -> bool {
    workload.cadence == Cadence::Paced
}

fn is_load(workload: &Workload) -> bool {
    workload.kind == Kind::Load
}

fn p99(latency: Option<&Latency>) -> Option<f64> {
    Some(latency?.p99_ns? as f64)
}

fn reads_files(workload: &Workload) -> bool {
    matches!(workload.kind, Kind::Agent | Kind::Team)
}

fn mean_of(outcome: &Outcome, of: impl Fn(&Iteration) -> u64) -> Option<f64> {
    outcome.mean(|one| Some(of(one) as f64))
}

fn per_token(outcome: &Outcome, count: impl Fn(&Usage) -> Option<u64>) -> Option<f64> {
    let tokens = outcome.tokens();
    let count = count(&outcome.usage)?;
    (tokens > 0).then(|| count as f64 / tokens as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_metric_has_a_name_of_its_own_and_says_what_it_is() {
        let ids: HashSet<&str> = METRICS.iter().map(|metric| metric.id).collect();
        let titles: HashSet<&str> = METRICS.iter().map(|metric| metric.title).collect();
        assert_eq!((ids.len(), titles.len()), (METRICS.len(), METRICS.len()));
        for metric in METRICS {
            assert!(metric.meaning.len() > 20, "{}", metric.id);
            assert!(find(metric.id).is_some_and(|found| found.title == metric.title));
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(metric.id.chars().all(plain), "{}", metric.id);
        }
    }
    #[test]
    fn the_manual_explains_every_metric() {
        let manual = include_str!("../../docs/method.md");
        for metric in METRICS {
            let named = format!("`{}`", metric.id);
            let row = |line: &&str| line.starts_with("| `") && line.contains(&named);
            assert_eq!(manual.lines().filter(row).count(), 1, "{}", metric.id);
        }
    }
}
