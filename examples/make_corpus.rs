//! Writes the corpus that tare's agents read: a developer's benchmark notes as
//! 34 CSV, 34 JSON and 33 Markdown files, in a tree cut by report, phase,
//! scenario, configuration and stage.
//!
//! `cargo run --example make_corpus [-- DIR]`; DIR is `fixtures/corpus` unless
//! given. Every number is from a table in `fixtures/reference/` or computed from
//! one (count, mean, sample standard deviation, extremes, difference; to three
//! decimals). Nothing is random and nothing is dated, so that every machine
//! ingests the same bytes.
//!
//! It judges nothing: a claim stands beside its doubt. It deletes nothing: a
//! folder that holds anything else is refused before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

#[path = "make_corpus/markdown.rs"]
mod markdown;
#[path = "make_corpus/table.rs"]
mod table;

use table::{Table, contrasts, lines};

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus")),
        [dir] if !dir.as_encoded_bytes().starts_with(b"-") => write(Path::new(dir)),
        _ => bail!("usage: cargo run --example make_corpus [-- DIR]"),
    }
}

/// Writes the corpus into `folder`, which is created where it is missing.
///
/// Fails before the first write if `folder` holds anything but corpus files.
pub fn write(folder: &Path) -> Result<()> {
    let files = corpus()?;
    refuse_foreign_files(folder, &files)?;
    for (name, text) in &files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Texts by file name; a name is relative to the corpus and separated by `/`.
type Files = BTreeMap<String, String>;

fn refuse_foreign_files(folder: &Path, files: &Files) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let ours: BTreeSet<PathBuf> = files.keys().map(|name| folder.join(name)).collect();
    for entry in WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry.with_context(|| format!("listing {}", folder.display()))?;
        let (kind, path) = (entry.file_type(), entry.path());
        let known = kind.is_dir() || (kind.is_file() && ours.contains(path));
        if !known {
            let path = path.display();
            bail!("{path} is not part of the corpus; nothing was written: name an empty folder");
        }
    }
    Ok(())
}

// The files, one function for each top folder.

fn corpus() -> Result<Files> {
    let mut files = Files::new();
    claims(&mut files)?;
    operations(&mut files)?;
    qwen(&mut files)?;
    reports(&mut files)?;
    tr114(&mut files)?;
    tr115(&mut files)?;
    Ok(files)
}

fn claims(files: &mut Files) -> Result<()> {
    let claims = Table::read("claims.csv", &["id"], &[])?;
    let figures = Table::read("claim_figures.csv", &["quantity"], &[])?;
    for (id, claim) in claims.by("id") {
        let page = markdown::claim(&claim, &figures.only("subject", &id))?;
        let number = id.trim_start_matches('C');
        files.insert(format!("claims/c{number:0>2}.md"), page);
    }
    Ok(())
}

fn operations(files: &mut Files) -> Result<()> {
    let alerts = Table::read("alert_thresholds.csv", &["quantity"], &[])?;
    let about = "What an agent in service should reach, and where somebody is called. Between \
                 target and alert nobody is called and nothing is fine.";
    let caveat = "The throughput is that of one model on one GPU; another pair needs another.";
    let sheet = alerts.json("every quantity", alerts.summaries()?)?;
    files.insert("operations/alerts.json".to_owned(), sheet);
    let page = markdown::notes("Alerts", about, &alerts, caveat)?;
    files.insert("operations/alerts.md".to_owned(), page);
    Ok(())
}

fn qwen(files: &mut Files) -> Result<()> {
    let figures = &["ttft_ms", "throughput_tok_s", "tokens", "duration_ms"];
    let calls = Table::read("qwen_agent_runs.csv", &["config", "run", "stage"], figures)?;
    let about = "Each run makes two calls, one for an analysis and one for a report.";
    let caveat = "The stages ask for different work: a mean over both describes neither.";
    for (config, calls) in calls.by("config") {
        let folder = format!("qwen2.5-7b/{config}");
        for (run, calls) in calls.by("run") {
            let sheet = calls.json(&format!("{config}, run {run}"), calls.summaries()?)?;
            files.insert(format!("{folder}/run{run}.json"), sheet);
        }
        for (stage, calls) in calls.by("stage") {
            files.insert(format!("{folder}/{stage}.csv"), calls.csv()?);
        }
        let page = markdown::notes(&format!("qwen2.5:7b, {config}"), about, &calls, caveat)?;
        files.insert(format!("{folder}/notes.md"), page);
    }
    let page = markdown::levels("qwen2.5:7b by configuration", about, &calls.by("config"))?;
    files.insert("qwen2.5-7b/by_config.md".to_owned(), page);
    Ok(())
}

