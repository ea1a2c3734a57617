//! What was found of the machine's fitness to measure on, in short, so that a result can carry it.
//!
//! What is looked for, what it means and what to do about it is `doctor`'s.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What something does to measurements. The worst is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Fitness"))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It spoils them.
    Bad,
    /// It may show in them; who reads them should know.
    Note,
    /// The system does not tell.
    Unknown,
    /// Nothing.
    Good,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Bad => "bad",
            Verdict::Note => "note",
            Verdict::Unknown => "unknown",
            Verdict::Good => "good",
        })
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// The check's name, such as `governor`. Not a closed set: results outlive lists of checks.
    pub check: String,
    /// What that does to measurements.
    pub verdict: Verdict,
    /// What was found, with units, for people.
    pub found: String,
}
