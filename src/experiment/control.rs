//! The positive controls: a mistake that was built into the base must show in the metric that it
//! bears on, and in the size that it has. One that is missed says that the experiment would have
//! missed the like elsewhere, so the workload's verdicts are withheld.

use super::design::{Arm, Cadence, Server};
use super::judge::{Evidence, pair};
use super::metric;
use crate::inject::Inject;
use crate::run::Work;
use crate::stack::{AsyncRuntime, Carrier};
use crate::stats::{Interval, mean_by_t};
use serde::{Deserialize, Serialize};

/// How far off a size may be, as a share.
const SIZED_WITHIN: f64 = 0.2;
/// A line of a streamed reply is shorter than this, bytes.
const LONGEST_LINE: f64 = 200.0;

/// What became of one positive control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ControlCheck {
    /// The arm's name.
    pub arm: String,
    /// The metric in which it must show; absent if it can't show in this workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// How much more than the base's it should be, in the metric's unit; absent as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// How much more it was, own less base in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Interval>,
    /// What became of it.
    pub outcome: ControlOutcome,
}

/// The size that a control should have, as a difference to the base.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Expected {
    /// At least.
    pub least: f64,
    /// At most; absent where nothing bounds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
}

/// What became of a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ControlOutcome {
    /// It was found, in its size.
    Found,
    /// It was not found, or not in its size.
    Missed,
    /// This workload can't show it, for this reason.
    CannotShow(String),
    /// Too few blocks to say.
    TooFew,
}

impl ControlCheck {
    /// Why the verdicts are withheld, if it was missed.
    pub(super) fn missed(&self) -> Option<String> {
        (self.outcome == ControlOutcome::Missed).then(|| {
            format!(
                "the positive control {} was not found in its size in {}, so what was not found elsewhere may be there too: run more blocks on a quieter machine",
                self.arm,
                self.metric.as_deref().unwrap_or("its metric"),
            )
        })
    }
}

/// Whether what is built into an arm was found.
pub(super) fn check(evidence: &Evidence, arm: &Arm) -> ControlCheck {
    let none = |outcome| ControlCheck {
        arm: arm.name.clone(),
        metric: None,
        expected: None,
        found: None,
        outcome,
    };
    let (id, expected) = match bound(evidence, arm) {
        Ok(bound) => bound,
        Err(reason) => return none(ControlOutcome::CannotShow(reason.to_owned())),
    };
    let Some(metric) = metric::find(id) else {
        return none(ControlOutcome::CannotShow(format!("no metric {id}")));
    };
    let pairs = pair(
        &evidence.values(arm, metric, true),
        &evidence.base(metric, true),
    );
    let found = mean_by_t(&pairs.differences(), evidence.experiment.alpha);
    let outcome = match found {
        None => ControlOutcome::TooFew,
        Some(found) if expected.holds(&found) => ControlOutcome::Found,
        Some(_) => ControlOutcome::Missed,
    };
    ControlCheck {
        metric: Some(id.to_owned()),
        expected: Some(expected),
        found,
        outcome,
        ..none(ControlOutcome::TooFew)
    }
}

impl Expected {
    /// Whether the interval says that there is something, and can be of the size.
    fn holds(&self, found: &Interval) -> bool {
        let most = self.most.unwrap_or(f64::INFINITY);
        found.low > 0.0 && found.high >= self.least && found.low <= most
    }
}

/// In which metric it must show, and in what size; or why it can't.
fn bound(evidence: &Evidence, arm: &Arm) -> Result<(&'static str, Expected), &'static str> {
    let at_least = |least| Expected { least, most: None };
    match (arm.spec.inject, evidence.workload.cadence) {
        (None, _) => Err("nothing is built into it"),
        (Some(Inject::Delay(_) | Inject::Accumulate(_)), Cadence::Whole) => {
            Err("a reply comes in one piece, so that there is nothing to add up")
        }
        // Each token of a piece waits for as long, and for longer where pieces queue up.
        (Some(Inject::Delay(time)), Cadence::Paced) => {
            let ns = time.as_nanos() as f64;
            let queues = gap_ns(evidence, arm).is_none_or(|gap| ns > gap / 2.0);
            let most = (!queues).then_some(ns * (1.0 + SIZED_WITHIN));
            let least = ns * (1.0 - SIZED_WITHIN);
            Ok(("delivery", Expected { least, most }))
        }
        // A piece holds one token or more, so that a token bears the whole of it or less.
        (Some(Inject::Delay(time)), Cadence::Burst) => {
            let most = Some(time.as_nanos() as f64 * (1.0 + SIZED_WITHIN));
            Ok(("cpu", Expected { least: 0.0, most }))
        }
        (Some(Inject::Accumulate(_)), Cadence::Burst) => {
            Err("tokens do not come one by one, so that keeping them back delays none")
        }
        // Of n tokens that are kept the first waits for n − 1 gaps and the last for none.
        (Some(Inject::Accumulate(bytes)), Cadence::Paced) => {
            let kept = (bytes.get() as f64 / LONGEST_LINE - 1.0).max(0.0);
            let least = kept / 2.0 * gap_ns(evidence, arm).unwrap_or(0.0);
            Ok(("delivery", at_least(least * (1.0 - SIZED_WITHIN))))
        }
        (Some(Inject::Mutex), _) => match &arm.spec.work {
            Work::Team(team) if team.members.len() > 1 => Ok(("gross", at_least(0.0))),
            Work::Agents { agents, .. } if agents.get() > 1 => Ok(("gross", at_least(0.0))),
            _ => Err("there is one agent, so that a lock makes nobody wait"),
        },
        (Some(Inject::BlockOnRoot), _) => match arm.spec.stack.carrier {
            Carrier::Async(AsyncRuntime::TokioMt, _) => Ok(("cpu", at_least(0.0))),
            _ => Err("only under tokio-mt is the root known to be a worse place than a task"),
        },
    }
}

/// The time from one token to the next of the mock that an arm asks, ns.
fn gap_ns(evidence: &Evidence, arm: &Arm) -> Option<f64> {
    match evidence.experiment.servers.get(&arm.spec.base_url)? {
        Server::Mock(mock) => Some(mock.profile.gap.as_nanos() as f64 / mock.speed),
        Server::Real { .. } => None,
    }
}
