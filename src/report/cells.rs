//! The table of cells: what each costs above the server, and against the floor.

use crate::cell::Cell;
use crate::invocation::Outcome;
use crate::stats::{Interval, mean, mean_interval, ratio_interval};
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

/// Inference rates at which a cell's cost is shown as a share, tokens per second: a large model on
/// a CPU, one that a person reads along with, a small one on a laptop's GPU, and the fastest.
const RATES: [f64; 4] = [10.0, 50.0, 120.0, 1000.0];
/// Seed of the resampling.
const SEED: u64 = 1;

/// What was measured of a cell: an outcome per block of each of two workloads.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Which cell.
    pub cell: Cell,
    /// The whole agent against the paced mock.
    pub agent: Vec<Outcome>,
    /// One stream after the other against the instant mock.
    pub stream: Vec<Outcome>,
}

impl Measured {
    /// One figure of the agent's, a value per block.
    fn agent(&self, figure: impl Fn(&Outcome) -> f64) -> Vec<f64> {
        self.agent.iter().map(figure).collect()
    }

    /// Tare of an agent's run in each block, ns.
    fn tare(&self) -> Vec<f64> {
        self.agent(|o| o.mean(|i| i.tare_ns()).unwrap_or(f64::NAN))
    }

    /// Tokens of an agent's run.
    fn tokens(&self) -> f64 {
        let tokens = |o: &Outcome| o.mean(|i| Some(i.tokens as f64)).unwrap_or(f64::NAN);
        mean(&self.agent(tokens)).unwrap_or(f64::NAN)
    }

    /// Mean delivery latency of the agent's tokens in each block, ns.
    fn delivery(&self) -> Vec<f64> {
        self.agent(|o| {
            let delivery = o.total(|i| i.delivery_ns).as_nanos();
            delivery as f64 / o.tokens().max(1) as f64
        })
    }

    /// CPU time per token of a stream in each block, ns.
    fn cpu(&self) -> Vec<f64> {
        self.stream.iter().map(Outcome::cpu_per_token_ns).collect()
    }
}

/// The tables, as Markdown. `floor` must be of the same blocks as `cells`; `again` is one of the
/// cells measured a second time, the A/A control.
pub fn render(floor: &Measured, cells: &[Measured], again: Option<&Measured>) -> String {
    let mut text = format!("{}\n", costs(floor, cells));
    text.push_str(&format!(
        "\nTare per token of such an agent's answers, and as a share of the model's time for a token at so many tokens/s:\n\n{}\n",
        shares(floor, cells)
    ));
    if let Some(control) = again.and_then(|again| control(cells, again)) {
        text.push_str(&format!("\n{control}\n"));
    }
    let all = [floor].into_iter().chain(cells).chain(again);
    if let Some(lateness) = lateness(all) {
        text.push_str(&format!("\n{lateness}\n"));
    }
    text
}

/// In how many of the agents' invocations the mock was late, in a sentence; `None` if in none. A
/// burst has no schedule.
fn lateness<'a>(measured: impl Iterator<Item = &'a Measured>) -> Option<String> {
    let outcomes: Vec<&Outcome> = measured.flat_map(|measured| &measured.agent).collect();
    let late = outcomes.iter().filter(|outcome| outcome.mock_was_late());
    let late = late.count();
    (late > 0).then(|| {
        format!(
            "In {late} of {} invocations of the agent the mock was late: it wrote more than 1 % of a call's tokens more than 1 ms after they were due, because the machine was too busy. Net, and so tare, is still what happened, but the pace was not the profile's.",
            outcomes.len()
        )
    })
}

fn costs(floor: &Measured, cells: &[Measured]) -> Table {
    let mut table = table([
        "cell",
        "I/O",
        "gross ms",
        "net ms",
        "tare ms",
        "of it ingest",
        "tare × floor",
        "delivery µs/token",
        "CPU µs/token",
        "CPU × floor",
    ]);
    for measured in std::iter::once(floor).chain(cells) {
        let millis = |figure: &dyn Fn(&Outcome) -> Option<f64>| {
            let values = measured.agent(|o| figure(o).unwrap_or(f64::NAN));
            number(mean(&values), 1e6)
        };
        let tare = mean_interval(&measured.tare(), SEED);
        let cpu = mean_interval(&measured.cpu(), SEED);
        let is_floor = measured.cell == floor.cell;
        let against = |own: &[f64], base: &[f64]| match is_floor {
            true => "1".to_owned(),
            false => interval(ratio_interval(own, base, SEED), 1.0),
        };
        table.add_row([
            measured.cell.to_string(),
            measured.cell.io().to_string(),
            millis(&|o| o.mean(|i| Some(i.gross_ns as f64))),
            millis(&|o| o.mean(|i| i.net_ns.map(|net| net as f64))),
            interval(tare, 1e6),
            millis(&|o| o.mean(|i| Some(i.ingest_ns as f64))),
            against(&measured.tare(), &floor.tare()),
            interval(mean_interval(&measured.delivery(), SEED), 1e3),
            interval(cpu, 1e3),
            against(&measured.cpu(), &floor.cpu()),
        ]);
    }
    table
}

