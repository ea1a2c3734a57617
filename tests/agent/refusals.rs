//! What can't be done is one line on stderr and an exit code, and leaves nothing behind.

use crate::place::{Place, TARE, server, text};
use assert_cmd::Command;
use std::fs;

/// Nothing listens on this port, and no test's own server is ever given it.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn no_server_is_one_line_with_both_ways_out() {
    let place = Place::new();
    for stack in ["tokio-mt/reqwest", "smol/hyper", "threads/raw"] {
        place.fails(
            1,
            &["--base-url", NOWHERE, "--stack", stack],
            &["127.0.0.1:1:", "ollama serve", "--mock"],
        );
    }
}

#[test]
fn a_server_that_is_no_ollama_is_told_so() {
    let mut web = mockito::Server::new();
    let page = web
        .mock("GET", "/api/version")
        .with_header("content-type", "text/html")
        .with_body("<html><body>It works!</body></html>")
        .expect_at_least(1)
        .create();
    Place::new().fails(
        1,
        &["--base-url", &web.url()],
        &["is not an Ollama server", "text/html"],
    );
    page.assert();
}

#[test]
fn without_a_server_of_openais_api_nobody_is_told_to_start_ollama() {
    let place = Place::new();
    let arguments = ["--api", "openai", "--base-url", NOWHERE];
    place.fails(
        1,
        &arguments,
        &[
            "no server answers",
            "127.0.0.1:1:",
            "speaks OpenAI's API",
            "--mock",
        ],
    );
    assert!(!place.agent(&arguments).stderr.contains("ollama"));
}

#[test]
fn a_server_without_openais_api_is_told_so() {
    let mut web = mockito::Server::new();
    let page = |web: &mut mockito::ServerGuard, path| {
        let page = web
            .mock("GET", path)
            .with_header("content-type", "text/html");
        page.with_body("<html><body>It works!</body></html>")
            .create();
    };
    for path in ["/api/version", "/props", "/version", "/v1/models"] {
        page(&mut web, path);
    }
    Place::new().fails(
        1,
        &["--api", "openai", "--base-url", &web.url()],
        &["does not answer OpenAI's API", "text/html"],
    );
}

