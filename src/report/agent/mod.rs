//! The result of `tare agent`: one agent, run with the server's default options (baseline) and with
//! overrides (chimera).
//!
//! [`Metrics`] is the whole of it and what `data/metrics.json` holds; the three Markdown reports
//! are written from it alone ([`side_report`], [`comparison_report`]), so that they can say nothing
//! that the numbers do not. The words *higher* and *lower* come from [`Verdict`] and from nowhere
//! else. [`transcript`] is what was asked and answered.

mod call;
mod compare;
mod comparison;
mod metrics;
mod net;
mod prose;
mod setup;
mod side;
mod side_metrics;
mod transcript;

pub(crate) use prose::{server, system};

pub use call::{CallMetrics, Load, RunMetrics, StageName};
pub use compare::{Comparison, Figure, Quantity, Sample, Verdict};
pub use comparison::comparison_report;
pub use metrics::{CorpusMetrics, Metrics, SCHEMA, SkippedFile};
pub use setup::{Chosen, LimitsMetrics, Server, Setup, Side};
pub use side::side_report;
pub use side_metrics::SideMetrics;
pub use transcript::transcript;

use crate::workflow::AgentRun;

/// One run of the agent, as it was measured.
#[derive(Debug)]
pub struct Measured {
    /// The block that it belongs to, from 1: each has one run of either side.
    pub block: u32,
    /// With which options.
    pub side: Side,
    /// What it did.
    pub run: AgentRun,
}
