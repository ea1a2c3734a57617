//! What was asked and answered, and what the answer was taken apart into: what the lines of every
//! transcript have in common.

use crate::workflow::{self, Answer};
use serde::Serialize;

/// A call in words.
#[derive(Serialize)]
pub struct Words<'a> {
    prompt: &'a str,
    answer: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    sections: Vec<Section>,
    metrics: Vec<Metric>,
    recommendations: Vec<String>,
}

#[derive(Serialize)]
struct Section {
    title: String,
    body: String,
}

#[derive(Serialize)]
struct Metric {
    name: String,
    value: f64,
    unit: String,
}

impl<'a> Words<'a> {
    /// A call, its answer taken apart.
    pub fn of(prompt: &'a str, answer: &'a str, thinking: &'a str) -> Self {
        let Answer {
            sections,
            metrics,
            recommendations,
        } = Answer::parse(answer);
        let section = |workflow::Section { title, body }| Section { title, body };
        let metric = |workflow::Metric { name, value, unit }| Metric { name, value, unit };
        Self {
            prompt,
            answer,
            thinking,
            sections: sections.into_iter().map(section).collect(),
            metrics: metrics.into_iter().map(metric).collect(),
            recommendations,
        }
    }
}
