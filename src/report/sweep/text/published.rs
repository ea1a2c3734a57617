//! The tables of what the published efficiency measures.

use super::super::analysis::{OfLevel, Published};
use super::super::factor::Level;
use super::said::{self, ends, p};
use crate::report::markdown::{Align, NONE, Table, maybe, number};
use std::fmt::Write;

/// All of them.
pub fn section(of: &Published) -> String {
    let mut text = String::new();
    let mut add = |title: &str, table: Table| {
        if !table.is_empty() {
            let _ = write!(text, "\n{title}\n\n{table}");
        }
    };
    add(
        "R² of published efficiency on what may explain it:",
        fits(of),
    );
    add(
        "The true efficiency beside the published one, %:",
        beside_true(of),
    );
    add("Contention, by rule:", contention(of));
    add(
        "Overlap of the two agents, % of the shorter one's time:",
        overlap(of),
    );
    add(
        "Wall-clock time less the longer agent's, ms:",
        of_levels(&of.beyond_longer),
    );
    add(
        "Server-time share, % of the agents' times:",
        of_levels(&of.server_share),
    );
    if let Some(off) = &of.off_the_identity {
        let _ = write!(
            text,
            "\nPublished efficiency differs from (1 + b) / 2, b being the duration balance, by {} points on average and {} at most (n = {}).\n",
            number(off.mean),
            number(off.most),
            off.n
        );
    }
    match text.is_empty() {
        true => text,
        false => format!("\n### What the published efficiency measures\n{text}"),
    }
}

fn level(level: Option<&Level>) -> String {
    level.map_or_else(|| "all".to_owned(), ToString::to_string)
}

fn runtime(runtime: Option<&Level>, overlapping_only: bool) -> String {
    match overlapping_only {
        true => "all that overlap".to_owned(),
        false => level(runtime),
    }
}

fn fits(of: &Published) -> Table {
    let mut table = Table::new(&[
        ("on", Align::Left),
        ("runtime", Align::Left),
        ("n", Align::Right),
        ("R²", Align::Right),
        ("slope", Align::Right),
        ("intercept %", Align::Right),
        ("p", Align::Right),
    ]);
    for fit in &of.fits {
        let line = &fit.line;
        table.row([
            fit.on.to_string(),
            runtime(fit.runtime.as_ref(), fit.overlapping_only),
            line.n.to_string(),
            format!("{:.4}", line.r_squared),
            number(line.slope),
            number(line.intercept),
            p(line.p),
        ]);
    }
    table
}

fn beside_true(of: &Published) -> Table {
    let mut table = Table::new(&[
        ("configuration", Align::Left),
        ("n", Align::Right),
        ("published [95 %]", Align::Right),
        ("true [95 %]", Align::Right),
        ("published less true [95 %]", Align::Right),
    ]);
    for row in &of.beside_true {
        let excess = row.excess.as_ref().map_or_else(
            || NONE.to_owned(),
            |excess| format!("{} {}", number(excess.estimate), ends(excess)),
        );
        table.row([
            row.configuration
                .clone()
                .unwrap_or_else(|| "all".to_owned()),
            row.real.n.to_string(),
            said::mean(&row.published, ""),
            said::mean(&row.real, ""),
            excess,
        ]);
    }
    table
}

fn contention(of: &Published) -> Table {
    let mut table = Table::new(&[
        ("servers", Align::Left),
        ("rule", Align::Left),
        ("runs", Align::Right),
        ("share [95 %]", Align::Right),
    ]);
    for row in &of.contention {
        let share = 100.0 * f64::from(row.found) / f64::from(row.of);
        let (low, high) = row.interval;
        table.row([
            level(row.servers.as_ref()),
            row.rule.name().to_owned(),
            format!("{} of {}", row.found, row.of),
            format!("{share:.1} % [{:.1}, {:.1}]", 100.0 * low, 100.0 * high),
        ]);
    }
    table
}

fn overlap(of: &Published) -> Table {
    let mut table = Table::new(&[
        ("runtime", Align::Left),
        ("n", Align::Right),
        ("overlap [95 %]", Align::Right),
        ("runs below half", Align::Right),
    ]);
    for row in &of.serial {
        table.row([
            level(row.runtime.as_ref()),
            row.of.to_string(),
            said::mean(&row.overlap, ""),
            row.serial.to_string(),
        ]);
    }
    table
}

fn of_levels(rows: &[OfLevel]) -> Table {
    let mut table = Table::new(&[
        ("runtime", Align::Left),
        ("n", Align::Right),
        ("mean [95 %]", Align::Right),
        ("sd", Align::Right),
        ("median", Align::Right),
    ]);
    for row in rows {
        let summary = &row.summary;
        table.row([
            runtime(row.runtime.as_ref(), row.overlapping_only),
            summary.n.to_string(),
            said::mean(summary, ""),
            maybe(summary.sd),
            number(summary.quartiles.median),
        ]);
    }
    table
}
