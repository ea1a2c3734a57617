//! What came of a load, for people: what was done, how fast it went, how long it took, and what about it
//! is not as asked for. Made from the stored records; the runs of a stack are pooled.

use super::figures::{digits, number, table};
use crate::experiment::{Arm, Kind, Server, Stored};
use crate::load::{
    Ending, Extent, Latency, Mode, Outcome, Prompt, ServerLateness, Setup, StartLateness,
};
use crate::run::Work;
use std::fmt::Write;
use std::time::Duration;

/// Lines are no longer than this.
const WIDTH: usize = 100;

/// The loads of an experiment, in Markdown, stack by stack. Without one there is nothing to say.
pub fn report(stored: &Stored) -> String {
    let mut sections = String::new();
    let mut first = None;
    for workload in &stored.manifest.experiment.workloads {
        if workload.kind != Kind::Load {
            continue;
        }
        for arm in &workload.arms {
            let Work::Load(setup) = &arm.spec.work else {
                continue;
            };
            let records = stored.records.iter();
            let runs = records.filter(|record| record.is_of(workload, arm) && !record.profiled);
            let runs: Vec<_> = runs.filter_map(|record| record.run()).collect();
            let loads = runs.iter().filter_map(|run| run.load.as_deref());
            let Some(outcome) = Outcome::pooled(loads) else {
                continue;
            };
            let tokens: u64 = runs.iter().map(|run| run.tokens).sum();
            let cpu: Duration = runs.iter().map(|run| run.usage.cpu()).sum();
            let cpu_ns = (tokens > 0).then(|| cpu.as_nanos() as f64 / tokens as f64);
            let several = match runs.len() {
                1 => String::new(),
                runs => format!(", {runs} runs"),
            };
            let threads = arm.spec.threads;
            let _ = write!(
                sections,
                "\n## {} ({threads} worker threads{several})\n\n",
                arm.name
            );
            sections += &section(setup, &outcome, cpu_ns);
            first.get_or_insert((arm, setup));
        }
    }
    match first {
        Some((arm, setup)) => format!(
            "# Load\n\n{}\n{sections}\n{}\n",
            wrapped(&what(stored, arm, setup)),
            wrapped(&legend(setup))
        ),
        None => String::new(),
    }
}

fn section(setup: &Setup, outcome: &Outcome, cpu_ns: Option<f64>) -> String {
    let mut text = format!("{}\n", wrapped(&account(setup, outcome)));
    let _ = write!(text, "\n{}\n", rates(setup, outcome, cpu_ns));
    let _ = write!(text, "\n{}\n", latencies(outcome));
    if !outcome.errors.is_empty() {
        let _ = write!(text, "\n{}\n", errors(outcome));
    }
    for note in notes(setup, outcome) {
        let _ = write!(text, "\n{}\n", wrapped(&note));
    }
    text
}

/// What was done, against whom.
fn what(stored: &Stored, arm: &Arm, setup: &Setup) -> String {
    let spec = &arm.spec;
    let sitting = stored.manifest.sittings.last();
    let described = sitting.and_then(|it| it.servers.get(&spec.base_url));
    let server = match (
        stored.manifest.experiment.servers.get(&spec.base_url),
        described,
    ) {
        (Some(Server::Mock(mock)), _) => format!("the mock `{}`", mock.name),
        (Some(Server::Real { base_url }), Some(it)) => format!("{} at {base_url}", it.software),
        (Some(Server::Real { base_url }), None) => format!("the server at {base_url}"),
        (None, _) => "a server".to_owned(),
    };
    let load = match setup.mode {
        Mode::Closed { streams } => format!("{streams} streams, closed loop"),
        Mode::Open {
            rate_per_s,
            arrivals,
            seed,
            ..
        } => format!("{rate_per_s} requests/s, open loop, {arrivals} arrivals (seed {seed})"),
    };
    let prompt = match &setup.prompt {
        Prompt::Same { .. } => "one prompt".to_owned(),
        Prompt::Drawn { tokens } => format!("prompts of some {tokens} tokens"),
    };
    let most = match described {
        Some(_) => "at most ",
        None => "",
    };
    let mut text = format!(
        "{load}, against {server} by {}: {prompt}, answers of {most}{} tokens.",
        spec.api, spec.tokens,
    );
    if let Some(described) = described {
        let _ = write!(text, "\n\nThe server: {described}.");
    }
    if let Some(sitting) = sitting {
        let here = &sitting.provenance;
        let (at, build) = (&here.occasion.timestamp, &here.build.tare_version);
        let _ = write!(text, "\n\nMeasured {at:.0} with tare {build}.");
        let spoilers = here.spoilers();
        if !spoilers.is_empty() {
            let _ = write!(
                text,
                " Spoilt by {}: `tare doctor` says what that means.",
                spoilers.join(", ")
            );
        }
    }
    text
}

