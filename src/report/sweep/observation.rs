//! One run as the analysis sees it: its figures, its factors, and where it is from.

use super::factor::{Factor, Level, Levels};
use super::figure::Figure;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a result is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Two agents, `collector` and `insight`.
    Pair,
    /// Any other number of agents together.
    Team,
    /// One agent with one set of options, as the older reports published it.
    Agent,
    /// One side, baseline or chimera, of a result that holds both.
    Side,
}

impl Kind {
    /// Whether several agents worked at once.
    pub fn is_concurrent(self) -> bool {
        matches!(self, Kind::Pair | Kind::Team)
    }

    /// In words, of one.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Pair => "run of two agents",
            Kind::Team => "run of a team",
            Kind::Agent => "result of one agent",
            Kind::Side => "side of a baseline/chimera result",
        }
    }
}

/// One run. Only figures that are known are there, and all are finite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observation {
    /// The file that it was read from, relative to the folder that was named.
    pub file: String,
    /// What it is of.
    pub kind: Kind,
    /// Its number as the file has it, from 1; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_number: Option<u32>,
    /// Which configuration it is a run of: the plan's name for it, or one made of its factors.
    pub configuration: String,
    /// Whether all its agents ran with the server's default options.
    pub is_default: bool,
    /// What was chosen for it.
    pub factors: Levels,
    /// What came of it, each in its figure's unit.
    pub figures: BTreeMap<Figure, f64>,
    /// The values of single calls, of one agent's throughput and TTFT: what there is to go by where a
    /// configuration has one result only.
    #[serde(skip)]
    pub calls: BTreeMap<Figure, Vec<f64>>,
    /// Whether there was contention, by each rule; of several agents only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contention: Option<Contended>,
    /// Whether a mock was late, so that the pace was not its profile's; absent where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mock_late: Option<bool>,
}

/// Contention by the published rules and by ours; what cannot be told is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contended {
    /// The published code: speed-up below 1.5. Recomputed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speedup_below_1_5: Option<bool>,
    /// The published text: TTFT more than 3 s above that of the same agent alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_3s_over_baseline: Option<bool>,
    /// Ours: the calls waited more than 1 % of the makespan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited: Option<bool>,
}

impl Observation {
    /// A figure, if it is known.
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        self.figures.get(&figure).copied()
    }

    /// Whether its agents ran together: two of them for at least half of the shorter one's time. Of
    /// others that is not known, and taken for granted.
    pub fn overlaps(&self) -> bool {
        self.figure(Figure::Overlap)
            .is_none_or(|overlap| overlap >= 50.0)
    }

    /// The level of a factor, if it is known.
    pub fn level(&self, factor: Factor) -> Option<&Level> {
        self.factors.get(&factor)
    }
}
