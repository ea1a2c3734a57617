//! Every example in every help text runs as it stands, in an empty folder, against no server.
//!
//! An example is a line below `Examples:`, up to the next empty line. One that serves runs until it is
//! stopped, and has to say where it listens; of a chain of commands the last one counts.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

const TARE: &str = env!("CARGO_BIN_EXE_tare");
/// Many times what the longest takes, for a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

fn help(subcommands: &[&str]) -> String {
    let output = Command::new(TARE).args(subcommands).arg("--help").output();
    let output = output.expect("the program starts");
    assert!(output.status.success(), "{subcommands:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The names below `Commands:`.
fn subcommands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

fn examples(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines = below.take_while(|line| !line.is_empty());
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Of a command and of those below it.
fn all_examples(path: &[&str]) -> Vec<String> {
    let help = help(path);
    let below = subcommands(&help)
        .into_iter()
        .flat_map(|name| all_examples(&[path, &[name]].concat()));
    let own = examples(&help);
    assert!(
        !own.is_empty(),
        "tare {} --help has no example",
        path.join(" ")
    );
    own.into_iter().chain(below).collect()
}

fn serves(example: &str) -> bool {
    let last = example.rsplit("&&").next().unwrap_or(example).trim();
    ["tare mock", "tare proxy"]
        .iter()
        .any(|it| last.starts_with(it))
}

/// A shell and all that it starts, which end with this.
struct Shell(Child);

impl Shell {
    fn run(example: &str, folder: &Path, stderr: File) -> Self {
        let program = Path::new(TARE).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let child = Command::new("sh")
            .args(["-c", example])
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", program.display()))
            .env("XDG_CACHE_HOME", folder.with_extension("cache"))
            .env_remove("OLLAMA_HOST")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0)
            .spawn();
        Self(child.expect("a shell"))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Ok(group) = i32::try_from(self.0.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}

fn runs(example: &str) -> Result<(), String> {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("empty");
    fs::create_dir(&folder).expect("a folder");
    let mut stderr = tempfile::tempfile().expect("a file");
    let told = stderr.try_clone().expect("the same file");
    let mut shell = Shell::run(example, &folder, told);
    let stdout = shell.0.stdout.take().expect("a pipe");
    let until_it_listens = serves(example);
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let listens =
            lines.any(|line| until_it_listens && line.starts_with("listening on http://"));
        let _ = tell.send(listens);
    });
    let outcome = match heard.recv_timeout(LIMIT) {
        Err(_) => Err(format!("it did not end within {} s", LIMIT.as_secs())),
        Ok(true) => Ok(()),
        Ok(false) if until_it_listens => Err("it did not say that it listens".to_owned()),
        Ok(false) => match shell.0.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(error) => Err(error.to_string()),
        },
    };
    outcome.map_err(|why| {
        let mut text = String::new();
        let _ = stderr
            .rewind()
            .and_then(|()| stderr.read_to_string(&mut text));
        format!("{example}\n  {why}\n{text}")
    })
}

#[test]
fn every_example_of_every_help_text_runs_in_an_empty_folder_without_a_server() {
    let examples = all_examples(&[]);
    assert!(examples.len() > 12, "{examples:#?}");
    // Most of an example's time is a mock's pacing, so several run at once.
    const AT_ONCE: usize = 6;
    let queue = Mutex::new(examples.iter());
    let broken = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("no thread panicked").next();
                    let Some(example) = next else { break };
                    if let Err(why) = runs(example) {
                        broken.lock().expect("no thread panicked").push(why);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().expect("no thread panicked");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
