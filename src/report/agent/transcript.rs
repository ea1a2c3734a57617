//! `data/transcript.jsonl`: what was asked and answered, a line per call.

use super::Measured;
use super::call::StageName;
use super::setup::Side;
use crate::report::transcript::Words;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    run: u32,
    side: Side,
    stage: StageName,
    #[serde(flatten)]
    words: Words<'a>,
}

/// The transcript of runs, in the order in which they ran: per call a line of JSON with `run`,
/// `side`, `stage`, `prompt`, `answer`, `thinking` where there was any, and what the answer was
/// taken apart into: `sections`, `metrics`, `recommendations`.
///
/// # Errors
/// Never for what a run holds; JSON's writer can't know.
pub fn transcript(measured: &[Measured]) -> serde_json::Result<String> {
    let mut text = String::new();
    for measured in measured {
        for (stage, asked) in StageName::BOTH.into_iter().zip(measured.run.stages()) {
            let call = &asked.call;
            text += &serde_json::to_string(&Line {
                run: measured.block,
                side: measured.side,
                stage,
                words: Words::of(&asked.prompt, call.text(), call.thinking()),
            })?;
            text.push('\n');
        }
    }
    Ok(text)
}
