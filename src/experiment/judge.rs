//! The one judge: what an experiment's records say of each arm against the base.
//!
//! **Pairing.** Values are paired by block. The base runs twice in each block; its value there is the
//! mean of the two. Each metric's compared arms are a family, judged by Holm's procedure at the
//! experiment's level; the floor and the positive controls are judged beside it, each by itself.
//!
//! **Resolution.** The base's second run against its first, judged at a ratio of 1, is the A/A
//! control. Its resolution is the outer end of its interval at the experiment's level, turned to lie
//! above 1: a true difference smaller than that could sit between two runs of one and the same
//! program without the control showing it. A base that does differ from itself, by memory layout say,
//! moves the interval and so widens the resolution by its bias; half of that bias is what the mean of
//! the two carries into each row. So nothing whose estimate is smaller is called faster or slower,
//! and while the control's interval excludes 1 and reaches beyond the margin nothing is called
//! equivalent. An interval that excludes 1 at 1 %, shared out over the workload's metrics, withholds
//! the metric. Without a second base there is no resolution, and a verdict rests on its interval
//! alone: reports must say so.
//!
//! **Two means.** An arm is faster, slower or equivalent only if the interval of the ratio of means
//! and that of the ratio of geometric means (Student's, of the log ratios) both say so. The first
//! answers what work costs in total, and a few runs that stalled decide it; the second hardly sees
//! them. Where the two say different things, or either estimate lies outside the other's interval,
//! that is stated, and outlying runs are named. A stall that no run met is in neither.
//!
//! **Net.** Tare is gross less net, so an arm whose net differs from the base's has its tare and its
//! calls withheld, unless net is equivalent by two one-sided tests at 5 %: within 1 % of net and
//! within the part of tare that the resolution hides, so that a difference of net alone cannot make a
//! verdict. With a net of 30 ms and a tare of 0.5 ms, 1 % of net alone would be 60 % of tare.

use super::control::{ControlCheck, check};
use super::design::{Arm, Experiment, Role, Workload};
use super::metric::{self, Metric};
use super::record::{Record, Run};
use crate::stats::{
    Interval, Margin, RunsNeeded, Sides, Verdict, cliffs_delta, mean, mean_by_t, median, step_down,
};
use serde::{Deserialize, Serialize};

/// The chance that the base is wrongly found to differ from itself in any metric of a workload.
const ALPHA_CONTROL: f64 = 0.01;
/// The level of each of the two tests of net; both hold where the 90 % interval lies within.
const ALPHA_NET: f64 = 0.1;
/// A run is outlying when it is so many times its arm's median, or the median so many times it.
const OUTLYING: f64 = 2.0;

/// All verdicts of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Judgements {
    /// The chance of a false verdict in each family, 0 to 1.
    pub alpha: f64,
    /// Each workload that has a base.
    pub workloads: Vec<WorkloadJudgement>,
    /// Whether the verdicts stand.
    pub standing: Standing,
}

/// Whether the verdicts stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The controls came out as they must.
    Sound,
    /// Some or all are withheld: each reason says which and why. Those are undecided.
    Withheld(Vec<String>),
}

/// The verdicts of one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WorkloadJudgement {
    /// The workload's name.
    pub workload: String,
    /// Metrics that some run has, in the experiment's order.
    pub metrics: Vec<MetricJudgement>,
    /// Whether the mock kept its pace.
    pub lateness: Lateness,
    /// Whether the server's own time was the same for all arms.
    pub net: NetCheck,
    /// The positive controls.
    pub controls: Vec<ControlCheck>,
    /// Why no verdict of this workload stands; absent if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
}

/// The verdicts on one metric of a workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MetricJudgement {
    /// The metric's id.
    pub metric: String,
    /// The A/A control; absent where the base did not run twice in two blocks or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<AaControl>,
    /// The arms: those compared, then the floor, then the positive controls.
    pub arms: Vec<Judgement>,
    /// Why no verdict on this metric stands; absent if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
}

/// The base against itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AaControl {
    /// The base's second run to its first, at the experiment's level.
    pub ratio: Interval,
    /// The smallest ratio that can be called a difference, at least 1.
    pub resolution: f64,
    /// Blocks in which both ran.
    pub blocks: usize,
}

