//! The tables of a workload: one that fits a terminal, and the wide ones.

use super::answer::{RATES, share};
use super::{Evidence, Style, plain, word};
use crate::experiment::{Arm, Judgement, Metric, Pooled, Role, Run, Stored, Workload, metric};
use crate::meter::Usage;
use crate::report::figures::{digits, interval, number, ratio};
use crate::stats::{Verdict, mean, mean_by_t};
use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{CellAlignment, Table};
use std::fmt::Write;

/// Between the value and its ratio in a cell, for a verdict.
fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Slower => '▲',
        Verdict::Faster => '▼',
        Verdict::Equivalent => '=',
        Verdict::Undecided => '?',
    }
}

/// All tables of a workload.
pub fn tables(evidence: &Evidence<'_>, style: Style) -> String {
    let mut text = headline(evidence, style);
    if style.wide {
        text += &verdicts(evidence, style);
        text += &account(evidence, style);
        text += &shares(evidence, style);
    }
    text
}

/// A table whose first column is text, and so to the left, and whose others are numbers.
fn table(style: Style, header: &[String], rows: Vec<Vec<String>>) -> String {
    table_of(style, 1, header, rows)
}

/// The same with so many columns of text.
fn table_of(style: Style, texts: usize, header: &[String], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(match style.markdown {
        true => ASCII_MARKDOWN,
        false => NOTHING,
    });
    let tidy = |text: &String| match style.markdown {
        true => plain(text).replace('|', "\\|"),
        false => plain(text),
    };
    table.set_header(header.iter().map(tidy));
    for row in &rows {
        table.add_row(row.iter().map(tidy));
    }
    for column in table.column_iter_mut().skip(texts) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if !style.markdown {
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
    }
    let lines = table.to_string();
    let lines = lines.lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

fn named(arm: &Arm, runs: &[&Run]) -> String {
    let bridged = runs.iter().any(|run| run.io == "bridged");
    match bridged {
        true => format!("{} *", arm.name),
        false => arm.name.clone(),
    }
}

fn column(metric: &Metric) -> String {
    match metric.unit.shown() {
        ("", _) => metric.title.to_owned(),
        (unit, _) => format!("{} {unit}", metric.title),
    }
}

/// Means with the ratio to the base. Columns that do not fit are left out, the last ones first.
fn headline(evidence: &Evidence<'_>, style: Style) -> String {
    let metrics = evidence.metrics();
    let arms: Vec<&Arm> = evidence
        .workload
        .arms
        .iter()
        .filter(|arm| !evidence.runs(&arm.name).is_empty())
        .collect();
    let mut shown = metrics.len();
    let (mut text, mut left_out) = (String::new(), Vec::new());
    while shown > 0 {
        let header: Vec<String> = std::iter::once("arm".to_owned())
            .chain(metrics[..shown].iter().map(|metric| column(metric)))
            .collect();
        let rows = arms.iter().map(|arm| {
            let mut row = vec![named(arm, &evidence.runs(&arm.name))];
            row.extend(
                metrics[..shown]
                    .iter()
                    .map(|metric| cell(evidence, arm, metric)),
            );
            row
        });
        text = table(style, &header, rows.collect());
        left_out = metrics[shown..].iter().map(|metric| metric.id).collect();
        let widest = text.lines().map(|line| line.chars().count()).max();
        if style.wide || widest.unwrap_or_default() <= style.width {
            break;
        }
        shown -= 1;
    }
    let mut legend = String::new();
    if let Some(base) = evidence.workload.base() {
        let _ = write!(
            legend,
            "Means, and the ratio to {}: ▲ higher or slower, ▼ lower or faster, = equivalent, ? undecided.",
            base.name
        );
    } else {
        legend += "Means.";
    }
    let bridged = |arm: &&Arm| {
        evidence
            .runs(&arm.name)
            .iter()
            .any(|run| run.io == "bridged")
    };
    if arms.iter().any(bridged) {
        legend += " * bridged: its client needs a Tokio reactor beside the runtime.";
    }
    if !left_out.is_empty() {
        let _ = write!(legend, " With --wide also {}.", left_out.join(", "));
    }
    text + "\n" + &style.paragraph(&legend)
}

fn judgement<'a>(evidence: &Evidence<'a>, arm: &Arm, metric: &Metric) -> Option<&'a Judgement> {
    let mut metrics = evidence.judged?.metrics.iter();
    let of = metrics.find(|of| of.metric == metric.id)?;
    of.arms.iter().find(|judged| judged.arm == arm.name)
}

