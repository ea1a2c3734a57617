//! A plan: scenarios × settings × repetitions, written down before the first run, and its execution,
//! which can stop at any moment, go on, and be split over machines.
//!
//! | file | question |
//! |---|---|
//! | `document` | what a plan's TOML may say, and what is wrong with it, by line and field |
//! | `group`, `factor` | which configurations a group stands for, and their names |
//! | `order` | which runs there are, in which order, and which of them a part has |
//! | `sweep` | doing them, one after the other |
//! | `pace`, `estimate` | how long it will take yet; how long it will take, before it begins |
//! | `folder` | where finished runs lie; `durable` is how they get there whole |
//! | `record` | what `sweep.json` says |
//! | `resume` | whether what was begun may go on here and now |
//! | `merge` | parts into a whole |
//! | `difference` | in what two plans, servers or machines differ, in words |
//!
//! A plan is the same as another where all that changes its runs is the same: comments, layout and
//! the description may differ, names may not, for they are those of the folders.

mod difference;
mod document;
mod durable;
mod estimate;
mod factor;
mod folder;
mod group;
mod merge;
mod order;
mod pace;
mod record;
mod resume;
mod sweep;
#[cfg(test)]
mod tests;

pub use document::PlanError;
pub use estimate::{Answering, estimate};
pub use folder::{Folder, FolderError, Planned};
pub use group::Configuration;
pub use merge::{MergeError, Merged, merge};
pub use order::{Part, PartError, Run};
pub use pace::Pace;
pub use record::{SCHEMA, Served, Sitting, Sweep, There};
pub use resume::{Circumstances, Occasion, Occupied, ResumeError};
pub use sweep::{Bench, Ending, Mishap, Took, Watch, sweep};

use crate::corpus;
use crate::meter::Digest;
use crate::protocol::Api;
use crate::workflow::INGEST_CONCURRENCY;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::time::Duration;

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its name, fit for a folder's.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The model that all agents ask.
    pub model: String,
    /// How they ask it.
    pub api: Api,
    /// The folder that they read.
    pub corpus: corpus::Source,
    /// How many of its files an agent reads at once.
    #[serde(default = "ingest_concurrency")]
    pub ingest_concurrency: NonZeroUsize,
    /// Tokens of each answer; absent where the model decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    /// Seed of the sampler in the first run of each configuration, one more in each further run: the
    /// runs of a block have it in common. Also the seed of the order, where no other is given.
    pub seed: u64,
    /// Servers that two agents ask: 1 for both, or 2, one for each.
    pub servers: NonZeroUsize,
    /// Pause before each run but the first.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub cool_down: Duration,
    /// Runs that do not count, whenever the configuration changes.
    pub warm_up: u32,
    /// Worker threads of each runtime.
    pub threads: NonZeroUsize,
    /// What is run, in the order of the file.
    pub configurations: Vec<Configuration>,
}

fn ingest_concurrency() -> NonZeroUsize {
    INGEST_CONCURRENCY
}

impl Plan {
    /// Tells plans apart by all that changes their runs.
    pub fn digest(&self) -> String {
        Digest::of([self.identity().to_string()]).to_string()
    }

    /// In what another plan differs, each a clause such as `seed: 2 here, 1 there`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        difference::between(&self.identity(), &other.identity())
    }

    /// All but the description.
    fn identity(&self) -> serde_json::Value {
        let mut identity = serde_json::json!(self);
        if let Some(fields) = identity.as_object_mut() {
            fields.remove("description");
        }
        identity
    }

    /// How many runs it has.
    pub fn runs(&self) -> usize {
        let repetitions = self.configurations.iter().map(|one| one.repetitions);
        repetitions.map(|count| count as usize).sum()
    }

    /// The sampler's seed in a run: the same for all of a block.
    pub fn seed_of(&self, run: Run) -> u64 {
        self.seed.wrapping_add(u64::from(run.number) - 1)
    }
}
