//! Two schemas that hold at once, as one.

use serde_json::{Map, Value};

/// The schema of what fits both, as far as one schema can say it.
pub fn both(mut one: Map<String, Value>, other: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in other {
        let merged = match one.remove(name) {
            None => value.clone(),
            Some(before) => keyword(name, before, value),
        };
        one.insert(name.clone(), merged);
    }
    one
}

fn keyword(name: &str, before: Value, value: &Value) -> Value {
    match (name, before, value) {
        ("required", Value::Array(mut names), Value::Array(more)) => {
            names.extend(more.iter().cloned());
            Value::Array(names)
        }
        ("properties" | "patternProperties", Value::Object(mut before), Value::Object(more)) => {
            for (name, schema) in more {
                let merged = match before.remove(name) {
                    None => schema.clone(),
                    Some(before) => schemas(before, schema),
                };
                before.insert(name.clone(), merged);
            }
            Value::Object(before)
        }
        ("items" | "additionalProperties", before, value) => schemas(before, value),
        ("allOf", Value::Array(mut before), Value::Array(more)) => {
            before.extend(more.iter().cloned());
            Value::Array(before)
        }
        // Only one list of choices fits into a schema: the other must hold as well.
        ("enum", Value::Array(before), Value::Array(more)) => before
            .into_iter()
            .filter(|one| more.contains(one))
            .collect(),
        ("type", before, value) => types(before, value),
        (
            "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties",
            before,
            value,
        ) => match before.as_f64() >= value.as_f64() {
            true => before,
            false => value.clone(),
        },
        (
            "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties",
            before,
            value,
        ) => match before.as_f64() <= value.as_f64() {
            true => before,
            false => value.clone(),
        },
        (_, _, value) => value.clone(),
    }
}

fn schemas(one: Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => Value::Object(both(one, other)),
        (Value::Bool(true), other) => other.clone(),
        (one, Value::Bool(true)) => one,
        _ => Value::Bool(false),
    }
}

/// The types that both allow; where they contradict each other, those of the second.
fn types(before: Value, value: &Value) -> Value {
    let list = |types: &Value| match types {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let (before, value) = (list(&before), list(value));
    let allowed: Vec<_> = value
        .iter()
        .filter_map(|name| {
            let widened = before.iter().any(|wide| wide == "number") && name == "integer";
            let narrowed = before.iter().any(|one| one == "integer") && name == "number";
            if narrowed {
                return Some(Value::from("integer"));
            }
            (widened || before.contains(name)).then(|| name.clone())
        })
        .collect();
    match allowed.as_slice() {
        [] => Value::Array(value),
        [one] => one.clone(),
        _ => Value::Array(allowed),
    }
}
