//! What tare adds to a run's `metrics.json`: the true figures, against each agent alone. What is not
//! known is absent and never zero.

use crate::stack::Stack;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// Name and version of what we add. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.team/1";

/// A run as it was, and what it amounts to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// [`SCHEMA`].
    pub schema: String,
    /// The configuration of a plan that this is a run of; absent outside a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// On what the agents ran.
    pub stack: Stack,
    /// `native` or `bridged`.
    pub io: String,
    /// Worker threads that its runtime was made with.
    pub threads: NonZeroUsize,
    /// Servers that were asked.
    pub servers: NonZeroUsize,
    /// Tokens of each answer, where that was fixed beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_length: Option<u32>,
    /// From the start of the first agent to the end of the last, s.
    pub makespan_s: f64,
    /// What the agents took alone, all together, s; absent where they did not run alone. So are the
    /// next two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolated_total_s: Option<f64>,
    /// `isolated_total_s / makespan_s`: how many times as fast as one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speedup: Option<f64>,
    /// `speedup` over the number of agents, in percent: 100 where nobody slowed anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efficiency_percent: Option<f64>,
    /// The published efficiency by the name of what it measures: the agents' times while all ran,
    /// over their number and the makespan, in percent.
    pub balance_percent: f64,
    /// Tokens of all agents over the makespan, tokens/s.
    pub tokens_per_s: f64,
    /// What all calls waited for a slot or in the scheduler's queue, s; absent where the server does
    /// not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queueing_s: Option<f64>,
    /// What all calls waited for the model to be loaded anew, s; absent where the server does not
    /// tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_s: Option<f64>,
    /// How evenly the agents were served: Jain's index of their tokens per second, 1/n to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fairness: Option<f64>,
    /// Mean over the agents of gross less net, ms; absent where the server does not state net.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_per_agent_ms: Option<f64>,
    /// Whether there was contention, by each rule.
    pub contention: Contention,
    /// Whether the mock was late, so that the pace was not its profile's; absent without a mock that
    /// tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_late: Option<bool>,
}

/// Whether there was contention: by the two published rules, which disagree, and by what was
/// waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contention {
    /// Published in the code: `concurrency_speedup` below 1.5.
    pub speedup_below_1_5: bool,
    /// Published in the text: an agent's mean TTFT more than 3 s above that of the same agent alone;
    /// absent where it did not run alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_3s_over_baseline: Option<bool>,
    /// Ours: the calls waited for a slot, in the queue or for a reload, more than 1 % of the makespan
    /// all together; absent where the server does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<bool>,
}

/// What is known of one agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemberTruth {
    /// What it took alone, s; absent where it did not run alone, as is the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolated_time_s: Option<f64>,
    /// `execution_time_s / isolated_time_s`: 1 where nobody slowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowdown: Option<f64>,
    /// What the server spent on its calls, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_ms: Option<f64>,
    /// Gross less net, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tare_ms: Option<f64>,
    /// Reading the corpus, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingest_ms: Option<f64>,
    /// What its calls waited for a slot or in the queue, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queueing_ms: Option<f64>,
    /// What its calls waited for the model to be loaded anew, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload_ms: Option<f64>,
}
