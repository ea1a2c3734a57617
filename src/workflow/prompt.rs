//! The two prompts.

use super::answer::Answer;
use super::corpus::Corpus;
use super::document::Kind;
use std::fmt::Write;

/// Asks for an analysis of the corpus.
pub fn analysis(corpus: &Corpus) -> String {
    let mut prompt = format!(
        "You analyse benchmark results. Below is a summary of {} files ({} CSV, {} JSON, {} Markdown; {} bytes).\n\
         Write Markdown: a `##` section per finding, each metric as a list item `- **name**: value unit`, \
         and a last section `## Recommendations` with a numbered list. Claim nothing that the figures do not show.\n\n",
        corpus.documents.len(),
        corpus.count(Kind::Csv),
        corpus.count(Kind::Json),
        corpus.count(Kind::Markdown),
        corpus.bytes(),
    );
    for document in &corpus.documents {
        let _ = writeln!(prompt, "{document}");
    }
    prompt
}

/// Asks for a report from the analysis.
pub fn report(analysis: &str, parsed: &Answer) -> String {
    let mut prompt = String::from(
        "Write a technical report in Markdown from the analysis below: a summary, the findings with their \
         figures, the limits of the data, and what to do next.\n\nSections: ",
    );
    let titles = parsed.sections.iter().map(|section| section.title.as_str());
    prompt.push_str(&titles.collect::<Vec<_>>().join("; "));
    prompt.push_str("\nMetrics:\n");
    for metric in &parsed.metrics {
        let _ = writeln!(
            prompt,
            "- {}: {} {}",
            metric.name, metric.value, metric.unit
        );
    }
    prompt.push_str("Recommendations:\n");
    for recommendation in &parsed.recommendations {
        let _ = writeln!(prompt, "- {recommendation}");
    }
    prompt.push_str("\nThe analysis in full:\n\n");
    prompt.push_str(analysis);
    prompt
}
