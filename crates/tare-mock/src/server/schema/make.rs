//! A value from a schema, by chance.

use super::fits::fits;
use super::merge::both;
use super::{resolve, text};
use fastrand::Rng;
use serde_json::{Map, Number, Value};

/// Below this, whatever may be left out is.
const DEEP: u32 = 5;
/// A schema that demands more than this goes round in circles.
const DEEPEST: u32 = 40;
/// How often chance is asked for a value that fits all keywords.
const ATTEMPTS: u32 = 32;
/// So many values are made for one answer, those of failed attempts included: a schema may demand
/// itself twice.
const MOST_VALUES: u32 = 20_000;
/// Items, properties and letters that are made because a schema demands them: no more than this.
const MOST: u64 = 10_000;

/// A value for a whole schema.
pub fn value(root: &Value, rng: &mut Rng) -> Value {
    let mut maker = Maker {
        root,
        rng,
        left: MOST_VALUES,
    };
    maker.fitting(root, 0)
}

struct Maker<'a> {
    root: &'a Value,
    rng: &'a mut Rng,
    /// Values that may still be made.
    left: u32,
}

impl Maker<'_> {
    /// A value that fits, or the last one of those that chance gave.
    fn fitting(&mut self, schema: &Value, depth: u32) -> Value {
        let attempts = if depth > 1 { 4 } else { ATTEMPTS };
        let mut made = Value::Null;
        for _ in 0..attempts {
            made = self.value(schema, depth);
            if self.left == 0 || fits(self.root, schema, &made) {
                break;
            }
        }
        made
    }

    fn value(&mut self, schema: &Value, depth: u32) -> Value {
        let Value::Object(keywords) = schema else {
            return text::words(self.rng, 1, 40).into();
        };
        if depth > DEEPEST || self.left == 0 {
            return Value::Null;
        }
        self.left -= 1;
        if let Some(only) = keywords.get("const") {
            return only.clone();
        }
        let keywords = self.flat(keywords.clone(), depth);
        if let Some(only) = keywords.get("const") {
            return only.clone();
        }
        if let Some(listed) = keywords.get("enum").and_then(Value::as_array)
            && !listed.is_empty()
        {
            return listed[self.rng.usize(..listed.len())].clone();
        }
        match self.kind(&keywords, depth).as_str() {
            "object" => self.object(&keywords, depth),
            "array" => self.array(&keywords, depth),
            "integer" => self.integer(&keywords),
            "number" => self.number(&keywords),
            "boolean" => self.rng.bool().into(),
            "null" => Value::Null,
            _ => text::string(self.rng, &keywords).into(),
        }
    }

    /// One schema of references, combinations and choices.
    fn flat(&mut self, mut keywords: Map<String, Value>, depth: u32) -> Map<String, Value> {
        for _ in 0..DEEPEST {
            let next = if let Some(reference) = keywords.remove("$ref") {
                let found = reference.as_str().and_then(|at| resolve(self.root, at));
                found.cloned().into_iter().collect()
            } else if let Some(Value::Array(all)) = keywords.remove("allOf") {
                all
            } else if let Some(Value::Array(any)) = keywords.remove("anyOf") {
                self.choice(any, depth)
            } else if let Some(Value::Array(one)) = keywords.remove("oneOf") {
                self.choice(one, depth)
            } else {
                break;
            };
            for schema in &next {
                if let Value::Object(schema) = schema {
                    keywords = both(keywords, schema);
                }
            }
        }
        if let Some(Value::Object(then)) = keywords.get("then").cloned() {
            // What fits `if` is demanded rather than waited for.
            if let Some(Value::Object(when)) = keywords.get("if").cloned()
                && self.rng.bool()
            {
                keywords = both(keywords, &when);
                keywords = both(keywords, &then);
            }
        }
        keywords
    }

    fn choice(&mut self, mut choices: Vec<Value>, depth: u32) -> Vec<Value> {
        if choices.is_empty() {
            return choices;
        }
        let at = if depth >= DEEP {
            // What ends soonest: neither a part of the whole nor something with parts.
            let weight = |choice: &Value| match choice["type"].as_str() {
                Some("null") => 0,
                Some("object") => 2,
                Some("array") => 1,
                Some(_) => 0,
                None if choice["const"].is_null() && choice["enum"].is_null() => 3,
                None => 0,
            };
            let lightest = choices
                .iter()
                .enumerate()
                .min_by_key(|(_, one)| weight(one));
            lightest.map_or(0, |(at, _)| at)
        } else {
            self.rng.usize(..choices.len())
        };
        vec![choices.swap_remove(at)]
    }

    fn kind(&mut self, keywords: &Map<String, Value>, depth: u32) -> String {
        match keywords.get("type") {
            Some(Value::String(name)) => name.clone(),
            Some(Value::Array(names)) if !names.is_empty() => {
                let is_light = |name: &&Value| !matches!(name.as_str(), Some("object" | "array"));
                let light = names.iter().find(is_light).filter(|_| depth >= DEEP);
                let name = light.unwrap_or(&names[self.rng.usize(..names.len())]);
                name.as_str().unwrap_or("string").to_owned()
            }
            _ => implied(keywords).to_owned(),
        }
    }

    fn object(&mut self, keywords: &Map<String, Value>, depth: u32) -> Value {
        let none = Map::new();
        let properties = keywords.get("properties").and_then(Value::as_object);
        let properties = properties.unwrap_or(&none);
        let required = keywords.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required.map_or_else(Vec::new, |names| {
            names.iter().filter_map(Value::as_str).collect()
        });
        let most = limit(keywords, "maxProperties").unwrap_or(u64::MAX);
        let least = limit(keywords, "minProperties").unwrap_or(0).min(MOST);
        let mut object = Map::new();
        for name in &required {
            let schema = properties
                .get(*name)
                .or(keywords.get("additionalProperties"));
            let made = self.fitting(schema.unwrap_or(&Value::Bool(true)), depth + 1);
            object.insert((*name).to_owned(), made);
        }
        for (name, schema) in properties {
            let is_wanted = (object.len() as u64) < least
                || (depth < DEEP && (object.len() as u64) < most && self.rng.f64() < 0.8);
            if is_wanted && !object.contains_key(name) && *schema != Value::Bool(false) {
                object.insert(name.clone(), self.fitting(schema, depth + 1));
            }
        }
        self.further(keywords, &mut object, least, depth);
        Value::Object(object)
    }

    /// Properties under names of our own, as many as are still demanded, and some where the schema
    /// names none itself.
    fn further(
        &mut self,
        keywords: &Map<String, Value>,
        object: &mut Map<String, Value>,
        least: u64,
        depth: u32,
    ) {
        let anything = Value::Bool(true);
        let named = keywords
            .get("properties")
            .is_some_and(|named| named != &Value::Null);
        let most = limit(keywords, "maxProperties").unwrap_or(u64::MAX);
        let by_pattern = keywords.get("patternProperties").and_then(Value::as_object);
        let by_pattern = by_pattern.and_then(|map| map.iter().next());
        let schema = match (by_pattern, keywords.get("additionalProperties")) {
            (Some((_, schema)), _) => schema,
            (None, Some(Value::Bool(false))) => return,
            (None, schema) => schema.unwrap_or(&anything),
        };
        // An object of which nothing is said is not left empty either.
        let is_map = !named;
        let wanted = match is_map && depth < DEEP {
            true => self.rng.u64(1..4).max(least),
            false => least,
        };
        let wanted = wanted.min(most);
        let names = keywords.get("propertyNames").and_then(Value::as_object);
        let mut tries = 0;
        while (object.len() as u64) < wanted && tries < 4 * MOST {
            tries += 1;
            let name = match (by_pattern, names) {
                (Some((pattern, _)), _) => text::of_pattern(self.rng, pattern),
                (None, Some(names)) => text::string(self.rng, names),
                (None, None) => format!("key_{}", object.len() + 1),
            };
            let made = self.fitting(schema, depth + 1);
            object.entry(name).or_insert(made);
        }
    }

    fn array(&mut self, keywords: &Map<String, Value>, depth: u32) -> Value {
        let anything = Value::Bool(true);
        let first = keywords.get("prefixItems").and_then(Value::as_array);
        let first = first.map_or(&[][..], Vec::as_slice);
        let rest = keywords.get("items");
        let least = limit(keywords, "minItems").unwrap_or(0).min(MOST);
        let most = limit(keywords, "maxItems").unwrap_or(u64::MAX);
        let usual = match depth < DEEP {
            true => self.rng.u64(1..4).max(first.len() as u64),
            false => 0,
        };
        let mut count = usual.clamp(least, most.max(least));
        if rest == Some(&Value::Bool(false)) {
            count = count.min(first.len() as u64);
        }
        let unique = keywords.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items: Vec<Value> = Vec::new();
        for at in 0..count {
            let schema = first.get(at as usize).or(rest).unwrap_or(&anything);
            let mut item = self.fitting(schema, depth + 1);
            for _ in 0..ATTEMPTS {
                if !unique || !items.contains(&item) {
                    break;
                }
                item = self.fitting(schema, depth + 1);
            }
            if unique && items.contains(&item) && items.len() as u64 >= least {
                break;
            }
            items.push(item);
        }
        if let Some(wanted) = keywords.get("contains") {
            let wanted = self.fitting(wanted, depth + 1);
            match items.last_mut() {
                Some(last) => *last = wanted,
                None => items.push(wanted),
            }
        }
        Value::Array(items)
    }

    fn integer(&mut self, keywords: &Map<String, Value>) -> Value {
        let (least, most) = range(keywords, 1.0);
        let step = keywords.get("multipleOf").and_then(Value::as_f64);
        // What is a multiple of 2.5 and whole is a multiple of 5.
        let step = step.filter(|step| *step > 0.0).unwrap_or(1.0);
        let step = (1..=1000)
            .map(|times| step * f64::from(times))
            .find(|step| step.fract() == 0.0)
            .unwrap_or(1.0);
        let low = (least / step).ceil();
        let high = (most / step).floor().max(low);
        let steps = low
            + (self.rng.f64() * (high - low + 1.0))
                .floor()
                .min(high - low);
        let number = steps * step;
        Value::from(number as i64)
    }

    fn number(&mut self, keywords: &Map<String, Value>) -> Value {
        let (least, most) = range(keywords, 0.0);
        let step = keywords.get("multipleOf").and_then(Value::as_f64);
        let number = match step.filter(|step| *step > 0.0) {
            Some(step) => {
                let low = (least / step).ceil();
                let high = (most / step).floor().max(low);
                (low + (self.rng.f64() * (high - low)).round()) * step
            }
            None => {
                let exact = least + self.rng.f64() * (most - least);
                let short = (exact * 100.0).round() / 100.0;
                // Short where that is still inside.
                if short > least && short < most {
                    short
                } else {
                    exact
                }
            }
        };
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

/// The limits of a number. An exclusive one is moved inwards by `step`, or a little.
fn range(keywords: &Map<String, Value>, step: f64) -> (f64, f64) {
    const USUAL: f64 = 1000.0;
    let of = |name: &str| keywords.get(name).and_then(Value::as_f64);
    let inwards = |limit: f64| match step {
        0.0 => limit.abs().max(1.0) * 1e-6,
        step => step,
    };
    let above = of("exclusiveMinimum").map(|limit| match step {
        0.0 => limit + inwards(limit),
        step => limit.floor() + step,
    });
    let below = of("exclusiveMaximum").map(|limit| match step {
        0.0 => limit - inwards(limit),
        step => limit.ceil() - step,
    });
    let least = [of("minimum"), above]
        .into_iter()
        .flatten()
        .reduce(f64::max);
    let most = [of("maximum"), below]
        .into_iter()
        .flatten()
        .reduce(f64::min);
    match (least, most) {
        (Some(least), Some(most)) => (least, most.max(least)),
        (Some(least), None) => (least, least + USUAL),
        (None, Some(most)) => (most.min(0.0) - if most <= 0.0 { USUAL } else { 0.0 }, most),
        (None, None) => (0.0, USUAL),
    }
}

fn limit(keywords: &Map<String, Value>, name: &str) -> Option<u64> {
    keywords.get(name)?.as_f64().map(|limit| limit as u64)
}

/// The type that keywords speak of where none is named.
fn implied(keywords: &Map<String, Value>) -> &'static str {
    const OF: [(&str, &[&str]); 3] = [
        (
            "object",
            &[
                "properties",
                "required",
                "additionalProperties",
                "patternProperties",
                "minProperties",
                "maxProperties",
            ],
        ),
        (
            "array",
            &["items", "prefixItems", "minItems", "maxItems", "contains"],
        ),
        (
            "number",
            &[
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "multipleOf",
            ],
        ),
    ];
    let speaks_of = |names: &[&str]| names.iter().any(|name| keywords.contains_key(*name));
    OF.iter()
        .find(|(_, names)| speaks_of(names))
        .map_or("string", |(kind, _)| kind)
}
