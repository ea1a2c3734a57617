//! The figures of a run that are summed up and compared, and in which unit each is.

use crate::stats::Better;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A figure of a run.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "kebab-case")]
pub enum Figure {
    /// The published efficiency, by the name of what it measures: the agents' times while all run,
    /// over their number and the wall-clock time, %
    Balance,
    /// The true efficiency: the agents' times alone over their number and the makespan, %
    Efficiency,
    /// From the start of the first agent to the end of the last, s
    Makespan,
    /// Tokens of all agents over the makespan, tokens/s
    TokensPerSecond,
    /// eval_count / eval_duration, mean over the agents, by the server's own clock, tokens/s
    Throughput,
    /// From the start of a call to its first token, mean over calls and agents, ms
    Ttft,
    /// An agent's time, mean over runs or agents, ms
    Gross,
    /// Gross less what the server spent, mean per agent, ms
    Tare,
    /// The server's time for all calls over the agents' times, %
    ServerShare,
    /// The shorter agent's time over the longer one's, %
    DurationBalance,
    /// The same of the server's time for each agent's calls, by the server's clock, %
    ServerTimeBalance,
    /// The same of the tokens that each agent got, %
    TokenBalance,
    /// How much of the shorter agent's time the other was running as well, %: 0 where they took turns
    Overlap,
    /// The wall-clock time less the longer agent's, ms
    BeyondLonger,
    /// What all calls waited for a slot or in the queue, s
    Queueing,
    /// What all calls waited for the model to be loaded anew, s
    Reload,
    /// Jain's index of the agents' tokens per second, 1/n to 1
    Fairness,
    /// Tokens of all answers
    Tokens,
}

impl Figure {
    /// All, in the order of reports.
    pub const ALL: [Self; 18] = [
        Self::Balance,
        Self::Efficiency,
        Self::Makespan,
        Self::TokensPerSecond,
        Self::Throughput,
        Self::Ttft,
        Self::Gross,
        Self::Tare,
        Self::ServerShare,
        Self::DurationBalance,
        Self::ServerTimeBalance,
        Self::TokenBalance,
        Self::Overlap,
        Self::BeyondLonger,
        Self::Queueing,
        Self::Reload,
        Self::Fairness,
        Self::Tokens,
    ];

    /// As columns name it, its unit last.
    pub fn column(self) -> &'static str {
        match self {
            Self::Balance => "balance_percent",
            Self::Efficiency => "efficiency_percent",
            Self::Makespan => "makespan_s",
            Self::TokensPerSecond => "tokens_per_s",
            Self::Throughput => "throughput_tokens_per_s",
            Self::Ttft => "ttft_ms",
            Self::Gross => "gross_ms",
            Self::Tare => "tare_ms",
            Self::ServerShare => "server_share_percent",
            Self::DurationBalance => "duration_balance_percent",
            Self::ServerTimeBalance => "server_time_balance_percent",
            Self::TokenBalance => "token_balance_percent",
            Self::Overlap => "overlap_percent",
            Self::BeyondLonger => "beyond_longer_ms",
            Self::Queueing => "queueing_s",
            Self::Reload => "reload_s",
            Self::Fairness => "fairness",
            Self::Tokens => "tokens",
        }
    }

    /// What its values are counted in; empty for an index.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Balance
            | Self::Efficiency
            | Self::ServerShare
            | Self::DurationBalance
            | Self::ServerTimeBalance
            | Self::TokenBalance
            | Self::Overlap => "%",
            Self::Makespan | Self::Queueing | Self::Reload => "s",
            Self::Ttft | Self::Gross | Self::Tare | Self::BeyondLonger => "ms",
            Self::TokensPerSecond | Self::Throughput => "tok/s",
            Self::Tokens => "tokens",
            Self::Fairness => "",
        }
    }

    /// Which end of it is the better one; `None` where that cannot be said. More balance is no
    /// better, but it is what the older reports called so, and their claims are about it.
    pub fn better(self) -> Option<Better> {
        match self {
            Self::Balance
            | Self::Efficiency
            | Self::TokensPerSecond
            | Self::Throughput
            | Self::Fairness => Some(Better::Higher),
            Self::Makespan
            | Self::Ttft
            | Self::Gross
            | Self::Tare
            | Self::BeyondLonger
            | Self::Queueing
            | Self::Reload => Some(Better::Lower),
            Self::ServerShare
            | Self::DurationBalance
            | Self::ServerTimeBalance
            | Self::TokenBalance
            | Self::Overlap
            | Self::Tokens => None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Balance => "balance (published efficiency)",
            Self::Efficiency => "true efficiency",
            Self::Makespan => "makespan",
            Self::TokensPerSecond => "tokens/s of all agents",
            Self::Throughput => "throughput (server's clock)",
            Self::Ttft => "TTFT",
            Self::Gross => "gross",
            Self::Tare => "tare",
            Self::ServerShare => "server-time share",
            Self::DurationBalance => "duration balance",
            Self::ServerTimeBalance => "server-time balance",
            Self::TokenBalance => "token balance",
            Self::Overlap => "overlap",
            Self::BeyondLonger => "wall less the longer agent",
            Self::Queueing => "queueing",
            Self::Reload => "reload",
            Self::Fairness => "fairness (Jain)",
            Self::Tokens => "tokens",
        })
    }
}
