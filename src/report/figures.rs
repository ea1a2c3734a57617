//! Figures in tables: three digits that count, intervals in brackets, numbers to the right.

use crate::stats::Interval;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

/// A table as Markdown, its first column to the left and the others to the right.
pub fn table<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `1.23 [1.20, 1.27]`, in so many units.
pub fn interval(interval: Option<Interval>, unit: f64) -> String {
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

/// `1.234`: beside a margin of 1 % the third digit after the point counts.
pub fn ratio(value: f64) -> String {
    match value.abs() {
        size if size >= 10.0 => digits(value),
        _ => format!("{value:.3}"),
    }
}

/// A number in so many units.
pub fn number(value: Option<f64>, unit: f64) -> String {
    match value {
        Some(value) => digits(value / unit),
        None => "-".to_owned(),
    }
}

/// Three digits that count, down to a hundredth.
pub fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        for (value, shown) in [
            (0.004, "0.00"),
            (1.234, "1.23"),
            (-1.236, "-1.24"),
            (12.34, "12.3"),
            (123.4, "123"),
            (12_345.6, "12346"),
        ] {
            assert_eq!(digits(value), shown);
        }
        assert_eq!(
            (ratio(1.0104), ratio(12.34)),
            ("1.010".into(), "12.3".into())
        );
        assert_eq!(number(None, 1.0), "-");
        assert_eq!(number(Some(2.5e6), 1e6), "2.50");
    }
}
