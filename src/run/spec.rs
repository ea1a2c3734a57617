//! What a run is told.

use crate::client::Limits;
use crate::inject::Inject;
use crate::load;
use crate::protocol::{Api, Options};
use crate::stack::Stack;
use crate::workflow::{INGEST_CONCURRENCY, Role};
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
    /// How many files an agent reads at once.
    #[serde(default = "ingest_concurrency")]
    pub ingest_concurrency: NonZeroUsize,
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

fn ingest_concurrency() -> NonZeroUsize {
    INGEST_CONCURRENCY
}

impl Spec {
    /// Puts addresses in the place of servers' names, and the folder in that of the built-in corpus.
    pub fn resolve(&mut self, addresses: &BTreeMap<String, String>) {
        if let Some(corpus) = self.work.corpus_mut()
            && let Some(folder) = corpus.to_str().and_then(|name| addresses.get(name))
        {
            *corpus = folder.into();
        }
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
            let members = team.members.iter_mut();
            let own = members.map(|member| &mut member.options.seed);
            for seed in own.chain([&mut team.seed]) {
                *seed = seed.map(|seed| seed.wrapping_add(more));
            }
        }
    }
}

impl Work {
    /// The folder that it reads, or the built-in corpus's name.
    pub fn corpus(&self) -> Option<&PathBuf> {
        match self {
            Self::Agents { corpus, .. } => Some(corpus),
            Self::Team(team) => Some(&team.corpus),
            _ => None,
        }
    }

    fn corpus_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Agents { corpus, .. } => Some(corpus),
            Self::Team(team) => Some(&mut team.corpus),
            _ => None,
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
    /// Many requests, so many at a time or at a rate. The warm-up is the load's own, and the whole is
    /// one iteration.
    Load(Box<load::Setup>),
}

/// Agents with a role, a server and options each. Before the clock starts, each has its connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// How results call such a team, such as `chimera_homo`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scenario: String,
    /// At least one; several need a topology.
    pub members: Vec<Member>,
    /// Tokens of each answer, for all members; absent where their own options or the model decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    /// Seed of the model's sampler, for all members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The folder they read.
    pub corpus: PathBuf,
    /// The time limits of their calls.
    pub limits: Limits,
    /// Whether the servers load the models before the clock starts, as the members will ask for them.
    /// Otherwise a load is part of the call that needs it.
    pub preload: bool,
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
    /// Its overrides of the server's options. Where a mock answers, `num_predict` and `seed` take the
    /// place of the spec's tokens and seed.
    pub options: Options,
    /// How many there are of it. Members that are several take turns: of two A and two B the agents are
    /// A, B, A, B.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: NonZeroUsize,
}

impl Member {
    /// Whether it differs from another in nothing but how many there are of it.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.role, &self.base_url, &self.options) == (other.role, &other.base_url, &other.options)
    }
}

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

fn is_one(count: &NonZeroUsize) -> bool {
    *count == NonZeroUsize::MIN
}

impl Team {
    /// How many agents there are.
    pub fn agents(&self) -> usize {
        self.members.iter().map(|member| member.count.get()).sum()
    }

    /// The member that each agent is, in the agents' order.
    pub fn each(&self) -> impl Iterator<Item = &Member> {
        let most = self.members.iter().map(|member| member.count.get()).max();
        let turns = 0..most.unwrap_or_default();
        turns.flat_map(|turn| {
            let members = self.members.iter();
            members.filter(move |member| turn < member.count.get())
        })
    }

    /// The members that differ, each once.
    pub fn kinds(&self) -> impl Iterator<Item = &Member> {
        let all = &self.members;
        all.iter()
            .enumerate()
            .filter(|(index, member)| all[..*index].iter().all(|other| !other.is_like(member)))
            .map(|(_, member)| member)
    }

    /// All options of a member's requests: its overrides, with the team's length and seed. A fixed
    /// length has a seed in any case, so that it is always the same answer.
    pub fn sent(&self, member: &Member) -> Options {
        let length = self.tokens.map(|it| i32::try_from(it).unwrap_or(i32::MAX));
        let fixed_seed = self.tokens.map(|_| 1);
        Options {
            num_predict: length.or(member.options.num_predict),
            seed: self.seed.or(member.options.seed).or(fixed_seed),
            ..member.options.clone()
        }
    }
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
    fn members_that_are_several_take_turns_and_one_is_not_written() {
        let member = |name: &str, count| Member {
            role: Role::Neutral,
            base_url: name.to_owned(),
            options: Options::default(),
            count: NonZeroUsize::new(count).expect("a member"),
        };
        let team = Team {
            members: vec![member("a", 3), member("b", 1)],
            ..Team::default()
        };
        let each: Vec<&str> = team.each().map(|it| it.base_url.as_str()).collect();
        assert_eq!((each, team.agents()), (vec!["a", "b", "a", "a"], 4));
        let json = serde_json::to_value(&team).expect("JSON");
        assert_eq!(json["members"][0]["count"], 3);
        assert!(json["members"][1].get("count").is_none());
        assert_eq!(serde_json::from_value::<Team>(json).expect("a team"), team);
    }

    #[test]
    fn a_spec_that_names_no_api_asks_by_chat_and_reads_16_files_at_once() {
        let spec = r#"{"stack":"threads/raw","threads":1,"base_url":"http://127.0.0.1:1","model":"m",
            "work":{"stream":{"connection":"warm"}},"tokens":1,"seed":1,"warm_up":0,"iterations":1}"#;
        let spec: Spec = serde_json::from_str(spec).expect("a spec");
        assert_eq!(spec.api, Api::Chat);
        assert_eq!(spec.ingest_concurrency.get(), 16);
    }
}
