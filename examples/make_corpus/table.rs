//! A reference table, the ways to cut it, and what is computed from a cut.
//!
//! Stacks stay the text that the reference holds, so that `1.800` is copied as
//! `1.800`; they become numbers only where something is computed, or in JSON.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use csv::StringRecord;
use serde::Serialize;
use serde_json::{Number, Value};

/// A reference table, or some of its rows.
#[derive(Clone)]
pub struct Table {
    source: &'static str,
    keys: &'static [&'static str],
    figures: &'static [&'static str],
    columns: StringRecord,
    rows: Vec<StringRecord>,
}

impl Table {
    /// Reads `source` from `fixtures/reference/`. The `keys` are the columns that
    /// tell one row from another, the `figures` those with numbers that mean
    /// something when taken over several rows.
    pub fn read(
        source: &'static str,
        keys: &'static [&'static str],
        figures: &'static [&'static str],
    ) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference");
        let path = folder.join(source);
        let reading = || format!("reading {}", path.display());
        let mut reader = csv::Reader::from_path(&path).with_context(reading)?;
        let columns = reader.headers().with_context(reading)?.clone();
        let rows = reader
            .records()
            .collect::<Result<_, _>>()
            .with_context(reading)?;
        for column in keys.iter().chain(figures) {
            if !columns.iter().any(|name| name == *column) {
                bail!("{} lacks the column {column}", path.display());
            }
        }
        Ok(Self {
            source,
            keys,
            figures,
            columns,
            rows,
        })
    }

    /// The name of the table that the rows are from.
    pub fn source(&self) -> &str {
        self.source
    }

    /// The rows with `value` under `column`.
    pub fn only(&self, column: &str, value: &str) -> Self {
        let mut only = self.clone();
        only.rows.retain(|row| self.stack(row, column) == value);
        only
    }

    /// The rows under each value of `column`, in the order of appearance.
    pub fn by(&self, column: &str) -> Vec<(String, Self)> {
        let group = |value: &str| (value.to_owned(), self.only(column, value));
        self.distinct(column).into_iter().map(group).collect()
    }

    /// Each row as a table of its own.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let alone = |row: &StringRecord| Self {
            rows: vec![row.clone()],
            ..self.clone()
        };
        self.rows.iter().map(alone)
    }

    /// The first row's stack under `column`; empty where there is none.
    pub fn first(&self, column: &str) -> &str {
        self.rows.first().map_or("", |row| self.stack(row, column))
    }

    fn stack<'a>(&self, row: &'a StringRecord, column: &str) -> &'a str {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).unwrap_or_default()
    }

    fn distinct(&self, column: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for row in &self.rows {
            let value = self.stack(row, column);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// What tells `row` from the other rows of this table.
    fn label(&self, row: &StringRecord) -> String {
        let differs = |key: &&&str| self.distinct(key).len() > 1;
        let told = self.keys.iter().filter(differs);
        let told = told.map(|key| format!("{key} {}", self.stack(row, key)));
        told.collect::<Vec<_>>().join(", ")
    }

    fn values(&self, figure: &str) -> Result<Vec<f64>> {
        let value = |row| {
            let stack = self.stack(row, figure);
            stack
                .parse()
                .with_context(|| format!("{}: {figure} is {stack:?}", self.source))
        };
        self.rows.iter().map(value).collect()
    }

    /// Each figure over the rows; none where there is but one row.
    pub fn summaries(&self) -> Result<Vec<Summary>> {
        let several = if self.rows.len() > 1 {
            self.figures
        } else {
            &[]
        };
        let summary = |figure: &&'static str| Ok(Summary::of(figure, &self.values(figure)?));
        several.iter().map(summary).collect()
    }

    /// Each figure's lowest and highest row; none where there is but one row.
    pub fn ranges(&self) -> Result<Vec<String>> {
        let mut ranges = Vec::new();
        for figure in self.figures {
            let mut rows: Vec<_> = self.values(figure)?.into_iter().zip(&self.rows).collect();
            rows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            if let [(low, at_low), .., (high, at_high)] = rows.as_slice() {
                let (at_low, at_high) = (self.label(at_low), self.label(at_high));
                let apart = rounded(high - low);
                ranges.push(if apart > 0.0 {
                    format!("`{figure}`: {low} ({at_low}) to {high} ({at_high}), {apart} apart")
                } else {
                    format!("`{figure}`: {low} throughout")
                });
            }
        }
        Ok(ranges)
    }

    /// The rows as CSV, stack for stack as in the reference.
    pub fn csv(&self) -> Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }

    /// The rows as JSON, with what they were selected by and what they come to.
    pub fn json(&self, selection: &str, summary: impl Serialize) -> Result<String> {
        #[derive(Serialize)]
        struct Sheet<'a, S> {
            source: &'a str,
            selection: &'a str,
            rows: Vec<BTreeMap<&'a str, Value>>,
            summary: S,
        }
        let object = |row: &StringRecord| self.columns.iter().zip(row.iter().map(typed)).collect();
        let rows = self.rows.iter().map(object).collect();
        let sheet = Sheet {
            source: self.source,
            selection,
            rows,
            summary,
        };
        Ok(serde_json::to_string_pretty(&sheet)? + "\n")
    }
}

fn typed(stack: &str) -> Value {
    match stack.parse::<Number>() {
        Ok(number) => Value::Number(number),
        Err(_) if stack.is_empty() => Value::Null,
        Err(_) => Value::String(stack.to_owned()),
    }
}

/// A figure over several rows.
#[derive(Serialize)]
pub struct Summary {
    figure: &'static str,
    n: usize,
    mean: f64,
    sd: f64,
    min: f64,
    max: f64,
}

impl Summary {
    /// Over at least two values.
    fn of(figure: &'static str, values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self {
            figure,
            n: values.len(),
            mean: rounded(mean),
            sd: rounded((squares / (n - 1.0)).sqrt()),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// A figure of one row, beside the same figure over the group it belongs to.
#[derive(Serialize)]
pub struct Contrast {
    row: String,
    figure: &'static str,
    value: f64,
    group_n: usize,
    group_mean: f64,
    group_sd: f64,
    group_min: f64,
    group_max: f64,
    minus_group_mean: f64,
}

/// Each figure of the rows of `some`, beside the whole `group`.
pub fn contrasts(some: &Table, group: &Table) -> Result<Vec<Contrast>> {
    let mut contrasts = Vec::new();
    for over in group.summaries()? {
        for (value, row) in some.values(over.figure)?.into_iter().zip(&some.rows) {
            contrasts.push(Contrast {
                row: group.label(row),
                figure: over.figure,
                value,
                group_n: over.n,
                group_mean: over.mean,
                group_sd: over.sd,
                group_min: over.min,
                group_max: over.max,
                minus_group_mean: rounded(value - over.mean),
            });
        }
    }
    Ok(contrasts)
}

/// Computed rows as CSV.
pub fn lines<R: Serialize>(rows: &[R]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// To three decimals, and never a negative zero.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0 + 0.0
}
