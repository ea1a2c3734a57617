//! One call and one run in numbers. Times are milliseconds; what is unknown is absent, never zero.

use super::Measured;
use crate::meter::NetSource;
use crate::published::CallFigures;
use crate::run::{CallAccount, HotServer, TranscriptEntry};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of an agent's two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// The first: analyse the corpus.
    Analysis,
    /// The second: write a report from the analysis.
    Report,
}

impl StageName {
    /// Both, in their order.
    pub const BOTH: [Self; 2] = [Self::Analysis, Self::Report];

    /// As results name it.
    pub fn name(self) -> &'static str {
        match self {
            StageName::Analysis => "analysis",
            StageName::Report => "report",
        }
    }
}

/// Whether the model had to be loaded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// It was loaded before.
    Warm,
    /// It was loaded in the call, or in one of the run's calls.
    Cold,
    /// The server does not say.
    Unstated,
}

impl Load {
    /// All, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Warm, Self::Cold, Self::Unstated];

    fn of(cold: Option<bool>) -> Self {
        match cold {
            Some(true) => Load::Cold,
            Some(false) => Load::Warm,
            None => Load::Unstated,
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Load::Warm => "warm",
            Load::Cold => "cold",
            Load::Unstated => "load unstated",
        })
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallMetrics {
    /// Those of the older reports, under their names.
    #[serde(flatten)]
    pub figures: CallFigures,

    /// The block, from 1.
    pub run: u32,
    /// Which call.
    pub stage: StageName,
    /// Whether the model was loaded in it: as a mock tells, or by its `load_duration_ms` against that of
    /// the same server's hot calls; absent where neither can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<bool>,
    /// From the start of the call to its end, by the client's clock, ms.
    pub gross_ms: f64,
    /// What the server spent, by `net_source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ms: Option<f64>,
    /// Where that comes from: with the mock it is from the request's arrival to the making of the
    /// last line, else `total_duration_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_source: Option<NetSource>,
    /// Gross less net, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_ms: Option<f64>,
    /// Whether the mock wrote more than 1 % of the tokens late, so that the pace was not its
    /// profile's. Absent, as the next two, without a mock that tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_late: Option<bool>,
    /// Tokens that it wrote more than 1 ms after they were due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_tokens: Option<u64>,
    /// How late the latest was, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_late_ms: Option<f64>,
    /// Mean time between two pieces, by the client's clock, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub itl_mean_ms: Option<f64>,
    /// (last − first token) / (n − 1), by the client's clock, ms, n being `tokens_generated`. The
    /// same as `itl_mean_ms` where each piece is one token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ms: Option<f64>,
    /// Median time from the moment that a token was on its way (a recording proxy passed it on, or
    /// else the mock wrote it) to its being parsed, ms. Absent where neither tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_p50_ms: Option<f64>,
    /// The 99th percentile of it, ms; absent with fewer than 1,000 tokens too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_p99_ms: Option<f64>,
    /// Tokens of the prompt that the server states, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Pieces that the client received.
    pub pieces: u64,
    /// FNV-1a digest of the pieces and their lengths, hexadecimal.
    pub digest: String,
    /// Why the answer ended, in the server's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_reason: Option<String>,
}

impl CallMetrics {
    /// The figures of a call, and of the server that it asked what its hot calls tell.
    pub(super) fn of(
        run: u32,
        stage: StageName,
        call: &CallAccount,
        said: &TranscriptEntry,
        hot: Option<&HotServer>,
    ) -> Self {
        let stated = call.stated.filter(|stated| stated.load_ns.is_some());
        let reload = stated.and_then(|stated| match call.waits {
            Some(told) => Some(told.reload_ns),
            None => hot?.reload_ns(&stated),
        });
        let gap_ms = call.tpot_ns.map(ms);
        let gaps = call.tokens.saturating_sub(1) as f64;
        Self {
            figures: CallFigures::of(call),
            run,
            stage,
            cold: reload.map(|reload| reload > 0),
            gross_ms: ms(call.gross_ns),
            net_ms: call.net_ns.map(ms),
            net_source: call.net_source,
            tare_ms: call.tare_ns().map(|nanos| nanos as f64 / 1e6),
            mock_late: call.mock_late,
            late_tokens: call.late_tokens,
            most_late_ms: call.most_late_ns.map(ms),
            itl_mean_ms: gap_ms,
            tpot_ms: gap_ms
                .filter(|_| call.generated > 1)
                .map(|gap| gap * gaps / (call.generated - 1) as f64),
            delivery_p50_ms: call.delivery_p50_ns.map(ms),
            delivery_p99_ms: call.delivery_p99_ns.map(ms),
            prompt_tokens: call.prompt_tokens,
            pieces: call.tokens,
            digest: said.digest.clone(),
            done_reason: said.done_reason.clone(),
        }
    }

