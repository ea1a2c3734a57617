//! A folder of a test's own, and `tare agent` run in it.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tare::run::{MockServer, Program};
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");

/// A folder of its own for a test's corpora and results.
pub struct Place(TempDir);

/// What a command left.
pub struct Left {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn out(&self) -> PathBuf {
        self.path().join("results/agent")
    }

    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// A corpus of one sound file.
    pub fn corpus(&self) -> PathBuf {
        let file = self.file("corpus/a.csv", b"run,tok_s\n1,80.1\n2,79.4\n");
        file.parent().expect("a parent").to_owned()
    }

    pub fn agent(&self, arguments: &[&str]) -> Left {
        let output = Command::new(TARE)
            .arg("agent")
            .args(arguments)
            .args(match arguments.contains(&"--resume") {
                true => &[][..],
                false => &["--replace"],
            })
            .arg("--out")
            .arg(self.out())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("tare runs");
        Left {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Runs what must fail with `code` and one line on stderr that holds each of `words` once, and
    /// must write nothing.
    pub fn fails(&self, code: i32, arguments: &[&str], words: &[&str]) {
        let left = self.agent(arguments);
        assert_eq!(left.code, Some(code), "{arguments:?}: {}", left.stderr);
        assert_eq!(left.stdout, "", "{arguments:?}");
        let said = left.said();
        assert_eq!(said.len(), 1, "{arguments:?}: {}", left.stderr);
        for word in words {
            let times = said[0].matches(word).count();
            assert_eq!(times, 1, "`{word}` is to be said once: {}", said[0]);
        }
        assert!(!self.path().join("results").exists(), "{arguments:?} wrote");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(name)).expect(name)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.read("data/metrics.json")).expect("JSON")
    }
}

impl Left {
    /// The lines of stderr, less the one that warns of the machine and its debug build.
    pub fn said(&self) -> Vec<&str> {
        let lines = self.stderr.lines();
        lines
            .filter(|line| !line.starts_with("warning: measurements here are spoilt by"))
            .collect()
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A mock of its own, to be asked as if it were a real server.
pub fn server(profile: &str, model: &str) -> MockServer {
    MockServer::start(&Program::at(TARE), profile, Some(model)).expect("a mock starts")
}

pub const REPORTS: [&str; 3] = [
    "reports/baseline_report.md",
    "reports/chimera_report.md",
    "reports/comparison_report.md",
];

pub fn two_runs(place: &Place, more: &[&str]) -> Left {
    two_runs_of("instant", place, more)
}

pub fn two_runs_of(profile: &str, place: &Place, more: &[&str]) -> Left {
    let mut arguments = vec!["--mock", profile, "--runs", "2", "--num-predict", "40"];
    arguments.extend(["--seed", "9", "--order-seed", "1"]);
    arguments.extend(more);
    let left = place.agent(&arguments);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    left
}
