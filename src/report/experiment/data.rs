//! A stored experiment as data: JSON with everything, CSV with a row per run.

use crate::experiment::{Judgements, METRICS, RunResult, Stored};
use serde_json::{Value, json};

/// What was run, what is said of it, and every run.
pub fn json(stored: &Stored, judgements: &Judgements) -> Value {
    json!({
        "manifest": stored.manifest,
        "judgements": judgements,
        "records": stored.records,
    })
}

/// A row per run, with every metric as a column; what is not known is empty. Values are in the unit that
/// records have: times in nanoseconds.
///
/// # Errors
/// When a row cannot be written, which memory never refuses.
pub fn csv(stored: &Stored) -> Result<String, csv::Error> {
    let mut rows = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "workload",
        "arm",
        "block",
        "position",
        "sitting",
        "at",
        "profiled",
        "iterations",
        "tokens",
        "late_tokens",
        "failure",
    ];
    rows.write_record(
        fixed
            .into_iter()
            .chain(METRICS.iter().map(|metric| metric.id)),
    )?;
    for record in &stored.records {
        let run = record.run();
        let count = |of: fn(&crate::experiment::Run) -> u64| {
            run.map_or_else(String::new, |run| of(run).to_string())
        };
        let failure = match &record.result {
            RunResult::Failure(why) => why.clone(),
            RunResult::Run(_) => String::new(),
        };
        let mut row = vec![
            record.workload.clone(),
            record.arm.clone(),
            record.block.to_string(),
            record.position.to_string(),
            record.sitting.to_string(),
            record.at.to_string(),
            record.profiled.to_string(),
            count(|run| run.iterations),
            count(|run| run.tokens),
            count(|run| run.late_tokens),
            failure,
        ];
        row.extend(METRICS.iter().map(|metric| {
            let value = run.and_then(|run| run.value(metric.id));
            value.map_or_else(String::new, |value| value.to_string())
        }));
        rows.write_record(row)?;
    }
    let bytes = rows.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
