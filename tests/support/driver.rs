//! Programs that drive a server with a client that people use, and report what it made of it.
//!
//! `.ci/real-clients` installs them under `target/real-clients`; what is not there is looked for
//! where the system has it. Without a client its test is skipped and says so, unless
//! `TARE_REQUIRE_REAL_CLIENTS` is `1`: then it fails, Go's client apart.

use serde_json::Value;
use std::env;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that drives a server with a client and prints a report.
pub struct Driver {
    program: PathBuf,
    script: Option<&'static str>,
    /// Arguments with which the program only shows that it has the client.
    probe: &'static [&'static str],
    /// Where Node finds packages.
    node_path: PathBuf,
    /// Whether it may be missing even where all the others must be there.
    optional: bool,
}

impl Driver {
    pub fn python(script: &'static str, probe: &'static [&'static str]) -> Self {
        let ours = installed("python/bin/python3");
        Self {
            program: if ours.exists() {
                ours
            } else {
                "python3".into()
            },
            script: Some(script),
            probe,
            node_path: PathBuf::new(),
            optional: false,
        }
    }

    pub fn node(script: &'static str, probe: &'static [&'static str]) -> Self {
        Self {
            program: "node".into(),
            script: Some(script),
            probe,
            node_path: installed("node_modules"),
            optional: false,
        }
    }

    pub fn rust() -> Self {
        Self {
            program: installed("rust/debug/rust_client"),
            script: None,
            probe: &["probe"],
            node_path: PathBuf::new(),
            optional: false,
        }
    }

    /// Where Go is missing, `.ci/real-clients` leaves it out.
    pub fn go() -> Self {
        Self {
            program: installed("go_client"),
            script: None,
            probe: &["probe"],
            node_path: PathBuf::new(),
            optional: true,
        }
    }

    /// Itself, unless the client is missing.
    pub fn if_there(self) -> Option<Self> {
        let program = self.program.display();
        let why = match self.command().args(self.probe).output() {
            Err(error) => format!("{program} does not start: {error}"),
            Ok(output) if output.status.success() => return Some(self),
            Ok(_) => format!("`{program} {}` fails", self.probe.join(" ")),
        };
        let why = format!("skipped: {why}; .ci/real-clients installs what it needs");
        let required = env::var("TARE_REQUIRE_REAL_CLIENTS").is_ok_and(|set| set == "1");
        assert!(!required || self.optional, "{why}");
        // Not by a macro: what those write is shown only for tests that fail.
        writeln!(stderr(), "real_clients: {why}").expect("standard error");
        None
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("NODE_PATH", &self.node_path);
        // No proxy between a client and its own machine.
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        // What Python compiles lies with what is installed, not beside the drivers.
        command.env_remove("PYTHONDONTWRITEBYTECODE");
        command.env("PYTHONPYCACHEPREFIX", installed("pycache"));
        // litellm's list of prices is in its package; it would fetch a newer one.
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        command
    }

    /// What it makes of the server at `url`.
    pub fn report(&self, url: &str, arguments: &[&str]) -> Value {
        let (report, complaint) = self.run(url, arguments);
        assert!(complaint.is_empty(), "{complaint}");
        report
    }

    /// What it makes of the server at `url`, and what it complains of.
    pub fn run(&self, url: &str, arguments: &[&str]) -> (Value, String) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_clients");
        let output = self
            .command()
            .args(self.script.map(|script| scripts.join(script)))
            .args(arguments)
            .env("OLLAMA_HOST", url)
            .output()
            .expect("it ran before");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{complaint}");
        let report = serde_json::from_slice(&output.stdout).expect("a report in JSON");
        (report, complaint)
    }
}

fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/real-clients")
        .join(path)
}