/// All that is said of one arm in one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Judgement {
    /// The arm's name.
    pub arm: String,
    /// Its part in the comparison.
    pub role: Role,
    /// What can be said.
    pub verdict: Verdict,
    /// Whether the verdict is withheld because a control or net forbids one: then the ratio is not to be
    /// relied on either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// Why it is undecided although its interval alone would decide; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ratio of means to the base's; absent with fewer than two blocks, or where a value is not
    /// positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Interval>,
    /// The ratio of geometric means, at the same level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geometric: Option<Interval>,
    /// What the intervals may miss, after the adjustment for the family, 0 to 1.
    pub alpha: f64,
    /// What does not matter, as a share.
    pub margin: Margin,
    /// The A/A control's resolution; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<f64>,
    /// The least ratio that so many blocks call slower in four cases of five, at least the
    /// resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// Further blocks that would decide it; absent if it is decided, or if the estimate is worthless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_needed: Option<RunsNeeded>,
    /// Cliff's delta against the base, −1 (all are less) to 1 (all are more).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliffs_delta: Option<f64>,
    /// Blocks in which both sides ran.
    pub blocks: usize,
    /// In what the two means disagree; absent if they agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<String>,
    /// Runs of this arm or of the base far from their median.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outliers: Vec<Outlier>,
    /// The same without runs in which the mock was late; absent if there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_late: Option<WithoutLate>,
}

/// A run far from its arm's median.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outlier {
    /// Whether it is one of the base's.
    pub of_base: bool,
    /// Its block.
    pub block: usize,
    /// How many times the median it is.
    pub times: f64,
}

/// What is said of an arm without late runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WithoutLate {
    /// What the intervals say, at the row's level; the resolution is that of all runs.
    pub verdict: Verdict,
    /// The ratio of means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Interval>,
    /// Blocks that are left.
    pub blocks: usize,
    /// Whether the verdict is another than with them.
    pub differs: bool,
}

/// Whether the mock kept its pace, over all timed runs of a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lateness {
    /// Runs.
    pub runs: usize,
    /// Runs with so many late tokens that their pace was not the profile's.
    pub late_runs: usize,
    /// Tokens.
    pub tokens: u64,
    /// Tokens that were written late.
    pub late_tokens: u64,
}

/// Whether the server's own time was the same for all arms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NetCheck {
    /// Each arm whose net and the base's are known; none where tare does not apply.
    pub arms: Vec<NetOfArm>,
}

/// One arm's net against the base's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NetOfArm {
    /// The arm's name.
    pub arm: String,
    /// Its net less the base's, ns, at 90 %.
    pub difference_ns: Interval,
    /// How much does not matter, ns.
    pub allowed_ns: f64,
    /// Whether the whole interval lies within.
    pub equivalent: bool,
}

/// Judges what the records say.
pub fn judge(experiment: &Experiment, records: &[Record]) -> Judgements {
    let timed = records.iter().filter(|record| !record.profiled);
    let blocks = timed.map(|record| record.block + 1).max().unwrap_or(0);
    let experiment = &Experiment {
        alpha: experiment.level(blocks),
        ..experiment.clone()
    };
    let with_base = experiment.workloads.iter().filter(|of| of.base().is_some());
    let workloads: Vec<WorkloadJudgement> = with_base
        .map(|workload| Evidence::new(experiment, workload, records).judge())
        .collect();
    let standing = Standing::of(&workloads);
    Judgements {
        alpha: experiment.alpha,
        workloads,
        standing,
    }
}

impl Standing {
    fn of(workloads: &[WorkloadJudgement]) -> Self {
        let mut reasons = Vec::new();
        for of in workloads {
            match &of.withheld {
                Some(reason) => reasons.push(format!("{}: {reason}", of.workload)),
                None => reasons.extend(of.metrics.iter().filter_map(|metric| {
                    let reason = metric.withheld.as_ref()?;
                    Some(format!("{}: {reason}", of.workload))
                })),
            }
        }
        match reasons.is_empty() {
            true => Self::Sound,
            false => Self::Withheld(reasons),
        }
    }
}

