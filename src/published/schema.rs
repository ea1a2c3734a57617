//! `metrics.json` of one run of a team, in the schema of the older reports: what `tare team` and
//! `tare sweep` write, and what `tare import` reads, ours and theirs.
//!
//! The older fields stand under their older names, also where the name says more than the figure
//! does (`efficiency_percent` is a balance, see [`Summary`]); ours stand beside them under `tare`,
//! where nothing is named after what it is not. To read the older files, which differ among
//! themselves, every field may be missing and unknown ones are passed over; what we write has all
//! of them that are known.

use super::ours::{MemberTruth, Truth};
use crate::protocol::Options;
use serde::{Deserialize, Serialize};

/// One run: two agents as `collector` and `insight`, or any other number as `agents`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamRun {
    /// Among the runs of its configuration, from 1.
    pub run_number: u32,
    /// `single`, `baseline_vs_chimera`, `chimera_hetero`, `chimera_homo` or `equal`.
    pub scenario: String,
    /// The first of two agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector: Option<Member>,
    /// The second of two agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insight: Option<Member>,
    /// All agents, where they are not two with those roles. Ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Member>,
    /// The published figures of two agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// The true ones, and under what they came about. Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tare: Option<Truth>,
}

impl TeamRun {
    /// All agents, in their order.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let pair = self.collector.iter().chain(&self.insight);
        pair.chain(&self.agents)
    }
}

/// One agent of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// What it was told.
    pub config: Config,
    /// What came of it.
    pub result: AgentResult,
    /// From its start to its end, while all agents of the run were at work, s.
    pub execution_time_s: f64,
    /// What else is known of it. Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tare: Option<MemberTruth>,
}

/// What an agent was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Its name, such as `DataCollector`.
    pub id: String,
    /// `baseline` or `chimera`, with what makes it so.
    pub label: String,
    /// The model that it asked.
    pub model: String,
    /// The server that it asked.
    pub base_url: String,
    /// What it was to do.
    pub prompt: String,
    /// Overrides of the server's options; none of a baseline agent.
    pub options: Options,
}

/// What came of an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentResult {
    /// `baseline` or `chimera`.
    pub agent_type: String,
    /// Over its calls.
    pub aggregate_metrics: Aggregate,
    /// The options of its requests; ours with the length and the seed, where those were set for all.
    pub configuration: Options,
    /// One entry per call.
    pub individual_runs: Vec<CallFigures>,
    /// The model.
    pub model: String,
    /// The prompt of the first call.
    pub prompt: String,
    /// How often it ran.
    pub runs: u32,
    /// The machine, in short.
    pub system_info: SystemInfo,
    /// When, as RFC 3339.
    pub timestamp: String,
}

/// Over the calls of an agent; means and deviations over those that have the figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aggregate {
    /// Mean of `throughput_tokens_per_sec`, tokens/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_tokens_per_second: Option<f64>,
    /// Mean of `ttft_ms`, analysis and report calls, cold and warm together, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_ttft_ms: Option<f64>,
    /// Sample standard deviation (n − 1) of the throughput, tokens/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stddev_throughput: Option<f64>,
    /// Sample standard deviation (n − 1) of TTFT, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stddev_ttft: Option<f64>,
    /// Sum of `tokens_generated`.
    pub total_tokens_generated: u64,
    /// Sum over the calls, ms; absent if one of them lacks it. So are the next three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_eval_duration_ms: Option<f64>,
    /// Sum over the calls, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_duration_ms: Option<f64>,
    /// Sum over the calls, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_duration_ms: Option<f64>,
    /// Sum over the calls, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_duration_ms: Option<f64>,
}

/// One call. All durations but `ttft_ms` are the server's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallFigures {
    /// From the start of the call to the first token, by the client's clock, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// `eval_count / eval_duration`, tokens/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_tokens_per_sec: Option<f64>,
    /// Tokens that the server states, or the pieces received where it states none.
    pub tokens_generated: u64,
    /// From the request's arrival to the end, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_duration_ms: Option<f64>,
    /// Until a runner was granted, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_duration_ms: Option<f64>,
    /// Reading the prompt, cached tokens left out, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_eval_duration_ms: Option<f64>,
    /// From the first token to the last, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_duration_ms: Option<f64>,
}

/// The machine, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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

/// The published figures of two agents. What their names promise, the first two do not measure:
/// both agents' times are taken *while both run*, so `efficiency_percent` says how equal the two
/// are, whatever else they do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Insight's mean throughput less the collector's, tokens/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput_delta: Option<f64>,
    /// Insight's mean TTFT less the collector's, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_delta_ms: Option<f64>,
    /// `sequential_estimated_s / concurrent_wall_time_s`.
    pub concurrency_speedup: f64,
    /// Half of that, in percent: 50 to 100.
    pub efficiency_percent: f64,
    /// Both `execution_time_s` together, s.
    pub sequential_estimated_s: f64,
    /// From the start of the first agent to the end of the last, s.
    pub concurrent_wall_time_s: f64,
    /// Whether the speed-up is below 1.5.
    pub resource_contention_detected: bool,
    /// Mean throughput, tokens/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector_throughput: Option<f64>,
    /// Mean TTFT, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector_ttft_ms: Option<f64>,
    /// Mean throughput, tokens/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insight_throughput: Option<f64>,
    /// Mean TTFT, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insight_ttft_ms: Option<f64>,
}
