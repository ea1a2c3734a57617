//! The table of requests: a JSON object a line; blank lines and those that start with `#` part it.
//!
//! `name` · `request`, method and path · `headers`, if any · `body`, JSON, or `raw`, text as it is
//! sent. In a body, `{"$repeat": "text", "times": 9}` stands for that text nine times.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One request of the table.
pub struct Request {
    pub name: String,
    /// Method and path, then a header a line.
    pub head: String,
    pub body: String,
}

impl Request {
    /// How many tokens it asks for.
    pub fn limit(&self) -> Option<i128> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        body["options"]["num_predict"].as_i64().map(i128::from)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    request: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    raw: Option<String>,
}

pub fn read(table: &str) -> Vec<Request> {
    let lines = table.lines().enumerate();
    let requests = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    requests
        .map(|(index, line)| match serde_json::from_str::<Line>(line) {
            Ok(line) => line.into(),
            Err(error) => panic!("requests.jsonl, line {}: {error}", index + 1),
        })
        .collect()
}

impl From<Line> for Request {
    fn from(line: Line) -> Self {
        let mut head = line.request;
        for (name, value) in line.headers {
            head.push_str(&format!("\n{name}: {value}"));
        }
        let body = match (line.body, line.raw) {
            (Some(body), _) => expanded(body).to_string(),
            (None, Some(raw)) => raw,
            (None, None) => String::new(),
        };
        Self {
            name: line.name,
            head,
            body,
        }
    }
}

/// With each repetition written out.
fn expanded(value: Value) -> Value {
    match value {
        Value::Object(object) => match (object.get("$repeat"), object.get("times")) {
            (Some(Value::String(text)), Some(times)) => {
                let times = times.as_u64().and_then(|times| usize::try_from(times).ok());
                Value::String(text.repeat(times.expect("a number of times")))
            }
            _ => Value::Object(object.into_iter().map(|(k, v)| (k, expanded(v))).collect()),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(expanded).collect()),
        plain => plain,
    }
}
