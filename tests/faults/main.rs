//! The mock's faults: seen on the wire and by every stack's client.

mod clients;
mod lines;
mod one_piece;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use support::{Wire, program, wire};
use tare::run::MockServer;
use tare_mock::Text;

pub const GENERATE: &str = "POST /api/generate";
pub const CHAT: &str = "POST /api/chat";
pub const OPENAI: &str = "POST /v1/chat/completions";
pub const RUNNER_GONE: &str = "an error was encountered while running the model: unexpected EOF";

/// Six tokens, whichever route they are asked of.
pub const BODY: &str = r#"{"model":"gemma3","prompt":"a","messages":[{"role":"user","content":"a"}],"stream":true,"max_tokens":6,"seed":5,"options":{"seed":5,"num_predict":6}}"#;

pub fn tokens() -> Vec<&'static str> {
    Text::new(5).take(6).collect()
}

pub fn with(faults: &[&str]) -> MockServer {
    let flags: Vec<_> = faults.iter().flat_map(|spec| ["--fault", *spec]).collect();
    MockServer::start_with(&program(), "instant", None, &flags).expect("the mock starts")
}

/// Asks a route with faults in the request's header.
pub fn struck(server: &MockServer, route: &str, faults: &str) -> Wire {
    wire(server, &format!("{route}\nx-tare-fault: {faults}"), BODY)
}

/// A chunk's one line or event.
pub fn said(chunk: &[u8]) -> Value {
    let text = std::str::from_utf8(chunk).expect("UTF-8");
    let text = text.strip_prefix("data: ").unwrap_or(text);
    serde_json::from_str(text).expect("JSON")
}

/// The text of a token's line or event.
pub fn token(chunk: &[u8]) -> String {
    let said = said(chunk);
    let texts = [
        &said["response"],
        &said["message"]["content"],
        &said["choices"][0]["delta"]["content"],
    ];
    let text = texts.into_iter().find_map(Value::as_str);
    text.expect("a token").to_owned()
}

pub fn texts(chunks: &[&[u8]]) -> Vec<String> {
    chunks.iter().map(|chunk| token(chunk)).collect()
}
