//! How it ends before its time: by Ctrl-C, or because a mock is gone.

use crate::place::{Place, TARE};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use tare::published::TeamSummary;

/// One in a process group of its own, as what a terminal runs is.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn start(place: &Place, flags: &[&str]) -> Self {
        let mut command = Command::new(TARE);
        command
            .arg("team")
            .args(place.told(flags))
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Self {
            child,
            stderr,
            said: String::new(),
        }
    }

    fn interrupt_when_it_says(self, begins: &str) -> (Option<i32>, String) {
        self.signal_when_it_says(begins, Signal::SIGINT)
    }

    fn signal_when_it_says(mut self, begins: &str, signal: Signal) -> (Option<i32>, String) {
        let mut line = String::new();
        while !line.starts_with(begins) {
            line.clear();
            let read = self.stderr.read_line(&mut line).expect("UTF-8");
            assert!(read > 0, "it ended: {}", self.said);
            self.said += &line;
        }
        let group = i32::try_from(self.child.id()).expect("a process");
        killpg(Pid::from_raw(group), signal).expect("it runs");
        self.stderr.read_to_string(&mut self.said).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), self.said)
    }
}

#[test]
fn ctrl_c_keeps_the_runs_that_are_finished_and_reports_on_them() {
    let place = Place::new();
    let flags = ["--runs", "1000", "--fixed-length", "2", "--agents", "2"];
    let running = Running::start(&place, &[&place.mock()[..], &flags].concat());
    let (code, said) = running.interrupt_when_it_says("block 3 of 1000");
    assert_eq!(code, Some(130), "{said}");
    assert!(
        said.contains("interrupted: what is finished will be reported"),
        "{said}"
    );
    assert!(!said.contains("error"), "{said}");
    let summary = fs::read_to_string(place.results().join("published/summary.json")).expect(&said);
    let summary: TeamSummary = serde_json::from_str(&summary).expect("a summary");
    let runs = fs::read_dir(place.results().join("published/runs"))
        .expect("runs")
        .count();
    assert!(
        (2..1000).contains(&runs) && summary.runs == runs,
        "{runs}: {said}"
    );
}

#[test]
fn ctrl_c_before_a_run_is_finished_leaves_nothing() {
    let place = Place::new();
    let flags = ["--fixed-length", "100000", "--agents", "2"];
    let running = Running::start(&place, &[&place.mock()[..], &flags].concat());
    let (code, said) = running.interrupt_when_it_says("block 1 of 3");
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("go on with: "), "{said}");
    assert!(!place.results().join("published").exists(), "{said}");
}

#[test]
fn killed_and_gone_on_with_every_run_is_there_once() {
    let place = Place::new();
    let flags = ["--runs", "5", "--fixed-length", "2", "--agents", "2"];
    let flags = [&place.mock()[..], &flags].concat();
    let running = Running::start(&place, &flags);
    let (code, said) = running.signal_when_it_says("block 3 of 5", Signal::SIGKILL);
    assert_eq!(code, None, "{said}");
    let lines = || {
        let text = fs::read_to_string(place.results().join("runs.jsonl")).expect("runs");
        text.rfind('\n').map_or("", |end| &text[..=end]).to_owned()
    };
    let before = lines();
    assert!(before.lines().count() >= 4, "{said}");
    let resumed = place.team_command(&[&flags[..], &["--resume"]].concat());
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    let after = lines();
    // The team, and one agent alone, for both are alike.
    assert!(
        after.starts_with(&before) && after.lines().count() == 10,
        "{after}"
    );
}
