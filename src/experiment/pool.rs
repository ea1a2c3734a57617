//! Several sittings of one experiment together. An interval speaks of one sitting; what is published
//! should hold for the next one too.

use super::judge::{Judgement, Judgements, MetricJudgement};
use crate::stats::{Estimate, Interval, random_effects, standard_error};
use serde::{Deserialize, Serialize};

/// One arm in one metric, over several sittings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pooled {
    /// The workload's name.
    pub workload: String,
    /// The metric's id.
    pub metric: String,
    /// The arm's name.
    pub arm: String,
    /// The ratio of means to the base's, by random effects at the first sitting's level.
    pub ratio: Interval,
    /// The standard deviation of its logarithm between sittings.
    pub between_sd: f64,
    /// How many sittings have it.
    pub sittings: usize,
}

/// What the A/A control is called among the arms: its ratio is that of the base's second run to its first.
const CONTROL: &str = "A/A control";

/// Pools experiments of the same design: of each metric the A/A control, then every arm that at least two
/// of them have a ratio of that is not withheld, in the first one's order.
pub fn pool(of: &[&Judgements]) -> Vec<Pooled> {
    let Some(first) = of.first() else {
        return Vec::new();
    };
    let mut pooled = Vec::new();
    for workload in &first.workloads {
        for metric in &workload.metrics {
            let named = |arm: &str, each: Vec<Estimate>| {
                let found = random_effects(&each, first.alpha)?;
                Some(Pooled {
                    workload: workload.workload.clone(),
                    metric: metric.metric.clone(),
                    arm: arm.to_owned(),
                    ratio: Interval {
                        estimate: found.mean.estimate.exp(),
                        low: found.mean.low.exp(),
                        high: found.mean.high.exp(),
                    },
                    between_sd: found.between_sd,
                    sittings: each.len(),
                })
            };
            let controls = of.iter().filter_map(|one| {
                let control = one
                    .metric(&workload.workload, &metric.metric)?
                    .control
                    .as_ref()?;
                estimate(&control.ratio, control.blocks, one.alpha)
            });
            pooled.extend(named(CONTROL, controls.collect()));
            for arm in &metric.arms {
                let each = of.iter().filter_map(|one| {
                    let judged = one.find(&workload.workload, &metric.metric, &arm.arm)?;
                    let ratio = judged.ratio.filter(|_| !judged.withheld)?;
                    estimate(&ratio, judged.blocks, judged.alpha)
                });
                pooled.extend(named(&arm.arm, each.collect()));
            }
        }
    }
    pooled
}

/// The log ratio of a sitting, with the standard error that its interval implies.
fn estimate(ratio: &Interval, blocks: usize, alpha: f64) -> Option<Estimate> {
    let logs = Interval {
        estimate: ratio.estimate.ln(),
        low: ratio.low.ln(),
        high: ratio.high.ln(),
    };
    Some(Estimate {
        value: logs.estimate,
        error: standard_error(&logs, blocks, alpha)?,
    })
}

impl Judgements {
    /// What is said of an arm in a metric of a workload.
    pub fn find(&self, workload: &str, metric: &str, arm: &str) -> Option<&Judgement> {
        let metric = self.metric(workload, metric)?;
        metric.arms.iter().find(|of| of.arm == arm)
    }

    fn metric(&self, workload: &str, metric: &str) -> Option<&MetricJudgement> {
        let workload = self.workloads.iter().find(|of| of.workload == workload)?;
        workload.metrics.iter().find(|of| of.metric == metric)
    }
}
