//! The mock's OpenAI route on the wire.

mod support;

use serde_json::{Value, json};
use support::{Reply, ask, first_of, loading_for_minutes, mock};
use tare_mock::Mock;
use tare_mock::Text;

const ROUTE: &str = "POST /v1/chat/completions";

fn complete(server: &Mock, body: &Value) -> Reply {
    ask(server, ROUTE, &body.to_string())
}

/// A request with seed 5, and further fields.
fn asking(further: Value) -> Value {
    let mut body = json!({
        "model": "gemma3",
        "messages": [{"role": "user", "content": "Why is the sky blue?"}],
        "seed": 5,
    });
    let further = further.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(further);
    body
}

/// The events of a stream, each of which must be whole.
fn events(text: &str) -> Vec<&str> {
    assert!(text.ends_with("\n\n"), "{text:?}");
    let events = text.split_terminator("\n\n");
    let data = events.map(|event| event.strip_prefix("data: ").expect("only data"));
    data.collect()
}

#[test]
fn each_token_is_an_event_and_a_chunk_and_the_end_is_one_chunk() {
    let server = mock("instant");
    let reply = complete(&server, &asking(json!({"stream": true, "max_tokens": 40})));
    assert_eq!(reply.status, "200 OK");
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.chunks.len(), 41);
    for (chunk, token) in reply.chunks.iter().zip(Text::new(5).take(40)) {
        let [event] = events(chunk)[..] else {
            panic!("one event: {chunk}");
        };
        assert!(
            !event.contains(['<', '>', '&']),
            "Go escapes these: {event}"
        );
        let said: Value = serde_json::from_str(event).expect("JSON");
        let delta = json!({"role": "assistant", "content": token});
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": null}]);
        assert_eq!(said["choices"], choice);
        assert_eq!(said["object"], "chat.completion.chunk");
        assert_eq!(said["model"], "gemma3");
        assert_eq!(said["system_fingerprint"], "fp_ollama");
        assert!(said["id"].as_str().expect("an id").starts_with("chatcmpl-"));
        assert!(said["created"].as_u64().expect("seconds") > 1_700_000_000);
        assert_eq!(said.as_object().expect("an object").len(), 6, "{event}");
    }
    let [finish, done] = events(&reply.chunks[40])[..] else {
        panic!("two events: {}", reply.chunks[40]);
    };
    assert_eq!(done, "[DONE]");
    let finish: Value = serde_json::from_str(finish).expect("JSON");
    let delta = json!({"role": "assistant", "content": ""});
    let choice = json!([{"index": 0, "delta": delta, "finish_reason": "length"}]);
    assert_eq!(finish["choices"], choice);
}