impl Lateness {
    fn of<'a>(runs: impl Iterator<Item = &'a Run>) -> Self {
        runs.fold(Self::default(), |so_far, run| Self {
            runs: so_far.runs + 1,
            late_runs: so_far.late_runs + usize::from(run.mock_was_late()),
            tokens: so_far.tokens + run.tokens,
            late_tokens: so_far.late_tokens + run.late_tokens,
        })
    }

    /// The share of runs that were late, 0 to 1.
    pub fn share_of_runs(&self) -> f64 {
        self.late_runs as f64 / self.runs.max(1) as f64
    }

    /// The share of tokens that were late, 0 to 1.
    pub fn share_of_tokens(&self) -> f64 {
        self.late_tokens as f64 / self.tokens.max(1) as f64
    }
}

/// A value in each block that has one.
pub(super) type Values = Vec<(usize, f64)>;

/// A workload with its records by arm and block.
pub(super) struct Evidence<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) workload: &'a Workload,
    /// By arm, then by block, timed runs and those under the profiler.
    runs: Vec<Vec<[Option<&'a Run>; 2]>>,
}

impl<'a> Evidence<'a> {
    fn new(experiment: &'a Experiment, workload: &'a Workload, records: &'a [Record]) -> Self {
        let mut runs = vec![vec![[None; 2]; experiment.blocks]; workload.arms.len()];
        for record in records.iter().filter(|one| one.workload == workload.name) {
            let arm = workload.arms.iter().position(|arm| arm.name == record.arm);
            let Some(of) = arm.map(|arm| &mut runs[arm]) else {
                continue;
            };
            if of.len() <= record.block {
                of.resize(record.block + 1, [None; 2]);
            }
            if let Some(run) = record.run() {
                of[record.block][usize::from(record.profiled)] = Some(run);
            }
        }
        Self {
            experiment,
            workload,
            runs,
        }
    }

    fn judge(&self) -> WorkloadJudgement {
        let ids = self.experiment.metrics.iter();
        let judged = ids.filter_map(|id| metric::find(id));
        let judged: Vec<&Metric> = judged
            .filter(|metric| (metric.applies)(self.workload) && self.knows(metric))
            .collect();
        let net = self.net();
        let controls: Vec<ControlCheck> = self
            .in_role(|role| *role == Role::Control)
            .map(|arm| check(self, arm))
            .collect();
        let missed = controls.iter().find_map(ControlCheck::missed);
        let metrics = judged
            .iter()
            .map(|metric| self.metric(metric, judged.len(), &net, missed.as_deref()))
            .collect();
        let timed = self.runs.iter().flatten().filter_map(|[timed, _]| *timed);
        WorkloadJudgement {
            workload: self.workload.name.clone(),
            metrics,
            lateness: Lateness::of(timed),
            net,
            controls,
            withheld: missed,
        }
    }

