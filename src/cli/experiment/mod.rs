//! What every preset does alike: the flags of an experiment, its servers, its progress, and conducting it
//! from the folder that is taken to the judgements that are made.

mod progress;
mod servers;

use super::{Failure, usable_folder, warn_of};
use crate::corpus::{Opened, Source};
use crate::experiment::{
    Bench, Circumstances, Ending, Experiment, Judgements, METRICS, Occasion, Part, Record, Role,
    Sitting, Store, StoreError, Stored, judge, metric, sit,
};
use crate::provenance::{Occasion as Call, Provenance};
use crate::report::experiment::{self, Style};
use crate::report::files::write_all;
use crate::run::Program;
use crate::stats::Verdict;
use anyhow::{Context, anyhow};
use clap::value_parser;
use progress::Progress;
use servers::Servers;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The flags of an experiment.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Experiment")]
pub struct Flags {
    /// Runs of each arm, one per block
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    pub runs: Option<u32>,
    /// Begin no block that would end later than this, such as 90s or 10m
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time_limit: Option<Duration>,
    /// Seed of the order within the blocks [default: drawn, and recorded]
    #[arg(long, value_name = "N")]
    pub order_seed: Option<u64>,
    /// Folder of the results [default: tare-results/PRESET, where a finished experiment is replaced]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the experiment that was begun in the folder
    #[arg(long)]
    pub resume: bool,
    /// Throw away the experiment that is in the folder
    #[arg(long, conflicts_with = "resume")]
    pub replace: bool,
    /// With --resume: go on although build, machine or server changed, and record it
    #[arg(long)]
    pub accept_differences: bool,
    /// Do one part of several of the blocks, such as 1/3; join the parts with `tare merge`
    #[arg(long, value_name = "PART/PARTS")]
    pub partition: Option<Part>,
    /// Judge these metrics, by id with commas, or all
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub metric: Vec<String>,
    /// List the metrics, a line each, and do nothing else
    #[arg(long)]
    pub list_metrics: bool,
    /// Print the report as text for a terminal, Markdown, JSON or CSV
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print every table, however wide
    #[arg(long)]
    pub wide: bool,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal, as wide as it is and at most 100 columns
    #[default]
    Text,
    /// Markdown
    Markdown,
    /// Everything that is known, and what is said of it
    Json,
    /// A row per run
    Csv,
}

fn time(text: &str) -> Result<Duration, String> {
    let time: Option<jiff::SignedDuration> = text.parse().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "expected a time such as 90s or 10m".to_owned())
}

/// An experiment that ended, one way or another.
pub struct Finished {
    /// All that is known of it.
    pub stored: Stored,
    /// Where it lies.
    pub folder: PathBuf,
    /// How it ended.
    pub ending: Ending,
}

impl Flags {
    /// The order's seed. 32 bits where it is drawn, so that a reader of JSON that has only doubles reads
    /// it exactly.
    pub fn order_seed(&self, folder: &Path) -> u64 {
        // Whoever goes on meets the order that was begun with.
        let begun = || {
            let stored = self.resume.then(|| Stored::read(folder).ok().flatten());
            Some(stored??.manifest.experiment.order_seed)
        };
        self.order_seed
            .or_else(begun)
            .unwrap_or_else(|| fastrand::u32(..).into())
    }

    /// The metrics that are judged: those asked for, or `usual`.
    pub fn metrics(&self, usual: &[&str]) -> Result<Vec<String>, Failure> {
        let asked: Vec<&str> = match &self.metric[..] {
            [] => usual.to_vec(),
            [all] if all == "all" => METRICS.iter().map(|metric| metric.id).collect(),
            some => some.iter().map(String::as_str).collect(),
        };
        if let Some(unknown) = asked.iter().find(|id| metric::find(id).is_none()) {
            let known: Vec<&str> = METRICS.iter().map(|metric| metric.id).collect();
            return Err(Failure::Usage(anyhow!(
                "there is no metric `{unknown}`: --metric takes {}, or all",
                known.join(", ")
            )));
        }
        // In the table's order, each once.
        let wanted = METRICS.iter().filter(|metric| asked.contains(&metric.id));
        Ok(wanted.map(|metric| metric.id.to_owned()).collect())
    }