fn shares(floor: &Measured, cells: &[Measured]) -> Table {
    let rates = RATES.map(|rate| format!("at {rate} tok/s"));
    let mut table = table(
        ["cell", "tare µs/token"]
            .into_iter()
            .chain(rates.iter().map(String::as_str)),
    );
    for measured in std::iter::once(floor).chain(cells) {
        let tare = mean_interval(&measured.tare(), SEED);
        let scale = measured.tokens() * 1e3;
        let mut row = vec![measured.cell.to_string(), interval(tare, scale)];
        row.extend(RATES.map(|rate| {
            let token_us = 1e6 / rate;
            match tare {
                Some(tare) => format!("{:.3} %", 100.0 * tare.estimate / scale / token_us),
                None => "-".to_owned(),
            }
        }));
        table.add_row(row);
    }
    table
}

/// The A/A control in a sentence; `None` if the cell is not among those measured.
fn control(cells: &[Measured], again: &Measured) -> Option<String> {
    let first = cells.iter().find(|measured| measured.cell == again.cell)?;
    let judged = |name: &str, ratio: Option<Interval>| {
        let ratio = ratio?;
        let verdict = if ratio.low <= 1.0 && 1.0 <= ratio.high {
            "includes 1, as it should"
        } else {
            "EXCLUDES 1: this machine was too restless, read differences of this size as noise"
        };
        Some(format!(
            "{name} × {}, which {verdict}",
            interval(Some(ratio), 1.0)
        ))
    };
    let tare = judged("tare", ratio_interval(&again.tare(), &first.tare(), SEED))?;
    let cpu = judged("CPU", ratio_interval(&again.cpu(), &first.cpu(), SEED))?;
    Some(format!(
        "A/A control, {} against itself in the same blocks: {tare}; {cpu}.",
        again.cell
    ))
}

pub(super) fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `1.23 [1.20, 1.27]`, in so many units.
pub(super) fn interval(interval: Option<Interval>, unit: f64) -> String {
    match interval {
        Some(Interval {
            estimate,
            low,
            high,
        }) => format!(
            "{} [{}, {}]",
            digits(estimate / unit),
            digits(low / unit),
            digits(high / unit)
        ),
        None => "-".to_owned(),
    }
}

pub(super) fn number(value: Option<f64>, unit: f64) -> String {
    match value {
        Some(value) => digits(value / unit),
        None => "-".to_owned(),
    }
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invocation::Iteration;
    use crate::meter::Usage;
    use std::num::NonZeroUsize;

    fn outcome(cell: &str, gross_ns: u64, cpu_ns: u64) -> Outcome {
        Outcome {
            cell: cell.parse().expect("a cell"),
            io: "native".to_owned(),
            threads: NonZeroUsize::MIN,
            workers_seen: None,
            iterations: vec![Iteration {
                gross_ns,
                net_ns: Some(100_000_000),
                ingest_ns: 1_000_000,
                tokens: 100,
                delivery_ns: 2_000_000,
                ..Iteration::default()
            }],
            usage: Usage {
                user_ns: cpu_ns,
                ..Usage::default()
            },
        }
    }

    fn measured(cell: &str, tare_ms: u64, cpu_us: u64) -> Measured {
        let blocks = || (0..3).map(|_| outcome(cell, (100 + tare_ms) * 1_000_000, cpu_us * 1_000));
        Measured {
            cell: cell.parse().expect("a cell"),
            agent: blocks().collect(),
            stream: blocks().collect(),
        }
    }

    #[test]
    fn a_cell_is_shown_against_the_floor_and_as_a_share() {
        let floor = measured("threads/raw", 2, 40);
        let cells = [measured("smol/reqwest", 6, 100)];
        let text = render(&floor, &cells, None);
        let row = |n: usize| {
            let mut lines = text.lines().filter(|line| line.contains("smol/reqwest"));
            let line = lines.nth(n).expect("a row");
            let fields = line.split('|').map(str::trim).filter(|f| !f.is_empty());
            fields.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            row(0),
            [
                "smol/reqwest",
                "bridged",
                "106",
                "100",
                "6.00 [6.00, 6.00]",
                "1.00",
                "3.00 [3.00, 3.00]",
                "20.0 [20.0, 20.0]",
                "1.00 [1.00, 1.00]",
                "2.50 [2.50, 2.50]"
            ]
        );
        // 60 µs of a token's 100 ms, 20 ms, 8.33 ms and 1 ms.
        assert_eq!(row(1)[2..], ["0.060 %", "0.300 %", "0.720 %", "6.000 %"]);
    }

    #[test]
    fn invocations_with_a_late_mock_are_counted_below_the_table() {
        let floor = measured("threads/raw", 2, 40);
        let mut cells = [measured("smol/hyper", 6, 100)];
        assert!(!render(&floor, &cells, None).contains("late"));
        cells[0].agent[1].iterations[0].late_calls = 1;
        let text = render(&floor, &cells, None);
        assert!(text.contains("In 1 of 6 invocations"), "{text}");
    }

    #[test]
    fn a_control_that_differs_is_called_out() {
        let cells = [measured("smol/hyper", 6, 100)];
        let same = control(&cells, &measured("smol/hyper", 6, 100)).expect("a control");
        assert!(!same.contains("EXCLUDES"), "{same}");
        let other = control(&cells, &measured("smol/hyper", 7, 100)).expect("a control");
        assert!(other.contains("EXCLUDES 1"), "{other}");
        assert_eq!(control(&[], &measured("smol/hyper", 6, 100)), None);
    }
}
