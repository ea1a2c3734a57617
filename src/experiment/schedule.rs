//! Which runs an experiment has and in which order, and which of them a part of it has.
//!
//! Runs are interleaved: a block holds one run of every arm, in an order of its own, so that drift hits
//! all arms alike. The order of a block follows from the seed and the block's index alone: whoever goes
//! on with an experiment, or does a part of it, meets the same order. An arm and the agents of it that
//! run alone stay together.

use super::design::{At, Experiment, Role};
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One run that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// Of which arm.
    pub at: At,
    /// In which block, from 0.
    pub block: usize,
    /// Whether under the profiler.
    pub profiled: bool,
    /// The arm that it belongs to: itself, or the team whose agent it runs alone.
    pub unit: At,
}

/// One of so many parts of an experiment, written `2/3`. It has every third block, from the second on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "String", try_from = "String")]
pub struct Part {
    part: u32,
    of: u32,
}

/// Text that names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no part: expected PART/PARTS such as 1/3, with PART from 1 to PARTS")]
pub struct PartError(String);

impl Part {
    /// Which, from 1.
    pub fn part(self) -> u32 {
        self.part
    }

    /// Of how many.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether it has this block.
    pub fn has(self, block: usize) -> bool {
        block as u64 % u64::from(self.of) == u64::from(self.part) - 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

impl FromStr for Part {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let numbers = text.split_once('/');
        let parsed = numbers.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((part, of)) if 1 <= part && part <= of => Ok(Self { part, of }),
            _ => Err(PartError(text.to_owned())),
        }
    }
}

impl From<Part> for String {
    fn from(part: Part) -> String {
        part.to_string()
    }
}

impl TryFrom<String> for Part {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        text.parse()
    }
}

impl Experiment {
    /// The blocks of it, or of a part of it.
    pub fn blocks_in(&self, part: Option<Part>) -> impl Iterator<Item = usize> {
        (0..self.blocks).filter(move |&block| part.is_none_or(|part| part.has(block)))
    }

    /// The runs of a block in their order: those that are timed, or those under the profiler.
    pub fn block(&self, block: usize, profiled: bool) -> Vec<Due> {
        let blocks = match profiled {
            false => self.blocks,
            true => self.profile_blocks,
        };
        if block >= blocks {
            return Vec::new();
        }
        // Far apart for neighbouring blocks, whatever the generator does with small seeds.
        let spread = (block as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rng = Rng::with_seed(self.order_seed ^ spread ^ u64::from(profiled));
        let mut units: Vec<Vec<At>> = Vec::new();
        for (at, arm) in self.arms().filter(|(_, arm)| self.blocks_of(arm) > block) {
            match &arm.role {
                Role::Isolated { of, .. } => {
                    let workload = &self.workloads[at.workload];
                    let team = workload.arms.iter().position(|arm| arm.name == *of);
                    let first = |unit: &&mut Vec<At>| {
                        unit[0].workload == at.workload && Some(unit[0].arm) == team
                    };
                    if let Some(unit) = units.iter_mut().find(first) {
                        unit.push(at);
                    }
                }
                _ => units.push(vec![at]),
            }
        }
        rng.shuffle(&mut units);
        let mut due = Vec::new();
        for mut unit in units {
            let first = unit[0];
            rng.shuffle(&mut unit);
            due.extend(unit.into_iter().map(|at| Due {
                at,
                block,
                profiled,
                unit: first,
            }));
        }
        due
    }

    /// Every run of it, or of a part of it, in order. Runs under the profiler come last, and are the
    /// part's that has their block.
    pub fn order(&self, part: Option<Part>) -> Vec<Due> {
        let timed = self
            .blocks_in(part)
            .flat_map(|block| self.block(block, false));
        let profiled = self
            .blocks_in(part)
            .flat_map(|block| self.block(block, true));
        timed.chain(profiled).collect()
    }
}
