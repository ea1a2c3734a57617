//! A mock, a corpus and a team on them.

use crate::support::program;
use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use tare::client::Limits;
use tare::ollama::Api;
use tare::report::agent::Side;
use tare::report::published::{Member, TeamRun, Truth};
use tare::team::{Chimeras, Known, MockPlan, Ran, Scenario, Servers, TeamSpec, run_once};
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

pub fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("at least one")
}

pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::write(place.profile(), PACED).expect("a profile");
        // Small, so that reading it takes no time to speak of.
        fs::create_dir(place.corpus()).expect("a folder");
        fs::write(place.corpus().join("run.json"), r#"{"ttft_ms": 580.1}"#).expect("a file");
        place
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn profile(&self) -> PathBuf {
        self.path().join("profile.toml")
    }

    pub fn corpus(&self) -> PathBuf {
        self.path().join("corpus")
    }

    /// Mocks with so many slots each, and a GPU each.
    pub fn servers(&self, servers: usize, slots: u32) -> Servers {
        let profile = self.profile();
        let plan = MockPlan {
            profile: profile.to_str().expect("UTF-8"),
            model: "m",
            servers: count(servers),
            gpus: count(servers),
            parallel: NonZeroU32::new(slots),
            further: &[],
        };
        Servers::mock(&program(), &plan).expect("mocks")
    }

    /// A team of two on these servers.
    pub fn team(&self, scenario: Scenario, servers: &Servers) -> TeamSpec {
        let chimeras = Chimeras::default();
        TeamSpec {
            cell: "tokio-mt/hyper/spawn".parse().expect("a cell"),
            threads: count(2),
            scenario,
            members: scenario.members(count(2), Side::Baseline, &chimeras, servers.addresses()),
            api: Api::Generate,
            model: "m".to_owned(),
            corpus: self.corpus(),
            isolated: true,
            fixed_length: None,
            seed: None,
            order_seed: 1,
            limits: Limits::default(),
            inject: None,
            known: Some(Known {
                tokens: 60,
                seed: 7,
            }),
        }
    }
}

pub fn ran(spec: &TeamSpec) -> Ran {
    run_once(&program(), spec, 1).expect("a run")
}

pub fn truth(run: &TeamRun) -> &Truth {
    run.tare.as_ref().expect("what we add")
}

/// Tokens that all agents were sent.
pub fn tokens(run: &TeamRun) -> Vec<u64> {
    let of = |member: &Member| member.result.aggregate_metrics.total_tokens_generated;
    run.members().map(of).collect()
}