    /// The folder of a preset's results.
    pub fn folder(&self, preset: &str) -> PathBuf {
        let usual = || Path::new("tare-results").join(preset);
        self.out.clone().unwrap_or_else(usual)
    }

    fn occasion(&self, folder: &Path) -> Result<Occasion, Failure> {
        if self.resume {
            return Ok(Occasion::Resume);
        }
        if self.replace {
            return Ok(Occasion::Replace);
        }
        // A folder that nobody named holds whatever was done last; what is finished there makes room.
        let there = match self.out {
            None => Stored::read(folder).map_err(refused)?,
            Some(_) => None,
        };
        let finished = there.is_some_and(|there| {
            let sittings = &there.manifest.sittings;
            let last = sittings.last().and_then(|sitting| sitting.ending);
            matches!(last, Some(Ending::Done | Ending::Limit | Ending::Decided))
        });
        Ok(match finished {
            true => Occasion::Replace,
            false => Occasion::Begin,
        })
    }
}

/// Prints the metrics, a line each.
pub fn list_metrics() -> Result<(), Failure> {
    let mut text = String::new();
    for metric in METRICS {
        let (unit, _) = metric.unit.shown();
        let unit = match unit {
            "" => "-",
            unit => unit,
        };
        text += &format!("{:<13} {unit:<3} {}\n", metric.id, metric.meaning);
    }
    super::print(&text)
}

fn refused(error: StoreError) -> Failure {
    match error {
        StoreError::System { .. } | StoreError::Locked { .. } | StoreError::Malformed { .. } => {
            Failure::Failed(error.into())
        }
        _ => Failure::Usage(error.into()),
    }
}

/// Does an experiment, or what is left of it. `without_server` says in an error what the command can do
/// where no server answers.
pub fn conduct(
    experiment: Experiment,
    flags: &Flags,
    without_server: &'static str,
) -> Result<Finished, Failure> {
    let folder = flags.folder(&experiment.preset);
    usable_folder(&folder, "--out")?;
    let occasion = flags.occasion(&folder)?;
    Store::check(&folder, occasion, &experiment, flags.partition).map_err(refused)?;
    let provenance = Provenance::here().with_findings(crate::doctor::quick());
    let program = Program::this().context("cannot find the program to start its processes")?;
    let corpus = open_corpus(&experiment)?;
    // Before anything is written, so that a server that is not there leaves nothing behind.
    let mut servers = Servers::start(&program, &experiment, without_server)?;
    let corpus = corpus.map(|opened| {
        let folder = opened.folder.display().to_string();
        servers
            .addresses
            .insert(Source::BuiltIn.to_string(), folder);
        opened.identity
    });
    let taken = Store::take(&folder, occasion, experiment, flags.partition);
    let mut store = taken.map_err(refused)?;
    let order = store.experiment().order(flags.partition);
    let left = order.iter().filter(|due| !store.is_finished(due)).count();
    if left == 0 {
        eprintln!(
            "all {} runs are finished already, in {}",
            order.len(),
            folder.display()
        );
        return Ok(Finished {
            stored: store.into_stored(),
            folder,
            ending: Ending::Done,
        });
    }
    warn_of(&provenance.spoilers());
    let sitting = Sitting {
        provenance,
        servers: servers.described.clone(),
        corpus,
        part: None,
        accepted: Vec::new(),
        ending: None,
    };
    let circumstances = match flags.accept_differences {
        true => Circumstances::MayDiffer,
        false => Circumstances::MustAgree,
    };
    store.sit(sitting, circumstances).map_err(refused)?;
    let mut progress = Progress::start(store.experiment(), order.len(), left, flags.time_limit)?;
    let bench = Bench {
        program: &program,
        addresses: &servers.addresses,
        time_limit: flags.time_limit,
    };
    let ending = sit(&mut store, bench, &mut progress, is_decided);
    progress.finish();
    let ending = ending.map_err(refused)?;
    store.end(ending).map_err(refused)?;
    Ok(Finished {
        stored: store.into_stored(),
        folder,
        ending,
    })
}

