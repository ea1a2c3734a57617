//! JSON that fits a schema: what a model says where a request constrains its answer, and what it
//! calls a tool with.
//!
//! A value is made from the schema by chance (`make.rs`), which the seed decides, and held against
//! the schema (`fits.rs`); where keywords contradict what was made, chance is asked again. Strings
//! are made in `text.rs`, from a pattern in `pattern.rs`. Deep inside, optional parts are left out,
//! so that a schema that contains itself comes to an end.

mod fits;
mod make;
mod merge;
mod pattern;
mod text;

#[cfg(test)]
mod tests;

use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::HashSet;

/// A schema that can be followed.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Value,
}

/// A schema that Ollama makes no grammar of.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON schema in format")]
pub struct InvalidSchema;

impl Schema {
    /// A schema, if it can be followed.
    ///
    /// # Errors
    /// When a reference leads nowhere, a type is unknown, or a pattern is not anchored at both ends.
    pub fn new(root: Value) -> Result<Self, InvalidSchema> {
        check(&root, &root, &mut HashSet::new())?;
        Ok(Self { root })
    }

    /// What a model says that is asked for JSON and nothing else: an analysis as an object.
    pub fn free() -> Self {
        let metric = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "value": {"type": "number"},
                "higher_is_better": {"type": "boolean"}
            },
            "required": ["name", "value", "higher_is_better"]
        });
        Self {
            root: json!({
                "type": "object",
                "properties": {
                    "summary": {"type": "string", "minLength": 20},
                    "metrics": {"type": "array", "items": metric, "minItems": 1, "maxItems": 3},
                    "recommendations": {"type": "array", "items": {"type": "string"}, "minItems": 1}
                },
                "required": ["summary", "metrics", "recommendations"]
            }),
        }
    }

    /// A schema as it is, even where it can't be followed all the way: what a tool takes.
    pub fn lenient(root: Value) -> Self {
        Self { root }
    }

    /// A value that fits.
    pub fn value(&self, seed: u64) -> Value {
        make::value(&self.root, &mut Rng::with_seed(seed))
    }
}

/// The keywords whose value is a schema.
const INNER: [&str; 7] = [
    "items",
    "additionalProperties",
    "not",
    "contains",
    "if",
    "then",
    "else",
];
/// The keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// The keywords whose value has a schema under each name.
const MAPS: [&str; 2] = ["properties", "patternProperties"];

fn check<'a>(
    root: &'a Value,
    schema: &'a Value,
    seen: &mut HashSet<&'a str>,
) -> Result<(), InvalidSchema> {
    let Value::Object(keywords) = schema else {
        return match schema {
            Value::Bool(_) => Ok(()),
            _ => Err(InvalidSchema),
        };
    };
    if let Some(Value::String(reference)) = keywords.get("$ref")
        && seen.insert(reference)
    {
        check(root, resolve(root, reference).ok_or(InvalidSchema)?, seen)?;
    }
    let types = match keywords.get("type") {
        Some(Value::Array(types)) => types.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    if !types.iter().all(|name| is_type(name.as_str())) {
        return Err(InvalidSchema);
    }
    if let Some(Value::String(pattern)) = keywords.get("pattern")
        && !(pattern.starts_with('^') && pattern.ends_with('$'))
    {
        return Err(InvalidSchema);
    }
    let inner = INNER.iter().filter_map(|name| keywords.get(*name));
    let lists = LISTS
        .iter()
        .filter_map(|name| keywords.get(*name)?.as_array());
    let maps = MAPS
        .iter()
        .filter_map(|name| keywords.get(*name)?.as_object());
    inner
        .chain(lists.flatten())
        .chain(maps.flat_map(|map| map.values()))
        .try_for_each(|schema| check(root, schema, seen))
}

fn is_type(name: Option<&str>) -> bool {
    matches!(
        name,
        Some("object" | "array" | "string" | "number" | "integer" | "boolean" | "null")
    )
}

/// What a reference inside of a schema leads to.
fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    match reference.strip_prefix('#') {
        Some("") => Some(root),
        Some(pointer) => root.pointer(pointer),
        None => None,
    }
}
