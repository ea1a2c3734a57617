//! From a team to the arms of an experiment: itself, and each kind of its agents alone.

use super::scenario::Scenario;
use crate::client::Limits;
use crate::experiment::{ALPHA, Arm, Cadence, Experiment, Kind, Role, Server, Workload};
use crate::inject::Inject;
use crate::protocol::Api;
use crate::run::{Answers, Member, Spec, Team, Work};
use crate::stack::Stack;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;
use tare_mock::Profile;

/// The names of a team's servers in an experiment: the first agent's and, where there are two, the
/// second's. The second mock of one entry is called so, too.
pub const SERVERS: [&str; 2] = ["server", "server-2"];

/// So many failures in a row end a sitting.
const FAILURES_IN_A_ROW: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// Of so many agents the texts are kept.
const TEXTS: usize = 2;

/// A team, and on what it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamSpec {
    /// Runtime, client and, for several agents, the topology.
    pub stack: Stack,
    /// Worker threads of the runtime.
    pub threads: NonZeroUsize,
    /// What the team is called in results.
    pub scenario: Scenario,
    /// Its agents, at least one. Servers are named as the experiment names them.
    pub members: Vec<Member>,
    /// How they ask.
    pub api: Api,
    /// The model that they ask.
    pub model: String,
    /// The folder that they read.
    pub corpus: PathBuf,
    /// How many of its files an agent reads at once.
    pub ingest_concurrency: NonZeroUsize,
    /// Whether each kind of agent is also run alone.
    pub isolated: bool,
    /// Tokens of each answer; by default the model says when it is done.
    pub fixed_length: Option<u32>,
    /// Seed of the model's sampler. By default none is sent; with a fixed length it is 1.
    pub seed: Option<u64>,
    /// Time limits of a call.
    pub limits: Limits,
    /// A mistake built in on purpose; into the agents that run alone too.
    pub inject: Option<Inject>,
    /// What a mock answers where the options leave it open: then every token is checked. With a real
    /// server none can be.
    pub known: Option<Known>,
}

/// What a mock answers where a request's options leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Tokens of an answer.
    pub tokens: u32,
    /// Seed of its text.
    pub seed: u64,
}

impl From<&Profile> for Known {
    fn from(profile: &Profile) -> Self {
        Self {
            tokens: profile.tokens,
            seed: profile.seed,
        }
    }
}

impl TeamSpec {
    /// Its arm, of this name, and one for each kind of agent alone: `NAME / alone N` is the team's N-th.
    pub fn arms(&self, name: &str, blocks: Option<usize>) -> Vec<Arm> {
        let team = self.team(self.members.clone(), TEXTS);
        let mut arms = vec![Arm {
            name: name.to_owned(),
            role: Role::Compared,
            blocks,
            program: Vec::new(),
            spec: self.spec(team.clone()),
        }];
        let kinds: Vec<Member> = match self.isolated {
            true => team.kinds().cloned().collect(),
            false => Vec::new(),
        };
        for kind in kinds {
            let agent = team.each().position(|member| *member == kind);
            let agent = agent.unwrap_or_default();
            let alone = Member {
                count: NonZeroUsize::MIN,
                ..kind
            };
            arms.push(Arm {
                name: format!("{name} / alone {}", agent + 1),
                role: Role::Isolated {
                    of: name.to_owned(),
                    agent,
                },
                blocks,
                program: Vec::new(),
                spec: self.spec(self.team(vec![alone], 0)),
            });
        }
        arms
    }

    fn team(&self, members: Vec<Member>, texts_of: usize) -> Team {
        Team {
            scenario: self.scenario.name().to_owned(),
            members,
            tokens: self.fixed_length,
            seed: self.seed,
            corpus: self.corpus.clone(),
            limits: self.limits,
            preload: true,
            texts_of,
        }
    }

    fn spec(&self, team: Team) -> Spec {
        let first = team.members.first();
        Spec {
            stack: self.stack,
            threads: self.threads,
            base_url: first.map_or_else(String::new, |member| member.base_url.clone()),
            api: self.api,
            model: self.model.clone(),
            tokens: self.known.map_or(0, |known| known.tokens),
            seed: self.known.map_or(0, |known| known.seed),
            ingest_concurrency: self.ingest_concurrency,
            warm_up: 0,
            iterations: 1,
            answers: match self.known {
                Some(_) => Answers::Known,
                None => Answers::Unknown,
            },
            inject: self.inject,
            profile_run: false,
            detail: true,
            proxied: false,
            processors: Vec::new(),
            work: Work::Team(team),
        }
    }
}

/// An experiment of teams, without pauses and warm-ups: these arms, asked of one server or of two.
pub fn experiment(
    preset: &str,
    servers: Vec<Server>,
    arms: Vec<Arm>,
    blocks: usize,
    order_seed: u64,
    metrics: Vec<String>,
) -> Experiment {
    let names = SERVERS.map(str::to_owned);
    Experiment {
        preset: preset.to_owned(),
        name: preset.to_owned(),
        servers: names.into_iter().zip(servers).collect(),
        proxied: false,
        mock_processor: None,
        workloads: vec![Workload {
            name: "team".to_owned(),
            kind: Kind::Team,
            cadence: Cadence::Paced,
            arms,
        }],
        blocks,
        order_seed,
        seed_per_block: false,
        warm_up_runs: 0,
        cool_down: Duration::ZERO,
        profile_blocks: 0,
        failures_in_a_row: FAILURES_IN_A_ROW,
        metrics,
        alpha: ALPHA,
        until_decided: false,
    }
}
