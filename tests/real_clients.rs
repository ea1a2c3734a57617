//! Clients that people use, as judges of the mock: each is run as its users run it, and must find
//! nothing that differs from Ollama.
//!
//! `.ci/real-clients` installs them; without a client its test is skipped and says so
//! (`support/driver.rs`).

mod support;

use serde_json::{Value, json};
use std::fs;
use support::{Driver, FixtureServer, STREAM_HEAD, chunk, mock, send};
use tare_mock::Text;

const NOT_FOUND: &str = "model 'x' not found";
const NAMELESS: &str = "model is required";
const NO_THINKING: &str = "\"gemma3\" does not support thinking";

/// What is refused, with which status and words.
const ERRORS: [(&str, u16, &str); 10] = [
    ("generate, unknown model", 404, NOT_FOUND),
    ("generate, no model", 404, "model '' not found"),
    ("generate, thinking", 400, NO_THINKING),
    ("generate streamed, unknown model", 404, NOT_FOUND),
    ("chat, unknown model", 404, NOT_FOUND),
    ("chat, no model", 400, NAMELESS),
    ("chat, thinking", 400, NO_THINKING),
    ("chat streamed, thinking", 400, NO_THINKING),
    ("show, unknown model", 404, NOT_FOUND),
    ("show, no model", 400, NAMELESS),
];

/// One slot, so that a stream that goes on after its client has left would be in everyone's way.
const ONE_SLOT: &str = r#"
description = "one request at a time"
model = "gemma3:latest"
load = "1ms"
tokens = 8
gap = "1ms"
seed = 1
parallel = 1
prefill = { fixed = "1ms", per_token = "0s" }
"#;

impl Driver {
    /// What it makes of a mock.
    fn judge(&self) -> Value {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = folder.path().join("one-slot.toml");
        fs::write(&profile, ONE_SLOT).expect("a profile");
        let server = mock(profile.to_str().expect("a path"));
        self.report(server.base_url(), &[])
    }
}

fn tokens() -> Vec<&'static str> {
    Text::new(5).take(40).collect()
}

/// What the two clients of Ollama's own API agree on.
fn assert_ollama(report: &Value) {
    assert_eq!(report["list"], json!(["gemma3:latest"]));
    assert_eq!(
        report["show"],
        json!({"architecture": "gemma3", "family": "gemma3", "capabilities": ["completion"]})
    );
    assert_eq!(report["load"], json!(["load", "load"]));
    assert_eq!(report["load_streamed"], json!([["load"], ["load"]]));
    assert_eq!(report["running"], json!(["gemma3:latest"]));
    assert_eq!(report["unload"], json!(["unload", "unload"]));
    assert_eq!(report["running_after_unload"], json!([]));
    assert_answers(report);
    for (case, status, words) in ERRORS {
        assert_eq!(report["errors"][case], json!([status, words]), "{case}");
    }
}

/// Every answer is the whole text, and who leaves early is in nobody's way.
fn assert_answers(report: &Value) {
    for answer in ["generate", "chat"] {
        let whole = &report[answer];
        assert_eq!(whole["pieces"], json!([tokens().concat()]), "{answer}");
        assert_final(&whole["final"]);
        let streamed = &report[format!("{answer}_streamed")];
        let mut pieces = tokens();
        pieces.push("");
        assert_eq!(streamed["pieces"], json!(pieces), "{answer}, streamed");
        assert_final(&streamed["final"]);
    }
    assert_eq!(report["abandoned"], tokens()[0]);
    assert_eq!(report["after_abandoning"], tokens().concat());
}

/// The last part of an answer of 40 tokens.
fn assert_final(last: &Value) {
    assert_eq!(last["model"], "gemma3");
    assert_eq!(last["done"], true);
    // A client may not pass it on.
    assert!(matches!(
        last["done_reason"].as_str(),
        None | Some("length")
    ));
    assert_eq!(last["eval_count"], 40);
    let count = |name: &str| last[name].as_u64().expect("a whole number");
    assert!(count("prompt_eval_count") > 0);
    let parts = ["load_duration", "prompt_eval_duration", "eval_duration"];
    let parts = parts.map(count);
    assert!(!parts.contains(&0), "{last}");
    assert!(
        parts.iter().sum::<u64>() <= count("total_duration"),
        "{last}"
    );
    if let Some(context) = last["context"].as_array() {
        assert_eq!(context.len() as u64, count("prompt_eval_count") + 40);
    }
}

#[test]
fn the_python_client_finds_an_ollama() {
    let Some(driver) = Driver::python("python_client.py", &["-c", "import ollama"]).if_there()
    else {
        return;
    };
    let report = driver.judge();
    assert_ollama(&report);
    for case in ["generate, no body", "chat, no body"] {
        let expected = json!([400, "missing request body"]);
        assert_eq!(report["errors"][case], expected, "{case}");
    }
}

