//! A folder to sweep in, with a small plan and a small corpus, and what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use tare::experiment::{Manifest, Stored};
use tare::published::TeamRun;
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");

/// 2 configurations, 3 runs each.
pub const PLAN: &str = r#"name = "small"
description = "for tests"
model = "gemma3:latest"
corpus = "corpus"
tokens = 4
servers = 2
warm_up = 0
repetitions = 3
stack = "tokio-mt/hyper/spawn"

[[group]]
scenario = "baseline_vs_chimera"
num_ctx = 512
isolated = false

[[group]]
name = "pair"
scenario = "chimera_hetero"
num_ctx = [[512, 1024]]
isolated = false
"#;

/// All runs of [`PLAN`].
pub const ALL: [(&str, u32); 6] = [
    ("baseline_vs_chimera-ctx512", 1),
    ("baseline_vs_chimera-ctx512", 2),
    ("baseline_vs_chimera-ctx512", 3),
    ("pair-chimera_hetero-ctx512_1024", 1),
    ("pair-chimera_hetero-ctx512_1024", 2),
    ("pair-chimera_hetero-ctx512_1024", 3),
];

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        place.write("small.toml", PLAN);
        // Small, so that reading it takes no time to speak of.
        place.write("corpus/run.json", r#"{"ttft_ms": 580.1}"#);
        place
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Of the plan's runs.
    pub fn out(&self) -> PathBuf {
        self.path().join("tare-results/sweep/small")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TARE);
        command.arg("sweep").args(arguments);
        command.current_dir(self.path());
        command
    }

    /// Waits until so many records are whole.
    pub fn wait_for_runs(&self, runs: usize) {
        let whole = || {
            let text = fs::read_to_string(self.out().join("runs.jsonl"));
            text.unwrap_or_default().matches('\n').count()
        };
        let started = std::time::Instant::now();
        while whole() < runs {
            assert!(started.elapsed().as_secs() < 60, "no run in a minute");
            std::thread::yield_now();
        }
    }

    /// `tare merge` of these parts into `whole`.
    pub fn merge(&self, parts: &[&str], out: &str, more: &[&str]) -> Output {
        let mut command = Command::new(TARE);
        command
            .arg("merge")
            .args(parts)
            .args(["--out", out])
            .args(more);
        let output = command.current_dir(self.path()).output();
        output.expect("the program runs")
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// Stderr and stdout of one that ends with this code.
    pub fn ends(&self, arguments: &[&str], code: i32) -> (String, String) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        let errors = said.matches("error: ").count();
        let expected = usize::from(![0, 130].contains(&code));
        assert_eq!(errors, expected, "{arguments:?}: {said}");
        (said, text(&output.stdout))
    }

    /// The one line of an error that holds all this.
    pub fn refuses(&self, arguments: &[&str], code: i32, told: &[&str]) {
        let (said, stdout) = self.ends(arguments, code);
        assert!(stdout.is_empty(), "{arguments:?}: {stdout}");
        let error = said.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        for part in told {
            assert!(
                error.contains(part),
                "{arguments:?}: no `{part}` in {error}"
            );
        }
    }

    /// Starts one that has a process group of its own, as what a terminal runs has.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        command
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Running { child, stderr }
    }
}

pub struct Running {
    pub child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    /// Waits for a line that begins so; gives all lines until it.
    pub fn until(&mut self, begins: &str) -> String {
        let mut said = String::new();
        loop {
            let before = said.len();
            let read = self.stderr.read_line(&mut said).expect("UTF-8");
            assert!(read > 0, "it ended before `{begins}`: {said}");
            if said[before..].starts_with(begins) {
                return said;
            }
        }
    }

    /// Its exit code and what it said to the end.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).expect("UTF-8");
        let status = self.child.wait().expect("it ends");
        (status.code(), said)
    }
}

/// What lies in a sweep's folder.
pub struct Swept {
    pub manifest: Manifest,
    /// Each finished run's arm and block, and its line.
    pub runs: BTreeMap<(String, u32), String>,
    /// Lines of runs that failed.
    pub failures: usize,
}

impl Swept {
    /// Reads all of it; whatever is no whole line with a run of its own in it fails the test.
    pub fn read(out: &Path) -> Self {
        let stored = Stored::read(out).expect("whole files").expect("a sweep");
        assert_eq!(stored.manifest.digest, stored.manifest.experiment.digest());
        let text = fs::read_to_string(out.join("runs.jsonl")).unwrap_or_default();
        let mut runs = BTreeMap::new();
        for (record, line) in stored.records.iter().zip(text.lines()) {
            if record.run().is_some() {
                let key = (record.arm.clone(), record.block as u32 + 1);
                let before = runs.insert(key, line.to_owned());
                assert_eq!(before, None, "a run was done twice");
            }
        }
        Self {
            failures: stored.records.len() - runs.len(),
            manifest: stored.manifest,
            runs,
        }
    }

    pub fn names(&self) -> Vec<(&str, u32)> {
        let runs = self.runs.keys();
        runs.map(|(name, number)| (name.as_str(), *number))
            .collect()
    }
}

/// What is exported of a sweep, by configuration and run.
pub fn published(out: &Path) -> BTreeMap<(String, u32), TeamRun> {
    let folder = out.join("published");
    let each = files(&folder).into_iter().map(|name| {
        let parts: Vec<&str> = name.split('/').collect();
        let [configuration, run, "metrics.json"] = parts[..] else {
            panic!("{name} is no run's");
        };
        let json = fs::read_to_string(folder.join(&name)).expect("a file");
        let record: TeamRun = serde_json::from_str(&json).expect("a whole run");
        let truth = record.tare.as_ref().expect("ours beside theirs");
        assert_eq!(truth.configuration.as_deref(), Some(configuration));
        assert_eq!(run, format!("run_{}", record.run_number));
        ((configuration.to_owned(), record.run_number), record)
    });
    each.collect()
}

/// All files below a folder, by their path below it, in their order.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                let path = path.strip_prefix(folder).expect("below it");
                found.push(path.to_str().expect("UTF-8").to_owned());
            }
        }
    }
    found.sort();
    found
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
