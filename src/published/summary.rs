//! `summary.json`: each figure over the runs.
//!
//! `published` has the figures of the older reports' `summary` under their names, `tare` ours under
//! those of a run's [`Truth`]: as there, what a name promises is what it holds in `tare` only.

use super::setup::TeamSetup;
use crate::published::{Summary, TeamRun, Truth};
use crate::stats::{mean, sample_sd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.team-summary/1";

/// All runs of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamSummary {
    /// Name and version of the format.
    pub schema: String,
    /// What ran, on what.
    pub provenance: TeamSetup,
    /// As in each run.
    pub scenario: String,
    /// Agents of the team.
    pub agents: usize,
    /// Runs.
    pub runs: usize,
    /// The published figures of two agents, by name; empty for any other number, and for agents
    /// without the two roles.
    pub published: BTreeMap<String, Over>,
    /// The true figures, by name.
    pub tare: BTreeMap<String, Over>,
    /// In how many runs there was contention, by each rule's name; of the runs that tell.
    pub contention: BTreeMap<String, Counted>,
    /// In how many runs the mock was late, of those that tell; absent if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_late: Option<Counted>,
}

/// A figure over the runs that have it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Over {
    /// How many runs have it.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Sample standard deviation (n − 1); absent of one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Over {
    /// Of these values; `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            n: values.len(),
            mean: mean(values)?,
            sd: sample_sd(values),
            least: values.iter().copied().reduce(f64::min)?,
            most: values.iter().copied().reduce(f64::max)?,
        })
    }
}

/// In how many of so many runs something was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// It was so.
    pub count: usize,
    /// The runs that tell.
    pub of: usize,
}

impl Counted {
    /// Of these runs, those that do not tell being passed over; `None` if none tells.
    pub fn of(runs: impl IntoIterator<Item = Option<bool>>) -> Option<Self> {
        let told: Vec<bool> = runs.into_iter().flatten().collect();
        let of = told.len();
        let count = told.into_iter().filter(|&it| it).count();
        (of > 0).then_some(Self { count, of })
    }
}

/// A figure's name, and where it is in a record.
type Named<T> = (&'static str, fn(&T) -> Option<f64>);

const PUBLISHED: [Named<Summary>; 10] = [
    ("throughput_delta", |it| it.throughput_delta),
    ("ttft_delta_ms", |it| it.ttft_delta_ms),
    ("concurrency_speedup", |it| Some(it.concurrency_speedup)),
    ("efficiency_percent", |it| Some(it.efficiency_percent)),
    ("sequential_estimated_s", |it| {
        Some(it.sequential_estimated_s)
    }),
    ("concurrent_wall_time_s", |it| {
        Some(it.concurrent_wall_time_s)
    }),
    ("collector_throughput", |it| it.collector_throughput),
    ("collector_ttft_ms", |it| it.collector_ttft_ms),
    ("insight_throughput", |it| it.insight_throughput),
    ("insight_ttft_ms", |it| it.insight_ttft_ms),
];

const TRUE: [Named<Truth>; 10] = [
    ("makespan_s", |it| Some(it.makespan_s)),
    ("isolated_total_s", |it| it.isolated_total_s),
    ("speedup", |it| it.speedup),
    ("efficiency_percent", |it| it.efficiency_percent),
    ("balance_percent", |it| Some(it.balance_percent)),
    ("tokens_per_s", |it| Some(it.tokens_per_s)),
    ("queueing_s", |it| it.queueing_s),
    ("reload_s", |it| it.reload_s),
    ("fairness", |it| it.fairness),
    ("tare_per_agent_ms", |it| it.tare_per_agent_ms),
];

fn over<'a, T: 'a>(
    named: &[Named<T>],
    records: impl Iterator<Item = &'a T> + Clone,
) -> BTreeMap<String, Over> {
    let figures = named.iter().filter_map(|(name, figure)| {
        let values: Vec<f64> = records.clone().filter_map(figure).collect();
        Some(((*name).to_owned(), Over::of(&values)?))
    });
    figures.collect()
}

impl TeamSummary {
    /// Of these runs, which are of one team; `None` of none.
    pub fn of(setup: TeamSetup, runs: &[TeamRun]) -> Option<Self> {
        let first = runs.first()?;
        let truths = runs.iter().filter_map(|run| run.tare.as_ref());
        let rule = |name: &str, rule: fn(&Truth) -> Option<bool>| {
            Some((name.to_owned(), Counted::of(truths.clone().map(rule))?))
        };
        let rules = [
            rule("speedup_below_1_5", |it| {
                Some(it.contention.speedup_below_1_5)
            }),
            rule("ttft_3s_over_baseline", |it| {
                it.contention.ttft_3s_over_baseline
            }),
            rule("waited", |it| it.contention.waited),
        ];
        Some(Self {
            schema: SCHEMA.to_owned(),
            provenance: setup,
            scenario: first.scenario.clone(),
            agents: first.members().count(),
            runs: runs.len(),
            published: over(
                &PUBLISHED,
                runs.iter().filter_map(|run| run.summary.as_ref()),
            ),
            tare: over(&TRUE, truths.clone()),
            contention: rules.into_iter().flatten().collect(),
            mock_late: Counted::of(truths.map(|it| it.mock_late)),
        })
    }

    /// A published figure, by its name.
    pub fn published(&self, name: &str) -> Option<&Over> {
        self.published.get(name)
    }

    /// One of ours, by its name.
    pub fn true_figure(&self, name: &str) -> Option<&Over> {
        self.tare.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_over_the_runs_that_have_it() {
        let over = Over::of(&[3.0, 1.0]).expect("two");
        assert_eq!(
            (over.n, over.mean, over.least, over.most),
            (2, 2.0, 1.0, 3.0)
        );
        assert_eq!(over.sd, Some(f64::sqrt(2.0)));
        assert_eq!(Over::of(&[1.0]).and_then(|over| over.sd), None);
        assert_eq!(Over::of(&[]), None);
    }

    #[test]
    fn a_run_that_does_not_tell_is_not_counted() {
        let counted = Counted::of([Some(true), None, Some(false)]);
        assert_eq!(counted, Some(Counted { count: 1, of: 2 }));
        assert_eq!(Counted::of([None]), None);
    }
}
