//! Whether the mock answers as Ollama 0.17.4 does: one table of requests, sent in order to one
//! server, and for each what the real one replied.
//!
//! `requests.jsonl` is the table; a request is a line. `ollama-0.17.4.jsonl` is what a real Ollama
//! with the models of `.ci/real-ollama` replied, each reply reduced to its *shape* (`shape.rs`), so
//! that it is the same in every run. `differences.toml` lists the requests that the mock answers in
//! another way, each with the reason; docs/mock.md quotes it.
//!
//! ```text
//! cargo test --test conformance                                                     the mock
//! .ci/real-ollama cargo test --test conformance                                     and the real one
//! TARE_RECORD_CONFORMANCE=1 .ci/real-ollama cargo test --test conformance           record it anew
//! TARE_CONFORMANCE_ONLY=embed cargo test --test conformance                         of each name with "embed"
//! ```

#[path = "../support/mod.rs"]
mod support;

mod node;
mod observed;
mod shape;
mod table;

use observed::{Observed, differ};
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{Write, stderr};
use std::path::PathBuf;
use support::program;
use table::Request;
use tare::run::MockServer;

/// The server that was recorded.
const OLLAMA: &str = "Ollama 0.17.4";

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/conformance")
        .join(name)
}

fn text(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the real server replied, by the request's name.
fn recorded() -> BTreeMap<String, Observed> {
    let lines = text(file("ollama-0.17.4.jsonl"));
    let read = |line: &str| serde_json::from_str::<Observed>(line).expect("a recorded reply");
    let by_name = |reply: Observed| (reply.name.clone(), reply);
    lines.lines().map(read).map(by_name).collect()
}

/// Why the mock answers a request in another way, by the request's name.
fn differences() -> BTreeMap<String, String> {
    toml::from_str(&text(file("differences.toml"))).expect("names and reasons")
}

fn requests() -> Vec<Request> {
    let all = table::read(&text(file("requests.jsonl")));
    match env::var("TARE_CONFORMANCE_ONLY") {
        Ok(part) => all.into_iter().filter(|r| r.name.contains(&part)).collect(),
        Err(_) => all,
    }
}

fn real_address() -> Option<String> {
    let url = env::var("TARE_REAL_OLLAMA").ok()?;
    Some(url.trim_start_matches("http://").to_owned())
}

fn is_recording() -> bool {
    env::var_os("TARE_RECORD_CONFORMANCE").is_some()
}

/// Not by a macro of the standard library: what those print is shown only for tests that fail.
fn say(line: &str) {
    writeln!(stderr(), "conformance: {line}").expect("standard error");
}

/// Sends the whole table and says how many replies agree with the recorded ones. Fails with every
/// difference that `reasons` does not list, and with every one listed that is none.
fn hold(server: &str, address: &str, reasons: &BTreeMap<String, String>) {
    let recorded = recorded();
    let mut agree = 0;
    let mut faults = String::new();
    let requests = requests();
    for request in &requests {
        let found = Observed::of(request, address);
        let Some(expected) = recorded.get(&request.name) else {
            let _ = writeln!(faults, "\n{}\n  has no recorded reply", request.name);
            continue;
        };
        let reason = reasons.get(&request.name);
        match (expected == &found, reason) {
            (true, None) => agree += 1,
            (false, Some(_)) => {}
            (false, None) => faults.push_str(&differ(request, expected, &found)),
            (true, Some(reason)) => {
                let name = &request.name;
                let _ = writeln!(faults, "\n{name}\n  agrees, but is listed: {reason}");
            }
        }
    }
    let all = requests.len();
    let listed = match reasons.len() {
        0 => String::new(),
        listed => format!("; {listed} differ for a reason that is listed"),
    };
    say(&format!(
        "{server}: {agree} of {all} agree with {OLLAMA}{listed}"
    ));
    assert!(faults.is_empty(), "{server} and {OLLAMA}:\n{faults}");
}

#[test]
fn the_mock_replies_as_ollama_does() {
    if is_recording() {
        return say("recording: the mock is not asked");
    }
    let profile = file("models.toml");
    let profile = profile.to_str().expect("a path");
    let mock = MockServer::start(&program(), profile, None).expect("the mock starts");
    let address = mock.base_url().trim_start_matches("http://");
    hold("the mock", address, &differences());
}

#[test]
fn ollama_replies_as_it_was_recorded() {
    let Some(address) = real_address() else {
        return say("the real Ollama: skipped, for TARE_REAL_OLLAMA names no address");
    };
    if is_recording() {
        record(&address);
    } else {
        hold("the real Ollama", &address, &BTreeMap::new());
    }
}

/// Writes what the server replies. Of requests that are not sent, the old record stays.
fn record(address: &str) {
    let path = file("ollama-0.17.4.jsonl");
    let mut replies = if path.exists() {
        recorded()
    } else {
        BTreeMap::new()
    };
    for request in requests() {
        let reply = Observed::of(&request, address);
        replies.insert(request.name, reply);
    }
    let mut lines = String::new();
    let mut written = 0;
    for request in table::read(&text(file("requests.jsonl"))) {
        if let Some(reply) = replies.get(&request.name) {
            lines.push_str(&serde_json::to_string(reply).expect("JSON"));
            lines.push('\n');
            written += 1;
        }
    }
    fs::write(&path, lines).expect("a place to write");
    say(&format!("recorded {written} replies in {}", path.display()));
}

#[test]
fn every_request_has_a_name_of_its_own_and_a_recorded_reply() {
    if is_recording() {
        return;
    }
    let requests = table::read(&text(file("requests.jsonl")));
    assert!(requests.len() >= 250, "{} requests", requests.len());
    let names: BTreeSet<String> = requests.iter().map(|r| r.name.clone()).collect();
    assert_eq!(names.len(), requests.len(), "a name stands twice");
    let recorded: BTreeSet<String> = recorded().into_keys().collect();
    assert_eq!(
        names, recorded,
        "record it anew, or drop what is no longer asked"
    );
    let listed: BTreeSet<String> = differences().into_keys().collect();
    assert!(listed.is_subset(&names), "differences of unknown requests");
}

#[test]
fn the_manual_states_every_difference_and_its_reason() {
    let manual = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/mock.md");
    let manual = text(manual);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let manual = words(&manual);
    for (name, reason) in differences() {
        let (name, reason) = (words(&name), words(&reason));
        assert!(manual.contains(&reason), "docs/mock.md on {name}: {reason}");
    }
}
