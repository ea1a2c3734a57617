//! The project's question in a few sentences, from the verdicts and from nothing else: talking to the
//! model first, reading files second.

use super::{Evidence, word};
use crate::experiment::{
    Cadence, Changed, Judgement, Judgements, Kind, Metric, Role, Stored, metric,
};
use crate::report::figures::{digits, ratio};
use crate::stats::Verdict;
use std::fmt::Write;

/// Rates at which a cost is shown as a share of the model's time for a token, tokens per second: a large
/// model on a CPU, one that a person reads along with, a small one on a laptop's GPU, and the fastest.
pub const RATES: [f64; 4] = [10.0, 50.0, 120.0, 1000.0];

/// The answer, a paragraph each; empty where there is nothing to answer from.
pub fn answer(stored: &Stored, judgements: &Judgements) -> Vec<String> {
    let mut said = Vec::new();
    for judged in &judgements.workloads {
        let workloads = &stored.manifest.experiment.workloads;
        let Some(workload) = workloads.iter().find(|of| of.name == judged.workload) else {
            continue;
        };
        let evidence = Evidence {
            stored,
            workload,
            judged: Some(judged),
        };
        let headline: &[&str] = match (workload.kind, workload.cadence) {
            (Kind::Agent | Kind::Team, Cadence::Paced) => &["calls", "ingest", "gross", "cpu"],
            (Kind::Load, _) => &["throughput", "ttft-p99", "cpu"],
            (_, Cadence::Paced) => &["tare", "delivery", "cpu"],
            _ => &["gross", "cpu"],
        };
        let things: [(&str, &[Changed]); 3] = [
            ("Does the runtime matter?", &[Changed::Runtime]),
            ("Does the client matter?", &[Changed::Client]),
            ("Does the topology matter?", &[Changed::Topology]),
        ];
        for (question, changed) in things {
            if let Some(text) = about(&evidence, headline, changed) {
                said.push(format!("{question} {text}"));
            }
        }
        // Where arms differ by their options, or in several things at once.
        let one_stack = workload.arms.iter().all(|arm| {
            matches!(arm.role, Role::Floor) || workload.changed(arm) == Changed::Nothing
        });
        if one_stack && let Some(text) = about(&evidence, headline, &[Changed::Nothing]) {
            said.push(text);
        }
        said.extend(in_proportion(&evidence));
    }
    said
}

/// What the verdicts say of the arms that differ from the base in this.
fn about(evidence: &Evidence<'_>, ids: &[&str], changed: &[Changed]) -> Option<String> {
    let workload = evidence.workload;
    let base = workload.base()?;
    let judged = evidence.judged?;
    let among = |judgement: &&Judgement| {
        let arm = workload.arms.iter().find(|arm| arm.name == judgement.arm);
        judgement.role == Role::Compared
            && arm.is_some_and(|arm| changed.contains(&workload.changed(arm)))
    };
    let mut clauses = Vec::new();
    for id in ids {
        let of = judged.metrics.iter().find(|of| of.metric == *id);
        let (Some(of), Some(metric)) = (of, metric::find(id)) else {
            continue;
        };
        let arms: Vec<&Judgement> = of.arms.iter().filter(among).collect();
        if !arms.is_empty() {
            clauses.push(clause(metric, &arms));
        }
    }
    if clauses.is_empty() {
        return None;
    }
    Some(format!(
        "For {}, against {}: {}.",
        workload.name,
        base.name,
        clauses.join("; ")
    ))
}

/// `CPU/token is higher with a (× 1.20 [1.11, 1.30]), equivalent with b, undecided with c`.
fn clause(metric: &Metric, judged: &[&Judgement]) -> String {
    let order = [
        Verdict::Slower,
        Verdict::Faster,
        Verdict::Equivalent,
        Verdict::Undecided,
    ];
    let groups = order.into_iter().filter_map(|verdict| {
        let of = judged
            .iter()
            .filter(|one| one.verdict == verdict && !one.withheld);
        let named: Vec<String> = of
            .map(|one| match (verdict, one.ratio) {
                (Verdict::Slower | Verdict::Faster, Some(found)) => format!(
                    "{} (× {} [{}, {}])",
                    one.arm,
                    ratio(found.estimate),
                    ratio(found.low),
                    ratio(found.high)
                ),
                _ => one.arm.clone(),
            })
            .collect();
        (!named.is_empty()).then(|| format!("{} with {}", word(metric, verdict), named.join(", ")))
    });
    let mut groups: Vec<String> = groups.collect();
    let withheld = judged.iter().filter(|one| one.withheld);
    let withheld: Vec<&str> = withheld.map(|one| one.arm.as_str()).collect();
    if !withheld.is_empty() {
        groups.push(format!("withheld for {}", withheld.join(", ")));
    }
    format!("{} is {}", title(metric), groups.join(", "))
}

fn title(metric: &Metric) -> &'static str {
    match metric.id {
        "calls" => "talking to the model (tare of the calls)",
        "ingest" => "reading files (ingest)",
        _ => metric.title,
    }
}

/// How much the calls are beside inference. Of means: it says nothing about differences.
fn in_proportion(evidence: &Evidence<'_>) -> Option<String> {
    let metric = metric::find("calls")?;
    if !(metric.applies)(evidence.workload) {
        return None;
    }
    let per_token = |arm: &str| {
        let values = evidence.runs(arm).into_iter().filter_map(|run| {
            let tokens = run.tokens as f64 / run.iterations as f64;
            Some(run.value(metric.id)? / tokens)
        });
        crate::stats::mean(&values.collect::<Vec<_>>())
    };
    let arms = evidence.workload.arms.iter();
    let judged = evidence.judged.iter().flat_map(|of| &of.metrics);
    let judged = judged.filter(|of| of.metric == metric.id);
    let withheld: Vec<&str> = judged
        .flat_map(|of| &of.arms)
        .filter(|one| one.withheld)
        .map(|one| one.arm.as_str())
        .collect();
    let mut costs: Vec<f64> = arms
        .clone()
        .filter(|arm| matches!(arm.role, Role::Base | Role::Compared))
        .filter(|arm| !withheld.contains(&arm.name.as_str()))
        .filter_map(|arm| per_token(&arm.name))
        .collect();
    costs.sort_by(f64::total_cmp);
    let (&least, &most) = (costs.first()?, costs.last()?);
    let rates = RATES.map(|rate| format!("{} % at {rate} tokens/s", digits(share(most, rate))));
    let mut text = format!(
        "How much is it? Mean costs of talking to the model are {} to {} µs per token over {} arms; the most is {} of the model's time for a token",
        digits(least / 1e3),
        digits(most / 1e3),
        costs.len(),
        rates.join(", ")
    );
    let mut floor = arms.filter(|arm| arm.role == Role::Floor);
    if let Some(floor) = floor.next().and_then(|arm| per_token(&arm.name)) {
        let _ = write!(text, "; blocking threads take {} µs", digits(floor / 1e3));
    }
    Some(text + ".")
}

/// So many nanoseconds per token as a share of the model's time for one, percent.
pub fn share(ns: f64, rate: f64) -> f64 {
    100.0 * ns / (1e9 / rate)
}
