//! What all runs together say: runs in, numbers out, and no file is read.
//!
//! Runs of several agents and results of one are analysed apart. Each figure is summed up by
//! configuration and by factor level, its groups are tested, the best configuration is held against
//! what chance gives, and so is the share of configurations above the default. The same runs give
//! the same analysis, to the last digit: every draw has a fixed seed.
//!
//! All tests of a figure's factors are one family: their p-values stand as they are, and as Holm
//! adjusts them, and the adjusted one of Kruskal and Wallis decides.

mod base;
mod factors;
mod groups;
mod published;
#[cfg(test)]
mod tests;

pub use base::{AgainstDefault, DefaultOf, Difference, Exchanged, LevelSuccess, Success};
pub use factors::{FactorAnalysis, Overlapping, TwoLevels};
pub use groups::{Best, Differ, Group, GroupTest, Spreads, Summary};
pub use published::{Contention, Fit, OfLevel, Published, Rule, Serial, TrueBesidePublished};

use super::figure::Figure;
use super::observation::Observation;
use serde::Serialize;

/// Seed of every draw.
pub const SEED: u64 = 1;
/// What intervals miss, and what a test may cry wrongly.
pub const ALPHA: f64 = 0.05;

/// Whether several agents worked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// Runs of several agents.
    Concurrent,
    /// Results of one agent.
    Alone,
}

impl Together {
    /// The figures that are analysed if none is named.
    pub fn figures(self) -> &'static [Figure] {
        match self {
            Together::Concurrent => &[Figure::Balance, Figure::Efficiency, Figure::Makespan],
            Together::Alone => &[Figure::Throughput, Figure::Ttft, Figure::Gross],
        }
    }
}

/// All that is said of runs of one sort.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Family {
    /// Which sort.
    pub together: Together,
    /// How many.
    pub runs: usize,
    /// Runs in which a mock was late, so that the pace was not its profile's.
    pub mock_late: usize,
    /// Figure by figure.
    pub figures: Vec<FigureAnalysis>,
    /// What the published efficiency measures here; of several agents only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// All that is said of one figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FigureAnalysis {
    /// Which.
    pub figure: Figure,
    /// What its values are counted in.
    pub unit: &'static str,
    /// Over all runs.
    pub all: Summary,
    /// By configuration, in the order of names.
    pub configurations: Vec<Group>,
    /// How much runs vary within a configuration, and configurations among each other.
    pub spreads: Spreads,
    /// Whether configurations differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configurations_test: Option<GroupTest>,
    /// By factor, those that vary.
    pub factors: Vec<FactorAnalysis>,
    /// Against the default configuration, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_default: Option<AgainstDefault>,
    /// The best configuration; absent where the figure has no better end, or of fewer than two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
}

/// Analyses runs in any order: these figures, or each sort's own if none is named.
pub fn analyse(observations: &[Observation], figures: &[Figure]) -> Vec<Family> {
    let mut sorted: Vec<&Observation> = observations.iter().collect();
    sorted.sort_by(|a, b| {
        (&a.file, a.kind, &a.configuration).cmp(&(&b.file, b.kind, &b.configuration))
    });
    let sorts = [Together::Concurrent, Together::Alone].into_iter();
    let families = sorts.filter_map(|together| {
        let concurrent = together == Together::Concurrent;
        let of_sort = sorted.iter().copied();
        let of_sort: Vec<&Observation> = of_sort
            .filter(|one| one.kind.is_concurrent() == concurrent)
            .collect();
        let wanted = if figures.is_empty() {
            together.figures()
        } else {
            figures
        };
        (!of_sort.is_empty()).then(|| Family {
            together,
            runs: of_sort.len(),
            mock_late: of_sort
                .iter()
                .filter(|one| one.mock_late == Some(true))
                .count(),
            figures: wanted
                .iter()
                .filter_map(|&figure| one_figure(&of_sort, figure))
                .collect(),
            published: concurrent.then(|| published::published(&of_sort)),
        })
    });
    families.collect()
}

fn one_figure(observations: &[&Observation], figure: Figure) -> Option<FigureAnalysis> {
    let known: Vec<&Observation> = observations
        .iter()
        .copied()
        .filter(|one| one.figure(figure).is_some())
        .collect();
    let all = Summary::of(&groups::values(&known, figure))?;
    let configurations = groups::by(&known, |one| Some(one.configuration.clone()));
    let spreads = Spreads::of(&configurations, figure);
    let mut factors = factors::factors(&known, figure);
    let mut configurations_test = GroupTest::of(&configurations, figure);
    let tests = factors.iter_mut().filter_map(|factor| factor.test.as_mut());
    groups::adjust(tests.chain(&mut configurations_test));
    Some(FigureAnalysis {
        figure,
        unit: figure.unit(),
        all,
        spreads,
        configurations_test,
        factors,
        against_default: base::against_default(&known, figure),
        best: Best::of(&configurations, figure),
        configurations: groups::summed(&configurations, figure),
    })
}