/// `0.74 ▲1.41`.
fn cell(evidence: &Evidence<'_>, arm: &Arm, metric: &Metric) -> String {
    let (_, per) = metric.unit.shown();
    let mean = number(evidence.mean(&arm.name, metric), per);
    let judged = judgement(evidence, arm, metric);
    if judged.is_some_and(|judged| judged.withheld) {
        return format!("{mean} withheld");
    }
    match judged.and_then(|judged| Some((judged.verdict, judged.ratio?))) {
        Some((verdict, found)) => format!("{mean} {}{}", mark(verdict), short(found.estimate)),
        None => mean,
    }
}

/// A ratio in as few characters as tell it from 1.
fn short(value: f64) -> String {
    match value {
        value if value >= 10.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}

/// Everything that is said of each arm, metric by metric.
fn verdicts(evidence: &Evidence<'_>, style: Style) -> String {
    let Some(judged) = evidence.judged else {
        return String::new();
    };
    let mut text = String::new();
    for of in &judged.metrics {
        let Some(metric) = metric::find(&of.metric) else {
            continue;
        };
        let header = [
            "arm",
            "mean",
            "verdict",
            "ratio",
            "geometric",
            "detectable",
            "runs needed",
            "delta",
        ]
        .map(str::to_owned);
        let (unit, per) = metric.unit.shown();
        let rows = of.arms.iter().map(|one| {
            let values = evidence.values(&one.arm, metric);
            let times = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), digits);
            vec![
                one.arm.clone(),
                interval(mean_by_t(&values, 0.05), per),
                match one.withheld {
                    true => "withheld".to_owned(),
                    false => word(metric, one.verdict).to_owned(),
                },
                range(one.ratio.as_ref().filter(|_| !one.withheld)),
                range(one.geometric.as_ref().filter(|_| !one.withheld)),
                one.detectable.map_or_else(|| "-".to_owned(), ratio),
                one.runs_needed.as_ref().map_or_else(
                    || "-".to_owned(),
                    |needed| format!("{} to {}", needed.low, needed.high),
                ),
                times(one.cliffs_delta),
            ]
        });
        let unit = match unit {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        let _ = write!(
            text,
            "\n{}\n\n{}",
            style
                .paragraph(&format!("{}{unit}: {}", metric.title, metric.meaning))
                .trim_end(),
            table(style, &header, rows.collect())
        );
    }
    text
}

fn range(interval: Option<&crate::stats::Interval>) -> String {
    interval.map_or_else(
        || "-".to_owned(),
        |of| {
            format!(
                "{} [{}, {}]",
                ratio(of.estimate),
                ratio(of.low),
                ratio(of.high)
            )
        },
    )
}

/// Where it goes: what a process used per token.
fn account(evidence: &Evidence<'_>, style: Style) -> String {
    type Count = fn(&Usage) -> Option<u64>;
    let counts: [(&str, f64, Count); 9] = [
        ("user µs", 1e3, |used| Some(used.user_ns)),
        ("system µs", 1e3, |used| Some(used.system_ns)),
        ("waiting switches", 1.0, |used| {
            Some(used.voluntary_switches)
        }),
        ("forced switches", 1.0, |used| {
            Some(used.involuntary_switches)
        }),
        ("socket reads", 1.0, |used| used.sockets.map(|it| it.reads)),
        ("other reads", 1.0, |used| used.files.map(|it| it.reads)),
        ("writes", 1.0, |used| used.files.map(|it| it.writes)),
        ("allocations", 1.0, |used| {
            used.heap.map(|it| it.allocations)
        }),
        ("allocated B", 1.0, |used| used.heap.map(|it| it.bytes)),
    ];
    let metrics = ["system-calls", "decoding", "memory", "threads"].map(metric::find);
    let metrics: Vec<&Metric> = metrics.into_iter().flatten().collect();
    let mut header = vec!["per token".to_owned()];
    header.extend(counts.iter().map(|(name, ..)| (*name).to_owned()));
    header.extend(metrics.iter().map(|metric| column(metric)));
    let rows = evidence.workload.arms.iter().filter_map(|arm| {
        let runs = evidence.runs(&arm.name);
        let timed: Vec<&&Run> = runs
            .iter()
            .filter(|run| run.profile_run.is_none())
            .collect();
        if timed.is_empty() {
            return None;
        }
        let mut row = vec![arm.name.clone()];
        for (_, per, count) in &counts {
            let each = timed.iter().filter_map(|run| {
                let count = count(&run.usage)? as f64;
                (run.tokens > 0).then(|| count / run.tokens as f64)
            });
            row.push(number(mean(&each.collect::<Vec<_>>()), *per));
        }
        row.extend(metrics.iter().map(|metric| {
            let (_, per) = metric.unit.shown();
            number(evidence.mean(&arm.name, metric), per)
        }));
        Some(row)
    });
    format!("\n{}", table(style, &header, rows.collect()))
}

