//! The role of an agent: what it is called, and what its prompts ask for beyond the common work.
//!
//! The two roles of the older reports read the same files and make the same two calls; their prompts
//! differ in the task alone, so that a difference between them is one of the server's work on the
//! answer and not of the client's work on the files.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What an agent is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An analysis and a report of it, with no part in a team.
    #[default]
    Neutral,
    /// The first of two: collects the figures.
    DataCollector,
    /// The second of two: says what they mean.
    Insight,
}

impl Role {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neutral => "Agent",
            Self::DataCollector => "DataCollector",
            Self::Insight => "Insight",
        }
    }

    /// What it does, in a sentence.
    pub fn task(self) -> &'static str {
        match self {
            Self::Neutral => {
                "Analyse a summary of benchmark files, then write a report from the analysis."
            }
            Self::DataCollector => {
                "Collect the metrics of a summary of benchmark files, then write a data report from them."
            }
            Self::Insight => {
                "Say what the metrics of a summary of benchmark files mean, then write a report of the insights."
            }
        }
    }

    /// What the analysis prompt says of the role; nothing for the neutral one.
    pub(super) fn analysis(self) -> &'static str {
        match self {
            Self::Neutral => "",
            Self::DataCollector => {
                "You are DataCollector, one of two agents. Your part is to collect: list each metric with its value, \
                 unit and folder, and what is missing. Leave the interpretation to the other agent.\n\n"
            }
            Self::Insight => {
                "You are Insight, one of two agents. Your part is to interpret: say which metrics stand out, what \
                 could explain them, and what would have to be measured to know. Leave the lists to the other agent.\n\n"
            }
        }
    }

    /// What the report prompt says of the role; nothing for the neutral one.
    pub(super) fn report(self) -> &'static str {
        match self {
            Self::Neutral => "",
            Self::DataCollector => {
                "You are DataCollector, one of two agents: your report is of the data, complete and without \
                 interpretation.\n\n"
            }
            Self::Insight => {
                "You are Insight, one of two agents: your report is of what the data mean, each insight with the \
                 figures that it rests on.\n\n"
            }
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
