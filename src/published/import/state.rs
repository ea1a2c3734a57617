//! How far a sweep is: the runs that its folder was to hold against those that are there.

use crate::experiment::{Role, Stored};
use crate::report::sweep::Observation;
use serde::Serialize;
use std::collections::BTreeMap;

/// A sweep's plan against what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlanState {
    /// The plan's name.
    pub name: String,
    /// Whether the folder is for a part of the plan only, so that the rest lies elsewhere.
    pub is_part: bool,
    /// Runs that the whole plan has, warm-ups not counted.
    pub planned: usize,
    /// Runs of its configurations that are there.
    pub there: usize,
    /// Configurations that lack runs, with how many of how many are there.
    pub incomplete: Vec<Incomplete>,
}

/// A configuration that lacks runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// Its name.
    pub configuration: String,
    /// Runs that are there.
    pub there: usize,
    /// Runs that are planned.
    pub planned: usize,
}

impl PlanState {
    /// How far a stored sweep is.
    pub fn of(stored: &Stored, observations: &[Observation]) -> Self {
        let experiment = &stored.manifest.experiment;
        let mut there: BTreeMap<&str, usize> = BTreeMap::new();
        for observation in observations {
            *there.entry(&observation.configuration).or_default() += 1;
        }
        let mut state = Self {
            name: experiment.name.clone(),
            is_part: stored.manifest.part.is_some(),
            ..Self::default()
        };
        for (_, arm) in experiment.arms() {
            if matches!(arm.role, Role::Isolated { .. }) {
                continue;
            }
            let there = there.get(arm.name.as_str()).copied().unwrap_or(0);
            let planned = experiment.blocks_of(arm);
            state.planned += planned;
            state.there += there;
            if there < planned {
                state.incomplete.push(Incomplete {
                    configuration: arm.name.clone(),
                    there,
                    planned,
                });
            }
        }
        state
    }
}
