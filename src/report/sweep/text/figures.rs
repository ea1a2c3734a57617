//! The section of a figure: by configuration, by factor, against the default, the best.

use super::super::analysis::{AgainstDefault, FactorAnalysis, FigureAnalysis, Group, Success};
use super::said::{self, counted, ends, p, share};
use crate::report::markdown::{Align, NONE, Table, maybe, number};
use std::fmt::Write;

/// So many configurations a table has; `configurations.csv` has them all.
const MOST_ROWS: usize = 100;

/// All of one figure.
pub fn section(of: &FigureAnalysis) -> String {
    let unit = match of.unit {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    let mut text = format!("\n### {}{unit}\n\nBy configuration:\n\n", of.figure);
    text += &groups("configuration", &of.configurations).to_string();
    if let Some(more @ 1..) = of.configurations.len().checked_sub(MOST_ROWS) {
        let _ = write!(text, "\nAnd {more} more, which `configurations.csv` has.\n");
    }
    let spreads = &of.spreads;
    let _ = write!(
        text,
        "\nAll: {} over {}. CV within configurations {}, between them {}.\n",
        said::mean(&of.all, of.unit),
        counted(of.all.n, "run"),
        share(spreads.cv_within),
        share(spreads.cv_between)
    );
    if !of.factors.is_empty() {
        text += "\nBy factor level:\n\n";
        text += &levels(&of.factors).to_string();
        text += "\nWhether levels differ:\n\n";
        text += &tests(of).to_string();
    }
    if let Some(against) = &of.against_default {
        text += &against_default(against);
    }
    text
}

fn groups(named: &str, groups: &[Group]) -> Table {
    let mut table = summary_table(&[(named, Align::Left)]);
    for group in groups.iter().take(MOST_ROWS) {
        table.row([vec![group.name.clone()], summary(group)].concat());
    }
    table
}

fn summary_table(first: &[(&str, Align)]) -> Table {
    let rest = [
        "n",
        "mean [95 %]",
        "sd",
        "CV",
        "Q1",
        "median",
        "Q3",
        "least",
        "most",
    ];
    let rest = rest.map(|name| (name, Align::Right));
    Table::new(&[first, &rest].concat())
}

fn summary(group: &Group) -> Vec<String> {
    let of = &group.summary;
    vec![
        of.n.to_string(),
        said::mean(of, ""),
        maybe(of.sd),
        share(of.cv),
        number(of.quartiles.first),
        number(of.quartiles.median),
        number(of.quartiles.third),
        number(of.least),
        number(of.most),
    ]
}

fn levels(factors: &[FactorAnalysis]) -> Table {
    let mut table = summary_table(&[("factor", Align::Left), ("level", Align::Left)]);
    for factor in factors {
        for level in &factor.levels {
            let name = vec![factor.factor.to_string(), level.name.clone()];
            table.row([name, summary(level)].concat());
        }
    }
    table
}

fn tests(of: &FigureAnalysis) -> Table {
    let mut table = Table::new(&[
        ("groups", Align::Left),
        ("levels", Align::Left),
        ("tests", Align::Left),
        ("difference of two", Align::Left),
        ("not crossed with", Align::Left),
    ]);
    if let Some(test) = &of.configurations_test {
        table.row([
            "configuration",
            said::verdict(test.verdict),
            &said::tests(test),
        ]);
    }
    for factor in &of.factors {
        let Some(test) = &factor.test else { continue };
        let others: Vec<String> = factor
            .not_crossed_with
            .iter()
            .map(ToString::to_string)
            .collect();
        let two = factor.two.as_ref().map_or_else(
            || NONE.to_owned(),
            |two| {
                let level = 100.0 * (1.0 - two.alpha_each);
                format!(
                    "{} less {}: {} {} at {} %, Welch {}: {}",
                    two.to,
                    two.from,
                    number(two.difference.estimate),
                    ends(&two.difference),
                    number(level),
                    p(two.welch.p),
                    said::verdict(two.verdict)
                )
            },
        );
        table.row([
            name(factor),
            said::verdict(test.verdict).to_owned(),
            said::tests(test),
            two,
            others.join(", "),
        ]);
        if let Some(overlapping) = &factor.overlapping {
            let without: Vec<String> = overlapping
                .without
                .iter()
                .map(ToString::to_string)
                .collect();
            table.row([
                format!(
                    "{}, without {} (agents took turns)",
                    factor.factor,
                    without.join(", ")
                ),
                NONE.to_owned(),
                said::tests(&overlapping.test),
            ]);
        }
    }
    table
}

/// The factor, with those that are the same here.
fn name(factor: &FactorAnalysis) -> String {
    let same = factor.same_as.iter().map(ToString::to_string);
    let all: Vec<String> = std::iter::once(factor.factor.to_string())
        .chain(same)
        .collect();
    all.join(" = ")
}

fn against_default(against: &AgainstDefault) -> String {
    let mut text = "\nAgainst the default configuration:\n\n".to_owned();
    let mut table = Table::new(&[
        ("configuration", Align::Left),
        ("n", Align::Right),
        ("difference %", Align::Right),
        ("default", Align::Left),
    ]);
    for one in against.differences.iter().take(MOST_ROWS) {
        let percent = format!("{:+.3}", one.percent);
        table.row([
            &one.configuration,
            &one.n.to_string(),
            &percent,
            &one.default,
        ]);
    }
    text += &table.to_string();
    if !against.by_level.is_empty() {
        let mut table = Table::new(&[
            ("factor", Align::Left),
            ("level", Align::Left),
            ("better than the default", Align::Right),
            ("share [95 %]", Align::Right),
            ("p against 1/2", Align::Right),
        ]);
        for one in &against.by_level {
            let of = &one.success;
            table.row([
                one.factor.to_string(),
                one.level.clone(),
                format!("{} of {}", of.better, of.of),
                rate(of),
                p(of.p),
            ]);
        }
        let _ = write!(text, "\nSuccess rate by factor level:\n\n{table}");
    }
    text
}

/// `72.2 % [46.5, 90.3]`
pub fn rate(of: &Success) -> String {
    format!(
        "{:.1} % [{:.1}, {:.1}]",
        100.0 * of.share,
        100.0 * of.interval.0,
        100.0 * of.interval.1
    )
}
