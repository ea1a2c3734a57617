//! A process that is watched while it runs, signalled, and heard out; none of its own may be left.

use super::place::text;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A running process with a process group of its own, as what a terminal runs has.
pub struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

/// How it ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub said: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
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

    pub fn until_it_says(mut self, begins: &str) -> Self {
        let mut line = String::new();
        while !line.starts_with(begins) {
            line.clear();
            let read = self.stderr.read_line(&mut line).expect("UTF-8");
            assert!(read > 0, "it ended: {}", self.said);
            self.said += &line;
        }
        self
    }

    /// A signal to it alone.
    pub fn signal(self, signal: Signal) -> Self {
        kill(self.pid(), signal).expect("it runs");
        self
    }

    /// A signal to it and all that it started, as a terminal sends them.
    pub fn signal_all(self, signal: Signal) -> Self {
        killpg(self.pid(), signal).expect("it runs");
        self
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process"))
    }

    /// Its children's command lines with their numbers.
    pub fn children(&self) -> Vec<(Pid, String)> {
        let all = processes().into_iter();
        let own = all.filter(|of| of.parent == self.pid().as_raw());
        own.map(|of| (Pid::from_raw(of.number), of.line)).collect()
    }

    /// Waits for its end, and for that of all that it started.
    pub fn end(mut self) -> Ended {
        let group = self.pid();
        self.stderr.read_to_string(&mut self.said).expect("UTF-8");
        let output = self.child.wait_with_output().expect("it ends");
        assert_eq!(left_of(group), [""; 0], "processes are left behind");
        Ended {
            code: output.status.code(),
            stdout: text(&output.stdout),
            said: self.said,
        }
    }
}

struct Process {
    number: i32,
    parent: i32,
    group: i32,
    state: char,
    line: String,
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let process = |entry: fs::DirEntry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?.chars().next()?;
        let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some(Process {
            number,
            parent,
            group,
            state,
            line: String::from_utf8_lossy(&line).replace('\0', " "),
        })
    };
    entries.filter_map(process).collect()
}

/// What runs yet in a group; a signal takes its time on a busy machine.
fn left_of(group: Pid) -> Vec<String> {
    let started = Instant::now();
    loop {
        let left: Vec<String> = processes()
            .into_iter()
            .filter(|of| of.group == group.as_raw() && of.state != 'Z')
            .map(|of| of.line)
            .collect();
        if left.is_empty() || started.elapsed() > Duration::from_secs(10) {
            return left;
        }
        thread::yield_now();
    }
}