#[test]
fn a_server_that_only_has_openais_api_is_no_ollama_and_what_to_do_is_said() {
    let mut other = mockito::Server::new();
    let missing = other.mock("GET", "/api/version").with_status(404);
    missing
        .with_header("content-type", "application/json; charset=utf-8")
        .with_body(r#"{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}"#)
        .create();
    for api in ["generate", "chat"] {
        Place::new().fails(
            1,
            &["--api", api, "--base-url", &other.url()],
            &["is not an Ollama server", "--api openai"],
        );
    }
}

#[test]
fn an_unknown_model_of_another_server_is_not_to_be_pulled() {
    let mut vllm = mockito::Server::new();
    let json = |mock: mockito::Mock| mock.with_header("content-type", "application/json");
    json(vllm.mock("GET", "/version"))
        .with_body(r#"{"version":"0.11.0"}"#)
        .create();
    json(vllm.mock("POST", "/v1/chat/completions"))
        .with_status(404)
        .with_body(r#"{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}}"#)
        .create();
    let place = Place::new();
    let url = vllm.url();
    let arguments = ["--api", "openai", "--base-url", &url, "--model", "x"];
    place.fails(
        1,
        &arguments,
        &["The model `x` does not exist.", "/v1/models"],
    );
    assert!(!place.agent(&arguments).stderr.contains("ollama pull"));

    let ollama = server("instant", "other:1b");
    let arguments = [
        "--api",
        "openai",
        "--base-url",
        ollama.base_url(),
        "--model",
        "mine:7b",
    ];
    Place::new().fails(
        1,
        &arguments,
        &["model 'mine:7b' not found", "ollama pull mine:7b"],
    );
}

#[test]
fn an_option_that_openais_api_can_not_express_is_wrong_usage() {
    let place = Place::new();
    for option in ["--chimera-num-ctx", "--chimera-num-gpu"] {
        place.fails(
            2,
            &["--mock", "--api", "openai", option, "8"],
            &[option, "`--api openai`"],
        );
    }
    place.fails(
        2,
        &[
            "--mock",
            "--api",
            "openai",
            "--chimera-num-ctx",
            "8",
            "--chimera-temperature",
            "1",
        ],
        &["--chimera-num-ctx"],
    );
}

#[test]
fn an_unknown_model_is_the_servers_word_and_what_to_do() {
    let server = server("instant", "other:1b");
    Place::new().fails(
        1,
        &["--base-url", server.base_url(), "--model", "mine:7b"],
        &["model 'mine:7b' not found", "ollama pull mine:7b"],
    );
}

#[test]
fn a_corpus_is_looked_for_before_a_server() {
    let place = Place::new();
    let missing = place.path().join("none");
    let empty = place.file("empty/readme.txt", b"no benchmark");
    let empty = empty.parent().expect("a parent");
    // To look for a server first would be another error.
    let nowhere = ["--base-url", NOWHERE, "--corpus"];
    let with = |folder| [&nowhere[..], &[text(folder)]].concat();
    place.fails(
        1,
        &with(&missing),
        &["cannot read corpus folder", "No such file or directory"],
    );
    place.fails(
        1,
        &with(empty),
        &["has no CSV, JSON or Markdown file", "1 ignored"],
    );
}

#[test]
fn a_stack_that_is_none_is_wrong_usage() {
    let place = Place::new();
    for (stack, word) in [
        ("tokio/reqwest", "no runtime `tokio`"),
        ("smol/curl", "no client `curl`"),
        ("smol/hyper-512", "at least 1024 bytes"),
        ("smol/raw", "raw blocks its thread"),
        ("threads/reqwest", "threads take no other client"),
        ("smol/hyper/spawn", "is for a team"),
        ("smol", "is no stack"),
    ] {
        let left = place.agent(&["--mock", "--stack", stack]);
        assert_eq!(left.code, Some(2), "{stack}: {}", left.stderr);
        assert!(left.stderr.contains(word), "{stack}: {}", left.stderr);
    }
    assert!(!place.out().exists());
}

#[test]
fn a_profile_that_is_none_is_wrong_usage() {
    let place = Place::new();
    let malformed = place.file("mine.toml", b"description = \"x\"\ngap = \"1 parsec\"\n");
    place.fails(2, &["--mock", text(&malformed)], &["mine.toml", "line 2"]);
    place.fails(2, &["--mock", "warp"], &["no profile `warp`", "paced-1ms"]);
}

#[test]
fn a_place_that_is_no_folder_is_refused_before_anything_runs() {
    let place = Place::new();
    let file = place.file("taken", b"mine");
    let output = Command::new(TARE)
        .args(["agent", "--mock", "instant", "--out"])
        .arg(file.join("below"))
        .output()
        .expect("tare runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("taken is no folder"), "{said}");
    assert_eq!(fs::read(file).expect("the file"), b"mine");
}

#[test]
fn values_out_of_range_are_wrong_usage() {
    let place = Place::new();
    for arguments in [
        ["--runs", "0"],
        ["--threads", "0"],
        ["--num-predict", "0"],
        ["--chimera-num-ctx", "0"],
        ["--chimera-num-gpu", "-2"],
        ["--chimera-temperature", "-0.1"],
        ["--chimera-temperature", "nan"],
        ["--chimera-top-p", "1.1"],
        ["--chimera-repeat-penalty", "inf"],
        ["--api", "completions"],
        ["--connect-timeout", "0s"],
        ["--call-timeout", "soon"],
        ["--base-url", "http://127.0.0.1:1"],
    ] {
        let left = place.agent(&[&["--mock"], &arguments[..]].concat());
        assert_eq!(left.code, Some(2), "{arguments:?}: {}", left.stderr);
        assert!(left.stderr.contains(arguments[0]), "{}", left.stderr);
    }
    assert!(!place.out().exists());
    place.fails(2, &["--base-url", "127.0.0.1:11434"], &["no base URL"]);
}

#[test]
fn a_limit_that_runs_out_is_said_and_leaves_no_result() {
    let place = Place::new();
    let corpus = place.corpus();
    let arguments = [
        "--mock",
        "paced-10ms",
        "--call-timeout",
        "20ms",
        "--corpus",
        text(&corpus),
    ];
    let left = place.agent(&arguments);
    assert_eq!(left.code, Some(1), "{}", left.stderr);
    let error = left.stderr.lines().last().unwrap_or_default();
    assert!(
        error.starts_with("error: ") && error.contains("within 20ms"),
        "{error}"
    );
    assert!(error.contains("--resume"), "{error}");
    // What failed is kept, to be tried again; there is nothing to report or to export.
    assert!(place.read("runs.jsonl").contains("within 20ms"));
    assert!(!place.out().join("data").exists());
}