/// What became of the requests.
fn account(setup: &Setup, outcome: &Outcome) -> String {
    let of = outcome.requests;
    let window = time(outcome.window_ns);
    let mut text = match setup.extent {
        Extent::Window { .. } => {
            let starting = match setup.mode {
                Mode::Closed { .. } => "started",
                Mode::Open { .. } => "were to start",
            };
            format!("In {window} {} requests {starting}", of.begun)
        }
        Extent::Requests { .. } => format!("{} requests started in {window}", of.begun),
    };
    let warm_up = time(setup.warm_up_ns);
    if setup.warm_up_ns > 0 {
        let _ = write!(text, ", after {warm_up} of warm-up");
    }
    let _ = write!(text, ": {} answered, {} failed", of.answered, of.failed);
    let _ = match of.unfinished {
        0 => write!(text, ", none cut off."),
        some => write!(text, ", {some} cut off unfinished."),
    };
    text
}

fn rates(setup: &Setup, outcome: &Outcome, cpu_ns: Option<f64>) -> String {
    let mut rows = table(["", "in the window", "per second"]);
    let row = |name: &str, count: u64, per_s: Option<f64>| {
        [name.to_owned(), count.to_string(), number(per_s, 1.0)]
    };
    rows.add_row(row(
        "answers",
        outcome.answers_in_window,
        outcome.answers_per_s,
    ));
    rows.add_row(row(
        "tokens",
        outcome.tokens_in_window,
        outcome.tokens_per_s,
    ));
    let mut text = String::new();
    if let (Some(goodput), Some(slo)) = (outcome.goodput, setup.slo) {
        rows.add_row(row("answers of use", goodput.met, goodput.per_s));
        let share = goodput.share.map_or_else(
            || "none".to_owned(),
            |share| format!("{} %", digits(100.0 * share)),
        );
        let _ = write!(
            text,
            "\n\nGoodput: {} of {} requests ({share}) kept {slo}.",
            goodput.met, goodput.of
        );
    }
    let flight = outcome.in_flight;
    let _ = write!(
        text,
        "\n\nUnder way: {} when the window began, {} when it ended, {} at most.",
        flight.at_start, flight.at_end, flight.most
    );
    if let Some(cpu) = cpu_ns {
        let _ = write!(
            text,
            " Processor time of this process: {} µs per token.",
            digits(cpu / 1e3)
        );
    }
    format!("{rows}{}", wrapped(&text))
}

/// A row per figure, each in the unit that fits its median.
fn latencies(outcome: &Outcome) -> String {
    let mut rows = table(["", "n", "mean", "p50", "p90", "p95", "p99", "p99.9"]);
    let of = &outcome.latencies;
    let started = outcome.start_lateness.as_ref().map(|it| &it.latency);
    for (name, latency) in [
        ("TTFT", of.ttft.as_ref()),
        ("ITL", of.itl.as_ref()),
        ("TPOT", of.tpot.as_ref()),
        ("E2E", of.e2e.as_ref()),
        ("delivery", of.delivery.as_ref()),
        ("late start", started),
    ] {
        if let Some(latency) = latency {
            rows.add_row(row(name, latency));
        }
    }
    rows.to_string()
}

