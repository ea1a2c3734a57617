//! What a team was told, on what it ran, and who answered.

use crate::corpus::CorpusIdentity;
use crate::inject::Inject;
use crate::protocol::Api;
use crate::provenance::Provenance;
use crate::published::agent::{LimitsMetrics, Server};
use crate::stack::Stack;
use serde::{Deserialize, Serialize};
use std::num::{NonZeroU32, NonZeroUsize};

/// Everything that a team's result depends on, beside its members, which each run's `metrics.json`
/// has, and beside what the servers did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamSetup {
    /// Build, machine, command line, time.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// Runtime, client and topology.
    pub stack: Stack,
    /// `native` or `bridged`.
    pub io: String,
    /// Worker threads of the runtime.
    pub threads: NonZeroUsize,
    /// Who answered: the first agent's server, and the second's if it is another.
    pub servers: Vec<Server>,
    /// How mocks were set up; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mocks: Option<MockServers>,
    /// How they were asked.
    pub api: Api,
    /// The model that was asked.
    pub model: String,
    /// Whether each agent was also run alone.
    pub isolated: bool,
    /// Tokens of each answer, where that was fixed beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_length: Option<u32>,
    /// Seed of the sampler, where one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Seed of the order in which the team and each agent alone ran.
    pub order_seed: u64,
    /// A mistake built in on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inject: Option<Inject>,
    /// The four time limits of a call.
    pub limits: LimitsMetrics,
    /// What the agents read.
    pub corpus: CorpusIdentity,
    /// How many of its files an agent read at once.
    pub ingest_concurrency: NonZeroUsize,
}

/// How mocks were set up, beside their profile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MockServers {
    /// How many servers.
    pub servers: NonZeroUsize,
    /// How many GPUs: one that all share, or one each.
    pub gpus: NonZeroUsize,
    /// Slots of each server's model, where not the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<NonZeroU32>,
    /// So many times as fast as the profile; absent if just as fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
}