/// The calls in proportion to inference.
fn shares(evidence: &Evidence<'_>, style: Style) -> String {
    let calls = metric::find("calls").filter(|metric| (metric.applies)(evidence.workload));
    let Some(calls) = calls else {
        return String::new();
    };
    let mut header = vec![
        "calls, of the model's time".to_owned(),
        "µs/token".to_owned(),
    ];
    header.extend(RATES.map(|rate| format!("at {rate} tok/s")));
    let arms = evidence.workload.arms.iter();
    let compared = arms.filter(|arm| !matches!(arm.role, Role::BaseAgain | Role::Control));
    let rows = compared.filter_map(|arm| {
        let values: Vec<f64> = evidence
            .runs(&arm.name)
            .into_iter()
            .filter_map(|run| {
                Some(run.value(calls.id)? * run.iterations as f64 / run.tokens as f64)
            })
            .collect();
        let cost = mean(&values)?;
        let mut row = vec![arm.name.clone(), interval(mean_by_t(&values, 0.05), 1e3)];
        row.extend(RATES.map(|rate| format!("{:.3} %", share(cost, rate))));
        Some(row)
    });
    let rows: Vec<Vec<String>> = rows.collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!("\n{}", table(style, &header, rows)),
    }
}

/// Means over all runs of several sittings, and ratios over the sittings.
pub fn pooled(stored: &[&Stored], pooled: &[Pooled], style: Style) -> String {
    let mut text = String::new();
    for of in pooled.chunk_by(|a, b| a.workload == b.workload) {
        text += &style.heading(&of[0].workload);
        text += &pooled_workload(stored, of, style);
    }
    text
}

fn pooled_workload(stored: &[&Stored], pooled: &[Pooled], style: Style) -> String {
    let header = [
        "metric",
        "arm",
        "mean",
        "ratio",
        "sd between sittings",
        "sittings",
    ];
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut known = "";
    for one in pooled {
        let (Some(metric), Some(workload)) = (metric::find(&one.metric), workload(stored, one))
        else {
            continue;
        };
        let row = |arm: &Arm, named: &str| {
            let title = match metric.unit.shown() {
                ("", _) => metric.id.to_owned(),
                (unit, _) => format!("{} {unit}", metric.id),
            };
            let (_, per) = metric.unit.shown();
            let mean = number(mean_of_all(stored, workload, arm, metric), per);
            vec![title, named.to_owned(), mean]
        };
        if known != one.metric {
            known = &one.metric;
            rows.extend(workload.base().map(|base| {
                let mut row = row(base, &base.name);
                row.extend(["base", "", ""].map(str::to_owned));
                row
            }));
        }
        // The A/A control is the base's second run.
        let arm = workload.arms.iter().find(|arm| arm.name == one.arm);
        let again = || workload.arms.iter().find(|arm| arm.role == Role::BaseAgain);
        let Some(arm) = arm.or_else(again) else {
            continue;
        };
        let mut row = row(arm, &one.arm);
        row.extend([
            range(Some(&one.ratio)),
            format!("{:.3}", one.between_sd),
            one.sittings.to_string(),
        ]);
        rows.push(row);
    }
    table_of(style, 2, &header.map(str::to_owned), rows)
}

fn workload<'a>(stored: &[&'a Stored], one: &Pooled) -> Option<&'a Workload> {
    let mut workloads = stored.first()?.manifest.experiment.workloads.iter();
    workloads.find(|of| of.name == one.workload)
}

fn mean_of_all(stored: &[&Stored], of: &Workload, arm: &Arm, metric: &Metric) -> Option<f64> {
    let records = stored.iter().flat_map(|one| &one.records);
    let own = records.filter(|record| record.is_of(of, arm));
    let values = own.filter_map(|record| record.run()?.value(metric.id));
    mean(&values.collect::<Vec<_>>())
}