fn row(name: &str, latency: &Latency) -> Vec<String> {
    let (unit, per) = match latency.mean_ns {
        mean if mean < 1e6 => ("µs", 1e3),
        mean if mean < 1e10 => ("ms", 1e6),
        _ => ("s", 1e9),
    };
    let quantile = |ns: Option<u64>| number(ns.map(|ns| ns as f64), per);
    vec![
        format!("{name} {unit}"),
        latency.count.to_string(),
        number(Some(latency.mean_ns), per),
        quantile(latency.p50_ns),
        quantile(latency.p90_ns),
        quantile(latency.p95_ns),
        quantile(latency.p99_ns),
        quantile(latency.p999_ns),
    ]
}

fn errors(outcome: &Outcome) -> String {
    let mut rows = table(["failed", "requests"]);
    for errors in &outcome.errors {
        rows.add_row([errors.to_string(), errors.count.to_string()]);
    }
    let first = outcome.errors.iter().map(|errors| {
        let words = errors.first.replace('\n', " ");
        format!("\n{}", wrapped(&format!("- {errors}, the first: {words}")))
    });
    format!("{rows}\n{}", first.collect::<String>())
}

/// What has to be known to read the figures.
fn notes(setup: &Setup, outcome: &Outcome) -> Vec<String> {
    let mut notes = Vec::new();
    if outcome.ending == Ending::Interrupted {
        notes.push("**Interrupted.** What had not ended by then is in no latency, and that is the longer answers rather than the shorter.".to_owned());
    } else if outcome.requests.unfinished > 0 {
        notes.push(format!(
            "**{} requests were cut off**, still unanswered {} after the window. They are in no latency, and would be the longest: read the quantiles as lower limits.",
            outcome.requests.unfinished,
            match setup.extent {
                Extent::Window { drain_ns, .. } => time(drain_ns),
                Extent::Requests { .. } => "long".to_owned(),
            }
        ));
    }
    if let Some(late) = outcome.start_lateness.as_ref().filter(|it| it.off_schedule) {
        notes.push(off_schedule(late));
    }
    if let Some(late) = outcome.server_lateness.filter(|it| it.late_answers > 0) {
        notes.push(mock_was_late(late));
    }
    notes
}

/// How the figures are to be read.
fn legend(setup: &Setup) -> String {
    let latencies = match setup.mode {
        Mode::Closed { .. } => {
            "Closed loop: each stream asks again when it is answered, so that a slow server is asked less often. Latencies count from each request's own start."
        }
        Mode::Open { .. } => {
            "Open loop: TTFT and E2E count from when a request was to start, its late start included."
        }
    };
    format!(
        "{latencies}\n\nTTFT: to the first token; ITL: between two tokens; TPOT: (last − first token) / (n − 1) of an answer; E2E: to the end of the answer; `-`: too few values to say."
    )
}

/// The text with lines broken at spaces.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn off_schedule(late: &StartLateness) -> String {
    format!(
        "**The client did not keep its schedule**: {} of {} requests started more than 1 ms late, so the load was not the one asked for. Take more threads, a cheaper stack, or a lower rate.",
        late.late, late.latency.count
    )
}

fn mock_was_late(late: ServerLateness) -> String {
    format!(
        "**The mock was late** in {} of {} answers: it wrote more than 1 % of their tokens more than 1 ms after they were due (the latest {}), so the pace was not its profile's.",
        late.late_answers,
        late.answers,
        time(late.latest_ns)
    )
}

/// `10.0 s`, `12.3 ms`
fn time(nanos: u64) -> String {
    let time = Duration::from_nanos(nanos);
    if time >= Duration::from_secs(1) {
        format!("{} s", digits(time.as_secs_f64()))
    } else {
        format!("{} ms", digits(time.as_secs_f64() * 1e3))
    }
}
