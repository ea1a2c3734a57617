//! Configurations against the default one: the success rate of the older reports (claim C10), and
//! what it is worth.
//!
//! A configuration is held against the default of the same runtime, client, servers, model and the
//! like. "13 of 18 are above it" has three nulls. By the sign test each is above it in one case of
//! two: that takes the default for known. But it was measured too, and if it came out low, most are
//! above it together; so the labels are exchanged, the default's with them (`stats/chance.rs`). And
//! the differences have a mean with a t-test against 0, which shares that fault: its interval holds
//! nothing of the default's own error, which stands beside it.

use super::super::factor::Factor;
use super::super::figure::Figure;
use super::super::observation::Observation;
use super::groups::{self, Grouped};
use super::{ALPHA, SEED};
use crate::stats::{
    Better, BetterThanBase, Interval, Rate, TTest, better_than_base, mean, mean_interval,
    one_sample_t, sample_sd,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Configurations against the default one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgainstDefault {
    /// The default configurations, one for each runtime, client and the like.
    pub defaults: Vec<DefaultOf>,
    /// Each configuration against its default, in the order of names.
    pub differences: Vec<Difference>,
    /// The share of configurations whose mean is better than the default's; those with the same mean
    /// are left out. Absent where the figure has no better end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configurations: Option<Success>,
    /// The share of runs better than the default's mean. Runs of one configuration go together, so
    /// that its interval and p are too sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Success>,
    /// The share of configurations by level of each factor.
    pub by_level: Vec<LevelSuccess>,
    /// The mean of the differences of the configurations, %, with its 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_percent: Option<Interval>,
    /// One-sample t of the differences against 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t_test: Option<TTest>,
    /// As many better if nothing differs, the default itself being exchanged too; where there is one
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchanged: Option<Exchanged>,
}

/// How many are better than the default, if nothing differs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Exchanged {
    /// What was found.
    #[serde(flatten)]
    pub found: BetterThanBase,
    /// Whether calls were exchanged, as no configuration has two runs.
    pub of_calls: bool,
}

/// A default configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefaultOf {
    /// Its name.
    pub configuration: String,
    /// Its runs.
    pub n: usize,
    /// Their mean, in the figure's unit.
    pub mean: f64,
    /// The standard error of that mean, in % of it: by so much all differences may be off together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<f64>,
}

/// A configuration against its default.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its name.
    pub configuration: String,
    /// Its default's.
    pub default: String,
    /// Its runs.
    pub n: usize,
    /// Its mean less the default's, in % of the default's.
    pub percent: f64,
}

/// A share that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Success {
    /// So many were better.
    pub better: u32,
    /// Of so many.
    pub of: u32,
    /// `better / of`, 0 to 1.
    pub share: f64,
    /// Clopper and Pearson's 95 % interval of the share.
    pub interval: (f64, f64),
    /// What the share is if nothing differs.
    pub null: f64,
    /// The exact binomial test against that, two-sided.
    pub p: f64,
}

/// The share that succeeded at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelSuccess {
    /// The factor.
    pub factor: Factor,
    /// Its level.
    pub level: String,
    /// Of the configurations at that level.
    #[serde(flatten)]
    pub success: Success,
}

impl Success {
    const NULL: f64 = 0.5;

    fn of(better: usize, of: usize) -> Option<Self> {
        let (better, of) = (u32::try_from(better).ok()?, u32::try_from(of).ok()?);
        let rate = Rate::new(better, of)?;
        Some(Self {
            better,
            of,
            share: rate.share(),
            interval: rate.clopper_pearson(ALPHA)?,
            null: Self::NULL,
            p: rate.binomial_p(Self::NULL)?,
        })
    }

    /// Of values against a base; those equal to it are left out.
    fn among(values: impl Iterator<Item = (f64, f64)>, better: Better) -> Option<Self> {
        let decided: Vec<bool> = values
            .filter(|(value, base)| value != base)
            .map(|(value, base)| (value > base) == (better == Better::Higher))
            .collect();
        Self::of(
            decided.iter().filter(|&&better| better).count(),
            decided.len(),
        )
    }
}

/// A configuration with its default.
struct Pair<'a> {
    name: &'a str,
    runs: &'a [&'a Observation],
    base: &'a DefaultOf,
}

