//! A mock, a corpus and a team on them.

use crate::support::program;
use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tare::client::Limits;
use tare::experiment::{Arm, Bench, Due, Occasion, Record, Server, Store, Stored, Watch, sit};
use tare::protocol::Api;
use tare::published::{Member, TeamRun, Truth, runs};
use tare::run::MockServer;
use tare::team::{Chimeras, Known, SERVERS, Scenario, TeamSpec, experiment};
use tempfile::TempDir;

/// A server with one slot whose time goes to decoding: 60 tokens take 300 ms, and the rest next to
/// nothing.
const PACED: &str = r#"
description = "5 ms a token"
model = "m"
load = "0s"
tokens = 60
gap = "5ms"
seed = 7
prefill = { fixed = "1ms", per_token = "0s" }
"#;

/// What one call of it takes by the model, and an agent alone.
pub const CALL_S: f64 = 0.296;
pub const ALONE_S: f64 = 2.0 * CALL_S;

/// A server that loads its model anew for other options, which takes at least [`RELOAD_S`].
const RELOADING: &str = r#"
description = "reloads"
model = "m"
load = "0s"
tokens = 4
gap = "1ms"
seed = 7
prefill = { fixed = "1ms", per_token = "0s" }
reload = { vram_min = "250ms", vram_max = "250ms", start = "1s", weights = "0s", poll = "250ms" }
"#;
pub const RELOAD_S: f64 = 1.25;

/// A server as one on a CPU: a hot load of 150 ms, and a prompt is tokenized twice in a chat, once of it
/// in the slot, for [`TOKENIZING_S`] each.
const TOKENIZING: &str = r#"
description = "tokenizes"
model = "m"
load = "150ms"
tokens = 4
gap = "1ms"
seed = 7
prefill = { fixed = "1ms", per_token = "0s" }
tokenize = { fixed = "400ms", per_token = "0s" }
"#;
pub const TOKENIZING_S: f64 = 0.4;

pub fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("at least one")
}

pub struct Place {
    folder: TempDir,
    profile: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = folder.path().join("profile.toml");
        let place = Self { folder, profile };
        fs::write(place.profile(), PACED).expect("a profile");
        // Small, so that reading it takes no time to speak of.
        fs::create_dir(place.corpus()).expect("a folder");
        fs::write(place.corpus().join("run.json"), r#"{"ttft_ms": 580.1}"#).expect("a file");
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn profile(&self) -> &Path {
        &self.profile
    }

    pub fn corpus(&self) -> PathBuf {
        self.path().join("corpus")
    }

    /// Mocks with so many slots each, and a GPU each.
    pub fn servers(&self, servers: usize, slots: u32) -> MockServer {
        start(self.profile(), servers, Some(slots))
    }

    /// One mock whose model is loaded anew for other options.
    pub fn reloading(&self) -> MockServer {
        let profile = self.path().join("reloading.toml");
        fs::write(&profile, RELOADING).expect("a profile");
        start(&profile, 1, None)
    }

    /// One mock that tokenizes, with so many slots.
    pub fn tokenizing(&self, slots: u32) -> MockServer {
        fs::write(self.profile(), TOKENIZING).expect("a profile");
        self.servers(1, slots)
    }

    /// A team of two on servers that say no more than a real Ollama does.
    pub fn team_on_real(&self, servers: &MockServer) -> TeamSpec {
        TeamSpec {
            api: Api::Chat,
            known: None,
            fixed_length: Some(4),
            seed: Some(7),
            ..self.team(Scenario::Equal, servers)
        }
    }

    /// A team of two on these servers.
    pub fn team(&self, scenario: Scenario, servers: &MockServer) -> TeamSpec {
        let chimeras = Chimeras::default();
        let names = match servers.base_urls().count() {
            1 => [SERVERS[0]; 2],
            _ => SERVERS,
        };
        TeamSpec {
            stack: "tokio-mt/hyper/spawn".parse().expect("a stack"),
            threads: count(2),
            scenario,
            members: scenario.members(count(2), &chimeras, names),
            api: Api::Generate,
            model: "m".to_owned(),
            corpus: self.corpus(),
            ingest_concurrency: tare::workflow::INGEST_CONCURRENCY,
            isolated: true,
            fixed_length: None,
            seed: None,
            limits: Limits::default(),
            inject: None,
            known: Some(Known {
                tokens: 60,
                seed: 7,
            }),
        }
    }
}

fn start(profile: &Path, servers: usize, slots: Option<u32>) -> MockServer {
    let (count, slots) = (count(servers), slots.map(|slots| slots.to_string()));
    let gpus = servers.to_string();
    let mut flags = vec!["--gpus", &gpus];
    if let Some(slots) = &slots {
        flags.extend(["--parallel", slots]);
    }
    let profile = profile.to_str().expect("UTF-8");
    MockServer::start_several(&program(), count, profile, Some("m"), &flags).expect("mocks")
}

/// Nobody who is told.
struct Nobody;

impl Watch for Nobody {
    fn begins(&mut self, _: &Due, _: &Arm, _: Option<Duration>) {}

