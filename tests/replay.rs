//! Record and replay: what a server said, and when, said again by the mock.

mod support;

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{FixtureServer, STREAM_HEAD, ask, chunk, program, send};
use tare::run::MockServer;
use tare::trace::{Exchange, Trace};
use tempfile::TempDir;

const GENERATE: &str = "POST /api/generate";
const CHAT: &str = "POST /api/chat";
const OPENAI: &str = "POST /v1/chat/completions";

fn place() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn tare(arguments: &[&str]) -> Output {
    let mut command = Command::new(program().path());
    command.args(arguments).output().expect("the program runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// Records two calls.
fn record(server: &MockServer, api: &str, to: PathBuf) -> (PathBuf, Trace) {
    record_from(server.base_url(), api, &to);
    let trace = Trace::find(text(&to)).expect("a sound trace");
    (to, trace)
}

fn record_from(base_url: &str, api: &str, to: &Path) {
    let said = tare(&[
        "record",
        "--base-url",
        base_url,
        "--api",
        api,
        "--model",
        "gemma3",
        "--prompt",
        "one",
        "--prompt",
        "two",
        "--num-predict",
        "12",
        "--seed",
        "5",
        "--out",
        text(to),
    ]);
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{stderr}");
    assert!(stderr.contains("call 2 of 2: 12 tokens"), "{stderr}");
    assert!(stderr.contains("wrote 2 calls to "), "{stderr}");
}

fn replay(trace: &Path, further: &[&str]) -> MockServer {
    MockServer::replay(&program(), text(trace), further).expect("the mock starts")
}

fn bytes(exchange: &Exchange) -> String {
    exchange
        .pieces()
        .iter()
        .map(|piece| piece.data.as_str())
        .collect()
}

fn texts(exchange: &Exchange) -> Vec<&str> {
    let tokens = exchange.answer().tokens.iter();
    tokens.map(|token| token.text.as_str()).collect()
}

/// When each token was recorded.
fn times(exchange: &Exchange) -> Vec<u64> {
    let tokens = exchange.answer().tokens.iter();
    tokens
        .map(|token| exchange.pieces()[token.piece].at_ns)
        .collect()
}

fn asking(path: &str, body: &Value, server: &MockServer) -> String {
    let reply = ask(server, path, &body.to_string());
    assert_eq!(reply.status, "200 OK", "{}", reply.body());
    reply.body()
}

fn body_for(path: &str) -> Value {
    match path {
        GENERATE => serde_json::json!({"model": "gemma3", "prompt": "anything"}),
        CHAT => {
            serde_json::json!({"model": "gemma3", "messages": [{"role": "user", "content": "x"}]})
        }
        _ => {
            serde_json::json!({"model": "gemma3", "stream": true, "messages": [{"role": "user", "content": "x"}]})
        }
    }
}

const RECORDED: [(&str, &str); 3] = [("generate", GENERATE), ("chat", CHAT), ("openai", OPENAI)];

#[test]
fn a_recorded_stream_is_served_byte_by_byte_and_in_turn() {
    let place = place();
    let server = support::mock("paced-1ms");
    for (api, path) in RECORDED {
        let (file, trace) = record(&server, api, place.path().join(api));
        assert_eq!(trace.exchanges.len(), 2);
        let player = replay(&file, &[]);
        for turn in [0, 1, 0] {
            let said = asking(path, &body_for(path), &player);
            assert_eq!(said, bytes(&trace.exchanges[turn]), "{api}, answer {turn}");
        }
    }
}

#[test]
fn every_token_is_due_when_it_was_recorded_to_the_nanosecond() {
    let place = place();
    let server = support::mock("paced-1ms");
    for (api, path) in RECORDED {
        let (file, trace) = record(&server, api, place.path().join(api));
        let player = replay(&file, &[]);
        let told = format!("{path}\nx-tare-truth: 1");
        let said = asking(&told, &body_for(path), &player);
        let truth = said
            .lines()
            .filter_map(|line| {
                serde_json::from_str::<Value>(line.trim_start_matches("data: ")).ok()
            })
            .find_map(|line| line.get("tare_truth").cloned())
            .expect("the truth");
        assert_eq!(
            truth["due"],
            serde_json::json!(times(&trace.exchanges[0])),
            "{api}"
        );
        let sent = truth["sent"].as_array().expect("times");
        assert_eq!(sent.len(), 12, "{api}");
        let due = truth["due"].as_array().expect("times");
        assert!(
            sent.iter()
                .zip(due)
                .all(|(sent, due)| sent.as_u64() >= due.as_u64()),
            "{api}"
        );
    }
}

#[test]
fn what_is_played_can_be_recorded_again() {
    let place = place();
    let server = support::mock("paced-1ms");
    let (file, trace) = record(&server, "openai", place.path().join("first"));
    let (_, again) = record(&replay(&file, &[]), "openai", place.path().join("second"));
    for (first, second) in trace.exchanges.iter().zip(&again.exchanges) {
        assert_eq!(bytes(first), bytes(second));
        assert_eq!(first.request(), second.request());
    }
}

#[test]
fn another_route_gets_the_same_tokens_in_its_own_form() {
    let place = place();
    let server = support::mock("paced-1ms");
    let (file, trace) = record(&server, "openai", place.path().join("trace"));
    let player = replay(&file, &[]);
    let lines = asking(GENERATE, &body_for(GENERATE), &player);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let said: Vec<&str> = lines[..12]
        .iter()
        .filter_map(|line| line["response"].as_str())
        .collect();
    assert_eq!(said, texts(&trace.exchanges[0]));
    assert_eq!(lines[12]["done"], true);
    assert_eq!(lines[12]["eval_count"], 12);
    assert_eq!(lines[12]["done_reason"], "length");

    let whole = serde_json::json!({"model": "gemma3", "prompt": "x", "stream": false});
    let whole: Value = serde_json::from_str(&asking(GENERATE, &whole, &player)).expect("JSON");
    assert_eq!(whole["response"], texts(&trace.exchanges[1]).concat());
}

#[test]
fn a_request_for_fewer_tokens_gets_fewer() {
    let place = place();
    let server = support::mock("paced-1ms");
    let (file, trace) = record(&server, "generate", place.path().join("trace"));
    let player = replay(&file, &[]);
    let few = serde_json::json!({"model": "gemma3", "prompt": "x", "stream": false, "options": {"num_predict": 3}});
    let said: Value = serde_json::from_str(&asking(GENERATE, &few, &player)).expect("JSON");
    assert_eq!(said["response"], texts(&trace.exchanges[0])[..3].concat());
    assert_eq!(
        (&said["eval_count"], &said["done_reason"]),
        (&3.into(), &"length".into())
    );
}

#[test]
fn played_twice_as_fast_it_states_half_the_durations() {
    let place = place();
    let server = support::mock("paced-1ms");
    let (file, trace) = record(&server, "generate", place.path().join("trace"));
    let player = replay(&file, &["--speed", "2"]);
    let said = asking(GENERATE, &body_for(GENERATE), &player);
    let last: Value = serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    let recorded = &trace.exchanges[0].answer().last;
    for (stated, recorded) in [
        (&last["total_duration"], recorded.total_duration),
        (&last["eval_duration"], recorded.eval_duration),
    ] {
        let stated = stated.as_f64().expect("a number");
        assert!(
            (stated * 2.0 / recorded as f64 - 1.0).abs() < 1e-3,
            "{stated} of {recorded}"
        );
    }
    assert_eq!(last["eval_count"], 12);
}

#[test]
fn a_model_is_loaded_without_using_up_an_answer() {
    let place = place();
    let server = support::mock("paced-1ms");
    let (file, trace) = record(&server, "generate", place.path().join("trace"));
    let player = replay(&file, &[]);
    let load = serde_json::json!({"model": "gemma3", "prompt": ""});
    assert!(asking(GENERATE, &load, &player).contains("\"done_reason\":\"load\""));
    assert_eq!(
        asking(GENERATE, &body_for(GENERATE), &player),
        bytes(&trace.exchanges[0])
    );
    let reply = ask(&player, GENERATE, r#"{"model":"other","prompt":"x"}"#);
    assert!(reply.status.starts_with("404"), "{}", reply.status);
}

#[test]
fn an_answer_that_failed_is_not_recorded() {
    let place = place();
    let out = place.path().join("trace");
    let half = FixtureServer::start(|stream| {
        send(stream, STREAM_HEAD)?;
        send(stream, &chunk(b"{\"response\":\"a\",\"done\":false}\n"))?;
        send(stream, &chunk(b""))
    });
    let said = tare(&[
        "record",
        "--base-url",
        &half.base_url(),
        "--prompt",
        "x",
        "--out",
        text(&out),
    ]);
    assert_eq!(said.status.code(), Some(1));
    assert!(!out.exists(), "nothing half-written");
}

#[test]
fn recording_replaces_no_file_and_says_what_is_missing() {
    let place = place();
    let out = place.path().join("trace");
    fs::write(&out, "precious").expect("a file");
    let refused = |arguments: &[&str], reason: &str| {
        let said = tare(&[&["record"], arguments].concat());
        assert_eq!(said.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(stderr.contains(reason), "{stderr}");
    };
    refused(&["--prompt", "x", "--out", text(&out)], "exists already");
    assert_eq!(fs::read_to_string(&out).expect("a file"), "precious");
    let nowhere = place.path().join("no/such");
    refused(
        &["--prompt", "x", "--out", text(&nowhere)],
        "there is no folder",
    );
    refused(
        &["--prompt", "x", "--base-url", "ftp://x", "--out", "y"],
        "ftp://x",
    );
}

#[test]
fn a_mock_refuses_what_is_no_trace_in_one_line() {
    let place = place();
    let file = place.path().join("trace");
    fs::write(&file, "hello\n").expect("a file");
    for (arguments, reason) in [
        (&["--trace", "nowhere"][..], "no trace `nowhere`"),
        (&["--trace", text(&file)], "trace, line 1: "),
        (&["--jitter"], "--trace"),
        (&["--trace", "x", "--speed", "0"], "expected a factor"),
        (&["--trace", "x", "--jitter", "0.9"], "expected a share"),
        (&["--trace", "x", "--profile", "instant"], "--profile"),
    ] {
        let said = tare(&[&["mock"], arguments].concat());
        assert_eq!(said.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(stderr.contains(reason), "{stderr}");
    }
}