/// Prints a report in the form asked for.
pub fn say(
    stored: &Stored,
    judgements: &Judgements,
    format: Format,
    wide: bool,
) -> Result<(), Failure> {
    let style = |style: Style| Style {
        wide: wide || style.wide,
        ..style
    };
    let text = match format {
        Format::Text => experiment::report(stored, judgements, style(Style::TEXT)),
        Format::Markdown => experiment::report(stored, judgements, style(Style::MARKDOWN)),
        Format::Json => serde_json::to_string(&experiment::json(stored, judgements))? + "\n",
        Format::Csv => experiment::csv(stored)?,
    };
    super::print(&text)
}

/// Whether every compared arm is decided in every metric, when it is time to look.
fn is_decided(experiment: &Experiment, records: &[Record], blocks: usize) -> bool {
    if !experiment.is_looked_at(blocks) {
        return false;
    }
    let judgements = judge(experiment, records);
    let mut arms = judgements
        .workloads
        .iter()
        .flat_map(|of| &of.metrics)
        .flat_map(|of| &of.arms);
    arms.all(|one| one.role != Role::Compared || one.verdict != Verdict::Undecided)
}

/// Finds what the arms read. All read the same.
fn open_corpus(experiment: &Experiment) -> Result<Option<Opened>, Failure> {
    let mut read = experiment
        .arms()
        .filter_map(|(_, arm)| arm.spec.work.corpus());
    let source = read
        .next()
        .map(|named| Source::from(named.display().to_string()));
    Ok(source.map(|source| source.open()).transpose()?)
}

impl Finished {
    /// Judges what there is, and prints the report.
    pub fn report(&self, flags: &Flags) -> Result<(), Failure> {
        let judgements = judge(&self.stored.manifest.experiment, &self.stored.records);
        let markdown = experiment::report(&self.stored, &judgements, Style::MARKDOWN);
        write_all(&self.folder, &[("report.md", &markdown)])?;
        say(&self.stored, &judgements, flags.format, flags.wide)?;
        eprintln!(
            "results are in {}: experiment.json, runs.jsonl, report.md",
            self.folder.display()
        );
        Ok(())
    }

    /// How the command ends: well, or with what went wrong and how to go on.
    pub fn conclude(&self, flags: &Flags) -> Result<(), Failure> {
        let failures: Vec<_> = self.failures().collect();
        for (arm, block, why) in &failures {
            eprintln!("failed: {arm}, block {}: {why}", block + 1);
        }
        let resume = || {
            let line = Call::now().shell_line();
            match flags.resume {
                true => line,
                false => line + " --resume",
            }
        };
        match self.ending {
            Ending::Interrupted => {
                eprintln!("go on with: {}", resume());
                Err(Failure::Interrupted)
            }
            Ending::GivenUp => Err(anyhow!(
                "runs failed, the last with: {}; the others were not tried; go on with: {}",
                failures.last().map_or("", |(_, _, why)| why),
                resume()
            )
            .into()),
            Ending::Done | Ending::Limit | Ending::Decided if !failures.is_empty() => Err(anyhow!(
                "{} runs failed; try them again with: {}",
                failures.len(),
                resume()
            )
            .into()),
            Ending::Done | Ending::Limit | Ending::Decided => Ok(()),
        }
    }

    /// The runs that failed and were not repeated with success: arm, block, reason.
    fn failures(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        use crate::experiment::RunResult;
        let records = &self.stored.records;
        let finished = self.stored.finished();
        let experiment = &self.stored.manifest.experiment;
        records.iter().filter_map(move |record| {
            let RunResult::Failure(why) = &record.result else {
                return None;
            };
            let key = (record.place(experiment)?, record.block, record.profiled);
            let open = !finished.contains(&key);
            open.then_some((record.arm.as_str(), record.block, why.as_str()))
        })
    }
}
