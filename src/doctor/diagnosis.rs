//! What a check comes to.

use super::Check;
use crate::provenance::{Finding, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A check's result, as `tare doctor --format json` has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What was checked.
    pub check: Check,
    /// What that does to measurements here.
    pub verdict: Verdict,
    /// What was found, with units, for people.
    pub found: String,
    /// The same as numbers: a name ends in its unit (`_ns`, `_us`, `_ms`, `_s`, `_percent`,
    /// `_bytes`), and what has none is a count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, f64>,
    /// What the thing checked does to measurements: a sentence.
    pub meaning: String,
    /// What to do, with a command; absent where there is nothing to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Diagnosis {
    pub(super) fn of(check: Check, judged: Judged) -> Self {
        let values = judged.values.into_iter();
        Self {
            check,
            verdict: judged.verdict,
            found: judged.found,
            values: values
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            meaning: check.meaning().to_owned(),
            remedy: judged.remedy,
        }
    }

    /// In short, for a result's provenance.
    pub fn finding(&self) -> Finding {
        Finding {
            check: self.check.name().to_owned(),
            verdict: self.verdict,
            found: self.found.clone(),
        }
    }
}

/// What a judgement says of what was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub found: String,
    pub values: Vec<(&'static str, f64)>,
    pub remedy: Option<String>,
}

impl Judged {
    pub fn new(verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            verdict,
            found: found.into(),
            values: Vec::new(),
            remedy: None,
        }
    }

    pub fn good(found: impl Into<String>) -> Self {
        Self::new(Verdict::Good, found)
    }

    /// What the system does not tell.
    pub fn unknown() -> Self {
        Self::new(Verdict::Unknown, "the system does not tell")
    }

    pub fn value(mut self, name: &'static str, value: f64) -> Self {
        self.values.push((name, value));
        self
    }

    /// What to do, where something is amiss.
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        if let Verdict::Bad | Verdict::Note = self.verdict {
            self.remedy = Some(remedy.into());
        }
        self
    }
}
