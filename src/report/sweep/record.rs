//! `analysis.json`: all that was read and all that is said of it.

use super::analysis::{Family, SEED, analyse};
use super::figure::Figure;
use super::observation::Observation;
use crate::provenance::Provenance;
use crate::published::import::Source;
use serde::Serialize;

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.analysis/1";

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Where, when and with what the analysis was made; the runs have their own.
    pub provenance: Provenance,
    /// Seed of every draw in it.
    pub seed: u64,
    /// What was found and what was not usable.
    pub source: Source,
    /// What is said, by sort of run.
    pub families: Vec<Family>,
    /// Every run.
    pub runs: Vec<Observation>,
}

impl Record {
    /// Analyses what was read: these figures, or each sort's own if none is named.
    pub fn of(source: Source, runs: Vec<Observation>, figures: &[Figure]) -> Self {
        Self {
            schema: SCHEMA,
            provenance: Provenance::here(),
            seed: SEED,
            families: analyse(&runs, figures),
            source,
            runs,
        }
    }
}
