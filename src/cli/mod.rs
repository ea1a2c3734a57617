//! The `tare` command: one file per subcommand, each with one public `run`.
//!
//! Results go to files and to stdout, progress and prose to stderr. Exit codes: 0 fine, 1 the tool
//! failed, 2 wrong usage, 130 interrupted.

mod agent;
mod compare;
mod doctor;
mod experiment;
mod import;
mod invoke;
mod load;
mod merge;
mod mock;
mod overrides;
mod proxy;
mod record;
mod report;
mod server;
mod sweep;
mod team;
mod values;

use anyhow::bail;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use tare_mock::{FileError, Profile};

/// Weighs the async runtime and the HTTP client of an LLM agent, not the model.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Examples:\n  tare agent --mock"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Agent(Box<agent::Arguments>),
    Team(Box<team::Arguments>),
    Compare(Box<compare::Arguments>),
    Sweep(Box<sweep::Arguments>),
    Merge(merge::Arguments),
    Load(Box<load::Arguments>),
    Mock(mock::Arguments),
    Proxy(proxy::Arguments),
    Record(Box<record::Arguments>),
    Report(report::Arguments),
    Import(import::Arguments),
    Doctor(doctor::Arguments),
    Invoke(invoke::Arguments),
}

/// Why a command did not do what it was asked.
enum Failure {
    /// The arguments can't be meant so: exit code 2.
    Usage(anyhow::Error),
    /// It was tried and failed: exit code 1.
    Failed(anyhow::Error),
    /// Somebody ended it, and has been told what came of it: exit code 130, as a shell has it.
    Interrupted,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Agent(arguments) => agent::run(*arguments),
        Command::Team(arguments) => team::run(*arguments),
        Command::Compare(arguments) => compare::run(*arguments),
        Command::Sweep(arguments) => sweep::run(*arguments),
        Command::Merge(arguments) => merge::run(arguments),
        Command::Load(arguments) => load::run(*arguments),
        Command::Mock(arguments) => mock::run(arguments),
        Command::Proxy(arguments) => proxy::run(arguments),
        Command::Record(arguments) => record::run(*arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Invoke(arguments) => invoke::run(arguments),
    };
    let (error, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Failed(error)) => (error, 1),
        Err(Failure::Usage(error)) => (error, 2),
        Err(Failure::Interrupted) => return ExitCode::from(130),
    };
    eprintln!("error: {}", one_line(&error));
    ExitCode::from(code)
}

/// The mock's profile of this name: a wrong name or a malformed file is wrong usage.
fn find_profile(name: &str) -> Result<Profile, Failure> {
    Profile::find(name).map_err(|error| match error {
        FileError::Unreadable { .. } => Failure::Failed(error.into()),
        FileError::Unknown { .. } | FileError::Invalid { .. } => Failure::Usage(error.into()),
    })
}

/// Prints a result to stdout. A reader that has seen enough, such as `head`, is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// One line, whatever is wrong with the machine.
fn warn_of(spoilers: &[&str]) {
    if let [first, rest @ ..] = spoilers {
        let all = rest
            .iter()
            .fold((*first).to_owned(), |all, name| all + ", " + name);
        eprintln!("warning: measurements here are spoilt by {all}; `tare doctor` says what to do");
    }
}

/// Whether results can go where `flag` says, before anything is measured.
fn usable_folder(folder: &Path, flag: &str) -> anyhow::Result<()> {
    let mut there = folder.ancestors().filter(|path| path.exists());
    match there.next() {
        Some(path) if !path.is_dir() => bail!(
            "cannot write results to {}: {} is no folder; name another with {flag}",
            folder.display(),
            path.display()
        ),
        _ => Ok(()),
    }
}

/// An error and its causes in one line, each said once.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !line.contains(&text) {
            let link = if line.is_empty() { "" } else { ": " };
            line = line + link + &text;
        }
    }
    line.replace('\n', " ")
}
