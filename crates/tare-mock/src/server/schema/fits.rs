//! Whether a value fits a schema, for the keywords that what is made may miss.
//!
//! It is not a validator: patterns and formats are not looked at, because a text that has them was
//! made for them.

use super::resolve;
use serde_json::{Map, Value};
use std::cell::Cell;

/// So deep in references and parts that a schema must go round in circles.
const DEEPEST: u32 = 64;
/// So many looks are taken. A schema that needs more branches without end, and is not judged.
const MOST_LOOKS: u32 = 100_000;

/// Whether `value` fits `schema`, which is a part of `root`.
pub fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let left = &Cell::new(MOST_LOOKS);
    let look = Look {
        root,
        depth: 0,
        left,
    };
    look.fits(schema, value)
}

#[derive(Clone, Copy)]
struct Look<'a> {
    root: &'a Value,
    depth: u32,
    /// Looks that may still be taken.
    left: &'a Cell<u32>,
}

impl Look<'_> {
    fn fits(self, schema: &Value, value: &Value) -> bool {
        let keywords = match schema {
            Value::Bool(any) => return *any,
            Value::Object(keywords) => keywords,
            _ => return true,
        };
        if self.depth > DEEPEST || self.left.get() == 0 {
            return true;
        }
        self.left.set(self.left.get() - 1);
        let deeper = Self {
            depth: self.depth + 1,
            ..self
        };
        deeper.is_of_type(keywords, value)
            && deeper.is_one_of(keywords, value)
            && deeper.is_combined(keywords, value)
            && match value {
                Value::Object(fields) => deeper.object(keywords, fields),
                Value::Array(items) => deeper.array(keywords, items),
                Value::String(text) => within(keywords, text.chars().count(), "Length"),
                Value::Number(number) => is_in_range(keywords, number.as_f64().unwrap_or(0.0)),
                Value::Null | Value::Bool(_) => true,
            }
    }

    fn is_of_type(self, keywords: &Map<String, Value>, value: &Value) -> bool {
        let is = |name: &Value| match name.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("null") => value.is_null(),
            Some("number") => value.is_number(),
            Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            _ => true,
        };
        match keywords.get("type") {
            None => true,
            Some(Value::Array(types)) => types.iter().any(is),
            Some(one) => is(one),
        }
    }

    fn is_one_of(self, keywords: &Map<String, Value>, value: &Value) -> bool {
        let is_const = keywords.get("const").is_none_or(|only| only == value);
        let listed = keywords.get("enum").and_then(Value::as_array);
        is_const && listed.is_none_or(|listed| listed.contains(value))
    }

    fn is_combined(self, keywords: &Map<String, Value>, value: &Value) -> bool {
        let list = |name: &str| keywords.get(name).and_then(Value::as_array);
        let reference = keywords.get("$ref").and_then(Value::as_str);
        let referred = reference.and_then(|reference| resolve(self.root, reference));
        let fits = |schema: &&Value| self.fits(schema, value);
        referred.is_none_or(|schema| self.fits(schema, value))
            && list("allOf").is_none_or(|all| all.iter().all(|one| self.fits(one, value)))
            && list("anyOf").is_none_or(|any| any.iter().any(|one| self.fits(one, value)))
            && list("oneOf").is_none_or(|one| one.iter().filter(fits).count() == 1)
            && keywords.get("not").is_none_or(|not| !self.fits(not, value))
            && keywords.get("if").is_none_or(|when| {
                let then = if self.fits(when, value) {
                    "then"
                } else {
                    "else"
                };
                keywords.get(then).is_none_or(|then| self.fits(then, value))
            })
    }

    fn object(self, keywords: &Map<String, Value>, fields: &Map<String, Value>) -> bool {
        let required = keywords.get("required").and_then(Value::as_array);
        let has = |name: &Value| name.as_str().is_none_or(|name| fields.contains_key(name));
        let properties = keywords.get("properties").and_then(Value::as_object);
        let further = keywords.get("additionalProperties");
        let by_pattern = keywords.contains_key("patternProperties");
        within(keywords, fields.len(), "Properties")
            && required.is_none_or(|names| names.iter().all(has))
            && fields.iter().all(|(name, value)| {
                match properties.and_then(|properties| properties.get(name)) {
                    Some(schema) => self.fits(schema, value),
                    None => by_pattern || further.is_none_or(|schema| self.fits(schema, value)),
                }
            })
    }

    fn array(self, keywords: &Map<String, Value>, items: &[Value]) -> bool {
        let first = keywords.get("prefixItems").and_then(Value::as_array);
        let first = first.map_or(&[][..], Vec::as_slice);
        let rest = keywords.get("items");
        let unique = keywords.get("uniqueItems") == Some(&Value::Bool(true));
        within(keywords, items.len(), "Items")
            && items.iter().enumerate().all(|(at, item)| {
                let schema = first.get(at).or(rest);
                schema.is_none_or(|schema| self.fits(schema, item))
            })
            && (!unique || (1..items.len()).all(|at| !items[..at].contains(&items[at])))
            && keywords
                .get("contains")
                .is_none_or(|wanted| items.iter().any(|item| self.fits(wanted, item)))
    }
}

/// Whether a count is within `min…` and `max…`.
fn within(keywords: &Map<String, Value>, count: usize, what: &str) -> bool {
    let limit = |side: &str| {
        keywords
            .get(&format!("{side}{what}"))
            .and_then(Value::as_f64)
    };
    let count = count as f64;
    limit("min").is_none_or(|least| count >= least) && limit("max").is_none_or(|most| count <= most)
}

fn is_in_range(keywords: &Map<String, Value>, number: f64) -> bool {
    let limit = |name: &str| keywords.get(name).and_then(Value::as_f64);
    limit("minimum").is_none_or(|least| number >= least)
        && limit("maximum").is_none_or(|most| number <= most)
        && limit("exclusiveMinimum").is_none_or(|least| number > least)
        && limit("exclusiveMaximum").is_none_or(|most| number < most)
        && limit("multipleOf").is_none_or(|step| {
            let steps = number / step;
            (steps - steps.round()).abs() < 1e-9
        })
}
