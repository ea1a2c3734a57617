//! What a mock answers where a request asks for more than text: JSON that fits, calls of tools,
//! thoughts, log probabilities, an end before a stop string; in each form that Ollama has, and what
//! it refuses. Real sockets, requests by hand.

#[path = "../support/mod.rs"]
mod support;

mod completions;
mod ends;
mod faults;
mod format;
mod logprobs;
mod messages;
mod refusals;
mod responses;
mod thinking;
mod tools;

use serde_json::{Map, Value, json};
use support::{Reply, ask, own};
use tare_mock::Mock;

/// A mock whose model can do this, at no time at all.
fn able(capabilities: &[&str], more: &str) -> Mock {
    own(&format!(
        r#"
description = "able"
model = "gemma3:latest"
capabilities = {capabilities:?}
load = "0s"
tokens = 50
gap = "0s"
seed = 1
{more}
prefill = {{ fixed = "0s", per_token = "0s" }}
"#
    ))
}

fn plain() -> Mock {
    able(&["completion"], "")
}

/// Asks over one of Ollama's routes: `more` beside a prompt.
fn native(server: &Mock, route: &str, more: Value) -> Reply {
    let mut body = json!({
        "model": "gemma3",
        "options": {"seed": 5},
    });
    match route {
        "generate" => body["prompt"] = "Why?".into(),
        _ => body["messages"] = json!([{"role": "user", "content": "Why?"}]),
    }
    add(&mut body, more);
    ask(server, &format!("POST /api/{route}"), &body.to_string())
}

/// Asks over `/v1/chat/completions`.
fn chat_completion(server: &Mock, more: Value) -> Reply {
    let mut body = json!({
        "model": "gemma3",
        "messages": [{"role": "user", "content": "Why?"}],
        "seed": 5,
    });
    add(&mut body, more);
    ask(server, "POST /v1/chat/completions", &body.to_string())
}

fn add(body: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        panic!("not fields: {more}");
    };
    let body = body.as_object_mut().expect("an object");
    for (name, value) in more {
        match (body.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(value)) => inner.extend(value),
            (_, value) => drop(body.insert(name, value)),
        }
    }
}

/// The lines of a stream.
fn lines(reply: &Reply) -> Vec<Value> {
    let line = |chunk: &String| serde_json::from_str(chunk).expect("a line is a chunk");
    reply.chunks.iter().map(line).collect()
}

/// The data of a stream's events, and their names where they have some.
fn events(reply: &Reply) -> Vec<(String, Value)> {
    let text = reply.body();
    let mut events = Vec::new();
    for event in text.split_terminator("\n\n") {
        let (name, data) = match event.strip_prefix("event: ") {
            Some(event) => event.split_once('\n').expect("data behind a name"),
            None => ("", event),
        };
        let data = data.strip_prefix("data: ").expect("data");
        if data != "[DONE]" {
            events.push((name.to_owned(), serde_json::from_str(data).expect("JSON")));
        }
    }
    events
}

/// The texts of a stream's lines, put together.
fn said(lines: &[Value]) -> String {
    let text = |line: &Value| {
        let text = line["response"]
            .as_str()
            .or(line["message"]["content"].as_str());
        text.expect("a text").to_owned()
    };
    lines.iter().map(text).collect()
}

fn names(object: &Value) -> Vec<&String> {
    object
        .as_object()
        .map(Map::keys)
        .expect("an object")
        .collect()
}
