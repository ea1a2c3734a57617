//! Running it, and what came of that.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tare::load::{Latency, Outcome, Record};
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");
/// A mock that paces nothing.
pub const BURST: [&str; 2] = ["--mock", "instant"];

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TARE);
        command.arg("load").args(arguments);
        command.current_dir(self.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// Loads, and gives what it prints as JSON.
    pub fn loads(&self, arguments: &[&str]) -> Record {
        let output = self.run(&[arguments, &["--format", "json"]].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).expect("a record")
    }

    /// Ends with this code and one line that says all of this, and nothing is written.
    pub fn refuses(&self, code: i32, arguments: &[&str], told: &[&str]) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let error = said.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        for part in told {
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
        assert_eq!(said.matches("error:").count(), 1, "{said}");
        let left = fs::read_dir(self.path()).expect("the folder").count();
        assert_eq!(left, 0, "{arguments:?} leaves something behind");
    }
}

/// So many requests, all answered, of so many tokens each.
pub fn is_whole(outcome: &Outcome, requests: u64, tokens: u64) {
    let of = outcome.requests;
    assert_eq!(
        (of.begun, of.answered, of.failed, of.unfinished),
        (requests, requests, 0, 0),
        "{:?}",
        outcome.errors
    );
    let latencies = &outcome.latencies;
    let counts = |latency: &Option<Latency>| latency.as_ref().map_or(0, |it| it.count);
    assert_eq!(counts(&latencies.ttft), requests);
    assert_eq!(counts(&latencies.e2e), requests);
    assert_eq!(counts(&latencies.itl), requests * (tokens - 1));
    let pairs = if tokens > 1 { requests } else { 0 };
    assert_eq!(counts(&latencies.tpot), pairs);
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
