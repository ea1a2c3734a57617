//! An empty folder in which `tare` is run, and what it left there.

use super::running::Running;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tare::experiment::{Record, Run, Stored};
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");
/// Nothing listens on this port, and no test's own server is ever given it.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// An empty folder in which `tare` is run.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The text of a file.
    pub fn read(&self, file: &str) -> String {
        let place = self.path().join(file);
        fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
    }

    /// Writes a file, and says where it is.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let place = self.path().join(file);
        fs::write(&place, text).expect("a place to write");
        place
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TARE);
        command.args(arguments).current_dir(self.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// In a process group of its own, as what a terminal runs has.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Runs it, which has to end well, and gives what it printed.
    pub fn does(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        text(&output.stdout)
    }

    /// What is stored in a folder below this one.
    pub fn stored(&self, folder: &str) -> Stored {
        let stored = Stored::read(&self.path().join(folder)).expect("a folder that can be read");
        stored.unwrap_or_else(|| panic!("{folder} holds no experiment"))
    }

    /// Ends with this code and one line that says all of this, and nothing is written.
    pub fn refuses(&self, code: i32, arguments: &[&str], told: &[&str]) {
        let before = fs::read_dir(self.path()).expect("the folder").count();
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
        let after = fs::read_dir(self.path()).expect("the folder").count();
        assert_eq!(after, before, "{arguments:?} leaves something behind");
    }
}

/// The runs of an arm whose times count, in order.
pub fn runs<'a>(stored: &'a Stored, arm: &str) -> Vec<&'a Run> {
    let of = stored.records.iter().filter(|record| record.arm == arm);
    of.filter_map(Record::timed).collect()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
