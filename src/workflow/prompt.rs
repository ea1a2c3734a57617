//! The two prompts.
//!
//! Both are kept short: Ollama cuts a prompt to its context, 4,096 tokens by default and the answer
//! included, without a word. So the analysis is asked from a summary of the corpus and not from
//! its files.

use super::answer::Answer;
use super::corpus::Corpus;
use super::document::{Facts, Kind};
use super::role::Role;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Asks for an analysis of the corpus, as it is the role's part.
pub fn analysis(role: Role, corpus: &Corpus) -> String {
    let mut prompt = format!(
        "{}You analyse benchmark results. Below is a summary of {} files ({} CSV, {} JSON, {} Markdown; {} bytes).\n\
         Write Markdown: a `##` section per finding, each metric as a list item `- **name**: value unit`, \
         and a last section `## Recommendations` with a numbered list. Claim nothing that the figures do not show.\n\n\
         Files by folder:\n",
        role.analysis(),
        corpus.documents.len(),
        corpus.count(Kind::Csv),
        corpus.count(Kind::Json),
        corpus.count(Kind::Markdown),
        corpus.bytes(),
    );
    for (folder, files) in files_by_folder(corpus) {
        let _ = writeln!(prompt, "- {}: {files}", folder.display());
    }
    prompt.push_str("\nFigures, over all files that have them:\n");
    for column in corpus.figures().values() {
        let _ = writeln!(prompt, "- {column}");
    }
    prompt.push_str("\nNotes:\n");
    for document in &corpus.documents {
        if let Facts::Text {
            title: Some(title), ..
        } = &document.facts
        {
            let _ = writeln!(prompt, "- {title}");
        }
    }
    prompt
}

fn files_by_folder(corpus: &Corpus) -> BTreeMap<&Path, usize> {
    let mut folders = BTreeMap::new();
    for document in &corpus.documents {
        let folder = document.path.parent().unwrap_or(Path::new(""));
        *folders.entry(folder).or_default() += 1;
    }
    folders
}

/// Asks for a report from the analysis, as it is the role's part.
pub fn report(role: Role, analysis: &str, parsed: &Answer) -> String {
    let mut prompt = format!(
        "{}Write a technical report in Markdown from the analysis below: a summary, the findings with their \
         figures, the limits of the data, and what to do next.\n\nSections: ",
        role.report()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{Runtime, Threads};
    use crate::workflow::{INGEST_CONCURRENCY, ingest};
    use std::num::NonZeroUsize;

    #[test]
    fn the_prompt_about_the_shipped_corpus_fits_ollamas_default_context() {
        let rt = Threads::new(NonZeroUsize::MIN).expect("threads need nothing");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
        let corpus = futures::executor::block_on(ingest(&rt, &folder, INGEST_CONCURRENCY))
            .expect("a corpus");
        for role in [Role::Neutral, Role::DataCollector, Role::Insight] {
            let prompt = analysis(role, &corpus);
            // Figures and paths take some three bytes a token; half the context is for the answer.
            assert!(
                prompt.len() < 3 * 4096 / 2,
                "{role}: {} bytes",
                prompt.len()
            );
            assert!(prompt.contains("tr114/phase1/chimera_homo: "), "{prompt}");
        }
    }

    #[test]
    fn a_role_is_said_first_and_the_neutral_one_not_at_all() {
        let answer = Answer::parse("## Findings\n\n- **TTFT**: 5 ms\n");
        let of = |role| {
            let corpus = Corpus::default();
            [
                analysis(role, &corpus),
                report(role, "The analysis.", &answer),
            ]
        };
        let neutral = of(Role::Neutral);
        for role in [Role::DataCollector, Role::Insight] {
            for (prompt, neutral) in of(role).iter().zip(&neutral) {
                let before = prompt
                    .strip_suffix(neutral.as_str())
                    .expect("the same work");
                assert!(before.starts_with(&format!("You are {role}, ")), "{before}");
            }
        }
    }
}
