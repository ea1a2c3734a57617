//! Clients that people use, as judges of the mock, feature by feature: structured output, tools,
//! embeddings, log probabilities, models, and every way to get an answer.
//!
//! Each client has a driver under `tests/real_clients` that tries what the client can do and reports what
//! came of it; `features.rs` knows what each feature must give, `clients.rs` what each client lacks.
//! `.ci/real-clients` installs the clients; without one its test is skipped and says so. Where
//! `TARE_REAL_OLLAMA` names a real Ollama with the models of `.ci/real-ollama`, the drivers run against
//! that too, so that the judges are judged.

#[path = "../support/mod.rs"]
mod support;

mod clients;
mod features;
mod table;

use clients::Client;
use features::{FEATURES, Server};
use serde_json::Value;
use std::sync::Mutex;
use std::{env, fs};
use support::mock;

/// Models of every kind, so small that nothing waits; one slot, so that a stream that goes on after its
/// client has left would be in everyone's way.
const MODELS: &str = r#"
description = "models of every kind"
model = "gemma3:latest"
also = [
    { name = "tools:latest", capabilities = ["completion", "tools"], weights_of = "gemma3:latest" },
    { name = "thinking:latest", capabilities = ["completion", "thinking"], weights_of = "gemma3:latest" },
    { name = "embed:latest", capabilities = ["embedding"] },
]
load = "1ms"
tokens = 8
gap = "1ms"
seed = 1
parallel = 1
prefill = { fixed = "1ms", per_token = "0s" }
"#;

/// A real server takes one request after the other.
static REAL: Mutex<()> = Mutex::new(());

fn judge(client: &Client) {
    let Some(driver) = (client.driver)().if_there() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("models.toml");
    fs::write(&profile, MODELS).expect("a profile");
    let mock = mock(profile.to_str().expect("a path"));
    let (report, _) = driver.run(mock.base_url(), &["embed", "96"]);
    assert_features(client, Server::Mock, &report);
    if let Ok(url) = env::var("TARE_REAL_OLLAMA") {
        let _turn = REAL.lock().unwrap_or_else(|broken| broken.into_inner());
        // None of its models makes embeddings, and it says so; fewer tokens, because each takes its time.
        let (report, _) = driver.run(&url, &["gemma3", "24"]);
        assert_features(client, Server::Real, &report);
    }
}

/// The client did all that is not among what it lacks, and all of it as it must be.
fn assert_features(client: &Client, server: Server, report: &Value) {
    assert_eq!(report["client"], client.name());
    let tried = report["features"].as_object().expect("features");
    let failures: Vec<_> = FEATURES
        .iter()
        .filter_map(|feature| {
            let wrong = match (tried.get(feature.name), client.lack(feature.name)) {
                (Some(outcome), None) => feature.check(outcome, server).err()?,
                (None, Some(_)) => return None,
                (Some(_), Some(_)) => "the client is said to lack it".to_owned(),
                (None, None) => "not tried".to_owned(),
            };
            Some(format!("{}: {wrong}", feature.name))
        })
        .collect();
    let name = client.name();
    assert!(
        failures.is_empty(),
        "{name}, {server:?}:\n{}",
        failures.join("\n")
    );
    for name in tried.keys() {
        let known = FEATURES.iter().any(|feature| feature.name == name);
        assert!(known, "a feature that nobody knows: {name}");
    }
}

#[test]
fn python_ollama() {
    judge(&clients::PYTHON_OLLAMA);
}

#[test]
fn python_openai() {
    judge(&clients::PYTHON_OPENAI);
}

#[test]
fn python_langchain() {
    judge(&clients::PYTHON_LANGCHAIN);
}

#[test]
fn python_litellm() {
    judge(&clients::PYTHON_LITELLM);
}

#[test]
fn python_llama_index() {
    judge(&clients::PYTHON_LLAMA_INDEX);
}

#[test]
fn npm_ollama() {
    judge(&clients::NPM_OLLAMA);
}

#[test]
fn npm_openai() {
    judge(&clients::NPM_OPENAI);
}

#[test]
fn npm_ai() {
    judge(&clients::NPM_AI);
}

#[test]
fn go_api() {
    judge(&clients::GO_API);
}