#[test]
fn the_npm_client_finds_an_ollama() {
    let Some(driver) = Driver::node("npm_client.mjs", &["-e", "require('ollama')"]).if_there()
    else {
        return;
    };
    let report = driver.judge();
    assert_ollama(&report);
    let version = report["version"].as_str().expect("a version");
    assert_eq!(version.split('.').count(), 3, "{version}");
}

#[test]
fn the_openai_client_finds_an_openai() {
    let Some(driver) = Driver::python("openai_client.py", &["-c", "import openai"]).if_there()
    else {
        return;
    };
    let report = driver.judge();
    let prompt = &report["whole"]["usage"]["prompt_tokens"];
    let total = prompt.as_u64().expect("a count") + 40;
    let usage = json!({"prompt_tokens": prompt, "completion_tokens": 40, "total_tokens": total});
    let whole = json!({"pieces": [tokens().concat()], "reason": "length", "usage": usage});
    for way in ["whole", "parts", "after_abandoning"] {
        assert_eq!(report[way], whole, "{way}");
    }
    // Each chunk says whose it is, the last one with nothing more to say.
    let mut pieces = tokens();
    pieces.push("");
    for (way, usage) in [
        ("streamed", json!([])),
        ("streamed_with_usage", json!([usage])),
    ] {
        let expected = json!({
            "pieces": pieces,
            "roles": vec!["assistant"; pieces.len()],
            "reason": "length",
            "usage": usage,
        });
        assert_eq!(report[way], expected, "{way}");
    }
    assert_eq!(report["abandoned"], tokens()[0]);
    // Of a request that it can read, Ollama says `api_error`, whatever the status.
    let bad = |kind: &str, words: &str| json!(["BadRequestError", 400, kind, words]);
    let unknown = json!(["NotFoundError", 404, "api_error", NOT_FOUND]);
    assert_eq!(
        report["errors"],
        json!({
            "unknown model": unknown,
            "no model": bad("api_error", NAMELESS),
            "no messages": bad("invalid_request_error", "[] is too short - 'messages'"),
            "thinking": bad("api_error", NO_THINKING),
            "streamed, unknown model": unknown,
        })
    );
}

#[test]
fn the_rust_client_finds_an_ollama() {
    let Some(driver) = Driver::rust().if_there() else {
        return;
    };
    let report = driver.judge();
    assert_eq!(report["list"], json!(["gemma3:latest"]));
    let show = json!({"architecture": "gemma3", "capabilities": ["completion"]});
    assert_eq!(report["show"], show);
    assert_eq!(report["load"], json!([true, ""]));
    assert_eq!(report["unload"], json!([true, ""]));
    assert_answers(&report);
    // It passes on the body alone.
    for (case, _, words) in ERRORS {
        assert_eq!(report["errors"][case], json!({ "error": words }), "{case}");
    }
}

/// A fault of `ollama-rs` 0.3, not of the mock: its `generate_stream` takes each read for whole
/// lines. Should this fail one day, the crate is better than it was.
#[test]
fn the_rust_client_loses_split_lines_and_late_errors_of_generate_in_silence() {
    let Some(driver) = Driver::rust().if_there() else {
        return;
    };
    let line = |said: &str, done: bool| {
        format!(
            "{{\"model\":\"m\",\"created_at\":\"2026-11-22T08:00:00Z\",{said},\"done\":{done}}}\n"
        )
    };
    let pieces = |mode: &str, said: [String; 4], split: bool| {
        let lines = [
            line(&said[0], false),
            line(&said[1], false),
            line(&said[2], false),
            "{\"error\":\"the runner is gone\"}\n".to_owned(),
            line(&said[3], true),
        ];
        let mut reply = STREAM_HEAD.to_vec();
        for (index, line) in lines.iter().enumerate() {
            let (start, rest) = line.split_at(if split && index == 1 { 20 } else { 0 });
            if !start.is_empty() {
                reply.extend(chunk(start.as_bytes()));
            }
            reply.extend(chunk(rest.as_bytes()));
        }
        reply.extend(chunk(b""));
        let server = FixtureServer::start(move |stream| send(stream, &reply));
        let (report, complaint) = driver.run(&server.base_url(), &[mode]);
        // Chat at least prints that it could not read a line, which its caller can't see.
        assert_eq!(complaint.is_empty(), mode == "generate", "{complaint}");
        report.as_array().expect("pieces").clone()
    };
    let words = ["a", "b", "c", ""];
    let generated = || words.map(|word| format!("\"response\":\"{word}\""));
    let chatted =
        words.map(|word| format!("\"message\":{{\"role\":\"assistant\",\"content\":\"{word}\"}}"));
    assert_eq!(pieces("generate", generated(), false), words);
    assert_eq!(pieces("generate", generated(), true), ["a", "c", ""]);
    assert_eq!(pieces("chat", chatted, true), words);
}
