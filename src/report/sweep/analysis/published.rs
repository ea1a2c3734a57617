//! What the published efficiency measures here: how equal two durations are (claim C1).
//!
//! `(T_A + T_B) / (2 · wall)` is `(1 + b) / 2` where the wall-clock time is the longer agent's, b
//! being the shorter time over the longer one. So R² on b, the *duration balance*, is near 1 by
//! algebra, wherever agents overlap and nothing follows the longer one: it shows that the figure
//! holds nothing else. That the two durations come from the server and not from the runtime is
//! another matter, and is shown by two balances that the formula does not know: of the server's time
//! for each agent's calls, by the server's own clock, and of the tokens that each agent got.

use super::super::factor::{Factor, Level};
use super::super::figure::Figure;
use super::super::observation::{Contended, Observation};
use super::groups::{self, Summary};
use super::{ALPHA, SEED};
use crate::stats::{Interval, Line, Rate, mean_interval, regression};
use serde::Serialize;

/// What explains the published efficiency, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// Straight lines through all runs, then by runtime.
    pub fits: Vec<Fit>,
    /// Over runs of two agents, how far the published efficiency is from `(1 + b) / 2`, points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_the_identity: Option<Summary>,
    /// Runs in which the two agents took turns, by runtime.
    pub serial: Vec<Serial>,
    /// What the wall-clock time holds beyond the longer agent's, by runtime, ms.
    pub beyond_longer: Vec<OfLevel>,
    /// The server's time for all calls over the agents' times, by runtime, %.
    pub server_share: Vec<OfLevel>,
    /// The true efficiency beside the published one, by configuration and over all; where both are.
    pub beside_true: Vec<TrueBesidePublished>,
    /// Contention by each rule, by number of servers.
    pub contention: Vec<Contention>,
}

/// A line from a balance to the published efficiency, both in %.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// The balance.
    pub on: Figure,
    /// The runtime; absent over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Level>,
    /// Whether runs in which two agents took turns are left out.
    pub overlapping_only: bool,
    /// The line.
    #[serde(flatten)]
    pub line: Line,
}

/// Runs in which two agents overlapped for less than half of the shorter one's time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Serial {
    /// The runtime; absent over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Level>,
    /// So many runs.
    pub serial: usize,
    /// Of so many of which it is known.
    pub of: usize,
    /// The overlap of all of them, % of the shorter agent's time.
    pub overlap: Summary,
}

/// A figure at one level of the runtime.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfLevel {
    /// The runtime; absent over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Level>,
    /// Whether runs in which two agents took turns are left out.
    pub overlapping_only: bool,
    /// Its runs.
    #[serde(flatten)]
    pub summary: Summary,
}

/// The true efficiency beside the published one, %.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrueBesidePublished {
    /// The configuration; absent over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// As published: the balance.
    pub published: Summary,
    /// Against each agent alone.
    #[serde(rename = "true")]
    pub real: Summary,
    /// Published less true, run by run, points, with its 95 % interval; absent of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excess: Option<Interval>,
}

/// A rule of contention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The published code: speed-up below 1.5.
    SpeedupBelow1_5,
    /// The published text: TTFT more than 3 s above that of the same agent alone.
    Ttft3sOverBaseline,
    /// Ours: calls waited more than 1 % of the makespan.
    Waited,
}

impl Rule {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Rule::SpeedupBelow1_5 => "speed-up below 1.5",
            Rule::Ttft3sOverBaseline => "TTFT 3 s over alone",
            Rule::Waited => "waited over 1 %",
        }
    }
}

/// How often a rule found contention.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contention {
    /// Servers that were asked; absent over all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<Level>,
    /// The rule.
    pub rule: Rule,
    /// In so many runs.
    pub found: u32,
    /// Of so many of which it can tell.
    pub of: u32,
    /// Wilson's 95 % interval of the share.
    pub interval: (f64, f64),
}

/// All of it.
pub(super) fn published(observations: &[&Observation]) -> Published {
    let by_runtime = strata(observations, Factor::Runtime);
    Published {
        fits: fits(&by_runtime),
        off_the_identity: off_the_identity(observations),
        serial: by_runtime
            .iter()
            .filter(|one| !one.overlapping_only)
            .filter_map(serial)
            .collect(),
        beyond_longer: of_levels(&by_runtime, Figure::BeyondLonger),
        server_share: of_levels(&by_runtime, Figure::ServerShare),
        beside_true: beside_true(observations),
        contention: contention(observations),
    }
}

/// Runs that are looked at together.
struct Stratum<'a> {
    level: Option<Level>,
    overlapping_only: bool,
    runs: Vec<&'a Observation>,
}