    fn in_role(&self, is: impl Fn(&Role) -> bool) -> impl Iterator<Item = &'a Arm> {
        let arms = self.workload.arms.iter();
        arms.filter(move |arm| is(&arm.role))
    }

    fn knows(&self, metric: &Metric) -> bool {
        let arms = self.workload.arms.iter();
        arms.into_iter()
            .any(|arm| !self.values(arm, metric, true).is_empty())
    }

    /// An arm's values by block; without those of late runs, if they are not wanted.
    pub(super) fn values(&self, arm: &Arm, metric: &Metric, late: bool) -> Values {
        let index = self
            .workload
            .arms
            .iter()
            .position(|one| one.name == arm.name);
        let runs = index.map_or(&[][..], |index| &self.runs[index]);
        let known = runs.iter().enumerate().filter_map(|(block, kinds)| {
            let run = kinds[usize::from(metric.profiled)]?;
            let wanted = late || !run.mock_was_late();
            Some((block, run.value(metric.id).filter(|_| wanted)?))
        });
        known.collect()
    }

    /// The base's values: of a block the mean of its two runs, or that of the one that ran.
    pub(super) fn base(&self, metric: &Metric, late: bool) -> Values {
        let [first, second] = self.twins(metric, late);
        let mut all: Vec<Option<(f64, f64)>> = Vec::new();
        for (block, value) in first.into_iter().chain(second) {
            all.resize(all.len().max(block + 1), None);
            let (sum, count) = all[block].unwrap_or_default();
            all[block] = Some((sum + value, count + 1.0));
        }
        let blocks = all.into_iter().enumerate();
        blocks
            .filter_map(|(block, of)| of.map(|(sum, count)| (block, sum / count)))
            .collect()
    }

    fn twins(&self, metric: &Metric, late: bool) -> [Values; 2] {
        [Role::Base, Role::BaseAgain].map(|role| {
            let mut arms = self.in_role(|of| *of == role);
            arms.next()
                .map_or_else(Vec::new, |arm| self.values(arm, metric, late))
        })
    }

    /// The base's second run against its first at the experiment's level, and whether the two differ
    /// at the strict one.
    fn control(&self, metric: &Metric, metrics: usize) -> Option<(AaControl, bool)> {
        let [first, second] = self.twins(metric, true);
        let pairs = pair(&second, &first);
        let (sides, blocks) = (pairs.sides()?, pairs.blocks.len());
        let ratio = sides.ratio(self.experiment.alpha)?;
        let strict = sides.ratio(ALPHA_CONTROL / metrics.max(1) as f64)?;
        let control = AaControl {
            ratio,
            resolution: ratio.high.max(1.0 / ratio.low).max(1.0),
            blocks,
        };
        Some((control, !holds_one(&strict)))
    }

    fn resolution(&self, metric: &str) -> Option<f64> {
        let (control, _) = self.control(metric::find(metric)?, 1)?;
        Some(control.resolution)
    }

    /// Whether net is equivalent, where tare is a metric.
    fn net(&self) -> NetCheck {
        let (Some(net), Some(tare)) = (metric::find("net"), metric::find("tare")) else {
            return NetCheck::default();
        };
        if !(tare.applies)(self.workload) {
            return NetCheck::default();
        }
        let (base, base_tare) = (self.base(net, true), self.base(tare, true));
        let hidden = self
            .resolution("tare")
            .unwrap_or(1.0)
            .max(tare.margin.high())
            - 1.0;
        let average = |of: &Values| mean(&of.iter().map(|(_, value)| *value).collect::<Vec<_>>());
        let (Some(net_ns), Some(tare_ns)) = (average(&base), average(&base_tare)) else {
            return NetCheck::default();
        };
        let allowed_ns = (net_ns * (Margin::GROSS.high() - 1.0)).min(tare_ns.max(0.0) * hidden);
        let judged = self.in_role(|role| matches!(role, Role::Compared | Role::Floor));
        let arms = judged.filter_map(|arm| {
            let differences = pair(&self.values(arm, net, true), &base).differences();
            let difference_ns = mean_by_t(&differences, ALPHA_NET)?;
            Some(NetOfArm {
                arm: arm.name.clone(),
                difference_ns,
                allowed_ns,
                equivalent: difference_ns.low >= -allowed_ns && difference_ns.high <= allowed_ns,
            })
        });
        NetCheck {
            arms: arms.collect(),
        }
    }

    fn metric(
        &self,
        metric: &Metric,
        metrics: usize,
        net: &NetCheck,
        missed: Option<&str>,
    ) -> MetricJudgement {
        let control = self.control(metric, metrics);
        let withheld = control.as_ref().filter(|(_, differs)| *differs);
        let withheld = withheld.map(|(control, _)| {
            format!(
                "{} of the base is × {:.3} of itself in the A/A control, so this machine was too restless for verdicts on it: see `tare doctor`, and run again",
                metric.title, control.ratio.estimate
            )
        });
        let rule = Rule {
            margin: metric.margin,
            control: control.as_ref().map(|(control, _)| control),
        };
        let alpha = self.experiment.alpha;
        let family: Vec<Row> = self
            .in_role(|role| *role == Role::Compared)
            .map(|arm| Row::new(self, arm, metric))
            .collect();
        let levels = step_down(family.len(), alpha, |i, alpha| {
            family[i].verdict(&rule, alpha).0 != Verdict::Undecided
        });
        let beside = [Role::Floor, Role::Control].into_iter().flat_map(|role| {
            self.in_role(move |of| *of == role)
                .map(|arm| (Row::new(self, arm, metric), alpha))
        });
        let rows = family.into_iter().zip(levels).chain(beside);
        let arms = rows.map(|(row, alpha)| {
            let mut judged = row.judged(&rule, alpha);
            let reason = missed.or(withheld.as_deref());
            let of_net = net.refusal(metric, &judged.arm);
            if let Some(reason) = reason.map(str::to_owned).or(of_net) {
                judged.withhold(reason);
            }
            judged
        });
        MetricJudgement {
            metric: metric.id.to_owned(),
            arms: arms.collect(),
            control: control.map(|(control, _)| control),
            withheld,
        }
    }
}

