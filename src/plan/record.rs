//! `sweep.json`: the plan, which part of it is run here, and under what.
//!
//! It is written when a sitting begins. Which runs are finished it does not say: that is seen by
//! their files, so that there are not two truths.

use super::{Part, Plan};
use crate::corpus::CorpusIdentity;
use crate::protocol::Described;
use crate::provenance::Provenance;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use tare_mock::Profile;

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.sweep/1";

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// [`SCHEMA`].
    pub schema: String,
    /// Of the plan, by all that changes its runs: [`Plan::digest`].
    pub digest: String,
    /// The part of the plan that this folder is for; absent where it is for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// What is run.
    pub plan: Plan,
    /// Each time that the sweep was begun or gone on with.
    pub sittings: Vec<Sitting>,
}

/// One time that it was worked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sitting {
    /// Build, machine, command line, time, and what there spoils measurements.
    pub provenance: Provenance,
    /// Who answered.
    pub server: Served,
    /// What the agents read; absent in what earlier versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusIdentity>,
    /// Seed of the order.
    pub order_seed: u64,
    /// The part that it worked at, where parts were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// In what it differs from the sitting before, where that was accepted on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Served {
    /// A mock, in a process of its own.
    Mock {
        /// As it was asked for: a shipped name or a file.
        name: String,
        /// The latency model itself.
        profile: Box<Profile>,
        /// How many times as fast it went.
        speed: f64,
        /// GPUs that its servers had: 1 that they share, or one for each.
        gpus: NonZeroUsize,
    },
    /// Servers that were there.
    There {
        /// Each once.
        servers: Vec<There>,
    },
}

/// A server that was there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct There {
    /// Its address.
    pub base_url: String,
    /// What it is.
    #[serde(flatten)]
    pub described: Described,
}

impl Sweep {
    /// One that begins.
    pub fn new(plan: Plan, part: Option<Part>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            digest: plan.digest(),
            part,
            plan,
            sittings: Vec::new(),
        }
    }
}
