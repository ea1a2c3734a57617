//! What an invocation is told.

use crate::client::Limits;
use crate::inject::Inject;
use crate::protocol::{Api, Options};
use crate::stack::Stack;
use crate::workflow::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// What to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// On what.
    pub stack: Stack,
    /// Worker threads of the runtime.
    pub threads: NonZeroUsize,
    /// The server's address; members of a team have their own.
    pub base_url: String,
    /// How to ask it.
    #[serde(default)]
    pub api: Api,
    /// The model to ask.
    pub model: String,
    /// What to do.
    pub work: Work,
    /// Tokens of each answer.
    pub tokens: u32,
    /// Seed of each answer's text.
    pub seed: u64,
    /// Iterations before the clock starts.
    pub warm_up: u32,
    /// Iterations that count.
    pub iterations: u64,
    /// What is known of the answers beforehand.
    #[serde(default)]
    pub answers: Answers,
    /// Whether a recording proxy is on the way, to be asked for its times.
    #[serde(default)]
    pub proxied: bool,
    /// A mistake built in on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inject: Option<Inject>,
    /// Whether to look closer at where time goes, at the price of the times themselves.
    #[serde(default)]
    pub profile_run: bool,
    /// Whether every iteration, agent and call is wanted, beside their sums and means.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detail: bool,
    /// Processors that the process is to be kept on; by default wherever the system puts it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processors: Vec<usize>,
}

impl Spec {
    /// Puts addresses in the place of servers' names.
    pub fn resolve(&mut self, addresses: &BTreeMap<String, String>) {
        let members = match &mut self.work {
            Work::Team(team) => &mut team.members[..],
            _ => &mut [],
        };
        let urls = members.iter_mut().map(|member| &mut member.base_url);
        for url in urls.chain([&mut self.base_url]) {
            if let Some(address) = addresses.get(url) {
                url.clone_from(address);
            }
        }
    }

    /// Adds to every seed of the model's sampler.
    pub fn add_to_seeds(&mut self, more: u64) {
        self.seed = self.seed.wrapping_add(more);
        if let Work::Team(team) = &mut self.work {
            for member in &mut team.members {
                member.options.seed = member.options.seed.map(|seed| seed.wrapping_add(more));
            }
        }
    }
}

/// What is known of the answers beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// Every token: a mock made them from the seed, and an answer of others is an error.
    #[default]
    Known,
    /// Nothing: a real server gives them.
    Unknown,
}

/// What an iteration does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// One streamed answer.
    Stream {
        /// Over which connection.
        connection: Connection,
    },
    /// One answer in one piece, over a connection kept from the iteration before.
    Whole,
    /// So many agents at once, each reading the corpus and making both calls.
    Agents {
        /// How many; 1 needs no topology.
        agents: NonZeroUsize,
        /// The folder they read.
        corpus: PathBuf,
    },
    /// Agents that differ, all at once.
    Team(Team),
}

/// Agents with a role, a server and options each. Before the clock starts, each has its connection
/// and its model is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// At least one; several need a topology.
    pub members: Vec<Member>,
    /// The folder they read.
    pub corpus: PathBuf,
    /// The time limits of their calls.
    pub limits: Limits,
    /// Of so many members, the first ones, the outcome is to have the texts.
    pub texts_of: usize,
}

/// An agent of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// What it is there for.
    pub role: Role,
    /// Its server's address.
    pub base_url: String,
    /// All options of its requests. Where a mock answers, `num_predict` and `seed` take the place of
    /// the spec's tokens and seed.
    pub options: Options,
}

/// The connection of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// A new one each time.
    Cold,
    /// Kept from the iteration before.
    Warm,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_that_names_no_api_asks_by_chat() {
        let spec = r#"{"stack":"threads/raw","threads":1,"base_url":"http://127.0.0.1:1","model":"m",
            "work":{"stream":{"connection":"warm"}},"tokens":1,"seed":1,"warm_up":0,"iterations":1}"#;
        let spec: Spec = serde_json::from_str(spec).expect("a spec");
        assert_eq!(spec.api, Api::Chat);
    }
}
