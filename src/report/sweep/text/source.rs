//! What was read, and what was not.

use super::super::record::Record;
use super::said::counted;
use crate::published::import::PlanState;
use crate::report::markdown::{Align, Table};
use std::fmt::Write;

/// So many rows of a kind the report has; `analysis.json` has them all.
const MOST_ROWS: usize = 50;

/// What was read, by kind, and what to know before believing any of it.
pub fn opening(record: &Record) -> String {
    let source = &record.source;
    let mut text = format!(
        "Read {}, skipped {}",
        counted(source.read, "file"),
        source.skipped.len()
    );
    let kinds: Vec<String> = source
        .kinds
        .iter()
        .map(|(kind, &count)| match kind.name().split_once(' ') {
            Some((head, rest)) => format!("{} {rest}", counted(count, head)),
            None => counted(count, kind.name()),
        })
        .collect();
    let _ = writeln!(text, ": {}.", kinds.join(", "));
    for warning in warnings(record) {
        let _ = write!(text, "\n**Note:** {warning}\n");
    }
    text
}

/// What to know before believing any of it, a sentence each.
pub fn warnings(record: &Record) -> Vec<String> {
    let source = &record.source;
    let mut all: Vec<String> = source.plan.iter().filter_map(of_plan).collect();
    if !source.disagreements.is_empty() {
        all.push(format!(
            "{} stated in the files {} not follow from what they hold; what follows is used here (see below).",
            counted(source.disagreements.len(), "figure"),
            if source.disagreements.len() == 1 { "does" } else { "do" },
        ));
    }
    for family in record.families.iter().filter(|family| family.mock_late > 0) {
        all.push(format!(
            "in {} of {} the mock was late, because the machine was too busy: the pace was not its profile's.",
            family.mock_late,
            counted(family.runs, "run")
        ));
    }
    all
}

fn of_plan(plan: &PlanState) -> Option<String> {
    let first = plan.incomplete.first()?;
    Some(format!(
        "the sweep is not complete: {} of {} of the plan `{}` are there ({} runs of {} in {}{}); {}.",
        plan.there,
        counted(plan.planned, "run"),
        plan.name,
        first.there,
        first.planned,
        first.configuration,
        match plan.incomplete.len() {
            1 => String::new(),
            more => format!(", and {} more", more - 1),
        },
        match plan.is_part {
            true => "this folder is for a part of it, and `tare merge` joins the parts",
            false => "`tare sweep --resume` does the rest",
        }
    ))
}

/// Files that were skipped and figures that contradict themselves.
pub fn leftovers(record: &Record) -> String {
    let source = &record.source;
    let mut text = String::new();
    if !source.disagreements.is_empty() {
        let mut table = Table::new(&[
            ("file", Align::Left),
            ("figure", Align::Left),
            ("stated", Align::Right),
            ("follows", Align::Right),
        ]);
        for one in source.disagreements.iter().take(MOST_ROWS) {
            table.row([&one.file, &one.what, &one.stated, &one.found]);
        }
        let _ = write!(
            text,
            "\n## Stated, but not so\n\n{table}{}",
            rest(source.disagreements.len())
        );
    }
    if !source.skipped.is_empty() {
        let mut table = Table::new(&[("file", Align::Left), ("why", Align::Left)]);
        for one in source.skipped.iter().take(MOST_ROWS) {
            table.row([&one.file, &one.reason]);
        }
        let _ = write!(
            text,
            "\n## Skipped\n\n{table}{}",
            rest(source.skipped.len())
        );
    }
    text
}

fn rest(count: usize) -> String {
    match count.checked_sub(MOST_ROWS) {
        Some(more @ 1..) => format!("\nAnd {more} more, which `analysis.json` has.\n"),
        _ => String::new(),
    }
}
