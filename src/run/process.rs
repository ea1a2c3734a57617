//! A run from the outside: start the process, tell it what to run, hear what came of it.

use super::outcome::Outcome;
use super::spec::{Spec, Work};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
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
    #[error("{stack}: the run ended well, but what it printed is no outcome: {source}")]
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

    /// Does one run in a process of its own.
    ///
    /// # Errors
    /// When the process can't be run, or it fails: then with its own words.
    pub fn invoke(&self, spec: &Spec) -> Result<Outcome, ProcessError> {
        self.invoke_with(spec, &|_| {}, &|| false)
    }

    /// The same. `said` is told each line of progress, and a load is asked to end early as soon as
    /// `interrupted`: it then gives what there is.
    ///
    /// # Errors
    /// As of [`invoke`](Self::invoke).
    pub fn invoke_with(
        &self,
        spec: &Spec,
        said: &dyn Fn(&str),
        interrupted: &dyn Fn() -> bool,
    ) -> Result<Outcome, ProcessError> {
        let stack = spec.stack.to_string();
        let start = |source| ProcessError::Start {
            program: self.path.clone(),
            source,
        };
        let mut child = Command::new(&self.path)
            .args(&self.arguments)
            .env(PROTOCOL.0, PROTOCOL.1)
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
        let interrupted = matches!(spec.work, Work::Load(_)).then_some(interrupted);
        let heard = hear_out(&mut child, said, interrupted).map_err(start)?;
        let status = child.wait().map_err(start)?;
        if status.signal() == Some(Signal::SIGINT as i32) {
            return Err(ProcessError::Interrupted { stack });
        }
        if !status.success() {
            let message = match heard.words.trim() {
                "" => format!("the process ended with {status} and no word"),
                words => words.trim_start_matches(ERROR).to_owned(),
            };
            return Err(ProcessError::Failed { stack, message });
        }
        told.map_err(start)?;
        serde_json::from_slice(&heard.stdout)
            .map_err(|source| ProcessError::Unreadable { stack, source })
    }
}

/// Says in the environment which version of the run protocol is spoken (docs/run-protocol.md). The number
/// grows when a field changes its meaning or goes; more fields may come without.
const PROTOCOL: (&str, &str) = ("TARE_RUN_PROTOCOL", "1");

/// What a line on stderr begins with that says why a run failed; other lines are progress.
const ERROR: &str = "error: ";

/// What a process wrote.
struct Heard {
    stdout: Vec<u8>,
    /// Its error, or all that it said where no line says that it is one.
    words: String,
}

/// Reads both streams to their ends. Where somebody may interrupt, looks now and then whether somebody
/// has, and passes that on once: a terminal's signal reaches the process by itself, another one only us.
fn hear_out(
    child: &mut Child,
    said: &dyn Fn(&str),
    interrupted: Option<&dyn Fn() -> bool>,
) -> io::Result<Heard> {
    const STEP: Duration = Duration::from_millis(50);
    // Not waited for yet, so the number is still its own.
    let pid = i32::try_from(child.id()).map(Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let stdout = scope.spawn(move || {
            let mut bytes = Vec::new();
            stdout.map_or(Ok(0), |mut it| it.read_to_end(&mut bytes))?;
            Ok(bytes)
        });
        let (tell, lines) = channel();
        scope.spawn(move || {
            let lines = stderr
                .into_iter()
                .flat_map(|it| BufReader::new(it).split(b'\n'));
            for line in lines.map_while(Result::ok) {
                // Nobody hears only when we are gone.
                let _ = tell.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let mut words = String::new();
        let mut failed = false;
        let mut asked = false;
        loop {
            let line = match interrupted {
                Some(_) if !asked => lines.recv_timeout(STEP),
                _ => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match line {
                Ok(line) => {
                    if line.starts_with(ERROR) && !failed {
                        failed = true;
                        words.clear();
                    } else if !failed {
                        said(&line);
                    }
                    words = words + &line + "\n";
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let (Some(interrupted), Ok(pid), false) = (interrupted, pid, asked)
                && interrupted()
            {
                asked = true;
                // It may have ended by itself.
                let _ = kill(pid, Signal::SIGINT);
            }
        }
        let stdout = stdout.join();
        let stdout =
            stdout.unwrap_or_else(|_| Err(io::Error::other("reading its output panicked")));
        Ok(Heard {
            stdout: stdout?,
            words,
        })
    })
}
