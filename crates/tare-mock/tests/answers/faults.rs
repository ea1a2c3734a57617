//! Faults strike every form and every kind of answer, and a client that goes away frees its place.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use support::wire;

const BODY: &str = r#"{"model":"gemma3","prompt":"a","input":"a","messages":[{"role":"user","content":"a"}],"stream":true,"max_tokens":6,"max_output_tokens":6,"seed":1}"#;
const ROUTES: [&str; 3] = ["completions", "responses", "messages"];

/// The tokens that a stream's events tell, as far as it is JSON.
fn told(body: &str) -> usize {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let is_token = |event: &Value| {
        let text = &event["choices"][0];
        event["delta"].is_string()
            || event["delta"]["text"].is_string()
            || (text["text"].is_string() && text["finish_reason"].is_null())
    };
    events.filter(is_token).count()
}

#[test]
fn a_stream_breaks_off_after_its_tokens() {
    let server = plain();
    for route in ROUTES {
        for n in [0, 2, 6] {
            let head = format!("POST /v1/{route}\nx-tare-fault: truncate={n}");
            let reply = wire(&server, &head, BODY);
            let body = String::from_utf8(reply.body.clone()).expect("UTF-8");
            assert_eq!(told(&body), n, "{route}: {body}");
            assert!(reply.is_complete(), "{route}");
        }
    }
}

#[test]
fn an_error_has_the_form_of_its_stream() {
    let server = plain();
    for route in ROUTES {
        let head = format!("POST /v1/{route}\nx-tare-fault: error=2:lost");
        let body = ask(&server, &head, BODY).body();
        assert_eq!(told(&body), 2, "{route}: {body}");
        let last = body.trim_end().lines().last().expect("a line");
        let last = last.strip_prefix("data: ").expect("data");
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(last["error"]["message"], "lost", "{route}");
        assert!(body.ends_with("\n\n"), "{route}");
    }
}

#[test]
fn a_status_has_the_form_of_its_route() {
    let server = plain();
    for route in ROUTES {
        let head = format!("POST /v1/{route}\nx-tare-fault: status=503");
        let reply = ask(&server, &head, BODY);
        assert_eq!(reply.status, "503 Service Unavailable", "{route}");
        let words = "server busy, please try again.  maximum pending requests exceeded";
        assert_eq!(reply.json()["error"]["message"], words, "{route}");
    }
}

#[test]
fn bytes_that_are_no_text_are_in_the_text() {
    let server = plain();
    for route in ROUTES {
        let head = format!("POST /v1/{route}\nx-tare-fault: bad-utf8=2");
        let reply = wire(&server, &head, BODY);
        assert!(std::str::from_utf8(&reply.body).is_err(), "{route}");
    }
}

#[test]
fn json_and_calls_break_off_too() {
    let server = able(&["completion", "tools"], "");
    let fault = "POST /api/chat\nx-tare-fault: truncate=1";
    let messages = json!([{"role": "user", "content": "a"}]);
    let tools = json!([{"type": "function", "function": {"name": "now"}}]);
    for more in [json!({"format": "json"}), json!({"tools": tools})] {
        let mut body = json!({"model": "gemma3", "messages": messages});
        add(&mut body, more);
        let lines = lines(&ask(&server, fault, &body.to_string()));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(lines[0]["done"], false);
    }
}

#[test]
fn a_client_that_goes_away_frees_its_place() {
    let server = own(r#"
description = "one at a time, an hour between two tokens"
model = "gemma3:latest"
capabilities = ["completion", "tools"]
load = "0s"
tokens = 1
gap = "1h"
seed = 1
parallel = 1
prefill = { fixed = "0s", per_token = "0s" }
"#);
    let address = server.address();
    for (route, shape) in [
        ("api/chat", r#""format":"json""#),
        ("v1/responses", r#""stream":true"#),
        ("v1/messages", r#""stream":true"#),
    ] {
        let body = BODY.replace(r#""stream":true"#, shape);
        let mut stream = TcpStream::connect(address).expect("the mock listens");
        let length = body.len();
        write!(
            stream,
            "POST /{route} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("a request");
        let read = stream.read(&mut [0; 4096]).expect("a beginning");
        assert!(read > 0, "{route}");
        drop(stream);
        // The only slot is free again.
        let reply = native(&server, "generate", json!({}));
        assert_eq!(reply.status, "200 OK", "after {route}");
    }
}
