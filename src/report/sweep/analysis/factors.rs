//! By factor: the runs at each level, and whether a difference can be laid to the factor at all.
//!
//! Two factors are *crossed* where every level of the one occurs with every level of the other. What
//! is not crossed changes together, and a difference is then about neither alone.

use super::super::factor::{self, Factor, Level};
use super::super::figure::Figure;
use super::super::observation::Observation;
use super::ALPHA;
use super::groups::{self, Differ, Group, GroupTest, Grouped};
use crate::stats::{Interval, TTest, welch_interval, welch_t};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// So many levels are a factor; more are a name of each run.
const MOST_LEVELS: usize = 200;

/// A factor that varies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorAnalysis {
    /// Which.
    pub factor: Factor,
    /// Factors that group the runs in just the same way, so that all here holds for them too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<Factor>,
    /// Factors that are not crossed with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_crossed_with: Vec<Factor>,
    /// Its levels.
    pub levels: Vec<Group>,
    /// Whether they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<GroupTest>,
    /// The same without the levels at which two agents took turns; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlapping: Option<Overlapping>,
    /// The difference, where there are two levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two: Option<TwoLevels>,
}

/// The test of the levels at which two agents ran together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overlapping {
    /// The levels that are left out.
    pub without: Vec<Level>,
    /// Of the others. Its p is not adjusted.
    pub test: GroupTest,
}

/// Two levels against each other: the second's mean less the first's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TwoLevels {
    /// The first.
    pub from: Level,
    /// The second.
    pub to: Level,
    /// The difference in the figure's unit, at the confidence `1 − alpha_each`.
    pub difference: Interval,
    /// Welch's test.
    pub welch: TTest,
    /// What the interval may miss: 5 % over the number of factors of two levels (Bonferroni).
    pub alpha_each: f64,
    /// What can be said: differ where the interval excludes 0.
    pub verdict: Differ,
}

/// All factors that vary, in their order.
pub(super) fn factors(observations: &[&Observation], figure: Figure) -> Vec<FactorAnalysis> {
    let levels = varying(observations);
    let mut distinct: Vec<(Factor, Vec<Factor>)> = Vec::new();
    for &factor in levels.keys() {
        let same = |other: Factor| same_partition(observations, factor, other);
        match distinct.iter_mut().find(|(first, _)| same(*first)) {
            Some((_, others)) => others.push(factor),
            None => distinct.push((factor, Vec::new())),
        }
    }
    let of_two = distinct
        .iter()
        .filter(|(factor, _)| levels[factor].len() == 2);
    let alpha_each = ALPHA / of_two.count().max(1) as f64;
    let all: Vec<Factor> = distinct.iter().map(|(factor, _)| *factor).collect();
    let analysed = distinct.into_iter().map(|(factor, same_as)| {
        let groups = groups::by(observations, |one| one.level(factor));
        let others = all.iter().copied();
        let not_crossed_with = others
            .filter(|&other| other != factor && !factor::overlap(factor, other))
            .filter(|&other| !crossed(observations, factor, other))
            .collect();
        FactorAnalysis {
            factor,
            same_as,
            not_crossed_with,
            levels: groups::summed(&groups, figure),
            test: GroupTest::of(&groups, figure),
            overlapping: overlapping(&groups, figure),
            two: two_levels(&groups, figure, alpha_each),
        }
    });
    analysed.collect()
}

/// Factors with two levels or more among runs, all of which have one.
fn varying<'a>(observations: &[&'a Observation]) -> BTreeMap<Factor, BTreeSet<&'a Level>> {
    let mut levels: BTreeMap<Factor, BTreeSet<&Level>> = BTreeMap::new();
    for one in observations {
        for (factor, level) in &one.factors {
            levels.entry(*factor).or_default().insert(level);
        }
    }
    levels.retain(|_, levels| (2..=MOST_LEVELS).contains(&levels.len()));
    levels
}

/// Whether two factors group the runs alike: each level of the one goes with one of the other.
fn same_partition(observations: &[&Observation], a: Factor, b: Factor) -> bool {
    let (mut there, mut back) = (BTreeMap::new(), BTreeMap::new());
    observations.iter().all(|one| {
        let (a, b) = (one.level(a), one.level(b));
        *there.entry(a).or_insert(b) == b && *back.entry(b).or_insert(a) == a
    })
}

fn crossed(observations: &[&Observation], a: Factor, b: Factor) -> bool {
    let pairs = observations
        .iter()
        .filter_map(|one| Some((one.level(a)?, one.level(b)?)));
    let pairs: BTreeSet<(&Level, &Level)> = pairs.collect();
    let of_a: BTreeSet<&Level> = pairs.iter().map(|(a, _)| *a).collect();
    let of_b: BTreeSet<&Level> = pairs.iter().map(|(_, b)| *b).collect();
    pairs.len() == of_a.len() * of_b.len()
}

fn overlapping(groups: &Grouped<'_, &Level>, figure: Figure) -> Option<Overlapping> {
    let mut together = groups.clone();
    together.retain(|_, of_level| groups::mostly_overlap(of_level));
    if together.len() == groups.len() {
        return None;
    }
    let without = groups.keys().filter(|level| !together.contains_key(*level));
    Some(Overlapping {
        without: without.map(|&level| level.clone()).collect(),
        test: GroupTest::of(&together, figure)?,
    })
}

fn two_levels(groups: &Grouped<'_, &Level>, figure: Figure, alpha_each: f64) -> Option<TwoLevels> {
    let mut both = groups.iter();
    let (Some((&from, first)), Some((&to, second)), None) = (both.next(), both.next(), both.next())
    else {
        return None;
    };
    let (first, second) = (
        groups::values(first, figure),
        groups::values(second, figure),
    );
    let difference = welch_interval(&second, &first, alpha_each)?;
    Some(TwoLevels {
        from: from.clone(),
        to: to.clone(),
        welch: welch_t(&second, &first)?,
        alpha_each,
        verdict: match difference.low > 0.0 || difference.high < 0.0 {
            true => Differ::Differ,
            false => Differ::Undecided,
        },
        difference,
    })
}
