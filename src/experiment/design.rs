//! What is to be run: workloads, the arms of each, and how many blocks of them.
//!
//! A preset (a subcommand) fills one in; nothing else is needed to run it, to go on with it on another
//! day, to split it over machines, or to judge what came of it.

use crate::run::Spec;
use crate::stack::{Carrier, Stack};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;
use tare_mock::Profile;

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Who filled it in: `compare`, `agent`, `team`, `sweep`, `threads` or `load`.
    pub preset: String,
    /// Its name: a plan's, or the preset's.
    pub name: String,
    /// The servers that runs ask, by the names under which their specs name them.
    pub servers: BTreeMap<String, Server>,
    /// Whether a recording proxy stands before each server: then delivery is from there, and gross and
    /// tare contain its hop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proxied: bool,
    /// The processor that mocks and proxies are kept on; absent where the system chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_processor: Option<usize>,
    /// What is done, each with its arms.
    pub workloads: Vec<Workload>,
    /// How many blocks there are. A block is one run of every arm of every workload, in random order.
    pub blocks: usize,
    /// Seed of the order within the blocks.
    pub order_seed: u64,
    /// Whether the model's sampler gets its seed, plus the block's index, in each block, rather than
    /// the same seed in all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seed_per_block: bool,
    /// Runs that do not count before the first run of an arm that follows another arm.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warm_up_runs: u32,
    /// Pause before each run but the first, and between a team and its agents alone none, ns.
    #[serde(default, skip_serializing_if = "Duration::is_zero", with = "nanos")]
    #[cfg_attr(test, schemars(with = "u64"))]
    pub cool_down: Duration,
    /// In how many blocks each arm is also run under the profiler, after all that is timed: such runs
    /// count system calls and time the decoder, and their times count for nothing.
    #[serde(default, skip_serializing_if = "is_none")]
    pub profile_blocks: usize,
    /// So many failures in a row end a sitting.
    pub failures_in_a_row: NonZeroU32,
    /// The metrics that are judged, by id, in the order of reports.
    pub metrics: Vec<String>,
    /// The chance of a false verdict in each family, 0 to 1.
    pub alpha: f64,
    /// Whether it ends as soon as everything is decided.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_decided: bool,
}

/// The chance of a false verdict in a family where nobody says otherwise.
pub const ALPHA: f64 = 0.05;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Server {
    /// A mock, in a process of its own.
    Mock(MockServer),
    /// A server that is already there.
    Real {
        /// Its address.
        base_url: String,
    },
}

/// A mock that is started for the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MockServer {
    /// The profile as it was asked for: a built-in one's name or a file.
    pub name: String,
    /// The latency model itself, with the model that it serves.
    pub profile: Box<Profile>,
    /// How many servers there are, each at an address of its own. Specs name the second as `NAME-2`.
    pub servers: NonZeroUsize,
    /// GPUs that they have: 1 that all share, or one for each.
    pub gpus: NonZeroUsize,
    /// Slots of each server's loaded model; absent: the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<NonZeroU32>,
    /// How many times as fast as the profile it runs.
    pub speed: f64,
    /// What it does to its replies on purpose, as `tare mock --fault` takes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

impl MockServer {
    /// One server with a profile, at its own speed.
    pub fn new(name: &str, profile: Profile) -> Self {
        Self {
            name: name.to_owned(),
            profile: Box::new(profile),
            servers: NonZeroUsize::MIN,
            gpus: NonZeroUsize::MIN,
            parallel: None,
            speed: 1.0,
            faults: Vec::new(),
        }
    }
}

/// Something that is done, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Its name, such as `one agent`: unique in the experiment.
    pub name: String,
    /// What an iteration is.
    pub kind: Kind,
    /// How tokens come.
    pub cadence: Cadence,
    /// Who does it: each arm's name is unique in the workload.
    pub arms: Vec<Arm>,
}

/// What an iteration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One answer.
    Stream,
    /// One agent: reads the corpus, makes both calls.
    Agent,
    /// Several agents at once.
    Team,
    /// Many requests, at a rate or so many at a time.
    Load,
}

/// How tokens come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// One by one, at the server's pace: what the client does in between is hidden by it.
    Paced,
    /// As fast as the client takes them. The server then waits for a slow client, so its own time is
    /// not independent of the client: there is no tare.
    Burst,
    /// All in one piece.
    Whole,
}

/// One of those that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Its name, such as `tokio-mt/hyper`.
    pub name: String,
    /// Its part in the comparison.
    pub role: Role,
    /// Blocks that it is run in, the first ones; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
    /// Another program that speaks the run protocol, with its arguments; absent: this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub program: Vec<String>,
    /// What it is told. Servers are named as the experiment names them.
    pub spec: Spec,
}

/// An arm's part in a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What all others are compared with.
    Base,
    /// The base once more. Both runs of a block count as base; their ratio is the A/A control.
    BaseAgain,
    /// Blocking threads: what the kernel and the parsing alone cost.
    Floor,
    /// One that is compared.
    Compared,
    /// The base with something slow built in: the positive control, which must be found.
    Control,
    /// An agent of the arm named, by itself: it runs directly before or after that arm.
    Isolated {
        /// The team's arm.
        of: String,
        /// The agent's index in the team.
        agent: usize,
    },
}

