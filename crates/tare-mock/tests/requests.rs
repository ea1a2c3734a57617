//! The mock on the wire: what it says is what Ollama says, byte by byte where that matters.
//!
//! The requests are written by hand over a plain socket, so that no client's leniency hides a
//! difference.

mod support;

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use support::{Reply, ask, first_of, loading_for_minutes, mock};
use tare_mock::Mock;
use tare_mock::Text;

fn generate(server: &Mock, body: &str) -> Reply {
    ask(server, "POST /api/generate", body)
}

#[test]
fn generate_streams_a_line_per_token_and_chunk() {
    let server = mock("instant");
    let reply = generate(
        &server,
        r#"{"model":"gemma3","prompt":"Why is the sky blue?","options":{"seed":5,"num_predict":40}}"#,
    );
    assert_eq!(reply.status, "200 OK");
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(reply.chunks.len(), 41, "one HTTP chunk a line");
    let mut tokens = Vec::new();
    for line in &reply.chunks[..40] {
        assert!(
            line.ends_with("}\n") && line.matches('\n').count() == 1,
            "{line:?}"
        );
        assert!(
            line.starts_with(r#"{"model":"gemma3","created_at":"20"#),
            "fields in Ollama's order: {line}"
        );
        assert!(line.ends_with(",\"done\":false}\n"), "{line}");
        assert!(!line.contains(['<', '>', '&']), "Go escapes these: {line}");
        let line: Value = serde_json::from_str(line).expect("JSON");
        tokens.push(line["response"].as_str().expect("a token").to_owned());
    }
    assert_eq!(tokens, Text::new(5).take(40).collect::<Vec<_>>());
}

#[test]
fn the_last_line_has_ollamas_fields_in_ollamas_order_and_no_other() {
    let server = mock("paced-1ms");
    let body = r#"{"model":"gemma3","prompt":"Why?","options":{"num_predict":3}}"#;
    let reply = generate(&server, body);
    let last = reply.chunks.last().expect("a last line");
    let names: Vec<_> = last.split('"').skip(1).step_by(2).collect();
    let order = [
        "model",
        "created_at",
        "response",
        "done",
        "done_reason",
        "context",
        "total_duration",
        "load_duration",
        "prompt_eval_count",
        "prompt_eval_duration",
        "eval_count",
        "eval_duration",
    ];
    let found: Vec<_> = names.iter().filter(|name| order.contains(name)).collect();
    assert_eq!(found, order.iter().collect::<Vec<_>>(), "{last}");
    let last: Value = serde_json::from_str(last).expect("JSON");
    assert_eq!(
        last.as_object().expect("an object").len(),
        order.len(),
        "{last}"
    );
    assert_eq!(
        (&last["done"], &last["response"]),
        (&Value::Bool(true), &Value::from(""))
    );
    assert_eq!(last["done_reason"], "length");
    assert_eq!(last["eval_count"], 3);
    let nanos = |name: &str| last[name].as_u64().expect("a duration");
    assert_eq!(nanos("load_duration"), 1_000_000, "as the profile says");
    let parts = nanos("load_duration") + nanos("prompt_eval_duration") + nanos("eval_duration");
    assert!(parts <= nanos("total_duration"), "{last}");
    assert!(nanos("eval_duration") > 0 && nanos("prompt_eval_duration") >= 2_000_000);
}

#[test]
fn the_truth_is_told_only_when_asked_for() {
    let server = mock("paced-1ms");
    let body = r#"{"model":"gemma3","prompt":"Why?","options":{"num_predict":5}}"#;
    assert!(!generate(&server, body).body().contains("truth"));
    let reply = ask(&server, "POST /api/generate\nx-tare-truth: 1", body);
    let last: Value =
        serde_json::from_str(reply.chunks.last().expect("a last line")).expect("JSON");
    let truth = &last["tare_truth"];
    let times = |name: &str| -> Vec<u64> {
        let times = truth[name].as_array().expect("a list").iter();
        times.map(|t| t.as_u64().expect("nanoseconds")).collect()
    };
    let (due, sent) = (times("due"), times("sent"));
    assert_eq!(due.len(), 5);
    assert!(
        due.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000),
        "{due:?}"
    );
    assert_eq!(sent.len(), 5);
    assert!(
        due.iter().zip(&sent).all(|(due, sent)| due <= sent),
        "never early: {truth}"
    );
    assert!(sent.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(truth["done"].as_u64().expect("a time") >= sent[4]);
    assert!(truth["received"].as_u64().expect("a time") > 0);
}

#[test]
fn chat_streams_messages() {
    let server = mock("instant");
    let reply = ask(
        &server,
        "POST /api/chat",
        r#"{"model":"gemma3:latest","messages":[{"role":"user","content":"Hi"}],"options":{"seed":5,"num_predict":4}}"#,
    );
    assert_eq!(reply.chunks.len(), 5);
    for (line, token) in reply.chunks.iter().zip(Text::new(5).take(4)) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line["message"]["role"], "assistant");
        assert_eq!(line["message"]["content"], token);
        assert_eq!(line["done"], false);
    }
    let last: Value = serde_json::from_str(&reply.chunks[4]).expect("JSON");
    assert_eq!(
        (&last["done"], &last["context"]),
        (&Value::Bool(true), &Value::Null)
    );
}

