//! What was asked and answered, for a transcript.

use crate::workflow::AgentRun;
use serde::{Deserialize, Serialize};

/// One call in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TranscriptEntry {
    /// The iteration's index, from 0.
    pub iteration: u64,
    /// The agent's index within it, from 0.
    pub agent: u32,
    /// The agent's call, from 0: its analysis, then its report.
    pub call: u32,
    /// The whole prompt.
    pub prompt: String,
    /// The whole answer.
    pub answer: String,
    /// What the model thought before it, where it said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thinking: String,
    /// FNV-1a digest of the pieces of the answer and their lengths, hexadecimal.
    pub digest: String,
    /// Why the answer ended, in the server's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_reason: Option<String>,
}

impl TranscriptEntry {
    /// Both calls of an agent's run.
    pub(super) fn of(run: &AgentRun, iteration: u64, agent: u32) -> impl Iterator<Item = Self> {
        let stages = (0..).zip(run.stages());
        stages.map(move |(call, stage)| Self {
            iteration,
            agent,
            call,
            prompt: stage.prompt.clone(),
            answer: stage.call.text().to_owned(),
            thinking: stage.call.thinking().to_owned(),
            digest: stage.call.digest().to_string(),
            done_reason: stage.call.last.done_reason.as_deref().map(str::to_owned),
        })
    }
}
