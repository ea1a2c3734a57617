//! The mock as a process beside ours.
//!
//! It ends with us however we end: by the drop of its handle after a panic, by the signal that the
//! terminal sends to both, and otherwise because its standard input, which we hold, is closed by
//! the system when we are gone.

use super::process::Program;
use std::io::{self, BufRead, BufReader, Read};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};

/// A running mock; it stops when this is dropped.
#[derive(Debug)]
pub struct MockServer {
    child: Child,
    /// At least one.
    base_urls: Vec<String>,
}

/// Why there is no mock.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It does not start.
    #[error("cannot start the mock: {0}")]
    Start(#[from] io::Error),
    /// It ended at once.
    #[error("the mock did not start: {0}")]
    Ended(String),
}

impl MockServer {
    /// Starts a mock with a profile, a shipped one's name or a file, on any free port. `model`
    /// replaces the profile's.
    ///
    /// # Errors
    /// When it does not start: then with its own words.
    pub fn start(
        program: &Program,
        profile: &str,
        model: Option<&str>,
    ) -> Result<Self, ServerError> {
        Self::start_with(program, profile, model, &[])
    }

    /// Starts a mock with further arguments of `tare mock`.
    ///
    /// # Errors
    /// When it does not start: then with its own words.
    pub fn start_with(
        program: &Program,
        profile: &str,
        model: Option<&str>,
        further: &[&str],
    ) -> Result<Self, ServerError> {
        Self::start_several(program, NonZeroUsize::MIN, profile, model, further)
    }

    /// Starts a process of so many mocks, each at an address of its own, with further arguments of
    /// `tare mock`.
    ///
    /// # Errors
    /// When it does not start: then with its own words.
    pub fn start_several(
        program: &Program,
        servers: NonZeroUsize,
        profile: &str,
        model: Option<&str>,
        further: &[&str],
    ) -> Result<Self, ServerError> {
        let mut arguments = vec!["--profile", profile];
        arguments.extend(further);
        if let Some(model) = model {
            arguments.extend(["--model", model]);
        }
        Self::run(program, servers, &arguments)
    }

    /// Starts a mock that plays a trace, a shipped one's name or a file, with further arguments of
    /// `tare mock`.
    ///
    /// # Errors
    /// When it does not start: then with its own words.
    pub fn replay(program: &Program, trace: &str, further: &[&str]) -> Result<Self, ServerError> {
        let arguments = [&["--trace", trace], further].concat();
        Self::run(program, NonZeroUsize::MIN, &arguments)
    }

    fn run(
        program: &Program,
        servers: NonZeroUsize,
        arguments: &[&str],
    ) -> Result<Self, ServerError> {
        let mut command = Command::new(program.path());
        command.args(["mock", "--until-eof"]);
        for _ in 0..servers.get() {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut base_urls = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while base_urls.len() < servers.get()
                && let Some(line) = lines.next().transpose()?
                && let Some(base_url) = line.trim().strip_prefix("listening on ")
            {
                base_urls.push(base_url.to_owned());
            }
        }
        if base_urls.len() == servers.get() {
            return Ok(Self { child, base_urls });
        }
        let mut words = String::new();
        if let Some(stderr) = child.stderr.as_mut() {
            stderr.read_to_string(&mut words)?;
        }
        child.wait()?;
        let words = words.trim().trim_start_matches("error: ");
        Err(ServerError::Ended(words.to_owned()))
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its base URL; of several the first.
    pub fn base_url(&self) -> &str {
        &self.base_urls[0]
    }

    /// The base URL of each.
    pub fn base_urls(&self) -> impl Iterator<Item = &str> {
        self.base_urls.iter().map(String::as_str)
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