#[test]
fn without_streaming_the_answer_is_one_object() {
    let server = mock("instant");
    let whole = |n: usize| {
        let body = format!(
            r#"{{"model":"gemma3","prompt":"Why?","stream":false,"options":{{"seed":5,"num_predict":{n}}}}}"#
        );
        generate(&server, &body)
    };
    let short = whole(6);
    assert_eq!(
        short.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    assert!(
        short.header("content-length").is_some(),
        "sized up to 2,048 bytes"
    );
    assert_eq!(
        short.json()["response"],
        Text::new(5).take(6).collect::<String>()
    );
    let long = whole(1000);
    assert_eq!(
        long.header("transfer-encoding"),
        Some("chunked"),
        "chunked above"
    );
    assert_eq!(long.json()["eval_count"], 1000);
}

#[test]
fn an_empty_prompt_loads_the_model() {
    let server = mock("instant");
    let last = generate(&server, r#"{"model":"gemma3"}"#).json();
    assert_eq!(
        (&last["done"], &last["done_reason"]),
        (&Value::Bool(true), &"load".into())
    );
    assert_eq!(
        (&last["response"], &last["eval_count"]),
        (&"".into(), &Value::Null)
    );
}

#[test]
fn what_only_loads_or_unloads_is_one_object_without_times() {
    let server = mock("paced-1ms");
    let loaded = || {
        let running = ask(&server, "GET /api/ps", "").json();
        running["models"].as_array().expect("a list").len()
    };
    for (head, body, reason, then_loaded) in [
        ("POST /api/generate", r#"{"model":"gemma3"}"#, "load", 1),
        (
            "POST /api/generate",
            r#"{"model":"gemma3","keep_alive":0}"#,
            "unload",
            0,
        ),
        (
            "POST /api/chat",
            r#"{"model":"gemma3","messages":[]}"#,
            "load",
            1,
        ),
        (
            "POST /api/chat",
            r#"{"model":"gemma3","messages":[],"keep_alive":"0s"}"#,
            "unload",
            0,
        ),
        (
            "POST /api/generate",
            r#"{"model":"gemma3","prompt":null,"options":null,"keep_alive":0.0}"#,
            "unload",
            0,
        ),
    ] {
        let reply = ask(&server, head, body);
        assert_eq!(
            reply.header("content-type"),
            Some("application/json; charset=utf-8"),
            "{head} {body}"
        );
        let said = reply.json();
        assert_eq!(
            (&said["done"], &said["done_reason"]),
            (&true.into(), &reason.into())
        );
        assert_eq!(said.as_object().expect("an object").len(), 5, "{said}");
        assert_eq!(loaded(), then_loaded, "{head} {body}");
    }
}

#[test]
fn a_chat_of_empty_messages_is_answered() {
    let server = mock("instant");
    let reply = ask(
        &server,
        "POST /api/chat",
        r#"{"model":"gemma3","messages":[{"role":"user","content":""}],"stream":false}"#,
    );
    assert_eq!(reply.json()["done_reason"], "stop");
}

#[test]
fn a_seed_may_be_negative() {
    let server = mock("instant");
    for seed in [i64::MIN, -1, 0, i64::MAX] {
        let body = format!(
            r#"{{"model":"gemma3","prompt":"a","stream":false,"options":{{"seed":{seed},"num_predict":20}}}}"#
        );
        let said = generate(&server, &body).json();
        let text: String = Text::new(seed as u64).take(20).collect();
        assert_eq!(said["response"], text, "{seed}");
    }
}

#[test]
fn raw_has_no_context() {
    let server = mock("instant");
    let of = |raw: bool| {
        let body = format!(r#"{{"model":"gemma3","prompt":"a","raw":{raw},"stream":false}}"#);
        generate(&server, &body).json()
    };
    assert!(of(false)["context"].is_array());
    assert_eq!(of(true)["context"], Value::Null);
}

#[test]
fn not_to_think_is_no_error() {
    let server = mock("instant");
    let body = r#"{"model":"gemma3","prompt":"a","think":false}"#;
    assert_eq!(generate(&server, body).status, "200 OK");
}

#[test]
fn a_full_queue_is_said_so() {
    let server = loading_for_minutes();
    // Whichever comes first is loaded for; the other has no place to wait.
    for (head, body) in [
        ("POST /api/generate", r#"{"model":"gemma3","prompt":"a"}"#),
        (
            "POST /api/chat",
            r#"{"model":"gemma3","messages":[{"role":"user","content":"a"}]}"#,
        ),
    ] {
        let reply = first_of(&server, [(head, body), (head, body)]);
        assert_eq!(reply.status, "503 Service Unavailable");
        assert_eq!(
            reply.json()["error"],
            "server busy, please try again.  maximum pending requests exceeded"
        );
    }
}

#[test]
fn the_small_routes_answer() {
    let server = mock("instant");
    let root = ask(&server, "GET /", "");
    assert_eq!(
        (root.status.as_str(), root.body().as_str()),
        ("200 OK", "Ollama is running")
    );
    assert_eq!(ask(&server, "HEAD /", "").status, "200 OK");
    let version = ask(&server, "GET /api/version", "");
    assert!(version.json()["version"].is_string());
    assert_eq!(
        version.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let tags = ask(&server, "GET /api/tags", "").json();
    let model = &tags["models"][0];
    assert_eq!(
        (&model["name"], &model["model"]),
        (&"gemma3:latest".into(), &"gemma3:latest".into())
    );
    assert_eq!(model["details"]["family"], "gemma3");
    let show = ask(&server, "POST /api/show", r#"{"model":"gemma3"}"#).json();
    assert_eq!(show["model_info"]["general.architecture"], "gemma3");
    assert_eq!(ask(&server, "GET /none", "").status, "404 Not Found");
    assert_eq!(
        ask(&server, "GET /api/generate", "").status,
        "405 Method Not Allowed"
    );
}

#[test]
fn errors_have_ollamas_status_and_words() {
    let server = mock("instant");
    for (head, body, status, words) in [
        (
            "POST /api/generate",
            "",
            "400 Bad Request",
            "missing request body",
        ),
        (
            "POST /api/chat",
            "",
            "400 Bad Request",
            "missing request body",
        ),
        (
            "POST /api/generate",
            r#"{"model":"x","prompt":"a"}"#,
            "404 Not Found",
            "model 'x' not found",
        ),
        (
            "POST /api/generate",
            r#"{"prompt":"a"}"#,
            "404 Not Found",
            "model '' not found",
        ),
        (
            "POST /api/chat",
            r#"{"messages":[]}"#,
            "400 Bad Request",
            "model is required",
        ),
        (
            "POST /api/chat",
            r#"{"model":"x","messages":[]}"#,
            "404 Not Found",
            "model 'x' not found",
        ),
        (
            "POST /api/generate",
            r#"{"model":"gemma3","prompt":"a","think":true}"#,
            "400 Bad Request",
            "\"gemma3\" does not support thinking",
        ),
        (
            "POST /api/chat",
            r#"{"model":"gemma3:latest","messages":[],"think":"high"}"#,
            "400 Bad Request",
            "\"gemma3:latest\" does not support thinking",
        ),
        (
            "POST /api/show",
            r#"{"model":"x"}"#,
            "404 Not Found",
            "model 'x' not found",
        ),
        (
            "POST /api/show",
            "{}",
            "400 Bad Request",
            "model is required",
        ),
    ] {
        let reply = ask(&server, head, body);
        assert_eq!(reply.status, status, "{head} {body}");
        assert_eq!(reply.json()["error"], words, "{head} {body}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/json; charset=utf-8")
        );
    }
    let reply = generate(&server, "{\"model\":");
    assert_eq!(reply.status, "400 Bad Request");
}

#[test]
fn the_head_comes_with_the_first_token_and_not_before() {
    // The head is in the same read as the first line: the mock writes both at once.
    let server = mock("paced-10ms");
    let address = server.address();
    let mut stream = TcpStream::connect(address).expect("the mock listens");
    let body = r#"{"model":"gemma3","prompt":"Why?","options":{"num_predict":3}}"#;
    write!(
        stream,
        "POST /api/generate HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    let mut first = vec![0; 4096];
    let size = stream.read(&mut first).expect("a reply");
    let first = String::from_utf8_lossy(&first[..size]);
    assert!(
        first.starts_with("HTTP/1.1 200 OK") && first.contains("\"response\""),
        "{first}"
    );
    assert!(
        !first.contains("\"done\":true"),
        "but not the last: {first}"
    );
}

#[test]
fn two_streams_at_once_do_not_wait_for_each_other() {
    let server = mock("paced-10ms");
    let address = server.base_url().trim_start_matches("http://").to_owned();
    let body = r#"{"model":"gemma3","prompt":"Why?","options":{"num_predict":2}}"#;
    let start = || {
        let mut stream = TcpStream::connect(&address).expect("the mock listens");
        write!(stream, "POST /api/generate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            .expect("a request");
        stream
    };
    let streams = [start(), start(), start()];
    for mut stream in streams {
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("a reply");
        assert!(reply.contains("\"done\":true"), "{reply}");
    }
}
