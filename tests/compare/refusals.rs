//! What can't be done is one line on stderr and an exit code, and leaves nothing behind.

use crate::support::place::{NOWHERE, Place, text};
use crate::{FOLDER, SMALL};
use mockito::Matcher;
use serde_json::json;
use std::fs;

/// Of `tare compare` with these arguments.
fn refuses(place: &Place, code: i32, arguments: &[&str], told: &[&str]) {
    let named = arguments.first() == Some(&"compare");
    let command: &[&str] = if named { &[] } else { &["compare"] };
    place.refuses(code, &[command, arguments].concat(), told);
}

#[test]
fn wrong_stacks_are_wrong_usage_and_told_what_there_is() {
    let place = Place::new();
    let of_stream = ["--workload", "stream", "--stacks"];
    let of_team = ["--workload", "team", "--stacks"];
    for (flags, stacks, told) in [
        (
            &of_stream[..],
            "nope/*",
            ["no stack matches `nope/*`", "threads/raw, tokio-mt/reqwest"],
        ),
        (
            &of_stream,
            "smol/curl",
            ["no stack matches `smol/curl`", "no client `curl`"],
        ),
        (
            &of_stream,
            "smol/hyper/spawn",
            ["`smol/hyper/spawn` is for a team", "--workload team"],
        ),
        (
            &of_team,
            "smol/hyper",
            ["`smol/hyper` does not say how", "/join or /spawn"],
        ),
        (
            &of_team,
            "smol/*/both",
            ["no stack matches", "smol/hyper/spawn"],
        ),
    ] {
        refuses(&place, 2, &[flags, &[stacks]].concat(), &told);
    }
    let base = ["--workload", "stream", "--base", "smol/hyper/join"];
    refuses(&place, 2, &base, &["`smol/hyper/join` is for a team"]);
    refuses(&place, 2, &["--base", "smol"], &["`smol` is no stack"]);
}

#[test]
fn workloads_that_do_not_go_together_are_wrong_usage() {
    let place = Place::new();
    let whole = ["--workload", "agent", "--cadence", "whole"];
    refuses(&place, 2, &whole, &["agents stream", "--workload stream"]);
    let agents = ["--workload", "stream", "--agents", "2"];
    refuses(&place, 2, &agents, &["--agents is of --workload team"]);
    refuses(
        &place,
        2,
        &["--agents", "2"],
        &["required arguments were not provided"],
    );
    refuses(&place, 2, &["--workload", "team", "--agents", "0"], &["0"]);
    let nowhere = ["--corpus", "nowhere"];
    refuses(
        &place,
        1,
        &nowhere,
        &["cannot read corpus folder nowhere: No such file"],
    );
    let both = [
        "--workload",
        "stream",
        "--mock",
        "instant",
        "--base-url",
        NOWHERE,
    ];
    refuses(&place, 2, &both, &["cannot be used with"]);
}

#[test]
fn wrong_values_are_wrong_usage() {
    let place = Place::new();
    let malformed = place.path().join("mine.toml");
    fs::write(&malformed, "description = \"x\"\ngap = 5\n").expect("a file");
    let malformed = malformed.to_str().expect("a path");
    for (flag, value, told) in [
        (
            "--inject",
            "lock",
            "`lock` is nothing to inject: there are delay=",
        ),
        (
            "--mock",
            "warp",
            "no profile `warp`: it is neither one of instant",
        ),
        ("--mock", malformed, "mine.toml, line 2 (`gap = 5`)"),
        ("--runs", "0", "0 is not in 1..=100000"),
        ("--iterations", "0", "0 is not in 1..=1000000"),
        ("--partition", "3/2", "`3/2` names no part"),
        ("--tokens", "0", "0 is not in 1..=1000000"),
        ("--time-limit", "soon", "such as 90s or 10m"),
        ("--time-limit", "0s", "such as 90s or 10m"),
        ("--threads", "0", "--threads"),
        ("--api", "grpc", "'grpc' for '--api <API>'"),
        ("--base-url", "gopher://x", "gopher://x"),
    ] {
        refuses(&place, 2, &["--workload", "stream", flag, value], &[told]);
    }
}

#[test]
fn a_folder_that_can_be_none_is_told_before_anything_runs() {
    let place = Place::new();
    fs::write(place.path().join("taken"), "").expect("a file");
    for folder in ["taken", "taken/below"] {
        let flags = [&SMALL[..], &["--out", folder]].concat();
        refuses(&place, 1, &flags, &["taken is no folder", "--out"]);
    }
}

#[test]
fn a_server_that_is_not_there_is_told_with_the_way_out() {
    let place = Place::new();
    let flags = [&SMALL[..], &["--base-url", NOWHERE]].concat();
    let told = ["127.0.0.1:1", "ollama serve", "leave out --base-url"];
    refuses(&place, 1, &flags, &told);
    let flags = [&flags[..], &["--api", "openai"]].concat();
    refuses(
        &place,
        1,
        &flags,
        &["no server answers", "leave out --base-url"],
    );
}

/// An Ollama, as far as its version goes.
fn an_ollama() -> mockito::ServerGuard {
    let mut server = mockito::Server::new();
    server
        .mock("GET", "/api/version")
        .with_body(r#"{"version":"0.12.0"}"#)
        .create();
    server
}

#[test]
fn a_model_that_is_not_there_is_told_with_the_way_out() {
    let mut server = an_ollama();
    server
        .mock("POST", "/api/chat")
        .with_status(404)
        .with_body(r#"{"error":"model 'gemma3:latest' not found"}"#)
        .create();
    let url = server.url();
    let flags = [&SMALL[..], &["--base-url", &url]].concat();
    let told = [
        "model 'gemma3:latest' not found",
        "`ollama pull gemma3:latest`",
    ];
    refuses(&Place::new(), 1, &flags, &told);
}

#[test]
fn a_run_that_fails_is_told_with_its_arm_and_kept() {
    let mut server = an_ollama();
    // Who looks whether the model is there, for a token, finds it, and who is measured does not.
    let asked = |tokens| Matcher::PartialJson(json!({"options": {"num_predict": tokens}}));
    server
        .mock("POST", "/api/chat")
        .match_body(asked(1))
        .with_header("content-type", "application/x-ndjson")
        .with_body("{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00Z\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"}\n")
        .create();
    server
        .mock("POST", "/api/chat")
        .match_body(asked(8))
        .with_status(404)
        .with_body(r#"{"error":"model 'gemma3:latest' not found"}"#)
        .create();
    let url = server.url();
    let flags = [
        &SMALL[..],
        &["--base-url", &url, "--stacks", "tokio-mt/hyper"],
    ]
    .concat();
    let place = Place::new();
    let output = place.run(&flags);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let error = said.lines().last().expect("an error");
    assert!(
        error.starts_with("error: ") && error.contains("--resume"),
        "{error}"
    );
    assert!(error.contains("model 'gemma3:latest' not found"), "{error}");
    let named = ["threads/raw: ", "tokio-mt/hyper: "];
    assert!(named.iter().any(|name| error.contains(name)), "{error}");
    let [record] = &place.stored(FOLDER).records[..] else {
        panic!("it ends with the first failure")
    };
    assert!(record.run().is_none());
}