    fn ended(&mut self, _: &Due, _: &Record, _: usize) {}

    fn pause(&mut self, _: Duration) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn interrupted(&self) -> bool {
        false
    }
}

/// One block of a team on these servers.
pub fn block(spec: &TeamSpec, servers: &MockServer) -> Stored {
    let urls: Vec<String> = servers.base_urls().map(str::to_owned).collect();
    let names = SERVERS.map(str::to_owned).into_iter();
    let addresses: BTreeMap<String, String> = names.zip(urls.iter().cloned()).collect();
    let real = urls.into_iter().map(|base_url| Server::Real { base_url });
    let experiment = experiment(
        "team",
        real.collect(),
        spec.arms("team", None),
        1,
        1,
        Vec::new(),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::take(folder.path(), Occasion::Begin, experiment, None);
    let mut store = store.expect("an empty folder");
    let bench = Bench {
        program: &program(),
        addresses: &addresses,
        time_limit: None,
    };
    sit(&mut store, bench, &mut Nobody, |_, _, _| false).expect("a place to write");
    store.into_stored()
}

pub fn ran(spec: &TeamSpec, servers: &MockServer) -> TeamRun {
    let stored = block(spec, servers);
    let run = runs(&stored).pop();
    run.unwrap_or_else(|| panic!("{:?}", stored.records)).1
}

pub fn truth(run: &TeamRun) -> &Truth {
    run.tare.as_ref().expect("what we add")
}

/// Tokens that all agents were sent.
pub fn tokens(run: &TeamRun) -> Vec<u64> {
    let of = |member: &Member| member.result.aggregate_metrics.total_tokens_generated;
    run.members().map(of).collect()
}

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");

/// What a command left.
pub struct Left {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn results(&self) -> PathBuf {
        self.path().join("results/team")
    }

    /// The flags of a mock of this place.
    pub fn mock(&self) -> [&str; 4] {
        [
            "--mock",
            self.profile.to_str().expect("UTF-8"),
            "--model",
            "m",
        ]
    }

    /// The flags with this place's corpus, if they name none, and its folder of results.
    pub fn told<S: AsRef<str>>(&self, flags: &[S]) -> Vec<String> {
        let mut told: Vec<String> = flags.iter().map(|it| it.as_ref().to_owned()).collect();
        let mut with = |flag: &str, path: PathBuf| {
            if !told.iter().any(|it| it == flag) {
                told.extend([flag.to_owned(), path.to_str().expect("UTF-8").to_owned()]);
            }
        };
        with("--corpus", self.corpus());
        with("--out", self.results());
        told
    }

    pub fn team_command<S: AsRef<str>>(&self, flags: &[S]) -> Left {
        let output = Command::new(TARE)
            .arg("team")
            .args(self.told(flags))
            .output()
            .expect("tare runs");
        Left {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Runs what must fail with `code` and an error of one line that holds `words`, and must write
    /// nothing.
    pub fn fails<S: AsRef<str>>(&self, code: i32, flags: &[S], words: &str) {
        let left = self.team_command(flags);
        assert_eq!(left.code, Some(code), "{}", left.stderr);
        let said: Vec<&str> = left
            .stderr
            .lines()
            .filter(|line| !line.starts_with("warning: measurements here"))
            .collect();
        let [error] = said[..] else {
            panic!("one line was expected: {}", left.stderr);
        };
        assert!(
            error.starts_with("error: ") && error.contains(words),
            "{error}"
        );
        assert_eq!(left.stdout, "");
        let begun = self.results().join("experiment.json");
        assert!(!begun.exists(), "something is written");
    }
}
