//! A folder to compare in, and what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tare::report::compare::report;
use tare::stats::Judgement;
use tare::weighing::{Figure, Part, Record};
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");
pub const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/corpus");
/// A small comparison of streams.
pub const SMALL: [&str; 6] = [
    "--workload",
    "stream",
    "--invocations",
    "2",
    "--tokens",
    "8",
];

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn results(&self) -> PathBuf {
        self.path().join("tare-results/compare")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TARE);
        command.arg("compare").args(arguments);
        command.current_dir(self.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// Compares, and reads what was written. A busy machine can make the A/A control fail, so this
    /// asks only that the exit code be the one that the report's standing calls for.
    pub fn compares(&self, arguments: &[&str]) -> Compared {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        let read = |name| fs::read_to_string(self.results().join(name)).expect(&said);
        let compared = Compared {
            stdout: text(&output.stdout),
            json: read("result.json"),
            report: read("report.md"),
        };
        let withheld = compared.report.contains("**Verdicts are withheld.**");
        assert_eq!(output.status.code(), Some(i32::from(withheld)), "{said}");
        compared
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

pub struct Compared {
    pub stdout: String,
    pub json: String,
    pub report: String,
}

impl Compared {
    pub fn record(&self) -> Record {
        serde_json::from_str(&self.json).expect("a record")
    }

    /// The report's line that holds this.
    pub fn line(&self, holds: &str) -> &str {
        let mut lines = self.report.lines();
        let line = lines.find(|line| line.contains(holds));
        line.unwrap_or_else(|| panic!("no {holds}: {}", self.report))
    }

    /// What must hold whatever was compared.
    pub fn is_whole(&self) {
        let record = self.record();
        assert_eq!(
            serde_json::to_string(&record).expect("JSON") + "\n",
            self.json
        );
        assert_eq!(report(&record), self.report);
        assert!(!self.json.contains("null"), "what is not known is absent");
    }
}

/// What was said of a control in one figure.
pub fn control<'a>(part: &'a Part, figure: Figure, named: &str) -> &'a Judgement {
    let mut families = part.families.iter();
    let family = families.find(|family| family.figure == figure);
    let mut controls = family.expect("a family").controls.iter();
    let judged = controls.find(|judged| judged.name == named);
    judged.unwrap_or_else(|| panic!("no {named}: {:?}", part.families))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
