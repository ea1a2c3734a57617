//! Which runs a plan has, in which order, and which of them a part of it has.
//!
//! Runs are interleaved: block n holds the n-th run of each configuration, in an order drawn from
//! the seed, so that drift hits all configurations alike. A part of n takes, of configuration c, the
//! repetitions r with `(c + r) mod n` equal to its own: each part has runs of every configuration that
//! has n repetitions or more, so that a configuration is not one machine's alone. Which runs those
//! are does not depend on the seed.

use super::Plan;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One run of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// Index of its configuration, from 0.
    pub configuration: usize,
    /// Among the runs of its configuration, from 1.
    pub number: u32,
}

/// One of so many parts of a plan, written `2/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Part {
    part: u32,
    of: u32,
}

/// Text that is no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no part: expected PART/PARTS such as 1/3, with PART from 1 to PARTS")]
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

    /// Whether it has this run.
    pub fn has(self, run: Run) -> bool {
        let (of, index) = (u64::from(self.of), run.configuration as u64);
        (index + u64::from(run.number) - 1) % of == u64::from(self.part) - 1
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

impl Plan {
    /// All runs of it, or of a part of it, in the order that `seed` draws.
    pub fn order(&self, seed: u64, part: Option<Part>) -> Vec<Run> {
        let mut rng = Rng::with_seed(seed);
        let blocks = self.configurations.iter().map(|one| one.repetitions).max();
        let mut runs = Vec::with_capacity(self.runs());
        let mut block: Vec<usize> = (0..self.configurations.len()).collect();
        for number in 1..=blocks.unwrap_or_default() {
            rng.shuffle(&mut block);
            let due = block
                .iter()
                .filter(|&&index| self.configurations[index].repetitions >= number);
            runs.extend(due.map(|&configuration| Run {
                configuration,
                number,
            }));
        }
        runs.retain(|&run| part.is_none_or(|part| part.has(run)));
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// A plan with so many repetitions of each configuration.
    fn plan(repetitions: &[u32]) -> Plan {
        let mut plan = Plan::find("tr111").expect("a shipped plan");
        let pattern = plan.configurations.remove(0);
        let named = repetitions.iter().enumerate().map(|(index, &repetitions)| {
            let mut one = pattern.clone();
            one.name = format!("c{index}");
            one.repetitions = repetitions;
            one
        });
        plan.configurations = named.collect();
        plan
    }

    #[test]
    fn each_block_has_every_configuration_once_in_an_order_of_its_own() {
        let plan = Plan::find("tr114").expect("a shipped plan");
        let runs = plan.order(1, None);
        assert_eq!(runs.len(), 150);
        for (block, of) in runs.chunks(30).enumerate() {
            let number = block as u32 + 1;
            assert!(of.iter().all(|run| run.number == number));
            let each: HashSet<usize> = of.iter().map(|run| run.configuration).collect();
            assert_eq!(each.len(), 30);
        }
        let order = |block: usize| -> Vec<usize> {
            let of = &runs[block * 30..][..30];
            of.iter().map(|run| run.configuration).collect()
        };
        assert_ne!(order(0), order(1));
        assert_eq!(plan.order(1, None), runs);
        assert_ne!(plan.order(2, None), runs);
    }

    #[test]
    fn a_part_is_written_as_it_is_read() {
        let part: Part = "2/3".parse().expect("a part");
        assert_eq!(
            (part.part(), part.of(), part.to_string()),
            (2, 3, "2/3".to_owned())
        );
        for text in [
            "",
            "2",
            "0/3",
            "4/3",
            "1/0",
            "-1/3",
            "1/3/5",
            "a/b",
            "99999999999/1",
        ] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_disjoint_and_together_the_whole(
            repetitions in prop::collection::vec(1_u32..8, 1..20),
            of in 1_u32..9,
            seed: u64,
            other_seed: u64,
        ) {
            let plan = plan(&repetitions);
            let whole = plan.order(seed, None);
            let mut together = Vec::new();
            for part in 1..=of {
                let part = Some(Part { part, of });
                let runs = plan.order(seed, part);
                // In the order of the whole, and the same runs in any other order.
                let in_whole: Vec<Run> = whole.iter().copied().filter(|run| runs.contains(run)).collect();
                prop_assert_eq!(&in_whole, &runs);
                let again: HashSet<Run> = plan.order(other_seed, part).into_iter().collect();
                prop_assert_eq!(again, runs.iter().copied().collect::<HashSet<_>>());
                together.extend(runs);
            }
            prop_assert_eq!(together.len(), whole.len());
            together.sort_unstable();
            let mut expected: Vec<Run> = Vec::new();
            for (configuration, &count) in repetitions.iter().enumerate() {
                expected.extend((1..=count).map(|number| Run { configuration, number }));
            }
            prop_assert_eq!(together, expected);
        }

        #[test]
        fn no_part_has_two_runs_more_of_a_configuration_than_another(
            repetitions in prop::collection::vec(1_u32..12, 1..20),
            of in 1_u32..6,
        ) {
            let plan = plan(&repetitions);
            for configuration in 0..repetitions.len() {
                let counts: Vec<usize> = (1..=of)
                    .map(|part| {
                        let runs = plan.order(0, Some(Part { part, of }));
                        runs.iter().filter(|run| run.configuration == configuration).count()
                    })
                    .collect();
                let (least, most) = (counts.iter().min(), counts.iter().max());
                prop_assert!(most.copied() <= least.map(|least| least + 1), "{:?}", counts);
            }
        }
    }
}
