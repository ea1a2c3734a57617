//! The project's question in three sentences, from the verdicts and from nothing else: does the
//! runtime matter, does the client, and how much is it beside inference?

use super::base;
use super::tables::{RATES, micros, share, tare_per_token};
use crate::report::figures::ratio;
use crate::stats::{Judgement, Verdict, mean};
use crate::weighing::{Changed, Figure, Part, Record, Role, Weighed, Workload};
use std::fmt::Write;

/// The answer, as a section of its own; empty where there is nothing to answer from.
pub fn answer(record: &Record) -> String {
    let mut sentences = Vec::new();
    for (thing, changed) in [("runtime", Changed::Runtime), ("client", Changed::Client)] {
        let parts = record.parts.iter().filter_map(|part| about(part, changed));
        let said: Vec<String> = parts.collect();
        if !said.is_empty() {
            sentences.push(format!("**Does the {thing} matter?** {}.", said.join(". ")));
        }
    }
    sentences.extend(record.parts.iter().find_map(in_proportion));
    if sentences.is_empty() {
        return String::new();
    }
    format!("\n## The answer\n\n{}\n", sentences.join("\n\n"))
}

/// What the verdicts of a part say of the stacks that differ from the base in one thing.
fn about(part: &Part, changed: Changed) -> Option<String> {
    let base = base(part)?;
    let stacks: Vec<&Weighed> = part
        .weighed
        .iter()
        .filter(|one| one.subject.role == Role::Stack && one.changed == changed)
        .collect();
    if stacks.is_empty() {
        return None;
    }
    let figures: &[Figure] = match part.workload {
        Workload::Agents { .. } => &[Figure::Gross, Figure::Tare, Figure::Calls],
        Workload::Stream | Workload::Whole => &[Figure::Cpu],
    };
    let clauses: Vec<String> = figures
        .iter()
        .filter_map(|figure| {
            let family = part
                .families
                .iter()
                .find(|family| family.figure == *figure)?;
            let judged = stacks.iter().filter_map(|one| {
                let name = one.subject.to_string();
                family.stacks.iter().find(|judged| judged.name == name)
            });
            let judged: Vec<_> = judged.collect();
            (!judged.is_empty()).then(|| clause(*figure, &judged))
        })
        .collect();
    if clauses.is_empty() {
        return None;
    }
    let work = match part.workload {
        Workload::Agents { agents } if agents.get() == 1 => "For one agent".to_owned(),
        Workload::Agents { agents } => format!("For {agents} agents"),
        Workload::Stream | Workload::Whole => "For streams".to_owned(),
    };
    Some(format!(
        "{work}, against {}: {}",
        base.subject,
        clauses.join("; ")
    ))
}

/// `tare is slower with a (× 1.2) and b (× 1.3), equivalent with c, undecided with d`
fn clause(figure: Figure, judged: &[&Judgement]) -> String {
    let mut text = format!("{figure} is ");
    let groups = [
        Verdict::Slower,
        Verdict::Faster,
        Verdict::Equivalent,
        Verdict::Undecided,
    ]
    .map(|verdict| {
        let of: Vec<String> = judged
            .iter()
            .filter(|judged| judged.verdict == verdict)
            .map(|judged| match (verdict, judged.ratio) {
                (Verdict::Slower | Verdict::Faster, Some(found)) => {
                    format!("{} (× {})", judged.name, ratio(found.estimate))
                }
                _ => judged.name.clone(),
            })
            .collect();
        (verdict, of)
    });
    let mut said = groups.iter().filter(|(_, of)| !of.is_empty()).peekable();
    while let Some((verdict, of)) = said.next() {
        let word = match (figure, verdict) {
            (Figure::Tare | Figure::Calls | Figure::Cpu, Verdict::Slower) => "higher".to_owned(),
            (Figure::Tare | Figure::Calls | Figure::Cpu, Verdict::Faster) => "lower".to_owned(),
            _ => verdict.to_string(),
        };
        let _ = write!(text, "{word} with {}", of.join(", "));
        if said.peek().is_some() {
            text.push_str(", ");
        }
    }
    text
}

/// How much tare is beside inference. Of means: it says nothing about differences.
fn in_proportion(part: &Part) -> Option<String> {
    if !matches!(part.workload, Workload::Agents { .. }) {
        return None;
    }
    let compared = |one: &&Weighed| matches!(one.subject.role, Role::Base | Role::Stack);
    let mut stacks: Vec<(f64, &Weighed)> = part
        .weighed
        .iter()
        .filter(compared)
        .filter_map(|one| Some((mean(&tare_per_token(part, one))?, one)))
        .collect();
    stacks.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (least, cheapest) = *stacks.first()?;
    let (most, dearest) = *stacks.last()?;
    let floor = part
        .weighed
        .iter()
        .find(|one| one.subject.role == Role::Floor);
    let floor = floor.and_then(|one| mean(&tare_per_token(part, one)));
    let rates = RATES.map(|rate| {
        format!(
            "{:.2} to {:.2} % at {rate} tokens/s",
            share(least, rate),
            share(most, rate)
        )
    });
    let mut text = format!(
        "**How much is it beside inference?** Mean tare lies between {} µs per token ({}) and {} µs ({}), which is {} of the model's time for a token",
        micros(least),
        cheapest.subject,
        micros(most),
        dearest.subject,
        rates.join(", ")
    );
    if let Some(floor) = floor {
        let _ = write!(text, "; blocking threads take {} µs", micros(floor));
    }
    text.push('.');
    Some(text)
}
