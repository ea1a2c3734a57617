//! One side of `data/metrics.json`: all runs with the same options.

use super::Measured;
use super::call::{CallMetrics, RunMetrics, StageName};
use super::setup::{Setup, Side};
use crate::protocol::Options;
use crate::published::{Aggregate, SystemInfo};
use crate::run::HotServer;
use serde::{Deserialize, Serialize};

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

impl SideMetrics {
    /// One side of the runs, which are in the order in which they ran.
    pub(super) fn of(
        setup: &Setup,
        side: Side,
        measured: &[Measured],
        hot: Option<&HotServer>,
    ) -> Self {
        let mut calls = Vec::new();
        let mut runs = Vec::new();
        let mut prompt = None;
        for (position, measured) in (1..).zip(measured) {
            if measured.side != side {
                continue;
            }
            prompt.get_or_insert(&measured.run.analysis.prompt);
            let stages = StageName::BOTH.into_iter().zip(measured.run.stages());
            let of_run: Vec<CallMetrics> = stages
                .map(|(name, stage)| CallMetrics::of(measured.block, name, &stage.call, hot))
                .collect();
            runs.push(RunMetrics::of(position, measured, &of_run));
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
