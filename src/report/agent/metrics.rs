//! `data/metrics.json`.
//!
//! `baseline` and `chimera` have the fields of the older reports under the older names, so that a
//! program that read those reads these; what tare adds stands beside them. A consumer looks at
//! `schema` first: the number after the slash grows when a field changes its meaning or goes.

use super::Measured;
use super::compare::{Comparison, compare};
use super::setup::{Setup, Side};
use super::side_metrics::SideMetrics;
use crate::run::{CallAccount, HotServer};
use crate::workflow::{Corpus, Kind};
use serde::{Deserialize, Serialize};

/// Name and version of the format.
pub const SCHEMA: &str = "tare.agent/1";

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// [`SCHEMA`].
    pub schema: String,
    /// What was measured, with what, on what.
    pub provenance: Setup,
    /// What the agents read.
    pub corpus: CorpusMetrics,
    /// The sides in the order in which they ran: two runs per block.
    pub order: Vec<Side>,
    /// The server's default options.
    pub baseline: SideMetrics,
    /// The overrides.
    pub chimera: SideMetrics,
    /// Chimera against baseline.
    pub comparison: Comparison,
}

/// What the agents read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusMetrics {
    /// Files that were read.
    pub files: usize,
    /// CSV files among them.
    pub csv: usize,
    /// JSON files among them.
    pub json: usize,
    /// Markdown files among them.
    pub markdown: usize,
    /// Bytes of the files that were read.
    pub bytes: usize,
    /// Files of no kind that is read.
    pub ignored: usize,
    /// Files that should have been read and could not be.
    pub skipped: Vec<SkippedFile>,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// The file, relative to the corpus.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl CorpusMetrics {
    fn of(corpus: &Corpus) -> Self {
        let skipped = corpus.skipped.iter().map(|skipped| SkippedFile {
            path: skipped.path.display().to_string(),
            reason: skipped.reason.replace('\n', " "),
        });
        Self {
            files: corpus.documents.len(),
            csv: corpus.count(Kind::Csv),
            json: corpus.count(Kind::Json),
            markdown: corpus.count(Kind::Markdown),
            bytes: corpus.bytes(),
            ignored: corpus.ignored,
            skipped: skipped.collect(),
        }
    }
}

/// The server in its hot calls: the report calls, each of which asks as the analysis call just before
/// it did.
fn hot(measured: &[Measured]) -> Option<HotServer> {
    let reports = measured.iter().map(|it| &it.run.report.call);
    let accounts = reports.map(|call| CallAccount::of(call, 0, 0));
    HotServer::of(&accounts.collect::<Vec<_>>())
}

impl Metrics {
    /// The result of runs, in the order in which they ran; `None` of no run.
    pub fn of(setup: Setup, measured: &[Measured]) -> Option<Self> {
        let first = measured.first()?;
        let hot = hot(measured);
        let side = |side| SideMetrics::of(&setup, side, measured, hot.as_ref());
        let (baseline, chimera) = (side(Side::Baseline), side(Side::Chimera));
        Some(Self {
            schema: SCHEMA.to_owned(),
            corpus: CorpusMetrics::of(&first.run.corpus),
            order: measured.iter().map(|measured| measured.side).collect(),
            comparison: compare(&baseline, &chimera),
            provenance: setup,
            baseline,
            chimera,
        })
    }

    /// One side.
    pub fn side(&self, side: Side) -> &SideMetrics {
        match side {
            Side::Baseline => &self.baseline,
            Side::Chimera => &self.chimera,
        }
    }
}
