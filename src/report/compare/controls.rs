//! Whether the controls came out as they must: the base does not differ from itself, and what was
//! built in is found, with its size where that is known.

use super::{Standing, base};
use crate::cell::{AsyncRuntime, Stack};
use crate::inject::Inject;
use crate::report::compare::tables::verdict;
use crate::report::figures::{digits, interval};
use crate::stats::{Interval, Judgement, Verdict, mean_interval};
use crate::weighing::{Part, Record, Role, Served, Weighed, Workload};
use std::fmt::Write;

/// Seed of the resampling.
const SEED: u64 = 1;

/// Whether the verdicts of a comparison stand.
pub fn standing(record: &Record) -> Standing {
    for part in &record.parts {
        if let Some((figure, judged)) = false_alarm(part) {
            return Standing::Withheld(format!(
                "The A/A control failed: {figure} of {} came out as {} than the same cell, so this machine was too restless for verdicts; see `tare doctor`, and run again",
                judged.name, judged.verdict
            ));
        }
        for control in of_role(part, Role::Control) {
            if findings(part, control).is_empty() && can_show(part, control) {
                return Standing::Withheld(format!(
                    "The positive control failed: {} was not found slower in any figure, so what was not found elsewhere may be there too; run more invocations on a quieter machine",
                    control.subject
                ));
            }
        }
    }
    Standing::Sound
}

fn of_role(part: &Part, role: Role) -> impl Iterator<Item = &Weighed> {
    let weighed = part.weighed.iter();
    weighed.filter(move |one| one.subject.role == role)
}

/// Whether a part can show what was built in: a lock makes nobody wait where there is one agent,
/// pieces kept back delay tokens only where these come one by one, and only under `tokio-mt` is the
/// root of `block_on` known to be a worse place than a task.
fn can_show(part: &Part, control: &Weighed) -> bool {
    let agents = match part.workload {
        Workload::Agents { agents } => agents.get(),
        Workload::Stream | Workload::Whole => 1,
    };
    let paced = match &part.server {
        Served::Mock { profile, .. } => !profile.gap.is_zero(),
        Served::There { .. } => false,
    };
    match control.subject.inject {
        Some(Inject::Mutex) => agents > 1,
        Some(Inject::Accumulate(_)) => paced && part.workload != Workload::Whole,
        Some(Inject::BlockOnRoot) => {
            matches!(
                control.subject.cell.stack,
                Stack::Async(AsyncRuntime::TokioMt, _)
            )
        }
        Some(Inject::Delay(_)) | None => true,
    }
}

fn judged_of<'a>(part: &'a Part, one: &Weighed) -> impl Iterator<Item = (String, &'a Judgement)> {
    let name = one.subject.to_string();
    part.families.iter().filter_map(move |family| {
        let mut controls = family.controls.iter();
        let found = controls.find(|judged| judged.name == name)?;
        Some((family.figure.to_string(), found))
    })
}

/// The figure in which the base was found to differ from itself.
fn false_alarm(part: &Part) -> Option<(String, &Judgement)> {
    let mut judged = of_role(part, Role::Again).flat_map(|again| judged_of(part, again));
    judged.find(|(_, judged)| matches!(judged.verdict, Verdict::Faster | Verdict::Slower))
}

/// The figures in which a control was found slower.
fn findings<'a>(part: &'a Part, control: &Weighed) -> Vec<(String, &'a Judgement)> {
    let judged = judged_of(part, control);
    let found = judged.filter(|(_, judged)| judged.verdict == Verdict::Slower);
    found.collect()
}

/// What is said of a part's controls.
pub fn said(part: &Part) -> String {
    let mut text = String::new();
    for again in of_role(part, Role::Again) {
        let judged: Vec<String> = judged_of(part, again)
            .map(|(figure, judged)| format!("{figure} {}", verdict(judged)))
            .collect();
        let _ = write!(
            text,
            "\nA/A control, {} against itself: {}.\n",
            again.subject.cell,
            judged.join("; ")
        );
    }
    for control in of_role(part, Role::Control) {
        let found = findings(part, control);
        let _ = write!(text, "\nPositive control, {}: ", control.subject);
        if found.is_empty() {
            text.push_str("not found slower in any figure");
            if !can_show(part, control) {
                text.push_str(", nor could it be: it makes nothing slower in this workload");
            }
        } else {
            let found: Vec<String> = found
                .iter()
                .map(|(figure, judged)| format!("{figure} {}", verdict(judged)))
                .collect();
            let _ = write!(text, "found: {}", found.join("; "));
        }
        if let Some(size) = size(part, control) {
            let _ = write!(text, ". {size}");
        }
        text.push_str(".\n");
    }
    text
}

/// How large a delay was found to be. Where each piece is a token and the delay is over before the
/// next one comes, its delivery is so much later; elsewhere delays add up.
fn size(part: &Part, control: &Weighed) -> Option<String> {
    let (Some(Inject::Delay(time)), Served::Mock { profile, .. }) =
        (control.subject.inject, &part.server)
    else {
        return None;
    };
    if profile.gap <= time {
        return None;
    }
    let added = added_delivery(part, control)?;
    Some(format!(
        "Each token was delivered {} µs later; {} µs per piece were built in",
        interval(Some(added), 1e3),
        digits(time.as_secs_f64() * 1e6)
    ))
}

/// By how much a control's tokens are delivered later than the base's, ns, in the blocks that both
/// were run in.
fn added_delivery(part: &Part, control: &Weighed) -> Option<Interval> {
    let base = base(part)?;
    let pairs = control.invocations.iter().filter_map(|own| {
        let mut others = base.invocations.iter();
        let other = others.find(|other| other.block == own.block)?;
        Some(own.delivery_ns? - other.delivery_ns?)
    });
    mean_interval(&pairs.collect::<Vec<_>>(), SEED)
}
