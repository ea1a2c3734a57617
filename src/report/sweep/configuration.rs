//! Names of configurations where no plan gave one: made of what was chosen, and only of what was
//! chosen differently somewhere.

use super::factor::{Factor, Level, Seat, Setting};
use super::observation::Observation;
use std::collections::{BTreeMap, BTreeSet};

/// What stands before the scenario, where it varies. A machine is none: the same configuration on
/// two machines is one configuration.
const BEFORE: [Factor; 2] = [Factor::Runtime, Factor::Stack];
/// What stands after the options, where it varies.
const AFTER: [Factor; 5] = [
    Factor::Agents,
    Factor::Servers,
    Factor::Threads,
    Factor::Length,
    Factor::Model,
];

/// Gives each run that has no name yet the one made of its factors.
pub fn name_all(observations: &mut [Observation]) {
    let varying = varying(observations);
    for observation in observations {
        if observation.configuration.is_empty() {
            observation.configuration = name(observation, &varying);
        }
    }
}

/// Factors of which not all runs have the same level, or which some lack.
fn varying(observations: &[Observation]) -> BTreeSet<Factor> {
    let mut levels: BTreeMap<Factor, BTreeSet<Option<&Level>>> = BTreeMap::new();
    for factor in BEFORE.into_iter().chain(AFTER) {
        let of_factor = observations.iter().map(|one| one.level(factor));
        levels.insert(factor, of_factor.collect());
    }
    let several = levels.into_iter().filter(|(_, levels)| levels.len() > 1);
    several.map(|(factor, _)| factor).collect()
}

fn name(observation: &Observation, varying: &BTreeSet<Factor>) -> String {
    let level = |factor: Factor| observation.level(factor);
    let mut parts = Vec::new();
    let has_stack = varying.contains(&Factor::Stack) && level(Factor::Stack).is_some();
    for factor in BEFORE {
        let said_by_stack = factor == Factor::Runtime && has_stack;
        if let Some(level) = level(factor).filter(|_| varying.contains(&factor) && !said_by_stack) {
            parts.push(level.to_string());
        }
    }
    parts.extend(level(Factor::Scenario).map(Level::to_string));
    let chosen = |seat| settings(observation, seat);
    let (collector, insight) = (chosen(Seat::Collector), chosen(Seat::Insight));
    match observation.is_default {
        true if level(Factor::Scenario).is_none_or(|level| level.as_str() != "baseline") => {
            parts.push(Level::DEFAULT.to_owned());
        }
        true => {}
        false if collector == insight => {
            let both = if collector.is_empty() {
                chosen(Seat::Agents)
            } else {
                collector
            };
            parts.extend((!both.is_empty()).then(|| both.join(" ")));
        }
        false => {
            for (seat, chosen) in [("collector", collector), ("insight", insight)] {
                let chosen = match chosen.is_empty() {
                    true => Level::DEFAULT.to_owned(),
                    false => chosen.join(" "),
                };
                parts.push(format!("{seat}({chosen})"));
            }
        }
    }
    for factor in AFTER {
        if let Some(level) = level(factor).filter(|_| varying.contains(&factor)) {
            parts.push(format!("{factor}={level}"));
        }
    }
    if parts.is_empty() {
        parts.push("all".to_owned());
    }
    parts.join(" ")
}

/// The options that are not at their default.
fn settings(observation: &Observation, seat: Seat) -> Vec<String> {
    let chosen = Setting::ALL.into_iter().filter_map(|setting| {
        let level = observation.level(Factor::Option(seat, setting))?;
        (level.as_str() != Level::DEFAULT).then(|| format!("{}={level}", setting.name()))
    });
    chosen.collect()
}
