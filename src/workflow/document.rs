//! One file of the corpus, parsed, and what is worth telling a model about it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Comma-separated, with a header line.
    Csv,
    /// One JSON value.
    Json,
    /// Markdown.
    Markdown,
}

impl Kind {
    /// The kind of a file, by its ending.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "md" | "markdown" => Some(Self::Markdown),
            _ => None,
        }
    }
}

/// A file that was read and parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Relative to the corpus.
    pub path: PathBuf,
    /// Its kind.
    pub kind: Kind,
    /// Its size.
    pub bytes: usize,
    /// What it says.
    pub facts: Facts,
}

/// What a document says, in short.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// Rows of columns, of which the numeric ones are described.
    Table {
        /// Rows below the header.
        rows: usize,
        /// Numeric columns, in their order.
        columns: Vec<Column>,
    },
    /// Numbers found anywhere in a JSON value, by the name of their field.
    Values {
        /// Numeric fields, by name.
        fields: Vec<Column>,
    },
    /// A text.
    Text {
        /// Its first heading.
        title: Option<String>,
        /// Headings of all levels.
        headings: usize,
        /// List items.
        items: usize,
        /// Table rows, rulers left out.
        table_rows: usize,
    },
}

/// A named set of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How many.
    pub count: usize,
    /// Their least.
    pub min: f64,
    /// Their mean.
    pub mean: f64,
    /// Their greatest.
    pub max: f64,
}

impl Document {
    /// Parses a file.
    ///
    /// # Errors
    /// Says in a few words why it is broken.
    pub fn parse(path: PathBuf, kind: Kind, bytes: &[u8]) -> Result<Self, String> {
        let facts = match kind {
            Kind::Csv => table(bytes)?,
            Kind::Json => values(bytes)?,
            Kind::Markdown => text(bytes)?,
        };
        Ok(Self {
            path,
            kind,
            bytes: bytes.len(),
            facts,
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            count,
            min,
            mean,
            max,
        } = self;
        write!(
            f,
            "{name} n={count} min={min:.2} mean={mean:.2} max={max:.2}"
        )
    }
}

impl Column {
    /// Describes the numbers of both.
    pub fn merge(&mut self, other: &Self) {
        let sum = self.mean * self.count as f64 + other.mean * other.count as f64;
        self.count += other.count;
        self.mean = sum / self.count as f64;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Describes numbers; `None` without any.
    fn of(name: &str, numbers: &[f64]) -> Option<Self> {
        let first = *numbers.first()?;
        Some(Self {
            name: name.to_owned(),
            count: numbers.len(),
            min: numbers.iter().copied().fold(first, f64::min),
            mean: numbers.iter().sum::<f64>() / numbers.len() as f64,
            max: numbers.iter().copied().fold(first, f64::max),
        })
    }
}

fn table(bytes: &[u8]) -> Result<Facts, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    if header.is_empty() {
        return Err("no header line".to_owned());
    }
    let mut numbers = vec![Vec::new(); header.len()];
    let mut rows = 0;
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        rows += 1;
        for (column, field) in numbers.iter_mut().zip(&record) {
            column.extend(field.parse::<f64>().ok().filter(|n| n.is_finite()));
        }
    }
    let columns = header.iter().zip(&numbers);
    Ok(Facts::Table {
        rows,
        columns: columns
            .filter_map(|(name, n)| Column::of(name, n))
            .collect(),
    })
}

fn values(bytes: &[u8]) -> Result<Facts, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut numbers = BTreeMap::new();
    gather(&value, "", &mut numbers);
    let fields = numbers.iter();
    Ok(Facts::Values {
        fields: fields.filter_map(|(name, n)| Column::of(name, n)).collect(),
    })
}

/// Sorts every number below `value` by the name of the field that holds it.
fn gather<'a>(value: &'a Value, name: &'a str, numbers: &mut BTreeMap<&'a str, Vec<f64>>) {
    match value {
        Value::Number(number) => {
            let named = numbers.entry(name).or_default();
            named.extend(number.as_f64());
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, name, numbers)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| gather(value, name, numbers)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn text(bytes: &[u8]) -> Result<Facts, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (mut title, mut headings, mut items, mut table_rows) = (None, 0, 0, 0);
    for line in text.lines().map(str::trim_start) {
        if line.starts_with('#') {
            headings += 1;
            let heading = line.trim_start_matches('#').trim();
            title.get_or_insert_with(|| heading.to_owned());
        } else if line.starts_with("- ") || line.starts_with("* ") {
            items += 1;
        } else if line.starts_with('|') && line.contains(|c: char| c.is_alphanumeric()) {
            table_rows += 1;
        }
    }
    Ok(Facts::Text {
        title,
        headings,
        items,
        table_rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, content: &str) -> Document {
        let path = PathBuf::from(name);
        let kind = Kind::of(&path).expect("a known ending");
        Document::parse(path, kind, content.as_bytes()).expect("a sound file")
    }

    fn column(name: &str, count: usize, min: f64, mean: f64, max: f64) -> Column {
        let name = name.to_owned();
        Column {
            name,
            count,
            min,
            mean,
            max,
        }
    }

    #[test]
    fn a_table_is_described_by_its_numeric_columns() {
        let table = parse("x.csv", "name,tok_s,gap\na,80,\nb,82,3\n");
        let columns = vec![
            column("tok_s", 2, 80.0, 81.0, 82.0),
            column("gap", 1, 3.0, 3.0, 3.0),
        ];
        assert_eq!(table.facts, Facts::Table { rows: 2, columns });
    }

    #[test]
    fn json_is_described_by_its_numbers_wherever_they_are() {
        let json = parse("x.json", r#"{"rows":[{"t":1},{"t":3,"s":"x"}],"n":[2,4]}"#);
        let fields = vec![column("n", 2, 2.0, 3.0, 4.0), column("t", 2, 1.0, 2.0, 3.0)];
        assert_eq!(json.facts, Facts::Values { fields });
    }

    #[test]
    fn two_columns_merge_into_that_of_all_their_numbers() {
        let mut merged = Column::of("x", &[1.0, 2.0, 6.0]).expect("numbers");
        merged.merge(&Column::of("x", &[-1.0, 7.0]).expect("numbers"));
        assert_eq!(merged, column("x", 5, -1.0, 3.0, 7.0));
    }

    #[test]
    fn markdown_is_described_by_its_structure() {
        let text = parse(
            "x.md",
            "intro\n# One\n## Two\n- a\n* b\n| h |\n|---|\n| 1 |\n",
        );
        assert_eq!(
            text.facts,
            Facts::Text {
                title: Some("One".to_owned()),
                headings: 2,
                items: 2,
                table_rows: 2
            }
        );
    }
}