impl NetCheck {
    /// Why this arm has no verdict on this metric, which rests on net.
    fn refusal(&self, metric: &Metric, arm: &str) -> Option<String> {
        if !matches!(metric.id, "tare" | "calls") {
            return None;
        }
        let found = self
            .arms
            .iter()
            .find(|of| of.arm == arm && !of.equivalent)?;
        let micros = |ns: f64| ns / 1e3;
        Some(format!(
            "net of {arm} was not shown equal to the base's: it differs by {:+.0} µs [{:+.0}, {:+.0}], and {:.0} µs are allowed, so {} is not the arm's alone",
            micros(found.difference_ns.estimate),
            micros(found.difference_ns.low),
            micros(found.difference_ns.high),
            micros(found.allowed_ns),
            metric.title,
        ))
    }
}

impl Judgement {
    fn withhold(&mut self, reason: String) {
        self.verdict = Verdict::Undecided;
        self.withheld = true;
        self.reason = Some(reason);
        self.runs_needed = None;
        if let Some(without) = &mut self.without_late {
            without.verdict = Verdict::Undecided;
            without.differs = false;
        }
    }
}

/// What a verdict is read off by, beside its intervals.
struct Rule<'a> {
    margin: Margin,
    control: Option<&'a AaControl>,
}

impl Rule<'_> {
    /// The verdict of the two intervals, and why it is not what that of means alone would be.
    fn verdict(&self, ratio: &Interval, geometric: &Interval) -> (Verdict, Option<String>) {
        let [verdict, other] = [ratio, geometric].map(|of| self.margin.verdict(of));
        let no = |reason: String| (Verdict::Undecided, Some(reason));
        if verdict == Verdict::Undecided {
            return (verdict, None);
        }
        if verdict != other {
            return no(format!(
                "the ratio of means says {verdict} and that of geometric means {other}"
            ));
        }
        let Some(control) = self.control else {
            return (verdict, None);
        };
        let size = |of: &Interval| of.estimate.max(1.0 / of.estimate);
        let resolution = control.resolution;
        match verdict {
            Verdict::Faster | Verdict::Slower if size(ratio).min(size(geometric)) < resolution => {
                no(format!(
                    "it is smaller than × {resolution:.3}, which the A/A control can tell from 1"
                ))
            }
            Verdict::Equivalent
                if !holds_one(&control.ratio) && resolution > self.margin.high() =>
            {
                no(format!(
                    "the base differs from itself by up to × {resolution:.3}, more than the margin"
                ))
            }
            _ => (verdict, None),
        }
    }
}

/// One arm in one metric, before its level is known.
struct Row<'a> {
    arm: &'a Arm,
    pairs: Pairs,
    sides: Option<Sides>,
    /// The same without late runs, if there were any.
    without_late: Option<(Option<Sides>, usize)>,
}

impl<'a> Row<'a> {
    fn new(evidence: &Evidence, arm: &'a Arm, metric: &Metric) -> Self {
        let paired = |late| {
            pair(
                &evidence.values(arm, metric, late),
                &evidence.base(metric, late),
            )
        };
        let (pairs, on_time) = (paired(true), paired(false));
        let late = pairs != on_time;
        Self {
            arm,
            sides: pairs.sides(),
            pairs,
            without_late: late.then(|| (on_time.sides(), on_time.blocks.len())),
        }
    }

    fn verdict(&self, rule: &Rule, alpha: f64) -> (Verdict, Option<String>) {
        verdict_of(self.sides.as_ref(), rule, alpha)
    }

