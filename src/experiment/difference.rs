//! In what two things differ, in words: field by field of their JSON, so that nothing is forgotten
//! when a field is added.

use serde_json::Value;
use std::collections::BTreeSet;

/// Each difference as a clause: `temperature of phase2: 0.6 here, 0.8 there`. Lists whose entries
/// have names are compared name by name, whatever their order.
pub fn between(here: &Value, there: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(&[], Some(here), Some(there), &mut found);
    found
}

/// The first few, and how many more there are.
pub fn few(differences: &[String]) -> String {
    const MOST: usize = 3;
    let mut text = differences[..differences.len().min(MOST)].join("; ");
    if let Some(more @ 1..) = differences.len().checked_sub(MOST) {
        text += &format!("; and {more} more");
    }
    text
}

fn compare(path: &[String], here: Option<&Value>, there: Option<&Value>, found: &mut Vec<String>) {
    if here == there {
        return;
    }
    let deeper = |key: &str| [path, &[key.to_owned()]].concat();
    match (here, there) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&deeper(key), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => match (named(a), named(b)) {
            (Some(a), Some(b)) => {
                let names: BTreeSet<&str> = a.iter().chain(&b).map(|(name, _)| *name).collect();
                let entry = |of: &[(&str, &'_ Value)], name: &str| {
                    let mut of = of.iter();
                    of.find(|(known, _)| *known == name)
                        .map(|(_, it)| (*it).clone())
                };
                let before = found.len();
                for name in names {
                    let (a, b) = (entry(&a, name), entry(&b, name));
                    compare(&deeper(name), a.as_ref(), b.as_ref(), found);
                }
                if found.len() == before {
                    found.push(format!("{}: in another order", place(path)));
                }
            }
            _ => found.push(clause(path, here, there)),
        },
        _ => found.push(clause(path, here, there)),
    }
}

fn named(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let name = |entry: &'_ Value| entry.get("name").and_then(Value::as_str).is_some();
    if list.is_empty() || !list.iter().all(name) {
        return None;
    }
    let pair = |entry| Some((Value::get(entry, "name")?.as_str()?, entry));
    list.iter().map(pair).collect()
}

fn clause(path: &[String], here: Option<&Value>, there: Option<&Value>) -> String {
    let said = |value: Option<&Value>| match value {
        None => "none".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(_)) => "there".to_owned(),
        Some(value) => value.to_string(),
    };
    match (here, there) {
        (Some(Value::Object(_)), None) => format!("{}: only here", place(path)),
        (None, Some(Value::Object(_))) => format!("{}: only there", place(path)),
        _ => format!(
            "{}: {} here, {} there",
            place(path),
            said(here),
            said(there)
        ),
    }
}

/// Lists whose entries are found by their names alone.
const LISTS: [&str; 2] = ["workloads", "arms"];

/// `num_gpu of first of NAME`: the last key first.
fn place(path: &[String]) -> String {
    let keys = path.iter().rev().map(String::as_str);
    let keys: Vec<&str> = keys.filter(|key| !LISTS.contains(key)).collect();
    match keys.is_empty() {
        true => LISTS.join(" or "),
        false => keys.join(" of "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_equal_has_no_difference() {
        let value = json!({"a": 1, "arms": [{"name": "x"}]});
        assert!(between(&value, &value).is_empty());
    }

    #[test]
    fn each_difference_names_its_place_and_both_sides() {
        let here = json!({"seed": 2, "arms": [
            {"name": "x", "first": {"num_gpu": 60}}, {"name": "new"}]});
        let there = json!({"seed": 1, "tokens": 64, "arms": [
            {"name": "x", "first": {"num_gpu": 80}}, {"name": "old"}]});
        assert_eq!(
            between(&here, &there),
            [
                "new: only here",
                "old: only there",
                "num_gpu of first of x: 60 here, 80 there",
                "seed: 2 here, 1 there",
                "tokens: none here, 64 there",
            ]
        );
    }

    #[test]
    fn another_order_of_the_same_is_a_difference() {
        let here = json!({"arms": [{"name": "x"}, {"name": "y"}]});
        let there = json!({"arms": [{"name": "y"}, {"name": "x"}]});
        assert_eq!(
            between(&here, &there),
            ["workloads or arms: in another order"]
        );
        let (here, there) = (json!({"urls": ["a", "b"]}), json!({"urls": ["b"]}));
        assert_eq!(
            between(&here, &there),
            [r#"urls: ["a","b"] here, ["b"] there"#]
        );
    }

    #[test]
    fn many_are_counted() {
        let all: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        assert_eq!(few(&all), "a; b; c; and 2 more");
        assert_eq!(few(&all[..3]), "a; b; c");
    }
}
