//! Tables for other programs: each run, each configuration, each level. What is not known is empty.

use super::super::analysis::{Group, Together};
use super::super::factor::Factor;
use super::super::figure::Figure;
use super::super::record::Record;
use csv::Writer;
use std::collections::BTreeSet;

/// A table can't be made, which only happens when memory is short.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a table: {0}")]
pub struct CsvError(String);

/// A row for each run: file, configuration, factors, figures.
///
/// # Errors
/// When the table can't be made.
pub fn runs_csv(record: &Record) -> Result<String, CsvError> {
    let all = || record.runs.iter();
    let factors: BTreeSet<Factor> = all().flat_map(|run| run.factors.keys().copied()).collect();
    let figures: Vec<Figure> = Figure::ALL
        .into_iter()
        .filter(|figure| all().any(|run| run.figure(*figure).is_some()))
        .collect();
    let mut header = vec![
        "file".to_owned(),
        "run".to_owned(),
        "configuration".to_owned(),
    ];
    header.extend(
        factors
            .iter()
            .map(|factor| factor.to_string().replace(' ', "_")),
    );
    header.extend(figures.iter().map(|figure| figure.column().to_owned()));
    let rows = all().map(|run| {
        let number = run
            .run_number
            .map_or_else(String::new, |number| number.to_string());
        let mut row = vec![run.file.clone(), number, run.configuration.clone()];
        let level = |factor| {
            run.level(factor)
                .map_or_else(String::new, ToString::to_string)
        };
        row.extend(factors.iter().map(|&factor| level(factor)));
        let value = |figure| {
            run.figure(figure)
                .map_or_else(String::new, |value| value.to_string())
        };
        row.extend(figures.iter().map(|&figure| value(figure)));
        row
    });
    table(header, rows)
}

/// A row for each configuration and figure.
///
/// # Errors
/// When the table can't be made.
pub fn configurations_csv(record: &Record) -> Result<String, CsvError> {
    let rows = figures(record).flat_map(|(sort, figure)| {
        let groups = figure.configurations.iter();
        groups.map(move |group| [vec![sort.to_owned()], row(figure.figure, &[], group)].concat())
    });
    table(header(&["configuration"]), rows)
}

/// A row for each factor, level and figure.
///
/// # Errors
/// When the table can't be made.
pub fn factors_csv(record: &Record) -> Result<String, CsvError> {
    let rows = figures(record).flat_map(|(sort, figure)| {
        figure.factors.iter().flat_map(move |factor| {
            let named = factor.factor.to_string();
            factor.levels.iter().map(move |level| {
                let stacks = row(figure.figure, &[&named], level);
                [vec![sort.to_owned()], stacks].concat()
            })
        })
    });
    table(header(&["factor", "level"]), rows)
}

fn figures(
    record: &Record,
) -> impl Iterator<Item = (&'static str, &super::super::analysis::FigureAnalysis)> {
    record.families.iter().flat_map(|family| {
        let sort = match family.together {
            Together::Concurrent => "concurrent",
            Together::Alone => "alone",
        };
        family.figures.iter().map(move |figure| (sort, figure))
    })
}

fn header(named: &[&str]) -> Vec<String> {
    let values = [
        "n", "mean", "low_95", "high_95", "sd", "cv", "q1", "median", "q3", "least", "most",
    ];
    let all = ["agents", "figure"].iter().chain(named).chain(&values);
    all.map(|name| (*name).to_owned()).collect()
}

fn row(figure: Figure, before: &[&str], group: &Group) -> Vec<String> {
    let of = &group.summary;
    let maybe = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut row = vec![figure.column().to_owned()];
    row.extend(before.iter().map(|&name| name.to_owned()));
    row.extend([group.name.clone(), of.n.to_string(), of.mean.to_string()]);
    row.extend([
        maybe(of.interval.map(|interval| interval.low)),
        maybe(of.interval.map(|interval| interval.high)),
        maybe(of.sd),
        maybe(of.cv),
    ]);
    let quartiles = [of.quartiles.first, of.quartiles.median, of.quartiles.third];
    row.extend(
        quartiles
            .into_iter()
            .chain([of.least, of.most])
            .map(|value| value.to_string()),
    );
    row
}

fn table(header: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> Result<String, CsvError> {
    let failed = |error: &dyn std::fmt::Display| CsvError(error.to_string());
    let mut writer = Writer::from_writer(Vec::new());
    for row in std::iter::once(header).chain(rows) {
        writer.write_record(&row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}
