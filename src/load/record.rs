//! What is kept of a load: versioned JSON, of the same parts as a weighing's result.
//!
//! It is a document of its own, because it holds one process and no comparison. Provenance, server,
//! usage and histograms are those of [`weighing`](crate::weighing)'s. Names end in their unit; what
//! is not known is absent and never zero.

use super::outcome::Outcome;
use super::setup::Setup;
use crate::provenance::Provenance;
use crate::weighing::Served;
use serde::{Deserialize, Serialize};

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.load/1";

/// A whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Record {
    /// Name and version of the format.
    pub schema: String,
    /// Build, machine, command line, time, and what there spoils measurements.
    pub provenance: Provenance,
    /// Who answered.
    pub server: Served,
    /// What was fixed before the first request.
    pub setup: Setup,
    /// What came of it.
    pub outcome: Outcome,
}