/// All of it; `None` where no configuration has a default that it could be held against.
pub(super) fn against_default(
    observations: &[&Observation],
    figure: Figure,
) -> Option<AgainstDefault> {
    let configurations = groups::by(observations, |one| Some(one.configuration.as_str()));
    let defaults = defaults(&configurations, figure);
    let pairs: Vec<Pair<'_>> = configurations
        .iter()
        .filter_map(|(name, runs)| {
            let first = runs.first().filter(|one| !one.is_default)?;
            let base = defaults.get(&stratum(first))?.as_ref()?;
            Some(Pair { name, runs, base })
        })
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let better = figure.better();
    let mean_of = |pair: &Pair<'_>| mean(&groups::values(pair.runs, figure));
    let means: Vec<(f64, f64)> = pairs
        .iter()
        .filter_map(|pair| Some((mean_of(pair)?, pair.base.mean)))
        .collect();
    let differences: Vec<Difference> = pairs
        .iter()
        .zip(&means)
        .map(|(pair, (own, base))| Difference {
            configuration: pair.name.to_owned(),
            default: pair.base.configuration.clone(),
            n: pair.runs.len(),
            percent: 100.0 * (own - base) / base.abs(),
        })
        .filter(|difference| difference.percent.is_finite())
        .collect();
    let percents: Vec<f64> = differences.iter().map(|one| one.percent).collect();
    let runs = pairs.iter().flat_map(|pair| {
        let values = groups::values(pair.runs, figure).into_iter();
        values.map(|value| (value, pair.base.mean))
    });
    let used: Vec<DefaultOf> = defaults.values().flatten().cloned().collect();
    let exchanged = match (&used[..], better) {
        ([base], Some(better)) => {
            let base = configurations[base.configuration.as_str()].as_slice();
            let all = std::iter::once(base).chain(pairs.iter().map(|pair| pair.runs));
            let (values, of_calls) = groups::exchangeable(all, figure);
            let (base, own) = values.split_first()?;
            let found = better_than_base(base, own, better, SEED);
            found.map(|found| Exchanged { found, of_calls })
        }
        _ => None,
    };
    Some(AgainstDefault {
        configurations: better.and_then(|better| Success::among(means.iter().copied(), better)),
        runs: better.and_then(|better| Success::among(runs, better)),
        by_level: better.map_or_else(Vec::new, |better| by_level(&pairs, &means, better)),
        mean_percent: mean_interval(&percents, SEED),
        t_test: one_sample_t(&percents, 0.0),
        defaults: used,
        differences,
        exchanged,
    })
}

/// What a configuration and its default must have in common: all but the options and the scenario.
fn stratum(one: &Observation) -> Vec<(Factor, String)> {
    let chosen =
        |factor: Factor| matches!(factor, Factor::Scenario | Factor::Option(..) | Factor::Host);
    let kept = one.factors.iter().filter(|(factor, _)| !chosen(**factor));
    kept.map(|(factor, level)| (*factor, level.to_string()))
        .collect()
}

/// The default of each stratum; `None` of one that has several, for then there is no telling which.
fn defaults(
    configurations: &Grouped<'_, &str>,
    figure: Figure,
) -> BTreeMap<Vec<(Factor, String)>, Option<DefaultOf>> {
    let mut found: BTreeMap<_, Option<DefaultOf>> = BTreeMap::new();
    for (name, runs) in configurations {
        let Some(first) = runs.first().filter(|one| one.is_default) else {
            continue;
        };
        let values = groups::values(runs, figure);
        let Some(own) = mean(&values) else { continue };
        let error =
            sample_sd(&values).map(|sd| 100.0 * sd / (values.len() as f64).sqrt() / own.abs());
        let default = DefaultOf {
            configuration: (*name).to_owned(),
            n: values.len(),
            mean: own,
            error_percent: error.filter(|error| error.is_finite()),
        };
        found
            .entry(stratum(first))
            .and_modify(|one| *one = None)
            .or_insert(Some(default));
    }
    found
}

fn by_level(pairs: &[Pair<'_>], means: &[(f64, f64)], better: Better) -> Vec<LevelSuccess> {
    let mut levels: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
    for (pair, &means) in pairs.iter().zip(means) {
        for (factor, level) in pair.runs.first().into_iter().flat_map(|one| &one.factors) {
            levels.entry((*factor, level)).or_default().push(means);
        }
    }
    let varies = |factor: Factor| levels.keys().filter(|(other, _)| *other == factor).count() > 1;
    let of_level = levels.iter().filter(|((factor, _), _)| varies(*factor));
    of_level
        .filter_map(|((factor, level), means)| {
            Some(LevelSuccess {
                factor: *factor,
                level: level.to_string(),
                success: Success::among(means.iter().copied(), better)?,
            })
        })
        .collect()
}
