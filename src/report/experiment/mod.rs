//! A stored experiment for people: the answer first, in sentences made from verdicts and nothing else,
//! then a table per workload, then what the controls say, and where the rest is.
//!
//! | file | what |
//! |---|---|
//! | `answer` | does the runtime matter, does the client, how much is it beside inference |
//! | `tables` | means and ratios, and with `--wide` everything else |
//! | `controls` | A/A and positive controls, lateness, net, outliers |
//! | `data` | the same as JSON and as CSV |

mod answer;
mod controls;
mod data;
mod tables;
#[cfg(test)]
mod tests;

pub use data::{csv, json};

use crate::experiment::{
    Better, Judgements, Metric, Pooled, Record, Run, Server, Stored, Words, Workload,
};
use crate::stats::{Verdict, mean};
use std::fmt::Write;

/// How a report is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns that a line of text may take. Tables drop columns of their own to keep to it.
    pub width: usize,
    /// Every table, however wide.
    pub wide: bool,
    /// Markdown instead of text.
    pub markdown: bool,
}

impl Style {
    /// For a terminal of 100 columns.
    pub const TEXT: Self = Self {
        width: 100,
        wide: false,
        markdown: false,
    };
    /// For a file beside the records.
    pub const MARKDOWN: Self = Self {
        width: usize::MAX,
        wide: true,
        markdown: true,
    };

    fn heading(self, text: &str) -> String {
        match self.markdown {
            true => format!("\n## {}\n\n", plain(text)),
            false => format!("\n{}\n\n", plain(text).to_uppercase()),
        }
    }

    /// A paragraph, wrapped to the width.
    fn paragraph(self, text: &str) -> String {
        let text = plain(text);
        if self.markdown {
            return text + "\n";
        }
        let mut lines = vec![String::new()];
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let line = lines.last().map_or(0, |line| line.chars().count());
            if line > 0 && line + 1 + word.chars().count() > self.width {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        lines.join("\n") + "\n"
    }
}

/// The whole report.
pub fn report(stored: &Stored, judgements: &Judgements, style: Style) -> String {
    let mut text = String::new();
    if style.markdown {
        let _ = writeln!(text, "# {}\n", plain(&stored.manifest.experiment.name));
    }
    text += &style.paragraph(&what(stored));
    let answer = answer::answer(stored, judgements);
    if !answer.is_empty() {
        text += &style.heading("The answer");
        let said = answer.iter().map(|sentence| style.paragraph(sentence));
        text += &said.collect::<Vec<_>>().join("\n");
    }
    for workload in &stored.manifest.experiment.workloads {
        let judged = judgements
            .workloads
            .iter()
            .find(|of| of.workload == workload.name);
        let evidence = Evidence {
            stored,
            workload,
            judged,
        };
        if !evidence.is_empty() {
            text += &style.heading(&evidence.title());
            text += &tables::tables(&evidence, style);
            text += &controls::controls(&evidence, style);
        }
    }
    text
}

/// Several sittings of one design: each arm's ratio over all of them.
pub fn pooled(stored: &[&Stored], pooled: &[Pooled], style: Style) -> String {
    tables::pooled(stored, pooled, style)
}

/// What was run, on what.
fn what(stored: &Stored) -> String {
    let experiment = &stored.manifest.experiment;
    let timed = stored.records.iter().filter_map(Record::timed).count();
    let mut text = format!("{timed} runs");
    let blocks = stored.records.iter().map(|record| record.block + 1).max();
    let _ = write!(text, " in {} blocks", blocks.unwrap_or_default());
    if let Some(sitting) = stored.manifest.sittings.first() {
        let of = &sitting.provenance;
        let _ = write!(
            text,
            ", {:.0}, tare {}, {}, {} cores",
            of.occasion.timestamp,
            of.build.tare_version,
            of.machine
                .cpu_model
                .as_deref()
                .unwrap_or("a processor that gives no name"),
            of.machine
                .cores
                .map_or_else(|| "unknown".to_owned(), |cores| cores.to_string()),
        );
        let spoilers = of.spoilers();
        if !spoilers.is_empty() {
            let _ = write!(
                text,
                "; spoilt by {} (see `tare doctor`)",
                spoilers.join(", ")
            );
        }
        for (name, server) in &sitting.servers {
            let _ = write!(text, "; {name}: {server}");
        }
    }
    if experiment.proxied {
        text += "; asked through a recording proxy, whose hop is part of gross and tare";
    }
    let _ = write!(text, "; order seed {}.", experiment.order_seed);
    text
}

/// One workload with its runs and verdicts.
struct Evidence<'a> {
    stored: &'a Stored,
    workload: &'a Workload,
    judged: Option<&'a crate::experiment::WorkloadJudgement>,
}

impl<'a> Evidence<'a> {
    fn is_empty(&self) -> bool {
        !self
            .workload
            .arms
            .iter()
            .any(|arm| !self.runs(&arm.name).is_empty())
    }

    /// The finished runs of an arm, those under the profiler too.
    fn runs(&self, arm: &str) -> Vec<&'a Run> {
        let records = self.stored.records.iter();
        let own =
            records.filter(|record| record.workload == self.workload.name && record.arm == arm);
        own.filter_map(Record::run).collect()
    }

    /// The values of a metric, a run each.
    fn values(&self, arm: &str, metric: &Metric) -> Vec<f64> {
        let runs = self.runs(arm).into_iter();
        runs.filter_map(|run| run.value(metric.id)).collect()
    }

    fn mean(&self, arm: &str, metric: &Metric) -> Option<f64> {
        mean(&self.values(arm, metric))
    }

    /// The metrics that are shown: those asked for that apply and that some run has.
    fn metrics(&self) -> Vec<&'static Metric> {
        let asked = self.stored.manifest.experiment.metrics.iter();
        let known = asked.filter_map(|id| crate::experiment::metric::find(id));
        known
            .filter(|metric| (metric.applies)(self.workload))
            .filter(|metric| {
                let mut arms = self.workload.arms.iter();
                arms.any(|arm| !self.values(&arm.name, metric).is_empty())
            })
            .collect()
    }

    fn title(&self) -> String {
        let spec = self.workload.arms.first().map(|arm| &arm.spec);
        let mut title = self.workload.name.clone();
        if let Some(spec) = spec {
            let servers = &self.stored.manifest.experiment.servers;
            let server = match servers.get(spec.base_url.as_str()) {
                Some(Server::Mock(mock)) => format!("the mock {}", mock.name),
                Some(Server::Real { base_url }) => base_url.clone(),
                None => spec.base_url.clone(),
            };
            let _ = write!(title, ", against {server}");
            if spec.tokens > 0 {
                let _ = write!(title, ", answers of {} tokens", spec.tokens);
            }
        }
        title
    }
}

/// The word for a verdict on a metric.
fn word(metric: &Metric, verdict: Verdict) -> &'static str {
    match (verdict, metric.words, metric.better) {
        (Verdict::Equivalent, ..) => "equivalent",
        (Verdict::Undecided, ..) => "undecided",
        (Verdict::Slower, Words::Amount, _) => "higher",
        (Verdict::Faster, Words::Amount, _) => "lower",
        (Verdict::Slower, Words::Pace, Better::Less)
        | (Verdict::Faster, Words::Pace, Better::More) => "slower",
        (Verdict::Faster, Words::Pace, Better::Less)
        | (Verdict::Slower, Words::Pace, Better::More) => "faster",
    }
}

/// Text from outside on one line, without what could move a terminal's cursor or break a table.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() => '?',
            c => c,
        })
        .collect()
}
