//! `tare mock` as a command: what it refuses, in which words, and when it ends.

mod support;

use assert_cmd::Command;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use support::{ask, program};
use tare::run::MockServer;

fn refused(arguments: &[&str], code: i32) -> String {
    let output = Command::new(program().path())
        .arg("mock")
        .args(arguments)
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn one_line(text: &str) -> &str {
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    text.trim_end()
}

#[test]
fn a_taken_port_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = refused(&["--listen", &address], 1);
    let said = one_line(&said);
    assert!(
        said.starts_with("error: cannot listen on ") && said.contains(&address),
        "{said}"
    );
    assert!(said.contains("in use") && said.contains("port 0"), "{said}");
}

#[test]
fn an_unknown_or_malformed_profile_is_said_in_one_line() {
    let said = refused(&["--profile", "warp"], 2);
    assert!(one_line(&said).contains("no profile `warp`"), "{said}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "description = \"x\"\ngap = 5\n").expect("a file");
    let said = refused(&["--profile", file.to_str().expect("a path")], 2);
    assert!(
        one_line(&said).contains("mine.toml, line 2 (`gap = 5`)"),
        "{said}"
    );
}

#[test]
fn wrong_flags_are_wrong_usage() {
    assert!(refused(&["--listen", "localhost"], 2).contains("--listen"));
    assert!(refused(&["--frobnicate"], 2).contains("--frobnicate"));
}

#[test]
fn a_faster_profile_takes_its_times_that_much_faster() {
    let faster = ["--speed", "8"];
    let mock = MockServer::start_with(&program(), "paced-10ms", None, &faster);
    let mock = mock.expect("the mock starts");
    let asked =
        r#"{"model":"gemma3:latest","prompt":"x","stream":false,"options":{"num_predict":5}}"#;
    let last = ask(&mock, "POST /api/generate", asked).json();
    assert_eq!(last["eval_duration"], 4 * 1_250_000, "{last}");
    let said = refused(&["--speed", "0"], 2);
    assert!(said.contains("expected a factor"), "{said}");
}

#[test]
fn a_number_of_gpus_that_cannot_be_modelled_is_refused() {
    let said = refused(&["--listen", "127.0.0.1:0", "--gpus", "2"], 2);
    let words = "--gpus 2 with --listen given 1 times";
    assert!(one_line(&said).contains(words), "{said}");
}

#[test]
fn it_ends_with_whoever_started_it() {
    let mut child = std::process::Command::new(program().path())
        .args(["mock", "--listen", "127.0.0.1:0", "--until-eof"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    stdout.read_line(&mut line).expect("a line");
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}
