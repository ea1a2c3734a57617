//! What a run of a team is told.

use super::scenario::Scenario;
use crate::client::Limits;
use crate::inject::Inject;
use crate::protocol::{Api, Options};
use crate::report::agent::Side;
use crate::stack::Stack;
use crate::workflow::Role;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// One agent of a team.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberSpec {
    /// What it is there for.
    pub role: Role,
    /// Whether it has overrides.
    pub side: Side,
    /// Its server's address.
    pub base_url: String,
    /// Its overrides of the server's options; of a baseline agent none.
    pub options: Options,
}

/// A team, and on what it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamSpec {
    /// Runtime, client and, for several agents, the topology.
    pub stack: Stack,
    /// Worker threads of the runtime.
    pub threads: NonZeroUsize,
    /// What the team is called in results.
    pub scenario: Scenario,
    /// Its agents, at least one.
    pub members: Vec<MemberSpec>,
    /// How they ask.
    pub api: Api,
    /// The model that they ask.
    pub model: String,
    /// The folder that they read.
    pub corpus: PathBuf,
    /// How many of its files an agent reads at once.
    pub ingest_concurrency: NonZeroUsize,
    /// Whether each agent is also run alone.
    pub isolated: bool,
    /// Tokens of each answer; by default the model says when it is done.
    pub fixed_length: Option<u32>,
    /// Seed of the model's sampler. By default none is sent; with a fixed length it is 1.
    pub seed: Option<u64>,
    /// Seed of the order in which the team and each agent alone run.
    pub order_seed: u64,
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

impl TeamSpec {
    /// All options of a member's requests: its overrides, the length and the seed.
    pub fn sent(&self, member: &MemberSpec) -> Options {
        let length = self
            .fixed_length
            .map(|it| i32::try_from(it).unwrap_or(i32::MAX));
        let fixed_seed = self.fixed_length.map(|_| 1);
        Options {
            num_predict: length.or(member.options.num_predict),
            seed: self.seed.or(member.options.seed).or(fixed_seed),
            ..member.options.clone()
        }
    }

    /// How many servers are asked.
    pub fn servers(&self) -> NonZeroUsize {
        let mut servers: Vec<&str> = self.members.iter().map(|it| it.base_url.as_str()).collect();
        servers.sort_unstable();
        servers.dedup();
        NonZeroUsize::new(servers.len()).unwrap_or(NonZeroUsize::MIN)
    }

    /// The first of each kind of member, those that differ in nothing being of one kind, and the
    /// kind of every member.
    pub(super) fn kinds(&self) -> (Vec<usize>, Vec<usize>) {
        let mut firsts: Vec<usize> = Vec::new();
        let kinds = self.members.iter().enumerate().map(|(index, member)| {
            let known = firsts
                .iter()
                .position(|&first| self.members[first] == *member);
            known.unwrap_or_else(|| {
                firsts.push(index);
                firsts.len() - 1
            })
        });
        let kinds = kinds.collect();
        (firsts, kinds)
    }
}