fn reports(files: &mut Files) -> Result<()> {
    let published = Table::read("published_efficiency.csv", &["report", "setup"], &[])?;
    let about = "Efficiency of two agents at once, as the reports give it. `recomputed_mean_pct` \
                 is computed again from the runs; the means of TR115 so treated are under `tr115/`.";
    let caveat = "The rows differ in language, servers and runtime at once, so a difference \
                  between two of them has no single cause.";
    let page = markdown::notes("Published efficiency", about, &published, caveat)?;
    files.insert("reports/published_efficiency.md".to_owned(), page);

    let quoted = Table::read("tr112_rust_python.csv", &["subject", "quantity"], &[])?;
    let about = "What the process costs beside inference: the same workflow in two languages.";
    let caveat = "None of these figures says how fast the model answers.";
    let page = markdown::notes("Rust and Python", about, &quoted, caveat)?;
    files.insert("reports/rust_python.md".to_owned(), page);

    let quoted = Table::read("gpu_sharing.csv", &["subject", "quantity"], &[])?;
    let about = "What agents get when they share a server, or servers share a GPU.";
    let caveat = "Published figures that nobody has reproduced here.";
    let page = markdown::notes("Sharing a GPU", about, &quoted, caveat)?;
    files.insert("reports/gpu_sharing.md".to_owned(), page);
    Ok(())
}

/// What tells two configurations of TR114 apart; the collector's settings follow
/// from the scenario and the insight agent's.
const PAIR: &[&str] = &["phase", "scenario", "b_num_gpu", "b_num_ctx", "temperature"];

const PAIR_FIGURES: &[&str] = &[
    "mean_speedup",
    "mean_efficiency_pct",
    "peak_efficiency_pct",
    "contended_runs",
];

fn tr114(files: &mut Files) -> Result<()> {
    let pairs = Table::read("tr114_configs.csv", PAIR, PAIR_FIGURES)?;
    let about = "Two agents at once on two servers, a configuration a row. `a` is the collector, \
                 `b` the insight agent; one without settings runs on Ollama's defaults.";
    let caveat = "Efficiency is half the speed-up, from durations taken while both agents ran: \
                  it says how equal the two durations were.";
    for (phase, pairs) in pairs.by("phase") {
        for (scenario, in_scenario) in pairs.by("scenario") {
            let folder = format!("tr114/phase{phase}/{scenario}");
            let selection = format!("phase {phase}, {scenario}");
            for pair in in_scenario.each() {
                let name = format!("{folder}/{}.csv", pair_name(&pair));
                files.insert(name, lines(&contrasts(&pair, &pairs)?)?);
            }
            let sheet = in_scenario.json(&selection, in_scenario.summaries()?)?;
            files.insert(format!("{folder}/summary.json"), sheet);
            let page = markdown::notes(&format!("TR114 {selection}"), about, &in_scenario, caveat)?;
            files.insert(format!("{folder}/notes.md"), page);
        }
    }
    let about = "Every phase and scenario, by this setting of the insight agent. The levels hold \
                 different mixes of the other settings, so that a difference between two of them \
                 has more than one cause.";
    for column in ["b_num_gpu", "b_num_ctx", "temperature"] {
        let factor = column.trim_start_matches("b_");
        for (level, pairs) in pairs.by(column) {
            let sheet = pairs.json(&format!("{factor} {level}"), pairs.summaries()?)?;
            files.insert(format!("tr114/by_{factor}/{level}.json"), sheet);
        }
        let page = markdown::levels(&format!("TR114 by {factor}"), about, &pairs.by(column))?;
        files.insert(format!("tr114/by_{factor}/notes.md"), page);
    }
    Ok(())
}

/// `gpu80_ctx512_t0.8`, and `gpu60-80_ctx512-1024_t0.8` where the agents differ.
fn pair_name(pair: &Table) -> String {
    let both = |a, b| match (pair.first(a), pair.first(b)) {
        ("", b) => b.to_owned(),
        (a, b) if a == b => b.to_owned(),
        (a, b) => format!("{a}-{b}"),
    };
    let num_gpu = both("a_num_gpu", "b_num_gpu");
    let num_ctx = both("a_num_ctx", "b_num_ctx");
    format!("gpu{num_gpu}_ctx{num_ctx}_t{}", pair.first("temperature"))
}

fn tr115(files: &mut Files) -> Result<()> {
    let figures = &["mean_efficiency_pct", "sd_points"];
    let runtimes = Table::read("tr115_recomputed.csv", &["runtime"], figures)?;
    for (name, runtime) in runtimes.by("runtime") {
        let sheet = runtime.json(&name, contrasts(&runtime, &runtimes)?)?;
        files.insert(format!("tr115/{name}.json"), sheet);
    }
    let about = "Five runtimes under the same two agents, recomputed from the report's raw runs.";
    let caveat = "The async-std runs held one permit between two agents, which ran in turn.";
    let page = markdown::notes("TR115, recomputed", about, &runtimes, caveat)?;
    files.insert("tr115/runtimes.md".to_owned(), page);
    Ok(())
}
