//! Runs in groups: what each is like, whether they differ, and the best of them beside chance.

use super::super::figure::Figure;
use super::super::observation::Observation;
use super::{ALPHA, SEED};
use crate::stats::{
    Anova, BestOf, Better, Interval, KruskalWallis, Quartiles, anova, best_of, holm,
    kruskal_wallis, mean, mean_by_t, mean_interval, sample_sd, variation,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Of more values than this the bootstrap's interval of the mean and Student's are the same but for
/// the third digit, and Student's takes no time.
const RESAMPLED: usize = 200;

/// Runs that have something in common, by its name.
pub(super) type Grouped<'a, K> = BTreeMap<K, Vec<&'a Observation>>;

/// What values are like, in the figure's unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many runs.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Its 95 % interval, the bootstrap's or, of more than 200 runs, Student's; absent of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Sample standard deviation (n − 1); absent of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// The standard deviation as a share of the mean's size, 0.1 for 10 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<f64>,
    /// The values that cut them into quarters.
    pub quartiles: Quartiles,
    /// The least value.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Summary {
    /// Of values in any order; `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            n: values.len(),
            mean: mean(values)?,
            interval: match values.len() > RESAMPLED {
                true => mean_by_t(values, ALPHA),
                false => mean_interval(values, SEED),
            },
            sd: sample_sd(values),
            cv: variation(values),
            quartiles: Quartiles::of(values)?,
            least: values.iter().copied().fold(f64::INFINITY, f64::min),
            most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// The values that are known of a figure.
pub(super) fn values(observations: &[&Observation], figure: Figure) -> Vec<f64> {
    observations
        .iter()
        .filter_map(|one| one.figure(figure))
        .collect()
}

/// The runs by a key; those that have none are left out.
pub(super) fn by<'a, K: Ord>(
    observations: &[&'a Observation],
    key: impl Fn(&'a Observation) -> Option<K>,
) -> Grouped<'a, K> {
    let mut groups = Grouped::new();
    for &one in observations {
        if let Some(key) = key(one) {
            groups.entry(key).or_default().push(one);
        }
    }
    groups
}

/// A configuration or a level, and what its runs are like.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its runs.
    #[serde(flatten)]
    pub summary: Summary,
}

/// Each group summed up, in the order of keys.
pub(super) fn summed<K: ToString>(groups: &Grouped<'_, K>, figure: Figure) -> Vec<Group> {
    let summed = groups.iter().filter_map(|(key, of_group)| {
        Some(Group {
            name: key.to_string(),
            summary: Summary::of(&values(of_group, figure))?,
        })
    });
    summed.collect()
}

fn samples<K>(groups: &Grouped<'_, K>, figure: Figure) -> Vec<Vec<f64>> {
    groups
        .values()
        .map(|of_group| values(of_group, figure))
        .collect()
}

/// Whether in half of the runs or more the agents ran together.
pub(super) fn mostly_overlap(runs: &[&Observation]) -> bool {
    2 * runs.iter().filter(|one| one.overlaps()).count() >= runs.len()
}

/// What there is to exchange between groups: their runs, or, where none has two, the calls of their
/// runs. Calls of one process go together, so that groups that do not differ seem to: what is what
/// chance gives by calls is so by runs. Says whether it is calls.
pub(super) fn exchangeable<'a>(
    groups: impl Iterator<Item = &'a [&'a Observation]> + Clone,
    figure: Figure,
) -> (Vec<Vec<f64>>, bool) {
    let runs: Vec<Vec<f64>> = groups
        .clone()
        .map(|of_group| values(of_group, figure))
        .collect();
    if runs.iter().any(|of_group| of_group.len() > 1) {
        return (runs, false);
    }
    let calls: Vec<Vec<f64>> = groups
        .map(|of_group| {
            let of_runs = of_group.iter().filter_map(|one| one.calls.get(&figure));
            of_runs.flatten().copied().collect()
        })
        .collect();
    match calls.iter().all(|of_group| !of_group.is_empty()) {
        true => (calls, true),
        false => (runs, false),
    }
}

/// How much runs vary within groups, and the groups among each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spreads {
    /// How many groups.
    pub groups: usize,
    /// The pooled standard deviation within groups as a share of the mean of all runs, 0.1 for 10 %;
    /// absent where no group has two runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv_within: Option<f64>,
    /// The standard deviation of the groups' means as a share of their mean; absent of one group.
    /// It holds what the groups' own runs make their means vary by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv_between: Option<f64>,
}

