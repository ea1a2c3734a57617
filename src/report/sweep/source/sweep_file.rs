//! What a sweep's folder was to hold, by the plan in its `sweep.json`.

use super::super::observation::Observation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

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
    /// Runs of no configuration of the plan.
    pub strangers: usize,
    /// Why the file could not be used; the rest is then empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
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

/// Of `sweep.json`, what is needed here; the rest is passed over.
#[derive(Default, Deserialize)]
struct SweepFile {
    #[serde(default)]
    part: Option<serde_json::Value>,
    plan: Plan,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Plan {
    name: String,
    configurations: Vec<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    name: String,
    repetitions: usize,
}

/// How far the sweep is; `None` where the folder has no `sweep.json`.
pub fn state(folder: &Path, observations: &[Observation]) -> Option<PlanState> {
    let text = match std::fs::read_to_string(folder.join("sweep.json")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        // The path is a file, so that nothing lies below it.
        Err(_) if !folder.is_dir() => return None,
        Err(error) => return Some(unreadable(error.to_string())),
    };
    match serde_json::from_str::<SweepFile>(&text) {
        Ok(file) => Some(PlanState {
            is_part: file.part.is_some(),
            ..against(file.plan, observations)
        }),
        Err(error) => Some(unreadable(error.to_string())),
    }
}

fn unreadable(why: String) -> PlanState {
    PlanState {
        unreadable: Some(why.replace('\n', " ")),
        ..PlanState::default()
    }
}

fn against(plan: Plan, observations: &[Observation]) -> PlanState {
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for observation in observations {
        *there.entry(&observation.configuration).or_default() += 1;
    }
    let mut state = PlanState {
        name: plan.name,
        ..PlanState::default()
    };
    for Configuration { name, repetitions } in plan.configurations {
        let there = there.remove(name.as_str()).unwrap_or(0);
        state.planned += repetitions;
        state.there += there;
        if there < repetitions {
            state.incomplete.push(Incomplete {
                configuration: name,
                there,
                planned: repetitions,
            });
        }
    }
    state.strangers = there.values().sum();
    state
}
