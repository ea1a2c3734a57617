//! `transcript.jsonl`: what was asked and answered while all agents ran, a line per call.

use crate::published::TeamRun;
use crate::published::agent::StageName;
use crate::report::transcript::Words;
use crate::run::TranscriptEntry;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    run: u32,
    agent: &'a str,
    stage: StageName,
    #[serde(flatten)]
    words: Words<'a>,
}

/// A run's lines: `run`, `agent`, `stage`, `prompt`, `answer`, `thinking` where there was any, and
/// what the answer was taken apart into.
///
/// # Errors
/// Never for what a run holds; JSON's writer can't know.
pub fn transcript(run: &TeamRun, said: &[TranscriptEntry]) -> serde_json::Result<String> {
    let names: Vec<&str> = run.members().map(|it| it.config.id.as_str()).collect();
    let mut text = String::new();
    for said in said {
        text += &serde_json::to_string(&Line {
            run: run.run_number,
            agent: names.get(said.agent as usize).copied().unwrap_or_default(),
            stage: match said.call {
                0 => StageName::Analysis,
                _ => StageName::Report,
            },
            words: Words::of(&said.prompt, &said.answer, &said.thinking),
        })?;
        text.push('\n');
    }
    Ok(text)
}
