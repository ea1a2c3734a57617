//! One side of `data/metrics.json`: all runs with the same options.

use super::Measured;
use super::call::{CallMetrics, RunMetrics, StageName};
use super::setup::{Setup, Side};
use crate::ollama::Options;
use crate::stats::{mean, sample_sd};
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
    pub(super) fn of(setup: &Setup, side: Side, measured: &[Measured]) -> Self {
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
                .map(|(name, stage)| CallMetrics::of(measured.block, name, &stage.call))
                .collect();
            runs.push(RunMetrics::of(position, measured, &of_run));
            calls.extend(of_run);
        }
        let here = &setup.provenance;
        let machine = &here.machine;
        Self {
            agent_type: side,
            aggregate_metrics: Aggregate::of(&calls),
            configuration: setup.options(side).clone(),
            individual_runs: calls,
            model: setup.model.clone(),
            prompt: prompt.cloned().unwrap_or_default(),
            runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
            system_info: SystemInfo {
                os: machine.os.clone(),
                arch: machine.arch.clone(),
                hostname: machine.hostname.clone(),
                rust_version: here.build.rust_version.clone(),
            },
            timestamp: here.occasion.timestamp,
            agent_runs: runs,
        }
    }
}

/// Over all calls of one side. Means and deviations are over the calls that have the figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Mean of `throughput_tokens_per_sec`, tokens/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_tokens_per_second: Option<f64>,
    /// Mean of `ttft_ms`, analysis and report calls, cold and warm together, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_ttft_ms: Option<f64>,
    /// Sample standard deviation (n − 1) of the throughput, tokens/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stddev_throughput: Option<f64>,
    /// Sample standard deviation (n − 1) of TTFT, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stddev_ttft: Option<f64>,
    /// Sum of `tokens_generated`.
    pub total_tokens_generated: u64,
    /// Sum over the calls, ms; absent if one of them lacks it. So are the next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_eval_duration_ms: Option<f64>,
    /// Sum over the calls, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_duration_ms: Option<f64>,
    /// Sum over the calls, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_duration_ms: Option<f64>,
    /// Sum over the calls, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_duration_ms: Option<f64>,
}

impl Aggregate {
    fn of(calls: &[CallMetrics]) -> Self {
        let all = |figure: fn(&CallMetrics) -> Option<f64>| -> Vec<f64> {
            calls.iter().filter_map(figure).collect()
        };
        let sum = |figure: fn(&CallMetrics) -> Option<f64>| calls.iter().map(figure).sum();
        let throughput = all(|call| call.throughput_tokens_per_sec);
        let ttft = all(|call| call.ttft_ms);
        Self {
            average_tokens_per_second: mean(&throughput),
            average_ttft_ms: mean(&ttft),
            stddev_throughput: sample_sd(&throughput),
            stddev_ttft: sample_sd(&ttft),
            total_tokens_generated: calls.iter().map(|call| call.tokens_generated).sum(),
            prompt_eval_duration_ms: sum(|call| call.prompt_eval_duration_ms),
            eval_duration_ms: sum(|call| call.eval_duration_ms),
            load_duration_ms: sum(|call| call.load_duration_ms),
            total_duration_ms: sum(|call| call.total_duration_ms),
        }
    }
}

/// The machine, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemInfo {
    /// Such as `linux`.
    pub os: String,
    /// Such as `x86_64`.
    pub arch: String,
    /// Name of the machine.
    pub hostname: String,
    /// As `rustc --version` says it.
    pub rust_version: String,
}
