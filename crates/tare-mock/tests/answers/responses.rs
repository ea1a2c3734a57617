//! `/v1/responses`

use super::*;

const ROUTE: &str = "POST /v1/responses";

fn respond(server: &Mock, more: Value) -> Reply {
    let mut body = json!({"model": "gemma3", "input": "Why?", "max_output_tokens": 4});
    add(&mut body, more);
    ask(server, ROUTE, &body.to_string())
}

/// Like the mock's own seed, which such a request can't set.
fn text() -> String {
    tare_mock::Text::new(1).take(4).collect()
}

#[test]
fn a_reply_in_one_piece_is_in_ollamas_order() {
    let reply = respond(&plain(), json!({"temperature": 0.5}));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let body = reply.body();
    let fields = [
        "\"id\"",
        "\"object\"",
        "\"created_at\"",
        "\"output\"",
        "\"tools\"",
        "\"usage\"",
        "\"prompt_cache_key\"",
    ];
    let places: Vec<_> = fields
        .iter()
        .map(|name| body.find(name).expect("a field"))
        .collect();
    assert!(places.is_sorted(), "{body}");
    let said = reply.json();
    assert_eq!(names(&said).len(), 31);
    assert_eq!(said["output"][0]["content"][0]["text"], text());
    assert_eq!(said["usage"]["output_tokens"], 4);
    assert_eq!(said["temperature"], 0.5);
    assert!(body.contains("\"top_p\":1,"), "{body}");
}

#[test]
fn a_stream_tells_each_step_in_a_chunk_of_its_own() {
    let reply = respond(&plain(), json!({"stream": true}));
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let events = events(&reply);
    assert_eq!(reply.chunks.len(), events.len());
    let told: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    let delta = "response.output_text.delta";
    assert_eq!(
        told,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            delta,
            delta,
            delta,
            delta,
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    for (number, (name, event)) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
        assert_eq!(event["type"], name.as_str());
    }
    let deltas = events
        .iter()
        .filter_map(|(_, event)| event["delta"].as_str());
    assert_eq!(deltas.collect::<String>(), text());
    let response = &events[11].1["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][0]["text"], text());
    assert_eq!(response["usage"]["output_tokens"], 4);
}

#[test]
fn thoughts_calls_and_json_have_their_events_and_items() {
    let server = able(&["completion", "tools", "thinking"], "");
    let tools = json!([{"type": "function", "name": "now", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}}]);
    let more = json!({"tools": tools, "stream": true, "max_output_tokens": 500});
    let streamed = events(&respond(&server, more));
    let named = |wanted: &str| streamed.iter().filter(|(name, _)| name == wanted).count();
    assert!(named("response.reasoning_summary_text.delta") > 0);
    assert_eq!(named("response.reasoning_summary_text.done"), 1);
    assert_eq!(named("response.function_call_arguments.done"), 1);
    let output = &streamed[streamed.len() - 1].1["response"]["output"];
    assert_eq!(output[0]["type"], "reasoning");
    assert_eq!(output[1]["type"], "function_call");
    let arguments = output[1]["arguments"].as_str().expect("a text");
    let arguments: Value = serde_json::from_str(arguments).expect("JSON");
    assert!(arguments["zone"].is_string());

    let format = json!({"format": {"type": "json_schema", "name": "x", "schema": {"type": "array", "items": {"type": "integer"}}}});
    let said = respond(&server, json!({"text": format, "max_output_tokens": 500})).json();
    assert_eq!(said["output"][0]["type"], "reasoning");
    let text = said["output"][1]["content"][0]["text"]
        .as_str()
        .expect("a text");
    assert!(serde_json::from_str::<Vec<i64>>(text).is_ok(), "{text}");
}

#[test]
fn items_are_messages_calls_and_what_they_gave() {
    let server = able(&["completion", "tools"], "");
    let input = json!([
        {"role": "user", "content": [{"type": "input_text", "text": "What time is it?"}]},
        {"type": "function_call", "call_id": "call_1", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "noon"}
    ]);
    let tools = json!([{"type": "function", "name": "now", "parameters": {"type": "object"}}]);
    let said = respond(&server, json!({"input": input, "tools": tools})).json();
    assert_eq!(said["output"][0]["type"], "message", "{said}");
    let reply = respond(&server, json!({"input": [{"type": "sound"}]}));
    assert_eq!(reply.status, "400 Bad Request");
    assert_eq!(
        reply.json()["error"]["message"],
        "input[0]: unknown input item type: sound"
    );
}