    fn judged(&self, rule: &Rule, alpha: f64) -> Judgement {
        let (verdict, reason) = self.verdict(rule, alpha);
        let sides = self.sides.as_ref();
        let ratio = sides.and_then(|sides| sides.ratio(alpha));
        let geometric = sides.and_then(|sides| sides.geometric(alpha));
        let resolution = rule.control.map(|control| control.resolution);
        let detectable = sides.and_then(|sides| sides.detectable(rule.margin, alpha));
        let undecided = sides.filter(|_| verdict == Verdict::Undecided);
        let without_late = self.without_late.as_ref().map(|(sides, blocks)| {
            let (without, _) = verdict_of(sides.as_ref(), rule, alpha);
            WithoutLate {
                verdict: without,
                ratio: sides.as_ref().and_then(|sides| sides.ratio(alpha)),
                blocks: *blocks,
                differs: without != verdict,
            }
        });
        Judgement {
            arm: self.arm.name.clone(),
            role: self.arm.role.clone(),
            verdict,
            withheld: false,
            reason,
            ratio,
            geometric,
            alpha,
            margin: rule.margin,
            resolution,
            detectable: detectable.map(|least| least.max(resolution.unwrap_or(1.0))),
            runs_needed: undecided.and_then(|sides| sides.runs_needed(rule.margin, alpha)),
            cliffs_delta: cliffs_delta(&self.pairs.own, &self.pairs.base),
            blocks: self.pairs.blocks.len(),
            disagreement: ratio
                .zip(geometric)
                .and_then(|(a, b)| disagreement(rule.margin, &a, &b)),
            outliers: self.pairs.outliers(),
            without_late,
        }
    }
}

fn verdict_of(sides: Option<&Sides>, rule: &Rule, alpha: f64) -> (Verdict, Option<String>) {
    let both = sides.and_then(|sides| sides.ratio(alpha).zip(sides.geometric(alpha)));
    both.map_or((Verdict::Undecided, None), |(ratio, geometric)| {
        rule.verdict(&ratio, &geometric)
    })
}

/// In what the ratio of means and that of geometric means disagree: they lie in different regions, or
/// one's estimate lies outside the other's interval.
fn disagreement(margin: Margin, means: &Interval, geometric: &Interval) -> Option<String> {
    let [by_means, by_geometric] = [means, geometric].map(|of| margin.verdict(of));
    let outside = |of: &Interval, value: f64| {
        let slack = 1e-9 * value;
        value < of.low - slack || value > of.high + slack
    };
    let differ = by_means != by_geometric
        || outside(means, geometric.estimate)
        || outside(geometric, means.estimate);
    differ.then(|| {
        format!(
            "means: × {:.3}, {by_means}; geometric means: × {:.3}, {by_geometric}",
            means.estimate, geometric.estimate
        )
    })
}

/// Both sides' values in the blocks that have both.
#[derive(PartialEq)]
pub(super) struct Pairs {
    blocks: Vec<usize>,
    pub(super) own: Vec<f64>,
    pub(super) base: Vec<f64>,
}

/// Pairs values by block; both are in ascending order of blocks.
pub(super) fn pair(own: &Values, base: &Values) -> Pairs {
    let mut pairs = Pairs {
        blocks: Vec::new(),
        own: Vec::new(),
        base: Vec::new(),
    };
    for &(block, value) in own {
        if let Ok(at) = base.binary_search_by_key(&block, |(block, _)| *block) {
            pairs.blocks.push(block);
            pairs.own.push(value);
            pairs.base.push(base[at].1);
        }
    }
    pairs
}

impl Pairs {
    pub(super) fn sides(&self) -> Option<Sides> {
        Sides::new(&self.own, &self.base)
    }

    /// Own less base in each block.
    pub(super) fn differences(&self) -> Vec<f64> {
        let pairs = self.own.iter().zip(&self.base);
        pairs.map(|(own, base)| own - base).collect()
    }

    fn outliers(&self) -> Vec<Outlier> {
        let of = |values: &[f64], of_base| {
            let middle = median(values).filter(|&middle| middle > 0.0);
            let times = values
                .iter()
                .zip(&self.blocks)
                .filter_map(|(value, &block)| {
                    let times = value / middle?;
                    let far = !(1.0 / OUTLYING..=OUTLYING).contains(&times);
                    far.then_some(Outlier {
                        of_base,
                        block,
                        times,
                    })
                });
            times.collect::<Vec<_>>()
        };
        let mut all = of(&self.own, false);
        all.extend(of(&self.base, true));
        all
    }
}

fn holds_one(interval: &Interval) -> bool {
    interval.low <= 1.0 && 1.0 <= interval.high
}
