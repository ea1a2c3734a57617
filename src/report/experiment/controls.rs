//! What the controls say, and what has to be known to read the table.

use super::{Evidence, Style};
use crate::experiment::{ControlCheck, ControlOutcome, Judgement, Role, metric};
use crate::report::figures::{digits, ratio};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A line for each thing.
pub fn controls(evidence: &Evidence<'_>, style: Style) -> String {
    let Some(judged) = evidence.judged else {
        return String::new();
    };
    let mut lines = Vec::new();
    if let Some(reason) = &judged.withheld {
        lines.push(format!("Verdicts are withheld: {reason}."));
    }
    lines.push(a_a(evidence));
    lines.extend(
        judged
            .metrics
            .iter()
            .filter_map(|of| of.withheld.as_ref())
            .map(|reason| format!("Withheld: {reason}.")),
    );
    lines.extend(judged.controls.iter().map(positive));
    let late = &judged.lateness;
    if late.late_runs > 0 {
        lines.push(format!(
            "In {} of {} runs the mock was late: it wrote more than 1 % of their tokens more than 1 ms after they were due ({} % of all tokens), because the machine was too busy.",
            late.late_runs,
            late.runs,
            digits(100.0 * late.share_of_tokens())
        ));
    }
    let unlike = judged.net.arms.iter().filter(|arm| !arm.equivalent);
    let unlike: Vec<&str> = unlike.map(|arm| arm.arm.as_str()).collect();
    if !unlike.is_empty() {
        lines.push(format!(
            "Net is not shown to be the same as the base's, so tare and calls have no verdict, with {}.",
            unlike.join(", ")
        ));
    }
    lines.extend(notes(evidence));
    lines.push(match evidence.stored.manifest.experiment.preset.as_str() {
        "compare" => "Every run: --format csv; every table: --wide.".to_owned(),
        _ => "Every table: --wide.".to_owned(),
    });
    let text: String = lines.iter().map(|line| style.paragraph(line)).collect();
    format!("\n{text}")
}

/// The base against itself in each metric, and how small a difference was visible.
fn a_a(evidence: &Evidence<'_>) -> String {
    let judged = evidence.judged.map_or(&[][..], |of| &of.metrics);
    let each = judged.iter().filter_map(|of| {
        let (control, metric) = (of.control.as_ref()?, metric::find(&of.metric)?);
        Some(format!(
            "{} {} (> {})",
            metric.title,
            ratio(control.ratio.estimate),
            ratio(control.resolution)
        ))
    });
    let each: Vec<String> = each.collect();
    match each.is_empty() {
        true => "There is no A/A control: verdicts rest on their own intervals.".to_owned(),
        false => format!(
            "A/A control, the base's second run to its first (and the smallest ratio that is called a difference): {}.",
            each.join(", ")
        ),
    }
}

fn positive(check: &ControlCheck) -> String {
    let unit = check.metric.as_deref().and_then(metric::find);
    let (unit, per) = unit.map_or(("", 1.0), |metric| metric.unit.shown());
    let mut text = format!("Positive control {}: ", check.arm);
    match &check.outcome {
        ControlOutcome::Found => text += "found",
        ControlOutcome::Missed => text += "MISSED",
        ControlOutcome::CannotShow(reason) => {
            let _ = write!(text, "can't show here, {reason}");
        }
        ControlOutcome::TooFew => text += "too few blocks to say",
    }
    if let (Some(metric), Some(found)) = (&check.metric, &check.found) {
        let _ = write!(
            text,
            " in {metric}, {} {unit} [{}, {}] above the base",
            digits(found.estimate / per),
            digits(found.low / per),
            digits(found.high / per)
        );
    }
    if let Some(expected) = &check.expected {
        let _ = match expected.most {
            Some(most) => write!(
                text,
                " (expected {} to {} {unit})",
                digits(expected.least / per),
                digits(most / per)
            ),
            None => write!(
                text,
                " (expected at least {} {unit})",
                digits(expected.least / per)
            ),
        };
    }
    text + "."
}

/// Disagreeing means, outlying runs, and verdicts that late runs made.
fn notes(evidence: &Evidence<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let judged = evidence.judged.map_or(&[][..], |of| &of.metrics);
    for of in judged {
        let title = metric::find(&of.metric).map_or(of.metric.as_str(), |metric| metric.title);
        let compared = |one: &&Judgement| one.role == Role::Compared;
        for one in of.arms.iter().filter(compared) {
            if let Some(disagreement) = &one.disagreement {
                notes.push(format!("{title} of {}: {disagreement}.", one.arm));
            }
            if let Some(late) = one.without_late.as_ref().filter(|late| late.differs) {
                notes.push(format!(
                    "{title} of {}: without runs in which the mock was late it would be {}.",
                    one.arm, late.verdict
                ));
            }
        }
        let outliers: BTreeSet<String> = of
            .arms
            .iter()
            .flat_map(|one| {
                one.outliers.iter().map(|outlier| {
                    let arm = match outlier.of_base {
                        true => "the base",
                        false => &one.arm,
                    };
                    let block = outlier.block + 1;
                    format!("{arm} in block {block} (× {})", digits(outlier.times))
                })
            })
            .collect();
        if !outliers.is_empty() {
            const MOST: usize = 4;
            let first: Vec<&str> = outliers.iter().take(MOST).map(String::as_str).collect();
            let more = match outliers.len().saturating_sub(MOST) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            notes.push(format!(
                "Outlying runs in {title}, against their arm's median: {}{more}.",
                first.join(", ")
            ));
        }
    }
    notes
}
