//! A folder of a test's own, and commands run in it, one at a time on the one server.

use crate::support::program;
use std::env;
use std::fs;
use std::io::{Write, stderr};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use tempfile::TempDir;

/// The server is one, and so is the command that it answers.
static SERVER: Mutex<()> = Mutex::new(());

/// Runs a test with the server's address, or says that it is skipped.
pub fn on_the_server(test: impl FnOnce(&str)) {
    let Ok(url) = env::var("TARE_REAL_OLLAMA") else {
        let name = thread::current().name().unwrap_or("a test").to_owned();
        // Not by a macro: what those write is shown only for tests that fail.
        let why = format!("real_ollama: {name}: skipped, for TARE_REAL_OLLAMA names no address");
        return writeln!(stderr(), "{why}").expect("standard error");
    };
    // That another test failed says nothing of this one.
    let _turn = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    test(&url);
}

/// Two short files, so that prompts are short.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir(place.corpus()).expect("a folder");
        let file = |name: &str, text: &str| {
            fs::write(place.path(&format!("corpus/{name}")), text).expect("a file");
        };
        file("a.csv", "run,tok_s\n1,80.1\n2,79.4\n");
        file("b.json", r#"{"ttft_ms": 580.1}"#);
        place
    }

    pub fn path(&self, name: &str) -> String {
        self.0
            .path()
            .join(name)
            .to_str()
            .expect("a path in UTF-8")
            .to_owned()
    }

    pub fn corpus(&self) -> String {
        self.path("corpus")
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs a command to its end.
    pub fn tare(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(program().path());
        let output = command.args(arguments).current_dir(self.0.path()).output();
        let output = output.expect("the program runs");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// What a command left.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn is_fine(&self) {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
    }
}
