//! Invocations as columns: every name once, with the values of all of them, which is a third of the
//! size of a list of objects. A figure that is known of some invocations only has no column to stand
//! in, so then it is the list after all; a reader is given one or the other.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Between the names of a figure within a figure.
const WITHIN: char = '.';

/// Columns where every row has the same figures, else rows.
pub fn serialize<T: Serialize, S: Serializer>(rows: &[T], to: S) -> Result<S::Ok, S::Error> {
    let mut columns: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let row = serde_json::to_value(row).map_err(S::Error::custom)?;
        let mut leaves = Vec::new();
        flatten(String::new(), row, &mut leaves);
        for (name, value) in leaves {
            columns.entry(name).or_default().push(value);
        }
    }
    let whole = |column: &Vec<Value>| column.len() == rows.len();
    match columns.values().all(whole) && !rows.is_empty() {
        true => columns.serialize(to),
        false => rows.serialize(to),
    }
}

/// From either form.
pub fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Rows(Vec<Value>),
        Columns(BTreeMap<String, Vec<Value>>),
    }
    let rows = match Form::deserialize(from)? {
        Form::Rows(rows) => rows,
        Form::Columns(columns) => turned(columns).map_err(D::Error::custom)?,
    };
    let read = rows.into_iter().map(serde_json::from_value);
    read.collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// Every figure with the names that lead to it.
fn flatten(name: String, value: Value, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(figures) => {
            for (of, value) in figures {
                let name = match name.as_str() {
                    "" => of,
                    name => format!("{name}{WITHIN}{of}"),
                };
                flatten(name, value, leaves);
            }
        }
        value => leaves.push((name, value)),
    }
}

fn turned(columns: BTreeMap<String, Vec<Value>>) -> Result<Vec<Value>, String> {
    let count = columns.values().next().map_or(0, Vec::len);
    let mut rows = vec![Map::new(); count];
    for (name, column) in columns {
        if column.len() != count {
            return Err(format!(
                "`{name}` has {} values where another column has {count}",
                column.len()
            ));
        }
        for (row, value) in rows.iter_mut().zip(column) {
            put(row, &name, value);
        }
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}

fn put(row: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once(WITHIN) {
        None => drop(row.insert(name.to_owned(), value)),
        Some((of, rest)) => {
            let inner = row.entry(of).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What a reader finds: the columns, or the list.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of use")]
pub enum Invocations {
    /// Each figure's values, one for each invocation in the order in which they ran, by the names
    /// of an invocation's figures; those of `usage` as `usage.user_ns`, `usage.heap.bytes` and so on.
    Columns(BTreeMap<String, Vec<f64>>),
    /// The invocations themselves, where a figure is known of some of them only.
    Rows(Vec<super::Invocation>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        whole: u64,
        share: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        perhaps: Option<i32>,
        inner: Inner,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        a: u8,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Table(#[serde(with = "super")] Vec<Row>);

    #[test]
    fn a_name_is_written_once() {
        let row = Row {
            whole: 1,
            share: 0.5,
            perhaps: None,
            inner: Inner { a: 2 },
        };
        let text = serde_json::to_string(&Table(vec![row.clone(), row])).expect("JSON");
        assert_eq!(text, r#"{"inner.a":[2,2],"share":[0.5,0.5],"whole":[1,1]}"#);
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let text = r#"{"inner.a":[2],"share":[0.5,0.5],"whole":[1,1]}"#;
        let error = serde_json::from_str::<Table>(text).expect_err("uneven");
        assert!(
            error.to_string().contains("`share` has 2 values"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(
            rows in prop::collection::vec((any::<u64>(), -1e9..1e9f64, any::<Option<i32>>(), any::<u8>()), 0..8)
        ) {
            let rows = rows.into_iter().map(|(whole, share, perhaps, a)| {
                let inner = Inner { a };
                Row { whole, share, perhaps, inner }
            });
            let table = Table(rows.collect());
            let text = serde_json::to_string(&table).expect("JSON");
            prop_assert!(!text.contains("null"), "{}", text);
            prop_assert_eq!(serde_json::from_str::<Table>(&text).expect("a table"), table);
        }
    }
}
