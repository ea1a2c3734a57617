//! Where a result comes from: what was built ([`Build`]), on which machine it ran ([`Machine`]),
//! when and how it was called ([`Occasion`]), and what there spoils measurements ([`Finding`]).
//!
//! Two results may be compared where their [`Fingerprint`]s do not differ.

mod build;
mod finding;
mod fingerprint;
mod occasion;

pub use build::Build;
pub use finding::{Finding, Verdict};
pub use fingerprint::{Difference, Fingerprint, Item};
pub use occasion::Occasion;

use crate::machine::Machine;
use serde::{Deserialize, Serialize};

/// All of that; in JSON one flat object, and what the system does not tell is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Provenance {
    /// The program.
    #[serde(flatten)]
    pub build: Build,
    /// What it ran on.
    #[serde(flatten)]
    pub machine: Machine,
    /// Its call.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// The machine's fitness, before the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Provenance {
    /// That of this process, now: reads files, measures nothing, and has no findings yet.
    pub fn here() -> Self {
        Self {
            build: Build::here(),
            machine: Machine::here(),
            occasion: Occasion::now(),
            findings: Vec::new(),
        }
    }

    /// The same with these findings, such as those of `doctor::quick`.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Self {
        Self { findings, ..self }
    }

    /// The names of the checks that found what spoils measurements.
    pub fn spoilers(&self) -> Vec<&str> {
        let bad = self.findings.iter();
        bad.filter(|finding| finding.verdict == Verdict::Bad)
            .map(|finding| finding.check.as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_flat_in_json_and_reads_back() {
        let finding = Finding {
            check: "governor".to_owned(),
            verdict: Verdict::Bad,
            found: "powersave".to_owned(),
        };
        let here = Provenance::here().with_findings(vec![finding]);
        assert_eq!(here.spoilers(), ["governor"]);
        assert!(!here.occasion.command_line.is_empty());
        let json = serde_json::to_value(&here).expect("JSON");
        for field in [
            "tare_version",
            "rust_version",
            "os",
            "hostname",
            "timestamp",
        ] {
            assert!(json[field].is_string(), "{field}");
        }
        assert_eq!(json["findings"][0]["verdict"], "bad");
        let read: Provenance = serde_json::from_value(json).expect("what is written can be read");
        assert_eq!(read, here);
    }
}
