//! The mock, or a recording proxy, as a process beside ours.
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
pub struct MockServer(Listening);

/// A running proxy between clients and a server; it stops when this is dropped.
#[derive(Debug)]
pub struct ProxyServer(Listening);

/// A process of ours that says where it listens.
#[derive(Debug)]
struct Listening {
    child: Child,
    /// At least one.
    base_urls: Vec<String>,
}

/// Why there is no mock, or no proxy.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It does not start.
    #[error("cannot start the {what}: {source}")]
    Start {
        /// `mock` or `proxy`.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It ended at once.
    #[error("the {what} did not start: {words}")]
    Ended {
        /// `mock` or `proxy`.
        what: &'static str,
        /// Its own words.
        words: String,
    },
}

impl ProxyServer {
    /// Starts a proxy to the server at this base URL on any free port, with further arguments of
    /// `tare proxy`.
    ///
    /// # Errors
    /// When it does not start: then with its own words.
    pub fn start(program: &Program, to: &str, further: &[&str]) -> Result<Self, ServerError> {
        let arguments = [&["--listen", "127.0.0.1:0", "--to", to], further].concat();
        Listening::start(program, "proxy", NonZeroUsize::MIN, &arguments).map(Self)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.0.child.id()
    }

    /// Its base URL.
    pub fn base_url(&self) -> &str {
        &self.0.base_urls[0]
    }
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
        let listen = ["--listen", "127.0.0.1:0"].repeat(servers.get());
        let arguments = [&listen, arguments].concat();
        Listening::start(program, "mock", servers, &arguments).map(Self)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.0.child.id()
    }

    /// Its base URL; of several the first.
    pub fn base_url(&self) -> &str {
        &self.0.base_urls[0]
    }

    /// The base URL of each.
    pub fn base_urls(&self) -> impl Iterator<Item = &str> {
        self.0.base_urls.iter().map(String::as_str)
    }
}

impl Listening {
    /// Starts the subcommand `what`, which says where each of so many `servers` listens.
    fn start(
        program: &Program,
        what: &'static str,
        servers: NonZeroUsize,
        arguments: &[&str],
    ) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Start { what, source };
        let mut child = Command::new(program.path())
            .args([what, "--until-eof"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut base_urls = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while base_urls.len() < servers.get()
                && let Some(line) = lines.next().transpose().map_err(failed)?
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
            stderr.read_to_string(&mut words).map_err(failed)?;
        }
        child.wait().map_err(failed)?;
        let words = words.trim().trim_start_matches("error: ").to_owned();
        Err(ServerError::Ended { what, words })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
