//! What is compared of two invocations. All are costs: less is better.

use super::record::Invocation;
use crate::stats::Margin;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A figure of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Wall-clock time of an iteration.
    Gross,
    /// Gross less net.
    Tare,
    /// Tare less the reading of files: what the calls and the parsing cost. Of an agent alone.
    Calls,
    /// From the server's write of a token to its being parsed, mean over tokens.
    Delivery,
    /// Processor time of the whole process per token.
    Cpu,
}

impl Figure {
    /// All, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::Gross,
        Self::Tare,
        Self::Calls,
        Self::Delivery,
        Self::Cpu,
    ];

    /// Its value, in nanoseconds; `None` where it is not known.
    pub fn of(self, invocation: &Invocation) -> Option<f64> {
        match self {
            Self::Gross => Some(invocation.gross_ns),
            Self::Tare => invocation.tare_ns(),
            Self::Calls => invocation.calls_ns(),
            Self::Delivery => invocation.delivery_ns,
            Self::Cpu => invocation.cpu_per_token_ns(),
        }
    }

    /// How much of a difference does not matter: 1 % of gross, 5 % of all else.
    pub fn margin(self) -> Margin {
        match self {
            Self::Gross => Margin::GROSS,
            Self::Tare | Self::Calls | Self::Delivery | Self::Cpu => Margin::TARE,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gross => "gross",
            Self::Tare => "tare",
            Self::Calls => "tare of the calls",
            Self::Delivery => "delivery",
            Self::Cpu => "CPU per token",
        })
    }
}
