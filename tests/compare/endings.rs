//! How it ends before its time: by Ctrl-C, or because the mock is gone.

use crate::place::{Place, text};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};
use tare::weighing::Record;

const MANY: [&str; 8] = [
    "--workload",
    "stream",
    "--stacks",
    "tokio-mt/hyper",
    "--invocations",
    "500",
    "--tokens",
    "8",
];

/// One that has a process group of its own, as what a terminal runs has.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.command(arguments);
        command
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Self {
            child,
            stderr,
            said: String::new(),
        }
    }

    fn until_it_says(mut self, begins: &str) -> Self {
        let mut line = String::new();
        while !line.starts_with(begins) {
            line.clear();
            let read = self.stderr.read_line(&mut line).expect("UTF-8");
            assert!(read > 0, "it ended: {}", self.said);
            self.said += &line;
        }
        self
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process"))
    }

    /// Its exit code, stdout and stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        let group = self.pid();
        self.stderr.read_to_string(&mut self.said).expect("UTF-8");
        let output = self.child.wait_with_output().expect("it ends");
        assert_eq!(left_of(group), [""; 0], "processes are left behind");
        (output.status.code(), text(&output.stdout), self.said)
    }
}

/// Number, parent, group and state of a process, and its command line.
fn processes() -> Vec<(i32, i32, i32, char, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let process = |entry: fs::DirEntry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?.chars().next()?;
        let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some((number, parent, group, state, line))
    };
    entries.filter_map(process).collect()
}

/// What runs yet in a group; a signal takes its time on a busy machine.
fn left_of(group: Pid) -> Vec<String> {
    let started = Instant::now();
    loop {
        let left: Vec<String> = processes()
            .into_iter()
            .filter(|(_, _, of, state, _)| *of == group.as_raw() && *state != 'Z')
            .map(|(_, _, _, _, line)| line)
            .collect();
        if left.is_empty() || started.elapsed() > Duration::from_secs(10) {
            return left;
        }
        std::thread::yield_now();
    }
}

#[test]
fn ctrl_c_keeps_what_is_finished_and_reports_on_it() {
    let place = Place::new();
    let running = Running::start(&place, &MANY).until_it_says("block 2");
    killpg(running.pid(), Signal::SIGINT).expect("it runs");
    let (code, stdout, said) = running.end();
    assert!(
        said.contains("interrupted: what is finished will be reported"),
        "{said}"
    );
    assert!(!said.contains("error"), "{said}");
    let read = |name| fs::read_to_string(place.results().join(name)).expect(&said);
    let record: Record = serde_json::from_str(&read("result.json")).expect("a record");
    let counts: Vec<usize> = record.parts[0]
        .weighed
        .iter()
        .map(|one| one.invocations.len())
        .collect();
    assert!(
        counts.iter().all(|count| (1..500).contains(count)),
        "{counts:?}"
    );
    assert_eq!(stdout, read("report.md"));
    let withheld = stdout.contains("**Verdicts are withheld.**");
    assert_eq!(code, Some(if withheld { 1 } else { 130 }), "{said}");
}

#[test]
fn ctrl_c_before_anything_is_finished_leaves_nothing() {
    let place = Place::new();
    let slow = ["--mock", "paced-10ms", "--tokens", "200"];
    let flags = [&MANY[..6], &slow].concat();
    let running = Running::start(&place, &flags).until_it_says("block 1");
    killpg(running.pid(), Signal::SIGINT).expect("it runs");
    let (code, stdout, said) = running.end();
    assert_eq!((code, stdout.as_str()), (Some(130), ""), "{said}");
    assert!(said.contains("there is nothing to report"), "{said}");
    assert!(!place.results().exists(), "nothing is written");
}

#[test]
fn a_signal_to_the_program_alone_lets_its_process_finish() {
    let place = Place::new();
    let running = Running::start(&place, &MANY).until_it_says("block 2");
    kill(running.pid(), Signal::SIGINT).expect("it runs");
    let (_, stdout, said) = running.end();
    assert!(
        !said.contains("error") && stdout.starts_with("# Comparison"),
        "{said}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_mock_that_dies_is_an_error_that_names_the_cell_and_what_is_finished_is_kept() {
    let place = Place::new();
    let running = Running::start(&place, &MANY).until_it_says("block 2");
    let ours = running.pid().as_raw();
    let mock = processes()
        .into_iter()
        .find(|(_, parent, _, _, line)| *parent == ours && line.contains(" mock "));
    let (mock, ..) = mock.expect("its mock");
    kill(Pid::from_raw(mock), Signal::SIGKILL).expect("it runs");
    let (code, stdout, said) = running.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(stdout.starts_with("# Comparison"), "{stdout}");
    let error = said.lines().last().expect("an error");
    assert!(
        error.starts_with("error: what was finished is reported"),
        "{error}"
    );
    let named = ["threads/raw: ", "tokio-mt/hyper: "];
    assert!(named.iter().any(|name| error.contains(name)), "{error}");
    let json = fs::read(place.results().join("result.json")).expect("a result");
    let record: Record = serde_json::from_slice(&json).expect("a record");
    assert_eq!(record.ending, tare::weighing::Ending::Interrupted);
    let weighed = &record.parts[0].weighed;
    assert!(weighed.iter().all(|one| !one.invocations.is_empty()));
}
