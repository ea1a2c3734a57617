//! Markdown for people who read it rendered, and for people who read it in a terminal: tables whose
//! columns line up, numbers with as many digits as they deserve.

use crate::stats::Interval;
use std::fmt;

/// What stands where there is no value.
pub const NONE: &str = "–";

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no row yet.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|&(name, align)| (escape(name), align));
        Self {
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; stacks that are missing at its end are empty.
    pub fn row<S: AsRef<str>>(&mut self, stacks: impl IntoIterator<Item = S>) {
        let stacks = stacks.into_iter().map(|stack| escape(stack.as_ref()));
        let mut row: Vec<String> = stacks.collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn width(&self, column: usize) -> usize {
        let stacks = self.rows.iter().map(|row| &row[column]);
        let stacks = stacks.chain([&self.columns[column].0]);
        let widest = stacks.map(|stack| stack.chars().count()).max();
        widest.unwrap_or_default().max(3)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.columns.len()).map(|i| self.width(i)).collect();
        let aligns = || self.columns.iter().map(|&(_, align)| align).zip(&widths);
        let line = |f: &mut fmt::Formatter<'_>, stacks: &mut dyn Iterator<Item = &String>| {
            f.write_str("|")?;
            for ((align, &width), stack) in aligns().zip(stacks) {
                match align {
                    Align::Left => write!(f, " {stack:<width$} |")?,
                    Align::Right => write!(f, " {stack:>width$} |")?,
                }
            }
            f.write_str("\n")
        };
        line(f, &mut self.columns.iter().map(|(name, _)| name))?;
        f.write_str("|")?;
        for (align, &width) in aligns() {
            match align {
                Align::Left => write!(f, " {:-<width$} |", "")?,
                Align::Right => write!(f, " {:->1$}: |", "", width - 1)?,
            }
        }
        f.write_str("\n")?;
        self.rows
            .iter()
            .try_for_each(|row| line(f, &mut row.iter()))
    }
}

/// A stack may hold neither a bar nor a line's end.
fn escape(stack: &str) -> String {
    stack.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// A number with about four digits: `12345.6` is `12346`, `1.234567` is `1.235`, `30.0` is `30`.
pub fn number(value: f64) -> String {
    const WHOLE: f64 = 1e6;
    let decimals = match value.abs() {
        size if size >= 999.95 || (size == size.trunc() && size < WHOLE) => 0,
        size if size >= 99.995 => 1,
        size if size >= 9.9995 => 2,
        size if size >= 0.99995 => 3,
        size if size >= 0.099995 => 4,
        _ => 5,
    };
    format!("{value:.decimals$}")
}

/// A number that may be missing.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), number)
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share))
}

/// A mean and its standard deviation, where there is one.
pub fn mean_and_sd(mean: Option<f64>, sd: Option<f64>) -> String {
    match (mean, sd) {
        (Some(mean), Some(sd)) => format!("{} ± {}", number(mean), number(sd)),
        (mean, _) => maybe(mean),
    }
}

/// The two ends of a ratio's interval, with as many decimals as it takes to see on which side of 1
/// each lies.
pub fn ratio_ends(interval: &Interval) -> String {
    let side = |value: f64| value.total_cmp(&1.0);
    let told = |value: f64, decimals: usize| {
        let text = format!("{value:.decimals$}");
        text.parse::<f64>()
            .is_ok_and(|read| side(read) == side(value))
    };
    let enough = |&decimals: &usize| told(interval.low, decimals) && told(interval.high, decimals);
    let decimals = (3..9).find(enough).unwrap_or(9);
    format!(
        "[{:.decimals$}, {:.decimals$}]",
        interval.low, interval.high
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_bars_are_escaped() {
        let mut table = Table::new(&[("a", Align::Left), ("number", Align::Right)]);
        table.row(["µ|s", "1"]);
        table.row(["two\nlines"]);
        assert_eq!(
            table.to_string(),
            "| a         | number |\n\
             | --------- | -----: |\n\
             | µ\\|s      |      1 |\n\
             | two lines |        |\n"
        );
    }

    #[test]
    fn numbers_have_about_four_digits() {
        for (value, text) in [
            (12_345.6, "12346"),
            (999.96, "1000"),
            (579.666, "579.7"),
            (79.344, "79.34"),
            (1.5, "1.500"),
            (30.0, "30"),
            (0.012_34, "0.01234"),
            (0.123_456, "0.1235"),
            (0.0, "0"),
            (-20.004, "-20.00"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(mean_and_sd(Some(79.344), Some(1.578)), "79.34 ± 1.578");
        assert_eq!(mean_and_sd(Some(79.344), None), "79.34");
        assert_eq!(mean_and_sd(None, None), NONE);
    }

    #[test]
    fn an_interval_shows_on_which_side_of_1_its_ends_lie() {
        let ends = |low, high| {
            ratio_ends(&Interval {
                estimate: 1.0,
                low,
                high,
            })
        };
        assert_eq!(ends(0.9, 1.1), "[0.900, 1.100]");
        assert_eq!(ends(1.00002, 1.1), "[1.00002, 1.10000]");
        assert_eq!(ends(0.5, 0.99996), "[0.50000, 0.99996]");
    }
}