    /// Whether the model was loaded in it.
    pub fn load(&self) -> Load {
        Load::of(self.cold)
    }

    /// That, and whether the mock was late, for a table.
    pub fn state(&self) -> String {
        state(self.load(), self.mock_late)
    }
}

/// One run of the agent: ingest, both calls, and the parsing between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunMetrics {
    /// The block, from 1.
    pub run: u32,
    /// Its place among all finished runs of both sides, from 1.
    pub position: u32,
    /// Whether the model was loaded in one of its calls; absent where the server does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<bool>,
    /// Reading and parsing the corpus, ms.
    pub ingest_ms: f64,
    /// The analysis call, by the client's clock, ms.
    pub analysis_ms: f64,
    /// The report call, by the client's clock, ms.
    pub report_ms: f64,
    /// From beginning to end, ms.
    pub gross_ms: f64,
    /// What the server spent on both calls, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_ms: Option<f64>,
    /// Gross less net, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_ms: Option<f64>,
    /// Whether the mock was late in one of its calls; absent without a mock that tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mock_late: Option<bool>,
    /// Tokens of both answers.
    pub tokens: u64,
}

impl RunMetrics {
    /// The figures of a run, whose calls have theirs already; `None` where one of them is missing.
    pub(super) fn of(run: &Measured<'_>, calls: &[CallMetrics]) -> Option<Self> {
        let agent = run.detail.agents.first()?;
        let [analysis, report] = calls else {
            return None;
        };
        let any_cold = calls.iter().any(|call| call.cold == Some(true));
        let all_warm = calls.iter().all(|call| call.cold == Some(false));
        let lateness = calls.iter().filter_map(|call| call.mock_late);
        Some(Self {
            run: run.block,
            position: run.position,
            cold: (any_cold || all_warm).then_some(any_cold),
            ingest_ms: ms(agent.ingest_ns),
            analysis_ms: analysis.gross_ms,
            report_ms: report.gross_ms,
            gross_ms: ms(agent.gross_ns),
            net_ms: agent.net_ns.map(ms),
            tare_ms: agent.tare_ns().map(|nanos| nanos as f64 / 1e6),
            mock_late: lateness.reduce(|a, b| a || b),
            tokens: calls.iter().map(|call| call.figures.tokens_generated).sum(),
        })
    }

    /// Whether the model was loaded in it.
    pub fn load(&self) -> Load {
        Load::of(self.cold)
    }

    /// That, and whether the mock was late, for a table.
    pub fn state(&self) -> String {
        state(self.load(), self.mock_late)
    }

    /// Tare as a share of gross.
    pub fn tare_share(&self) -> Option<f64> {
        self.tare_ms.map(|tare| tare / self.gross_ms)
    }
}

fn state(load: Load, mock_late: Option<bool>) -> String {
    match mock_late {
        Some(true) => format!("{load}, mock late"),
        _ => load.to_string(),
    }
}

fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