impl Spreads {
    pub(super) fn of<K>(groups: &Grouped<'_, K>, figure: Figure) -> Self {
        let samples = samples(groups, figure);
        let means: Vec<f64> = samples.iter().filter_map(|one| mean(one)).collect();
        let (mut squares, mut freedom) = (0.0, 0.0);
        for one in &samples {
            if let Some(sd) = sample_sd(one) {
                let own = one.len() as f64 - 1.0;
                squares += own * sd * sd;
                freedom += own;
            }
        }
        let overall = mean(&samples.concat()).map(f64::abs);
        let within = overall.map(|overall| (squares / freedom).sqrt() / overall);
        Self {
            groups: samples.len(),
            cv_within: within.filter(|cv| cv.is_finite()),
            cv_between: variation(&means),
        }
    }
}

/// Whether groups differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Differ {
    /// Some group differs from another: p, adjusted for all tests of the figure, is at most 5 %.
    Differ,
    /// That was not found, which is not the same as that they are alike.
    Undecided,
}

/// The tests of groups. Both are shown; that of Kruskal and Wallis decides, as it asks for no normal
/// values and no equal spreads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupTest {
    /// How many runs.
    pub n: usize,
    /// In how many groups.
    pub groups: usize,
    /// Analysis of variance; absent where nothing varies within a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anova: Option<Anova>,
    /// Kruskal and Wallis's test; absent where all values are equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kruskal_wallis: Option<KruskalWallis>,
    /// Its p, adjusted after Holm for all tests of the figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// What can be said.
    pub verdict: Differ,
}

impl GroupTest {
    /// `None` where there is nothing to compare: fewer than two groups, or one run in each.
    pub(super) fn of<K>(groups: &Grouped<'_, K>, figure: Figure) -> Option<Self> {
        let samples = samples(groups, figure);
        let found = Self {
            n: samples.iter().map(Vec::len).sum(),
            groups: samples.len(),
            anova: anova(&samples),
            kruskal_wallis: kruskal_wallis(&samples),
            p_adjusted: None,
            verdict: Differ::Undecided,
        };
        (found.anova.is_some() || found.kruskal_wallis.is_some()).then_some(found)
    }
}

/// Makes one family of tests, and says what each decides.
pub(super) fn adjust<'a>(tests: impl Iterator<Item = &'a mut GroupTest>) {
    let mut decided: Vec<(&mut GroupTest, f64)> = tests
        .filter_map(|test| {
            let p = test.kruskal_wallis?.p;
            Some((test, p))
        })
        .collect();
    let p: Vec<f64> = decided.iter().map(|(_, p)| *p).collect();
    let adjusted = holm(&p).unwrap_or_default();
    for ((test, _), adjusted) in decided.iter_mut().zip(adjusted) {
        test.p_adjusted = Some(adjusted);
        test.verdict = match adjusted <= ALPHA {
            true => Differ::Differ,
            false => Differ::Undecided,
        };
    }
}

/// The best configuration, and what the best of so many would be by chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Best {
    /// Its name.
    pub configuration: String,
    /// Its runs. Their mean flatters it: it was chosen for it.
    #[serde(flatten)]
    pub summary: Summary,
    /// Among how many configurations.
    pub among: usize,
    /// So many are left out, as their agents took turns: they would make chance seem to do more than
    /// it does.
    pub left_out: usize,
    /// By chance; absent where no configuration has two runs, nor two calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance: Option<BestOf>,
    /// Whether chance was given calls to exchange, as no configuration has two runs. Calls of one
    /// process go together, so that the p is then too small, if anything.
    pub of_calls: bool,
    /// Whether it is more than chance gives: p at most 5 %.
    pub verdict: Differ,
}

impl Best {
    pub(super) fn of(all: &Grouped<'_, String>, figure: Figure) -> Option<Self> {
        let better = figure.better()?;
        let mut together = all.clone();
        together.retain(|_, runs| mostly_overlap(runs));
        let groups = if together.len() > 1 { &together } else { all };
        (groups.len() > 1).then_some(())?;
        let turned = |value: f64| match better {
            Better::Higher => value,
            Better::Lower => -value,
        };
        let samples = samples(groups, figure);
        let means: Option<Vec<f64>> = samples.iter().map(|one| mean(one).map(turned)).collect();
        let means = means?;
        let at = (0..means.len()).max_by(|&a, &b| means[a].total_cmp(&means[b]).then(b.cmp(&a)))?;
        let (exchanged, of_calls) = exchangeable(groups.values().map(Vec::as_slice), figure);
        let chance = best_of(&exchanged, better, SEED);
        Some(Self {
            configuration: groups.keys().nth(at)?.clone(),
            summary: Summary::of(samples.get(at)?)?,
            among: groups.len(),
            left_out: all.len() - groups.len(),
            // By calls a small p may be that of processes, so that it decides nothing.
            verdict: match &chance {
                Some(chance) if chance.p <= ALPHA && !of_calls => Differ::Differ,
                _ => Differ::Undecided,
            },
            chance,
            of_calls,
        })
    }
}