impl Experiment {
    /// An arm with its workload.
    pub fn arm(&self, at: At) -> Option<(&Workload, &Arm)> {
        let workload = self.workloads.get(at.workload)?;
        Some((workload, workload.arms.get(at.arm)?))
    }

    /// All arms, workload by workload.
    pub fn arms(&self) -> impl Iterator<Item = (At, &Arm)> {
        let workloads = self.workloads.iter().enumerate();
        workloads.flat_map(|(workload, of)| {
            let arms = of.arms.iter().enumerate();
            arms.map(move |(arm, one)| (At { workload, arm }, one))
        })
    }

    /// Whether it is looked at after so many blocks to see if everything is decided: after 5, 10, 20, …
    pub fn is_looked_at(&self, blocks: usize) -> bool {
        self.until_decided && blocks.is_multiple_of(5) && (blocks / 5).is_power_of_two()
    }

    /// The chance of a false verdict in each family that is left after so many blocks. Each look has half
    /// of what was left before it, so that looking often does not raise the chance of a false verdict
    /// over all looks; what is judged at the end has as much as the last look took.
    pub fn level(&self, blocks: usize) -> f64 {
        let looks = (1..=blocks).filter(|&blocks| self.is_looked_at(blocks));
        looks.fold(self.alpha, |left, _| left / 2.0)
    }

    /// In how many blocks an arm is run.
    pub fn blocks_of(&self, arm: &Arm) -> usize {
        arm.blocks.unwrap_or(self.blocks).min(self.blocks)
    }
}

/// Where an arm stands in an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// Index of its workload.
    pub workload: usize,
    /// Its index there.
    pub arm: usize,
}

impl Workload {
    /// The arm that the others are compared with.
    pub fn base(&self) -> Option<&Arm> {
        self.arms.iter().find(|arm| arm.role == Role::Base)
    }

    /// In what an arm's stack differs from the base's.
    pub fn changed(&self, arm: &Arm) -> Changed {
        match self.base() {
            Some(base) => Changed::between(base.spec.stack, arm.spec.stack),
            None => Changed::Several,
        }
    }
}

/// In what a stack differs from the base's. Only one that differs in a single thing says something
/// about that thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// In nothing.
    Nothing,
    /// The async runtime.
    Runtime,
    /// The HTTP client.
    Client,
    /// How agents share the runtime.
    Topology,
    /// More than one of these, or the runtime and with it whether I/O is native.
    Several,
}

impl Changed {
    /// What changes from `base` to `stack`.
    pub fn between(base: Stack, stack: Stack) -> Self {
        let (Carrier::Async(runtime, client), Carrier::Async(other, its)) =
            (base.carrier, stack.carrier)
        else {
            return if base == stack {
                Self::Nothing
            } else {
                Self::Several
            };
        };
        let changes = (
            runtime != other,
            client != its,
            base.topology != stack.topology,
        );
        match changes {
            (false, false, false) => Self::Nothing,
            (true, false, false) if base.io() == stack.io() => Self::Runtime,
            (false, true, false) => Self::Client,
            (false, false, true) => Self::Topology,
            _ => Self::Several,
        }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "nothing",
            Self::Runtime => "runtime",
            Self::Client => "client",
            Self::Topology => "topology",
            Self::Several => "several",
        })
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A duration as whole nanoseconds.
mod nanos {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str) -> Stack {
        name.parse().expect("a stack")
    }

    #[test]
    fn each_look_has_half_of_what_was_left_and_nobody_looks_unasked() {
        let mut experiment = crate::experiment::fixture::experiment(&["smol/hyper"]);
        assert_eq!(experiment.level(1000), experiment.alpha);
        experiment.until_decided = true;
        for (blocks, share) in [
            (4, 1.0),
            (5, 0.5),
            (9, 0.5),
            (10, 0.25),
            (20, 0.125),
            (39, 0.125),
        ] {
            assert_eq!(
                experiment.level(blocks),
                experiment.alpha * share,
                "{blocks}"
            );
        }
    }

    #[test]
    fn only_one_change_is_named() {
        for (name, changed) in [
            ("tokio-mt/hyper", Changed::Nothing),
            ("smol/hyper", Changed::Runtime),
            ("tokio-mt/hyper-1k", Changed::Client),
            ("tokio-mt/reqwest", Changed::Client),
            ("smol/reqwest", Changed::Several),
            ("tokio-mt/hyper/spawn", Changed::Topology),
            ("threads/raw", Changed::Several),
        ] {
            let found = Changed::between(stack("tokio-mt/hyper"), stack(name));
            assert_eq!(found, changed, "{name}");
        }
        // The runtime changes, and with it whether I/O is native.
        let bridged = Changed::between(stack("tokio-mt/reqwest"), stack("smol/reqwest"));
        assert_eq!(bridged, Changed::Several);
    }
}
