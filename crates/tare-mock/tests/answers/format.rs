//! Answers that are JSON.

use super::*;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "minimum": 1, "maximum": 99},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1}
        },
        "required": ["name", "age", "tags"],
        "additionalProperties": false
    })
}

#[test]
fn a_schema_is_fitted_by_every_route_streamed_and_whole() {
    let server = plain();
    for route in ["generate", "chat"] {
        let streamed = lines(&native(&server, route, json!({"format": schema()})));
        let text = said(&streamed);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert!(jsonschema::is_valid(&schema(), &value), "{value}");
        let last = streamed.last().expect("a last line");
        assert_eq!(last["done_reason"], "stop");
        assert_eq!(last["eval_count"], streamed.len() - 1, "a line a token");
        let whole = native(&server, route, json!({"format": schema(), "stream": false}));
        assert_eq!(said(&[whole.json()]), text, "the same again");
    }
    let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema()}});
    let whole = chat_completion(&server, json!({"response_format": format})).json();
    let text = whole["choices"][0]["message"]["content"]
        .as_str()
        .expect("a text");
    let value: Value = serde_json::from_str(text).expect("JSON");
    assert!(jsonschema::is_valid(&schema(), &value), "{value}");
}

#[test]
fn json_alone_is_an_object() {
    let server = plain();
    let text = said(&lines(&native(&server, "chat", json!({"format": "json"}))));
    assert!(
        serde_json::from_str::<Map<String, Value>>(&text).is_ok(),
        "{text}"
    );
    let format = json!({"type": "json_object"});
    let whole = chat_completion(&server, json!({"response_format": format})).json();
    assert_eq!(whole["choices"][0]["message"]["content"], text.as_str());
}

#[test]
fn a_limit_cuts_json_off() {
    let server = plain();
    let limited = json!({"format": schema(), "options": {"num_predict": 3}});
    let lines = lines(&native(&server, "generate", limited));
    let text = said(&lines);
    assert_eq!(lines.len(), 4);
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
    assert_eq!(lines[3]["done_reason"], "length");
}

#[test]
fn the_truth_tells_each_token() {
    let server = plain();
    let body = json!({"model": "gemma3", "prompt": "Why?", "format": schema()});
    let reply = ask(
        &server,
        "POST /api/generate\nx-tare-truth: 1",
        &body.to_string(),
    );
    let lines = lines(&reply);
    let truth = &lines[lines.len() - 1]["tare_truth"];
    for list in ["due", "sent"] {
        assert_eq!(truth[list].as_array().map(Vec::len), Some(lines.len() - 1));
    }
}

#[test]
fn no_format_is_none() {
    let server = plain();
    for format in [Value::Null, "".into()] {
        let text = said(&lines(&native(&server, "chat", json!({"format": format}))));
        assert!(text.starts_with("## "), "{text}");
    }
}

#[test]
fn other_formats_are_refused_as_the_runner_does_it() {
    let server = plain();
    let expected = r#"; expected "json" or a valid JSON Schema object"#;
    for (format, words) in [
        (
            json!("xml"),
            format!(r#"invalid format: "\"xml\""{expected}"#),
        ),
        (json!([1]), format!(r#"invalid format: "[1]"{expected}"#)),
        (
            json!({"type": "text"}),
            "invalid JSON schema in format".to_owned(),
        ),
    ] {
        let reply = native(&server, "chat", json!({"format": format}));
        assert_eq!(reply.status, "500 Internal Server Error");
        assert_eq!(reply.json()["error"], words);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
        let whole = native(&server, "chat", json!({"format": format, "stream": false}));
        assert_eq!(whole.json()["error"], words);
        let utf8 = Some("application/json; charset=utf-8");
        assert_eq!(whole.header("content-type"), utf8);
    }
}
