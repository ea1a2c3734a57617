//! What is said of the controls: how the base compared with itself, and whether what was built in was
//! found, with its size where that is known.

use super::base;
use crate::inject::Inject;
use crate::report::compare::tables::verdict;
use crate::report::figures::{digits, interval};
use crate::stats::{Interval, mean_interval};
use crate::weighing::{Part, Role, Served, Weighed};
use std::fmt::Write;

/// Seed of the resampling.
const SEED: u64 = 1;

/// What is said of a part's controls.
pub fn said(part: &Part) -> String {
    let mut text = String::new();
    for again in part.of_role(Role::Again) {
        let judged: Vec<String> = part
            .judged_of(again)
            .map(|(figure, judged)| format!("{figure} {}", verdict(judged)))
            .collect();
        let _ = write!(
            text,
            "\nA/A control, {} against itself: {}.\n",
            again.subject.stack,
            judged.join("; ")
        );
    }
    for control in part.of_role(Role::Control) {
        let found = part.found_slower(control);
        let _ = write!(text, "\nPositive control, {}: ", control.subject);
        if found.is_empty() {
            text.push_str("not found slower in any figure");
            if !part.can_show(control) {
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
