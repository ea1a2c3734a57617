//! Running it, and what came of that.

use std::cell::Cell;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tare::experiment::{Run, Stored};
use tare::load::{Latency, Outcome, Setup};
use tare::run::{Spec, Work};
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");
/// A mock that paces nothing.
pub const BURST: [&str; 2] = ["--mock", "instant"];

pub struct Place(TempDir, Cell<usize>);

/// What a load left in its folder.
pub struct Loaded {
    pub stored: Stored,
    pub folder: PathBuf,
}

impl Loaded {
    pub fn of(folder: PathBuf) -> Self {
        let stored = Stored::read(&folder).expect("readable");
        Self {
            stored: stored.expect("an experiment"),
            folder,
        }
    }

    pub fn spec(&self) -> &Spec {
        let (_, arm) = self
            .stored
            .manifest
            .experiment
            .arms()
            .next()
            .expect("an arm");
        &arm.spec
    }

    pub fn setup(&self) -> &Setup {
        let Work::Load(setup) = &self.spec().work else {
            panic!("{:?}", self.spec().work)
        };
        setup
    }

    pub fn run(&self) -> &Run {
        let record = self.stored.records.first().expect("a record");
        record.run().unwrap_or_else(|| panic!("{record:?}"))
    }
}

impl Deref for Loaded {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        self.run().load.as_ref().expect("a load")
    }
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"), Cell::new(0))
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

    /// Loads, into a folder of its own.
    pub fn loads(&self, arguments: &[&str]) -> Loaded {
        let number = self.1.replace(self.1.get() + 1);
        let folder = format!("out-{number}");
        let output = self.run(&[arguments, &["--out", &folder]].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        Loaded::of(self.path().join(folder))
    }

    /// Ends with this code and says all of this, the last line being the error, and prints no report.
    pub fn fails(&self, code: i32, arguments: &[&str], told: &[&str]) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
        for part in told {
            assert!(said.contains(part), "{arguments:?}: {said}");
        }
    }

    /// The same before anything is begun, so that nothing is left behind.
    pub fn refuses(&self, code: i32, arguments: &[&str], told: &[&str]) {
        self.fails(code, arguments, told);
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
