//! The result files of `tare team`, and the removal of what an earlier team left among them.

use crate::report::files::write_all;
use crate::report::published::TeamRun;
use crate::report::team::{TeamSummary, combined_report, member_report, short_summary, transcript};
use crate::run::TranscriptEntry;
use anyhow::Context;
use std::fs;
use std::path::{Path, PathBuf};

const MEMBERS: [&str; 2] = ["collector_report.md", "insight_report.md"];

/// Writes the results into `folder`; gives what `summary.json` holds.
pub fn write(
    folder: &Path,
    summary: &TeamSummary,
    runs: &[TeamRun],
    said: &[Vec<TranscriptEntry>],
) -> anyhow::Result<String> {
    let json = serde_json::to_string_pretty(summary)? + "\n";
    let mut files: Vec<(String, String)> = Vec::new();
    let mut words = String::new();
    for (run, said) in runs.iter().zip(said) {
        let record = serde_json::to_string_pretty(run)? + "\n";
        files.push((format!("runs/run_{}/metrics.json", run.run_number), record));
        words += &transcript(run, said)?;
    }
    files.push(("summary.json".to_owned(), json.clone()));
    files.push(("transcript.jsonl".to_owned(), words));
    files.push(("summary.md".to_owned(), short_summary(summary)));
    let combined = combined_report(summary, runs);
    files.push(("combined_report.md".to_owned(), combined));
    if runs.iter().all(|run| run.collector.is_some()) {
        for (index, name) in MEMBERS.into_iter().enumerate() {
            let report = member_report(summary, runs, index);
            files.extend(report.map(|report| (name.to_owned(), report)));
        }
    }
    let named = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    write_all(folder, &named.collect::<Vec<_>>())?;
    let ours: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    remove_others(folder, &ours)?;
    Ok(json)
}

/// Removes what an earlier team left and this one did not replace, so that nobody takes it for a part
/// of this result: records of further runs, reports of agents that there are not.
fn remove_others(folder: &Path, ours: &[PathBuf]) -> anyhow::Result<()> {
    let reports = MEMBERS.map(|name| folder.join(name));
    let runs = fs::read_dir(folder.join("runs"))?.filter_map(|entry| {
        let path = entry.ok()?.path();
        let number = path.file_name()?.to_str()?.strip_prefix("run_")?;
        number.parse::<u32>().ok()?;
        Some(path.join("metrics.json"))
    });
    for file in runs.chain(reports) {
        if file.is_file() && !ours.contains(&file) {
            let removed = fs::remove_file(&file);
            removed
                .with_context(|| format!("cannot remove {} of an earlier team", file.display()))?;
            // Unless somebody put something else there.
            let _ = file.parent().map(fs::remove_dir);
        }
    }
    Ok(())
}
