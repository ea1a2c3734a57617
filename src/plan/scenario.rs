//! Stand-in.
use serde::{Deserialize, Serialize};
/// What the agents do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// One.
    Single,
    /// Two.
    BaselineVsChimera,
    /// Two.
    ChimeraHetero,
    /// Two.
    ChimeraHomo,
    /// N.
    Equal,
}
impl Scenario {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::Single,
        Self::BaselineVsChimera,
        Self::ChimeraHetero,
        Self::ChimeraHomo,
        Self::Equal,
    ];
    /// Name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::BaselineVsChimera => "baseline_vs_chimera",
            Self::ChimeraHetero => "chimera_hetero",
            Self::ChimeraHomo => "chimera_homo",
            Self::Equal => "equal",
        }
    }
}
