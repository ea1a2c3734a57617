//! Gross, net and tare of a call and of an agent. Times in nanoseconds.

use crate::meter::{Call, NetSource};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAccount {
    /// The iteration's index, from 0.
    pub iteration: u64,
    /// The agent's index within it, from 0; 0 of a stream.
    pub agent: u32,
    /// Tokens received.
    pub tokens: u64,
    /// From its start to its end, by the client's clock.
    pub gross_ns: u64,
    /// What the server spent; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<u64>,
    /// How that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_source: Option<NetSource>,
    /// Time to first token, by the client's clock; absent without a token, as its parts are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<u64>,
    /// Of it, until there was a connection; absent if one was there, or the client does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ns: Option<u64>,
    /// Of it, from there until the request was written; absent if the client does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_ns: Option<u64>,
    /// Of it, from there until the reply's head was there; absent if the client does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_ns: Option<u64>,
    /// Of it, from its start until the reply's head was there: the three above together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_head_ns: Option<u64>,
    /// Of it, from the reply's head on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ns: Option<u64>,
    /// Time per output token; absent with fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ns: Option<u64>,
}

impl CallAccount {
    pub(super) fn of(call: &Call, iteration: u64, agent: u32) -> Self {
        let parts = call.first_token();
        Self {
            iteration,
            agent,
            tokens: call.token_count() as u64,
            gross_ns: nanos(call.gross()),
            net_ns: call.net().map(nanos),
            net_source: call.net_source(),
            ttft_ns: call.ttft().map(nanos),
            connect_ns: parts.and_then(|parts| parts.connect).map(nanos),
            request_ns: parts.and_then(|parts| parts.request).map(nanos),
            head_ns: parts.and_then(|parts| parts.head).map(nanos),
            until_head_ns: parts.map(|parts| nanos(parts.until_head)),
            first_token_ns: parts.map(|parts| nanos(parts.token)),
            tpot_ns: call.tpot().map(nanos),
        }
    }

    /// Gross less net; negative if the server states more than there was.
    pub fn tare_ns(&self) -> Option<i64> {
        tare(self.gross_ns, self.net_ns)
    }
}

/// One agent's run: what it read, and both calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentAccount {
    /// The iteration's index, from 0.
    pub iteration: u64,
    /// The agent's index within it, from 0.
    pub agent: u32,
    /// Tokens of both answers.
    pub tokens: u64,
    /// From its beginning to its end.
    pub gross_ns: u64,
    /// What the server spent on both calls; absent where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ns: Option<u64>,
    /// Time that reading the corpus took.
    pub ingest_ns: u64,
}

impl AgentAccount {
    /// Gross less net; negative if the server states more than there was.
    pub fn tare_ns(&self) -> Option<i64> {
        tare(self.gross_ns, self.net_ns)
    }
}

fn tare(gross: u64, net: Option<u64>) -> Option<i64> {
    let signed = |nanos| i64::try_from(nanos).unwrap_or(i64::MAX);
    net.map(|net| signed(gross) - signed(net))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
