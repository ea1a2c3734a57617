//! `data/metrics.json`.
//!
//! `baseline` and `chimera` have the fields of the older reports under the older names, so that a
//! program that read those reads these; what tare adds stands beside them. A consumer looks at
//! `schema` first: the number after the slash grows when a field changes its meaning or goes.

use super::Measured;
use super::call::{CallMetrics, RunMetrics, StageName};
use super::figure::{Figure, figures};
use super::setup::{Setup, Side};
use crate::experiment::{MetricJudgement, Stored, judge};
use crate::protocol::Options;
use crate::published::{Aggregate, SystemInfo};
use crate::run::{CorpusAccount, HotServer};
use serde::{Deserialize, Serialize};

/// Name and version of the format.
pub const SCHEMA: &str = "tare.agent/2";

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// [`SCHEMA`].
    pub schema: String,
    /// What was measured, with what, on what.
    pub provenance: Setup,
    /// What the agents read.
    pub corpus: CorpusAccount,
    /// The sides in the order in which they ran: in each block both.
    pub order: Vec<Side>,
    /// The server's default options.
    pub baseline: SideMetrics,
    /// The overrides.
    pub chimera: SideMetrics,
    /// Each figure of both sides, in the order of reports.
    pub figures: Vec<Figure>,
    /// What the judge says of chimera, metric by metric.
    pub verdicts: Vec<MetricJudgement>,
}

/// All runs of one side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SideMetrics {
    /// `baseline` or `chimera`.
    pub agent_type: Side,
    /// Over all calls.
    pub aggregate_metrics: Aggregate,
    /// The options of each request; what is absent is the server's default.
    pub configuration: Options,
    /// One entry per call: analysis and report of each run, by run.
    pub individual_runs: Vec<CallMetrics>,
    /// The model.
    pub model: String,
    /// The analysis prompt of the first run. The report's holds the answer to it, so it differs
    /// from run to run; `data/transcript.jsonl` has them all.
    pub prompt: String,
    /// Runs of the agent, two calls each.
    pub runs: u32,
    /// The machine, in short.
    pub system_info: SystemInfo,
    /// Before the first run, UTC.
    pub timestamp: jiff::Timestamp,
    /// One entry per run.
    pub agent_runs: Vec<RunMetrics>,
}

impl Metrics {
    /// The result of runs, in the order in which they ran; `None` of no run.
    pub(super) fn of(stored: &Stored, measured: &[Measured<'_>]) -> Option<Self> {
        let setup = Setup::of(stored)?;
        let corpus = measured.first()?.detail.corpus.clone();
        // The report calls are hot: each asks as the analysis call just before it did.
        let hot = HotServer::of(measured.iter().filter_map(|run| run.detail.calls.get(1)));
        let side = |side| SideMetrics::of(&setup, side, measured, hot.as_ref());
        let (baseline, chimera) = (side(Side::Baseline), side(Side::Chimera));
        Some(Self {
            schema: SCHEMA.to_owned(),
            corpus: corpus.unwrap_or_default(),
            order: measured.iter().map(|run| run.side).collect(),
            figures: figures(&baseline, &chimera),
            verdicts: judge(&stored.manifest.experiment, &stored.records)
                .workloads
                .into_iter()
                .flat_map(|workload| workload.metrics)
                .collect(),
            provenance: setup,
            baseline,
            chimera,
        })
    }

    /// One side.
    pub fn side(&self, side: Side) -> &SideMetrics {
        match side {
            Side::Baseline => &self.baseline,
            Side::Chimera => &self.chimera,
        }
    }
}

impl SideMetrics {
    fn of(setup: &Setup, side: Side, measured: &[Measured<'_>], hot: Option<&HotServer>) -> Self {
        let mut calls = Vec::new();
        let mut runs = Vec::new();
        let mut prompt = None;
        for run in measured.iter().filter(|run| run.side == side) {
            let detail = run.detail;
            prompt = prompt.or(detail.texts.first().map(|entry| &entry.prompt));
            let stages = StageName::BOTH.into_iter().enumerate();
            let of_run: Vec<CallMetrics> = stages
                .filter_map(|(at, stage)| {
                    let (call, entry) = (detail.calls.get(at)?, detail.texts.get(at)?);
                    Some(CallMetrics::of(run.block, stage, call, entry, hot))
                })
                .collect();
            runs.extend(RunMetrics::of(run, &of_run));
            calls.extend(of_run);
        }
        let here = &setup.provenance;
        Self {
            agent_type: side,
            aggregate_metrics: Aggregate::of(calls.iter().map(|call| &call.figures)),
            configuration: setup.options(side).clone(),
            individual_runs: calls,
            model: setup.model.clone(),
            prompt: prompt.cloned().unwrap_or_default(),
            runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
            system_info: SystemInfo::of(&here.machine, &here.build),
            timestamp: here.occasion.timestamp,
            agent_runs: runs,
        }
    }
}