/// All runs, those in which no two agents took turns if there are others, and then those at each
/// level where there are several.
fn strata<'a>(observations: &[&'a Observation], factor: Factor) -> Vec<Stratum<'a>> {
    let stratum = |level: Option<&Level>, overlapping_only, runs| Stratum {
        level: level.cloned(),
        overlapping_only,
        runs,
    };
    let mut strata = vec![stratum(None, false, observations.to_vec())];
    let overlapping: Vec<&Observation> = observations
        .iter()
        .copied()
        .filter(|one| one.overlaps())
        .collect();
    if !overlapping.is_empty() && overlapping.len() < observations.len() {
        strata.push(stratum(None, true, overlapping));
    }
    let levels = groups::by(observations, |one| one.level(factor));
    if levels.len() > 1 {
        let of_levels = levels.into_iter();
        strata.extend(of_levels.map(|(level, runs)| stratum(Some(level), false, runs)));
    }
    strata
}

fn fits(by_runtime: &[Stratum<'_>]) -> Vec<Fit> {
    let balances = [
        Figure::DurationBalance,
        Figure::ServerTimeBalance,
        Figure::TokenBalance,
    ];
    let mut fits = Vec::new();
    for on in balances {
        for stratum in by_runtime {
            let points = stratum
                .runs
                .iter()
                .filter_map(|one| Some((one.figure(on)?, one.figure(Figure::Balance)?)));
            let (x, y): (Vec<f64>, Vec<f64>) = points.unzip();
            let line = regression(&x, &y);
            fits.extend(line.map(|line| Fit {
                on,
                runtime: stratum.level.clone(),
                overlapping_only: stratum.overlapping_only,
                line,
            }));
        }
    }
    fits
}

fn off_the_identity(observations: &[&Observation]) -> Option<Summary> {
    let off = observations.iter().filter_map(|one| {
        one.figure(Figure::Overlap)?;
        let by_balance = 50.0 + 0.5 * one.figure(Figure::DurationBalance)?;
        Some((one.figure(Figure::Balance)? - by_balance).abs())
    });
    Summary::of(&off.collect::<Vec<f64>>())
}

fn serial(stratum: &Stratum<'_>) -> Option<Serial> {
    let overlaps = groups::values(&stratum.runs, Figure::Overlap);
    Some(Serial {
        runtime: stratum.level.clone(),
        serial: stratum.runs.iter().filter(|one| !one.overlaps()).count(),
        of: overlaps.len(),
        overlap: Summary::of(&overlaps)?,
    })
}

fn of_levels(by_runtime: &[Stratum<'_>], figure: Figure) -> Vec<OfLevel> {
    let summed = by_runtime.iter().filter_map(|stratum| {
        Some(OfLevel {
            runtime: stratum.level.clone(),
            overlapping_only: stratum.overlapping_only,
            summary: Summary::of(&groups::values(&stratum.runs, figure))?,
        })
    });
    summed.collect()
}

fn beside_true(observations: &[&Observation]) -> Vec<TrueBesidePublished> {
    let both = |one: &&&Observation| {
        one.figure(Figure::Balance).is_some() && one.figure(Figure::Efficiency).is_some()
    };
    let known: Vec<&Observation> = observations.iter().filter(both).copied().collect();
    let row = |configuration: Option<String>, runs: &[&Observation]| {
        let published = groups::values(runs, Figure::Balance);
        let real = groups::values(runs, Figure::Efficiency);
        let excess: Vec<f64> = published.iter().zip(&real).map(|(a, b)| a - b).collect();
        Some(TrueBesidePublished {
            configuration,
            published: Summary::of(&published)?,
            real: Summary::of(&real)?,
            excess: mean_interval(&excess, SEED),
        })
    };
    let configurations = groups::by(&known, |one| Some(one.configuration.clone()));
    let rows = configurations
        .into_iter()
        .filter_map(|(name, runs)| row(Some(name), &runs));
    rows.chain(row(None, &known)).collect()
}

fn contention(observations: &[&Observation]) -> Vec<Contention> {
    type Told = fn(&Contended) -> Option<bool>;
    let rules: [(Rule, Told); 3] = [
        (Rule::SpeedupBelow1_5, |by| by.speedup_below_1_5),
        (Rule::Ttft3sOverBaseline, |by| by.ttft_3s_over_baseline),
        (Rule::Waited, |by| by.waited),
    ];
    let mut found = Vec::new();
    let by_servers = strata(observations, Factor::Servers).into_iter();
    for stratum in by_servers.filter(|one| !one.overlapping_only) {
        for (rule, told) in rules {
            let told: Vec<bool> = stratum
                .runs
                .iter()
                .filter_map(|one| told(&one.contention?))
                .collect();
            let yes = told.iter().filter(|&&yes| yes).count();
            let counts = u32::try_from(yes).ok().zip(u32::try_from(told.len()).ok());
            let rate = counts.and_then(|(found, of)| Some((found, of, Rate::new(found, of)?)));
            if let Some((yes, of, rate)) = rate {
                found.extend(rate.wilson(ALPHA).map(|interval| Contention {
                    servers: stratum.level.clone(),
                    rule,
                    found: yes,
                    of,
                    interval,
                }));
            }
        }
    }
    found
}
