//! The tables of a part.

use super::base;
use crate::report::figures::{digits, interval, number, ratio, table};
use crate::stats::{Further, Judgement, Verdict, mean, mean_interval};
use crate::weighing::{Figure, Invocation, Part, Role, Weighed, Workload};
use comfy_table::Table;

/// Inference rates at which a stack's cost is shown as a share, tokens per second: a large model on
/// a CPU, one that a person reads along with, a small one on a laptop's GPU, and the fastest.
pub const RATES: [f64; 4] = [10.0, 50.0, 120.0, 1000.0];
/// So many more invocations nobody runs, and a plan for more is no better than this.
const MANY: usize = 1000;
/// Seed of the resampling.
const SEED: u64 = 1;

/// What each costs.
pub fn costs(part: &Part) -> Table {
    let known = |figure: fn(&Invocation) -> Option<f64>| {
        let mut all = part.weighed.iter();
        all.any(|one| !one.values(figure).is_empty())
    };
    let mut header = vec!["stack", "I/O", "gross ms"];
    let (net, delivery) = (known(|i| i.net_ns), known(|i| i.delivery_ns));
    if net {
        header.extend(["net ms", "tare ms"]);
    }
    let reads = matches!(part.workload, Workload::Agents { .. });
    if reads {
        header.push("ingest ms");
        if net {
            header.push("calls ms");
        }
    }
    let ttft = known(|i| i.ttft_ns);
    if ttft {
        header.push("TTFT ms");
    }
    if delivery {
        header.push("delivery µs/token");
    }
    header.push("CPU µs/token");
    let mut table = table(header);
    for one in &part.weighed {
        let millis =
            |figure: fn(&Invocation) -> Option<f64>| number(mean(&one.values(figure)), 1e6);
        let range = |figure: fn(&Invocation) -> Option<f64>, unit| range(&one.values(figure), unit);
        let mut row = vec![
            one.subject.to_string(),
            one.io.clone(),
            millis(|i| Some(i.gross_ns)),
        ];
        if net {
            row.extend([millis(|i| i.net_ns), range(Invocation::tare_ns, 1e6)]);
        }
        if reads {
            row.push(millis(|i| Some(i.ingest_ns)));
            if net {
                row.push(range(Invocation::calls_ns, 1e6));
            }
        }
        if ttft {
            row.push(millis(|i| i.ttft_ns));
        }
        if delivery {
            row.push(range(|i| i.delivery_ns, 1e3));
        }
        row.push(range(Invocation::cpu_per_token_ns, 1e3));
        table.add_row(row);
    }
    table
}

/// The mean with its interval; of one value, itself.
fn range(values: &[f64], unit: f64) -> String {
    match mean_interval(values, SEED) {
        None => number(mean(values), unit),
        found => interval(found, unit),
    }
}

/// Each against the base.
pub fn verdicts(part: &Part) -> Table {
    let named: Vec<String> = part
        .families
        .iter()
        .map(|family| match family.figure {
            Figure::Gross => "gross (±1 %)".to_owned(),
            figure => format!("{figure} (±5 %)"),
        })
        .collect();
    let header = ["stack", "changes"].into_iter();
    let mut table = table(header.chain(named.iter().map(String::as_str)));
    let compared = |one: &&Weighed| matches!(one.subject.role, Role::Stack | Role::Floor);
    for one in part.weighed.iter().filter(compared) {
        let name = one.subject.to_string();
        let mut row = vec![name.clone(), one.changed.to_string()];
        for family in &part.families {
            let mut judged = family.stacks.iter().chain(&family.controls);
            let judged = judged.find(|judged| judged.name == name);
            row.push(judged.map_or_else(|| "-".to_owned(), verdict));
        }
        table.add_row(row);
    }
    table
}

/// `slower × 1.200 [1.110, 1.300]`; undecided ones with how many more would decide.
pub fn verdict(judged: &Judgement) -> String {
    let mut text = judged.verdict.to_string();
    if let Some(found) = judged.ratio {
        text += &format!(
            " × {} [{}, {}]",
            ratio(found.estimate),
            ratio(found.low),
            ratio(found.high)
        );
    }
    match (judged.verdict, judged.further) {
        (Verdict::Undecided, Some(Further::Invocations(more))) if more > MANY => {
            text += &format!(", over {MANY} more");
        }
        (Verdict::Undecided, Some(Further::Invocations(more))) => text += &format!(", {more} more"),
        (Verdict::Undecided, Some(Further::Unreachable)) => text += ", on the margin",
        _ => {}
    }
    text
}

