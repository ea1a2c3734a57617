//! `data/transcript.jsonl`: what was asked and answered, a line per call.

use super::Measured;
use super::call::StageName;
use super::setup::Side;
use crate::workflow::Answer;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    run: u32,
    side: Side,
    stage: StageName,
    prompt: &'a str,
    answer: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    sections: Vec<Section<'a>>,
    metrics: Vec<Metric<'a>>,
    recommendations: &'a [String],
}

#[derive(Serialize)]
struct Section<'a> {
    title: &'a str,
    body: &'a str,
}

#[derive(Serialize)]
struct Metric<'a> {
    name: &'a str,
    value: f64,
    unit: &'a str,
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
        for (name, stage) in StageName::BOTH.into_iter().zip(measured.run.stages()) {
            let answer = stage.call.text();
            let parsed = Answer::parse(answer);
            let sections = parsed.sections.iter().map(|section| Section {
                title: &section.title,
                body: &section.body,
            });
            let metrics = parsed.metrics.iter().map(|metric| Metric {
                name: &metric.name,
                value: metric.value,
                unit: &metric.unit,
            });
            text += &serde_json::to_string(&Line {
                run: measured.block,
                side: measured.side,
                stage: name,
                prompt: &stage.prompt,
                answer,
                thinking: stage.call.thinking(),
                sections: sections.collect(),
                metrics: metrics.collect(),
                recommendations: &parsed.recommendations,
            })?;
            text.push('\n');
        }
    }
    Ok(text)
}
