//! What `tare agent` leaves beside its records: `data/metrics.json` and `data/transcript.jsonl` in the
//! older reports' schema, and a Markdown report of either side and of both.
//!
//! [`Metrics`] is the whole of it; the reports are written from it alone, so that they say nothing that
//! the numbers do not. Verdicts are the judge's.

mod call;
mod comparison;
mod figure;
mod metrics;
mod net;
mod prose;
mod setup;
mod side;

pub use call::{CallMetrics, Load, RunMetrics, StageName};
pub use comparison::comparison_report;
pub use figure::{Figure, Spread};
pub use metrics::{Metrics, SCHEMA, SideMetrics};
pub use prose::{server, system};
pub use setup::{BASELINE_AGAIN, Chosen, LimitsMetrics, Server, Setup, Side};
pub use side::side_report;

use crate::experiment::{Detail, Record, Stored};
use crate::report::transcript::Words;
use serde::Serialize;

/// The files, by their paths below the folder of results.
pub const FILES: [&str; 5] = [
    "data/metrics.json",
    "data/transcript.jsonl",
    "reports/baseline_report.md",
    "reports/chimera_report.md",
    "reports/comparison_report.md",
];

/// The text of each of [`FILES`]; `None` where no run of an agent is finished.
///
/// # Errors
/// Never for what records hold; JSON's writer can't know.
pub fn export(stored: &Stored) -> serde_json::Result<Option<[String; 5]>> {
    let measured = Measured::all(stored);
    let Some(metrics) = Metrics::of(stored, &measured) else {
        return Ok(None);
    };
    let [baseline, chimera] = Side::BOTH.map(|side| side_report(&metrics, side));
    Ok(Some([
        serde_json::to_string_pretty(&metrics)? + "\n",
        transcript(&measured)?,
        baseline,
        chimera,
        comparison_report(&metrics),
    ]))
}

/// A finished run of a side.
#[derive(Clone, Copy, Debug)]
struct Measured<'a> {
    side: Side,
    /// The block, from 1.
    block: u32,
    /// Its place among all finished runs of both sides, from 1.
    position: u32,
    detail: &'a Detail,
}

impl<'a> Measured<'a> {
    /// Those of both sides, in the order in which they ran.
    fn all(stored: &'a Stored) -> Vec<Self> {
        let records = stored.records.iter();
        let finished = records.filter_map(|record: &Record| {
            let side = Side::BOTH
                .into_iter()
                .find(|side| side.name() == record.arm)?;
            Some((side, record.block, record.timed()?.detail.as_ref()?))
        });
        (1..)
            .zip(finished)
            .map(|(position, (side, block, detail))| Self {
                side,
                block: u32::try_from(block + 1).unwrap_or(u32::MAX),
                position,
                detail,
            })
            .collect()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    run: u32,
    side: Side,
    stage: StageName,
    #[serde(flatten)]
    words: Words<'a>,
}

/// What was asked and answered, in the order in which the runs ran: per call a line of JSON with `run`,
/// `side`, `stage`, `prompt`, `answer`, `thinking` where there was any, and what the answer was taken
/// apart into: `sections`, `metrics`, `recommendations`.
fn transcript(measured: &[Measured<'_>]) -> serde_json::Result<String> {
    let mut text = String::new();
    for run in measured {
        for (stage, entry) in StageName::BOTH.into_iter().zip(&run.detail.texts) {
            text += &serde_json::to_string(&Line {
                run: run.block,
                side: run.side,
                stage,
                words: Words::of(&entry.prompt, &entry.answer, &entry.thinking),
            })?;
            text.push('\n');
        }
    }
    Ok(text)
}
