//! `/v1/completions`

use super::*;
use tare_mock::Text;

fn complete(server: &Mock, more: Value) -> Reply {
    let mut body = json!({"model": "gemma3", "prompt": "Why?", "seed": 5, "max_tokens": 4});
    add(&mut body, more);
    ask(server, "POST /v1/completions", &body.to_string())
}

#[test]
fn it_is_generate_in_openais_older_words() {
    let server = plain();
    let text: String = Text::new(5).take(4).collect();
    let reply = complete(&server, json!({}));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let whole = reply.json();
    assert_eq!(whole["object"], "text_completion");
    assert!(
        whole["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("cmpl-"))
    );
    let choice = json!([{"text": text, "index": 0, "finish_reason": "length"}]);
    assert_eq!(whole["choices"], choice);
    assert_eq!(whole["usage"]["completion_tokens"], 4);

    let reply = complete(&server, json!({"stream": true}));
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.chunks.len(), 5);
    let events = events(&reply);
    let told = events
        .iter()
        .filter_map(|(_, event)| event["choices"][0]["text"].as_str());
    assert_eq!(told.collect::<String>(), text);
    let last = &events[4].1;
    assert_eq!(last["choices"][0]["finish_reason"], "length");
    assert_eq!(last["usage"], Value::Null);
    assert!(reply.body().ends_with("data: [DONE]\n\n"));
}

#[test]
fn each_event_has_a_usage_where_one_is_asked_for() {
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let events = events(&complete(&plain(), more));
    let counts = events
        .iter()
        .map(|(_, event)| event["usage"]["completion_tokens"].as_u64());
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts, [0, 0, 0, 0, 0, 4].map(Some));
    assert_eq!(events[5].1["choices"], json!([]));
}

#[test]
fn log_probabilities_are_left_out() {
    let reply = complete(&plain(), json!({"logprobs": 3}));
    assert!(!reply.body().contains("logprob"), "{}", reply.body());
}

#[test]
fn what_it_refuses() {
    let server = plain();
    let early = Some("application/json; charset=utf-8");
    for (more, status, content_type, words) in [
        (
            json!({"prompt": ["Why?"]}),
            "400 Bad Request",
            early,
            "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string",
        ),
        (
            json!({"stop": [1]}),
            "400 Bad Request",
            early,
            "invalid type for 'stop' field: float64",
        ),
        (
            json!({"model": "x"}),
            "404 Not Found",
            Some("application/json"),
            "model 'x' not found",
        ),
        (
            json!({"suffix": "because"}),
            "400 Bad Request",
            Some("application/json"),
            "registry.ollama.ai/library/gemma3:latest does not support insert",
        ),
    ] {
        let reply = complete(&server, more);
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("content-type"), content_type);
        assert_eq!(reply.json()["error"]["message"], words);
    }
}

#[test]
fn an_empty_prompt_loads_the_model() {
    let whole = complete(&plain(), json!({"prompt": ""})).json();
    assert_eq!(whole["choices"][0]["finish_reason"], "load");
}
