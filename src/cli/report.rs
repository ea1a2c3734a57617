//! `tare report`: what results say, from their files alone. One file per kind of result; so far there
//! are sweeps.

mod sweep;

use super::experiment::say;
use super::{Failure, usable_folder};
use crate::experiment::{Experiment, Judgements, Stored, judge, pool};
use crate::published::import::{Skipped, Source, read};
use crate::report::experiment::{Style, pooled};
use crate::report::files::write_all;
use crate::report::sweep::{Figure, Observation, Record, text};
use anyhow::anyhow;
use std::path::{Path, PathBuf};

/// Say what results hold: tables, tests and a report from their files
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  tare compare --workload stream --stacks smol/hyper --runs 2 --out mine && tare report mine --wide
  tare sweep --plan tr114 --partition 1/50 --mock --speed 50 --out small && tare report sweep small"
)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Folder of an experiment; several of one design are pooled
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Print it as text for a terminal, Markdown, JSON or CSV
    #[arg(long, value_enum, default_value_t)]
    format: super::experiment::Format,
    /// Print every table, however wide
    #[arg(long)]
    wide: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Sweep(sweep::Arguments),
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(What::Sweep(arguments)) = arguments.what {
        return sweep::run(&arguments);
    }
    let mut all = Vec::new();
    for folder in &arguments.folders {
        let stored = Stored::read(folder).map_err(|error| Failure::Failed(error.into()))?;
        let stored = stored.ok_or_else(|| {
            let folder = folder.display();
            Failure::Usage(anyhow!(
                "cannot report on {folder}: it holds no experiment.json"
            ))
        })?;
        let judgements = judge(&stored.manifest.experiment, &stored.records);
        all.push((stored, judgements));
    }
    if let [(stored, judgements)] = &all[..] {
        return say(stored, judgements, arguments.format, arguments.wide);
    }
    let designs: Vec<String> = all.iter().map(|(stored, _)| design(stored)).collect();
    if let Some(other) = designs.iter().position(|design| *design != designs[0]) {
        return Err(Failure::Usage(anyhow!(
            "cannot pool {} with {}: they are of different designs",
            arguments.folders[0].display(),
            arguments.folders[other].display()
        )));
    }
    let judgements: Vec<&Judgements> = all.iter().map(|(_, judgements)| judgements).collect();
    let style = match arguments.format {
        super::experiment::Format::Markdown => Style::MARKDOWN,
        _ => Style::TEXT,
    };
    let stored: Vec<&Stored> = all.iter().map(|(stored, _)| stored).collect();
    super::print(&pooled(&stored, &pool(&judgements), style))
}

/// What has to be the same for experiments to be pooled: all but the order and the number of blocks.
fn design(stored: &Stored) -> String {
    let experiment = Experiment {
        order_seed: 0,
        blocks: 0,
        profile_blocks: 0,
        ..stored.manifest.experiment.clone()
    };
    experiment.digest()
}

/// What to analyse, and how to say it.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// Analyse this figure instead of the usual ones; may be given several times
    #[arg(long = "metric", value_name = "FIGURE", value_enum)]
    figures: Vec<Figure>,
    /// Print the analysis as JSON instead of the report
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// What analysis.json holds
    Json,
}

/// So many skipped files are named on the terminal; the report has more, and `analysis.json` all.
const MOST_NAMED: usize = 20;

/// Reads trees of files, analyses, writes and prints.
pub fn imported(paths: &[PathBuf], out: &Path, wanted: &Wanted) -> Result<(), Failure> {
    usable_folder(out, "--out")?;
    let read = read(paths).map_err(|error| Failure::Failed(error.into()))?;
    analysed(read, out, wanted)
}

/// Analyses, writes and prints: what `tare report sweep` and `tare import` have in common.
fn analysed(
    (source, runs): (Source, Vec<Observation>),
    out: &Path,
    wanted: &Wanted,
) -> Result<(), Failure> {
    tell_skipped(&source.skipped, runs.is_empty());
    eprintln!("read {}, skipped {}", source.read, source.skipped.len());
    if runs.is_empty() {
        return Err(anyhow!(
            "nothing to analyse in {}: no file there is a result; nothing was written",
            source.paths.join(", ")
        )
        .into());
    }
    let record = Record::of(source, runs, &wanted.figures);
    if record
        .families
        .iter()
        .all(|family| family.figures.is_empty())
    {
        let named: Vec<String> = wanted.figures.iter().map(ToString::to_string).collect();
        return Err(anyhow!(
            "nothing to analyse: no run there states {}; leave out --metric for what they state",
            if named.is_empty() {
                "any of the usual figures".to_owned()
            } else {
                named.join(" or ")
            }
        )
        .into());
    }
    let json = serde_json::to_string_pretty(&record)? + "\n";
    let report = text::report(&record);
    write_all(
        out,
        &[
            ("report.md", &report),
            ("analysis.json", &json),
            ("configurations.csv", &text::configurations_csv(&record)?),
            ("factors.csv", &text::factors_csv(&record)?),
            ("runs.csv", &text::runs_csv(&record)?),
        ],
    )?;
    super::print(match wanted.format {
        Some(Format::Json) => &json,
        None => &report,
    })?;
    eprintln!(
        "wrote report.md, analysis.json, configurations.csv, factors.csv and runs.csv to {}",
        out.display()
    );
    Ok(())
}

/// Names skipped files: all of them where no report will.
fn tell_skipped(skipped: &[Skipped], all: bool) {
    let most = if all { skipped.len() } else { MOST_NAMED };
    for Skipped { file, reason } in skipped.iter().take(most) {
        eprintln!("skipped {file}: {reason}");
    }
    if let Some(more @ 1..) = skipped.len().checked_sub(most) {
        eprintln!("and {more} more skipped, which analysis.json names");
    }
}
