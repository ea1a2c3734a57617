//! A plan: scenarios × settings × repetitions, written down before the first run. It fills in an
//! [experiment](crate::experiment), which does the rest.
//!
//! | file | question |
//! |---|---|
//! | `document` | what a plan's TOML may say, and what is wrong with it, by line and field |
//! | `group`, `factor` | which configurations a group stands for, and their names |
//! | `experiment` | from configurations to arms |
//! | `estimate` | how long it will take, before it begins |

mod document;
mod estimate;
mod experiment;
mod factor;
mod group;
#[cfg(test)]
mod tests;

pub use document::PlanError;
pub use estimate::{Answering, estimate};
pub use experiment::Planned;
pub use group::Configuration;

use crate::corpus;
use crate::protocol::Api;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What is to be run.
#[derive(Clone, Debug, PartialEq)]
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
    pub ingest_concurrency: NonZeroUsize,
    /// Tokens of each answer; absent where the model decides.
    pub tokens: Option<u32>,
    /// Seed of the sampler in the first run of each configuration, one more in each further run: the
    /// runs of a block have it in common. Also the seed of the order, where no other is given.
    pub seed: u64,
    /// Servers that two agents ask: 1 for both, or 2, one for each.
    pub servers: NonZeroUsize,
    /// Pause before each run but the first.
    pub cool_down: Duration,
    /// Runs that do not count, whenever the configuration changes.
    pub warm_up: u32,
    /// Worker threads of each runtime.
    pub threads: NonZeroUsize,
    /// What is run, in the order of the file.
    pub configurations: Vec<Configuration>,
}

impl Plan {
    /// How many runs of configurations it has.
    pub fn runs(&self) -> usize {
        let repetitions = self.configurations.iter().map(|one| one.repetitions);
        repetitions.map(|count| count as usize).sum()
    }
}
