//! Clients that people use, as judges of the mock: each is run as its users run it, and must find
//! nothing that differs from Ollama.
//!
//! `.ci/real-clients` installs them under `target/real-clients`; what is not there is looked for
//! where the system has it. Without a client its test is skipped and says so, unless
//! `TARE_REQUIRE_REAL_CLIENTS` is `1`: then it fails.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::mock;
use tare::engine::text::Text;

const NOT_FOUND: &str = "model 'x' not found";
const NAMELESS: &str = "model is required";
const NO_THINKING: &str = "\"gemma3\" does not support thinking";

/// One slot, so that a stream that goes on after its client has left would be in everyone's way.
const ONE_SLOT: &str = r#"
description = "one request at a time"
model = "gemma3:latest"
load = "0s"
tokens = 8
gap = "1ms"
seed = 1
parallel = 1
prefill = { fixed = "1ms", per_token = "0s" }
"#;

/// A program that runs scripts, and what it needs to find the client's package.
struct Interpreter {
    program: PathBuf,
    variables: Vec<(&'static str, PathBuf)>,
}

impl Interpreter {
    fn python() -> Self {
        let ours = installed("python/bin/python3");
        Self {
            program: if ours.exists() {
                ours
            } else {
                "python3".into()
            },
            variables: Vec::new(),
        }
    }

    fn node() -> Self {
        Self {
            program: "node".into(),
            variables: vec![("NODE_PATH", installed("node_modules"))],
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(self.variables.iter().cloned());
        // No proxy between a client and its own machine.
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        command
    }

    /// Why it can't load a package, when it can't. `probe` are its arguments to load it.
    fn lacks(&self, probe: [&str; 2]) -> Option<String> {
        match self.command(&probe).output() {
            Err(error) => Some(format!(
                "{} does not start: {error}",
                self.program.display()
            )),
            Ok(output) if !output.status.success() => Some(format!(
                "`{} {}` fails",
                self.program.display(),
                probe.join(" ")
            )),
            Ok(_) => None,
        }
    }
}

fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/real-clients")
        .join(path)
}

/// Runs a script against a mock and returns what it printed; `None` where the client is missing.
fn report(script: &str, interpreter: &Interpreter, probe: [&str; 2]) -> Option<Value> {
    if let Some(why) = interpreter.lacks(probe) {
        let required = std::env::var("TARE_REQUIRE_REAL_CLIENTS").is_ok_and(|set| set == "1");
        let why = format!("{script} skipped: {why}; .ci/real-clients installs what it needs");
        assert!(!required, "{why}");
        // Not by a macro: what those write is shown only for tests that fail.
        writeln!(stderr(), "{why}").expect("standard error");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("one-slot.toml");
    fs::write(&profile, ONE_SLOT).expect("a profile");
    let server = mock(profile.to_str().expect("a path"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/real_clients")
        .join(script);
    let output = interpreter
        .command(&[path.to_str().expect("a path")])
        .env("OLLAMA_HOST", server.base_url())
        .output()
        .expect("the interpreter runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    assert!(said.is_empty(), "{script} complains: {said}");
    Some(serde_json::from_slice(&output.stdout).expect("a report in JSON"))
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
    for (case, status, words) in [
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
    ] {
        assert_eq!(report["errors"][case], json!([status, words]), "{case}");
    }
}

/// The last part of an answer of 40 tokens.
fn assert_final(last: &Value) {
    assert_eq!(last["model"], "gemma3");
    assert_eq!(last["done"], true);
    assert_eq!(last["done_reason"], "length");
    assert_eq!(last["eval_count"], 40);
    let count = |name: &str| last[name].as_u64().expect("a whole number");
    assert!(count("prompt_eval_count") > 0);
    let parts = ["load_duration", "prompt_eval_duration", "eval_duration"];
    let parts = parts.map(|name| last[name].as_u64().unwrap_or(0));
    assert!(parts[1] > 0 && parts[2] > 0, "{last}");
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
    let python = Interpreter::python();
    let Some(report) = report("python_client.py", &python, ["-c", "import ollama"]) else {
        return;
    };
    assert_ollama(&report);
    for case in ["generate, no body", "chat, no body"] {
        let expected = json!([400, "missing request body"]);
        assert_eq!(report["errors"][case], expected, "{case}");
    }
}

#[test]
fn the_npm_client_finds_an_ollama() {
    let node = Interpreter::node();
    let Some(report) = report("npm_client.mjs", &node, ["-e", "require('ollama')"]) else {
        return;
    };
    assert_ollama(&report);
    let version = report["version"].as_str().expect("a version");
    assert_eq!(version.split('.').count(), 3, "{version}");
}

#[test]
fn the_openai_client_finds_an_openai() {
    let python = Interpreter::python();
    let Some(report) = report("openai_client.py", &python, ["-c", "import openai"]) else {
        return;
    };
    let prompt = &report["whole"]["usage"]["prompt_tokens"];
    let total = prompt.as_u64().expect("a count") + 40;
    let usage = json!({"prompt_tokens": prompt, "completion_tokens": 40, "total_tokens": total});
    let whole = json!({"pieces": [tokens().concat()], "reason": "length", "usage": usage});
    for way in ["whole", "parts", "after_abandoning"] {
        assert_eq!(report[way], whole, "{way}");
    }
    for (way, usage) in [
        ("streamed", json!([])),
        ("streamed_with_usage", json!([usage])),
    ] {
        let expected = json!({
            "pieces": tokens(),
            "roles": ["assistant"],
            "reason": "length",
            "usage": usage,
        });
        assert_eq!(report[way], expected, "{way}");
    }
    assert_eq!(report["abandoned"], tokens()[0]);
    let bad = |words: &str| json!(["BadRequestError", 400, "invalid_request_error", words]);
    let unknown = json!(["NotFoundError", 404, "not_found_error", NOT_FOUND]);
    assert_eq!(
        report["errors"],
        json!({
            "unknown model": unknown,
            "no model": bad(NAMELESS),
            "no messages": bad("[] is too short - 'messages'"),
            "thinking": bad(NO_THINKING),
            "streamed, unknown model": unknown,
        })
    );
}