#[test]
fn all_events_of_a_reply_have_its_id_and_time_and_fields_in_ollamas_order() {
    let server = mock("paced-1ms");
    let body =
        asking(json!({"stream": true, "max_tokens": 5, "stream_options": {"include_usage": true}}));
    let text = complete(&server, &body).body();
    let heads: Vec<_> = events(&text)
        .into_iter()
        .filter_map(|event| event.split_once(r#""choices":"#))
        .map(|(head, _)| head)
        .collect();
    assert_eq!(heads.len(), 7);
    assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");
    let names: Vec<_> = heads[0].split('"').skip(1).step_by(2).collect();
    let fields = ["id", "object", "created", "model", "system_fingerprint"];
    let found: Vec<_> = names.iter().filter(|name| fields.contains(name)).collect();
    assert_eq!(found, fields.iter().collect::<Vec<_>>());
    let other = complete(&server, &body).body();
    assert!(!other.contains(heads[0]), "another reply has another id");
}

#[test]
fn usage_is_counted_where_it_is_asked_for() {
    let server = mock("instant");
    let of = |include_usage: bool| {
        let options = json!({"include_usage": include_usage});
        let body = asking(json!({"stream": true, "max_tokens": 3, "stream_options": options}));
        complete(&server, &body).body()
    };
    assert!(!of(false).contains("usage"));
    let text = of(true);
    let [.., last, done] = events(&text)[..] else {
        panic!("{text}");
    };
    assert_eq!(done, "[DONE]");
    assert_eq!(text.matches("usage").count(), 1);
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(last["choices"], json!([]));
    let usage = &last["usage"];
    let tokens = |name: &str| usage[name].as_u64().expect("a count");
    assert_eq!(tokens("completion_tokens"), 3);
    assert!(tokens("prompt_tokens") > 0);
    assert_eq!(tokens("total_tokens"), 3 + tokens("prompt_tokens"));
}

#[test]
fn without_streaming_which_is_the_default_the_reply_is_one_object() {
    let server = mock("instant");
    let reply = complete(&server, &asking(json!({"max_tokens": 6})));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.body().ends_with("}\n"));
    let said = reply.json();
    let text: String = Text::new(5).take(6).collect();
    assert_eq!(said["object"], "chat.completion");
    assert_eq!(
        said["choices"],
        json!([{
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "length",
        }])
    );
    assert_eq!(said["usage"]["completion_tokens"], 6);
    let whole = complete(&server, &asking(json!({"stream": false, "seed": -1}))).json();
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
}

#[test]
fn the_newer_name_of_the_limit_is_left_unread() {
    let server = mock("instant");
    let said = complete(&server, &asking(json!({"max_completion_tokens": 6}))).json();
    assert_eq!(said["choices"][0]["finish_reason"], "stop");
    assert_eq!(said["usage"]["completion_tokens"], 512);
}

#[test]
fn a_message_is_a_string_or_a_list_of_parts() {
    let server = mock("instant");
    let tokens = |content: Value| {
        let messages = json!([{"role": "user", "content": content}]);
        let said = complete(&server, &asking(json!({"messages": messages}))).json();
        said["usage"]["prompt_tokens"].as_u64().expect("a count")
    };
    let part = |text: &str| json!({"type": "text", "text": text});
    let words = "a few words of a prompt";
    assert_eq!(tokens(json!([part(words)])), tokens(words.into()));
    assert!(tokens(json!([part(words), part(words)])) > tokens(words.into()));
}

#[test]
fn errors_have_openais_form_and_ollamas_words() {
    let server = mock("instant");
    let message =
        |content: Value| asking(json!({"messages": [{"role": "user", "content": content}]}));
    // What the translation finds is typed by its status and has no newline at its end.
    for (body, words) in [
        (String::new(), "EOF"),
        (
            asking(json!({"messages": []})).to_string(),
            "[] is too short - 'messages'",
        ),
        (
            message(Value::Null).to_string(),
            "invalid message content type: <nil>",
        ),
        (
            message(json!([{"type": "sound"}])).to_string(),
            "invalid message format",
        ),
    ] {
        let reply = ask(&server, ROUTE, &body);
        assert_eq!(reply.status, "400 Bad Request", "{body}");
        let utf8 = Some("application/json; charset=utf-8");
        assert_eq!(reply.header("content-type"), utf8);
        assert!(reply.body().ends_with('}'), "{body}");
        let error =
            json!({"message": words, "type": "invalid_request_error", "param": null, "code": null});
        assert_eq!(reply.json(), json!({ "error": error }));
    }
    // What is translated is of one type.
    for (body, status, words) in [
        (
            json!({"model": "x"}),
            "404 Not Found",
            "model 'x' not found",
        ),
        (json!({"model": ""}), "400 Bad Request", "model is required"),
        (
            json!({"reasoning_effort": "high"}),
            "400 Bad Request",
            "\"gemma3\" does not support thinking",
        ),
        (
            json!({"top_logprobs": 99}),
            "400 Bad Request",
            "top_logprobs must be between 0 and 20",
        ),
    ] {
        let reply = complete(&server, &asking(body));
        assert_eq!(reply.status, status, "{words}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert!(reply.body().ends_with("}\n"), "{words}");
        let error = json!({"message": words, "type": "api_error", "param": null, "code": null});
        assert_eq!(reply.json(), json!({ "error": error }));
    }
    let cut_off = ask(&server, ROUTE, "{").json();
    assert_eq!(cut_off["error"]["message"], "unexpected EOF");
    assert!(
        ask(&server, "GET /v1/chat/completions", "")
            .status
            .starts_with("405")
    );
}

#[test]
fn a_full_queue_is_an_api_error() {
    let server = loading_for_minutes();
    let body = r#"{"model":"gemma3","messages":[{"role":"user","content":"a"}]}"#;
    let reply = first_of(&server, [(ROUTE, body), (ROUTE, body)]);
    assert_eq!(reply.status, "503 Service Unavailable");
    assert_eq!(reply.json()["error"]["type"], "api_error");
}

#[test]
fn the_truth_comes_with_the_finish_chunk_or_the_whole_reply_and_only_when_asked_for() {
    let server = mock("paced-1ms");
    let asked = format!("{ROUTE}\nx-tare-truth: 1");
    let body =
        asking(json!({"stream": true, "max_tokens": 5, "stream_options": {"include_usage": true}}));
    for (head, told) in [(asked.as_str(), true), (ROUTE, false)] {
        let text = ask(&server, head, &body.to_string()).body();
        let events = events(&text);
        let with_truth: Vec<_> = events
            .iter()
            .filter(|event| event.contains("tare_truth"))
            .collect();
        assert_eq!(with_truth.len(), usize::from(told), "{text}");
        for event in with_truth {
            let finish: Value = serde_json::from_str(event).expect("JSON");
            assert_eq!(finish["choices"][0]["finish_reason"], "length");
            let truth = &finish["tare_truth"];
            for list in ["due", "sent"] {
                assert_eq!(truth[list].as_array().map(Vec::len), Some(5), "{list}");
            }
            assert!(truth["done"].as_u64() > truth["sent"][4].as_u64());
            assert_eq!(truth["terms"]["decode"], 4_000_000);
        }
        let whole = asking(json!({"max_tokens": 5}));
        let whole = ask(&server, head, &whole.to_string()).json();
        assert_eq!(whole["tare_truth"].is_object(), told, "{whole}");
    }
}

#[test]
fn the_models_are_listed_in_openais_words() {
    let server = mock("instant");
    let reply = ask(&server, "GET /v1/models", "");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let created = &reply.json()["data"][0]["created"];
    assert_eq!(
        reply.body(),
        format!(
            r#"{{"object":"list","data":[{{"id":"gemma3:latest","object":"model","created":{created},"owned_by":"library"}}]}}"#
        ) + "\n"
    );
    // The same moment as in Ollama's own list.
    let tags = ask(&server, "GET /api/tags", "").json();
    let modified: jiff::Timestamp = tags["models"][0]["modified_at"]
        .as_str()
        .expect("a text")
        .parse()
        .expect("a time");
    assert_eq!(created.as_i64(), Some(modified.as_second()));
    assert!(
        ask(&server, "POST /v1/models", "")
            .status
            .starts_with("405")
    );
}