/// Where it goes: what the process used per token.
pub fn account(part: &Part) -> Table {
    let mut table = table([
        "stack",
        "user µs",
        "system µs",
        "switches, waiting",
        "switches, forced",
        "socket reads",
        "other reads",
        "writes",
        "allocations",
        "allocated B",
        "system calls",
        "decoding µs",
        "peak MB",
        "threads",
    ]);
    for one in &part.weighed {
        let mean_of = |figure: &dyn Fn(&Invocation) -> Option<f64>| {
            mean(&one.values(|invocation| figure(invocation)))
        };
        let count = |figure: &dyn Fn(&Invocation) -> Option<f64>| number(mean_of(figure), 1.0);
        table.add_row([
            one.subject.to_string(),
            number(mean_of(&|i| i.per_token(|u| Some(u.user_ns))), 1e3),
            number(mean_of(&|i| i.per_token(|u| Some(u.system_ns))), 1e3),
            count(&|i| i.per_token(|u| Some(u.voluntary_switches))),
            count(&|i| i.per_token(|u| Some(u.involuntary_switches))),
            count(&|i| i.per_token(|u| u.sockets.map(|sockets| sockets.reads))),
            count(&|i| i.per_token(|u| u.files.map(|files| files.reads))),
            count(&|i| i.per_token(|u| u.files.map(|files| files.writes))),
            count(&|i| i.per_token(|u| u.heap.map(|heap| heap.allocations))),
            count(&|i| i.per_token(|u| u.heap.map(|heap| heap.bytes))),
            number(
                one.profile_run
                    .and_then(|look| look.system_calls_per_token()),
                1.0,
            ),
            number(
                one.profile_run
                    .and_then(|look| look.decoding_per_token_ns()),
                1e3,
            ),
            number(
                mean_of(&|i| i.peak_rss_bytes.map(|bytes| bytes as f64)),
                1e6,
            ),
            number(
                mean_of(&|i| i.threads_most.map(|threads| threads as f64)),
                1.0,
            ),
        ]);
    }
    table
}

/// Tare per token of the answers, ns, a value per invocation.
pub fn tare_per_token(part: &Part, one: &Weighed) -> Vec<f64> {
    let iterations = part.iterations as f64;
    one.values(|i| Some(i.tare_ns()? * iterations / i.tokens as f64))
}

/// In proportion to inference; `None` unless net is known of agents.
pub fn shares(part: &Part) -> Option<Table> {
    if !matches!(part.workload, Workload::Agents { .. }) {
        return None;
    }
    tare_per_token(part, base(part)?).first()?;
    let rates = RATES.map(|rate| format!("at {rate} tok/s"));
    let header = ["stack", "tare µs/token"].into_iter();
    let mut table = table(header.chain(rates.iter().map(String::as_str)));
    let compared = |one: &&Weighed| !matches!(one.subject.role, Role::Again | Role::Control);
    for one in part.weighed.iter().filter(compared) {
        let values = tare_per_token(part, one);
        let mut row = vec![one.subject.to_string(), range(&values, 1e3)];
        row.extend(RATES.map(|rate| match mean(&values) {
            Some(tare) => format!("{:.3} %", share(tare, rate)),
            None => "-".to_owned(),
        }));
        table.add_row(row);
    }
    Some(table)
}

/// So many nanoseconds per token as a share of the model's time for one, in percent.
pub fn share(tare_ns: f64, rate: f64) -> f64 {
    100.0 * tare_ns / (1e9 / rate)
}

/// In how many invocations the mock was late, in a sentence; `None` if in none.
pub fn lateness(part: &Part) -> Option<String> {
    let all = || part.weighed.iter().flat_map(|one| &one.invocations);
    let late = all().filter(|invocation| invocation.late_calls > 0).count();
    (late > 0).then(|| {
        format!(
            "In {late} of {} invocations the mock was late: it wrote more than 1 % of a call's tokens more than 1 ms after they were due, because the machine was too busy. Net, and so tare, is still what happened, but the pace was not the profile's.",
            all().count()
        )
    })
}

/// A number as the text has it.
pub fn micros(ns: f64) -> String {
    digits(ns / 1e3)
}
