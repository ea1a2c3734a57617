//! `/v1/messages`

use super::*;

fn send(server: &Mock, more: Value) -> Reply {
    let mut body = json!({
        "model": "gemma3",
        "max_tokens": 4,
        "messages": [{"role": "user", "content": "Why?"}],
    });
    add(&mut body, more);
    ask(server, "POST /v1/messages", &body.to_string())
}

fn text() -> String {
    tare_mock::Text::new(1).take(4).collect()
}

#[test]
fn a_reply_in_one_piece_has_blocks() {
    let reply = send(&plain(), json!({}));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let said = reply.json();
    assert_eq!(said["type"], "message");
    assert_eq!(said["content"], json!([{"type": "text", "text": text()}]));
    assert_eq!(said["stop_reason"], "max_tokens");
    assert_eq!(said["usage"]["output_tokens"], 4);
}

#[test]
fn a_stream_opens_and_closes_its_blocks() {
    let reply = send(&plain(), json!({"stream": true}));
    let events = events(&reply);
    assert_eq!(
        reply.chunks.len(),
        events.len(),
        "each in a chunk of its own"
    );
    let told: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    let delta = "content_block_delta";
    assert_eq!(
        told,
        [
            "message_start",
            "content_block_start",
            delta,
            delta,
            delta,
            delta,
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let deltas = events
        .iter()
        .filter_map(|(_, event)| event["delta"]["text"].as_str());
    assert_eq!(deltas.collect::<String>(), text());
    assert_eq!(events[7].1["delta"]["stop_reason"], "max_tokens");
    assert_eq!(events[7].1["usage"]["output_tokens"], 4);
}

#[test]
fn thoughts_and_calls_are_blocks() {
    let server = able(&["completion", "tools", "thinking"], "");
    let schema =
        json!({"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]});
    let tools = json!([{"name": "now", "input_schema": schema}]);
    let more = json!({"tools": tools, "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 500});
    let whole = send(&server, more.clone()).json();
    assert_eq!(whole["content"][0]["type"], "thinking");
    assert_eq!(whole["content"][1]["type"], "tool_use");
    assert!(whole["content"][1]["input"]["zone"].is_string());
    assert_eq!(whole["stop_reason"], "tool_use");
    let mut streamed = more;
    streamed["stream"] = true.into();
    let events = events(&send(&server, streamed));
    let parts: Vec<_> = events
        .iter()
        .filter_map(|(_, event)| event["content_block"]["type"].as_str())
        .collect();
    assert_eq!(parts, ["thinking", "tool_use"]);
    let arguments = events
        .iter()
        .find_map(|(_, event)| event["delta"]["partial_json"].as_str());
    let arguments: Value = serde_json::from_str(arguments.expect("arguments")).expect("JSON");
    assert_eq!(arguments, whole["content"][1]["input"]);
}

#[test]
fn a_model_that_cannot_think_is_not_asked_to() {
    let more = json!({"thinking": {"type": "enabled", "budget_tokens": 1024}});
    let said = send(&plain(), more).json();
    assert_eq!(said["content"], json!([{"type": "text", "text": text()}]));
}

#[test]
fn what_it_refuses() {
    let server = plain();
    let image = json!([{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http://x"}}]}]);
    for (more, status, kind, words) in [
        (
            json!({"max_tokens": 0}),
            "400 Bad Request",
            "invalid_request_error",
            "max_tokens is required and must be positive",
        ),
        (
            json!({"messages": []}),
            "400 Bad Request",
            "invalid_request_error",
            "messages is required",
        ),
        (
            json!({"messages": image}),
            "400 Bad Request",
            "invalid_request_error",
            "invalid image source type: url. Only base64 images are supported.",
        ),
        (
            json!({"model": "x"}),
            "404 Not Found",
            "not_found_error",
            "model 'x' not found",
        ),
    ] {
        let reply = send(&server, more);
        assert_eq!(reply.status, status);
        let said = reply.json();
        assert_eq!(said["type"], "error");
        assert_eq!(said["error"], json!({"type": kind, "message": words}));
        assert!(said["request_id"].is_string());
    }
}
