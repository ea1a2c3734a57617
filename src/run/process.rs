//! An invocation from the outside: start the process, tell it what to run, hear what came of it.

use super::outcome::Outcome;
use super::spec::Spec;
use nix::sys::signal::Signal;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

impl ProcessError {
    /// Whether it comes of what also interrupts us. A terminal's signal goes to every process that it
    /// runs: to this one, to the mock, so that this one found nobody, and to us, who may hear of the
    /// failure before we take up the signal. So `interrupted` is given a moment to become true.
    pub fn is_of_interruption(&self, interrupted: impl Fn() -> bool) -> bool {
        const PATIENCE: Duration = Duration::from_millis(500);
        const STEP: Duration = Duration::from_millis(5);
        let failed = Instant::now();
        while !interrupted() && failed.elapsed() < PATIENCE {
            thread::sleep(STEP);
        }
        interrupted() || matches!(self, Self::Interrupted { .. })
    }
}

/// A program that speaks the run protocol; this one also runs mocks and proxies.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    /// What makes it read a spec and write an outcome.
    arguments: Vec<String>,
}

/// Why a process gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It does not start, or can't be spoken to.
    #[error("cannot run {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It failed.
    #[error("{stack}: {message}")]
    Failed {
        /// The stack it was to run.
        stack: String,
        /// Its own words.
        message: String,
    },
    /// Ctrl-C reached it, as it reaches all that a terminal runs.
    #[error("{stack}: interrupted")]
    Interrupted {
        /// The stack it was to run.
        stack: String,
    },
    /// It said something else.
    #[error("{stack}: the invocation ended well, but what it printed is no outcome: {source}")]
    Unreadable {
        /// The stack it was to run.
        stack: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl Program {
    /// The program in this file.
    pub fn at(path: impl AsRef<OsStr>) -> Self {
        Self {
            path: PathBuf::from(path.as_ref()),
            arguments: vec!["invoke".to_owned()],
        }
    }

    /// Another program, which with these arguments reads a spec and writes an outcome.
    pub fn peer(path: &str, arguments: &[String]) -> Self {
        Self {
            path: PathBuf::from(path),
            arguments: arguments.to_vec(),
        }
    }

    /// The program that is running.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn this() -> io::Result<Self> {
        std::env::current_exe().map(Self::at)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs one invocation in a process of its own.
    ///
    /// # Errors
    /// When the process can't be run, or it fails: then with its own words.
    pub fn invoke(&self, spec: &Spec) -> Result<Outcome, ProcessError> {
        let stack = spec.stack.to_string();
        let start = |source| ProcessError::Start {
            program: self.path.clone(),
            source,
        };
        let mut child = Command::new(&self.path)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        let told = match child.stdin.take() {
            Some(mut stdin) => {
                let spec = serde_json::to_vec(spec).map_err(io::Error::other);
                spec.and_then(|spec| stdin.write_all(&spec))
            }
            None => Ok(()),
        };
        let output = child.wait_with_output().map_err(start)?;
        if output.status.signal() == Some(Signal::SIGINT as i32) {
            return Err(ProcessError::Interrupted { stack });
        }
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let message = match words.trim() {
                "" => format!("the invocation ended with {} and no word", output.status),
                words => words.trim_start_matches("error: ").to_owned(),
            };
            return Err(ProcessError::Failed { stack, message });
        }
        told.map_err(start)?;
        serde_json::from_slice(&output.stdout)
            .map_err(|source| ProcessError::Unreadable { stack, source })
    }
}
