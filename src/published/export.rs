//! A stored experiment of teams as the older reports' files, in `published/` beside the store.
//!
//! A run of a team is exported when its team and every agent of it that runs alone have ended well in
//! the same block. The folder is replaced as a whole.

use super::combined::combined_report;
use super::member::member_report;
use super::record::{Recorded, team_run};
use super::schema::{SystemInfo, TeamRun};
use super::setup::{MockServers, TeamSetup};
use super::short::short_summary;
use super::summary::TeamSummary;
use super::transcript::transcript;
use crate::experiment::{Arm, Experiment, Record, Role, Run, Server, Stored};
use crate::provenance::Provenance;
use crate::published::agent;
use crate::report::files::{WriteError, write_all};
use crate::run::{Spec, Team, TranscriptEntry, Work};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

const FOLDER: &str = "published";

/// The older reports' files of agents with a role, in the team's order.
const MEMBERS: [&str; 2] = ["collector_report.md", "insight_report.md"];

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A figure that JSON has no number for.
    #[error("cannot write a run in the older reports' schema: {0}")]
    Json(#[from] serde_json::Error),
}

/// What was exported.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// Runs.
    pub runs: usize,
    /// Of a team, each figure over its runs.
    pub summary: Option<TeamSummary>,
}

/// Every finished run of a team, with the file that it is exported to, below the experiment's folder.
pub fn runs(stored: &Stored) -> Vec<(String, TeamRun)> {
    let each = finished(stored).into_iter();
    each.map(|(file, run, _)| (file, run)).collect()
}

/// Writes a stored experiment of teams into `published/` of its folder: of a sweep `metrics.json` of each
/// run, of a team the summary, the transcript and the reports, too.
///
/// # Errors
/// When a file can't be written; what was exported before is then gone or as it was.
pub fn export(folder: &Path, stored: &Stored) -> Result<Exported, ExportError> {
    let all = finished(stored);
    let mut files = Vec::new();
    for (name, run, _) in &all {
        files.push((name.clone(), serde_json::to_string_pretty(run)? + "\n"));
    }
    let runs: Vec<TeamRun> = all.iter().map(|(_, run, _)| run.clone()).collect();
    let summary = match is_sweep(&stored.manifest.experiment) {
        true => None,
        false => setup(stored, &runs).and_then(|setup| TeamSummary::of(setup, &runs)),
    };
    if let Some(summary) = &summary {
        let mut add = |name: &str, text: String| files.push((format!("{FOLDER}/{name}"), text));
        add(
            "summary.json",
            serde_json::to_string_pretty(summary)? + "\n",
        );
        let mut words = String::new();
        for (_, run, texts) in &all {
            words += &transcript(run, texts)?;
        }
        add("transcript.jsonl", words);
        add("summary.md", short_summary(summary));
        add("combined_report.md", combined_report(summary, &runs));
        if runs.iter().all(|run| run.collector.is_some()) {
            for (index, name) in MEMBERS.into_iter().enumerate() {
                if let Some(report) = member_report(summary, &runs, index) {
                    add(name, report);
                }
            }
        }
    }
    clear(&folder.join(FOLDER))?;
    let named = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    write_all(folder, &named.collect::<Vec<_>>())?;
    Ok(Exported {
        runs: runs.len(),
        summary,
    })
}

/// What an earlier export left, so that nobody takes it for a part of this one.
fn clear(folder: &Path) -> Result<(), WriteError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(WriteError {
            path: folder.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn is_sweep(experiment: &Experiment) -> bool {
    experiment.preset == "sweep"
}

fn finished(stored: &Stored) -> Vec<(String, TeamRun, &[TranscriptEntry])> {
    let experiment = &stored.manifest.experiment;
    let addresses = addresses(experiment);
    let sweep = is_sweep(experiment);
    let ended: HashMap<(&str, usize), &Record> = stored
        .records
        .iter()
        .filter(|record| record.timed().is_some())
        .map(|record| ((record.arm.as_str(), record.block), record))
        .collect();
    let mut all = Vec::new();
    for (_, arm) in experiment.arms() {
        if matches!(arm.role, Role::Isolated { .. }) {
            continue;
        }
        let alone: Vec<(&Arm, usize)> = experiment
            .arms()
            .filter_map(|(_, one)| match &one.role {
                Role::Isolated { of, agent } if *of == arm.name => Some((one, *agent)),
                _ => None,
            })
            .collect();
        for block in 0..experiment.blocks_of(arm) {
            let Some(&record) = ended.get(&(arm.name.as_str(), block)) else {
                continue;
            };
            let isolated: Option<Vec<(usize, &Run)>> = alone
                .iter()
                .map(|(one, agent)| {
                    let record = ended.get(&(one.name.as_str(), block))?;
                    Some((*agent, record.timed()?))
                })
                .collect();
            let mut spec = arm.spec.clone();
            spec.resolve(&addresses);
            if experiment.seed_per_block {
                spec.add_to_seeds(block as u64);
            }
            let (Some(isolated), Some(together), Work::Team(team)) =
                (isolated, record.timed(), &spec.work)
            else {
                continue;
            };
            let here = provenance(stored, record);
            let run_number = u32::try_from(block + 1).unwrap_or(u32::MAX);
            let run = team_run(&Recorded {
                configuration: sweep.then_some(arm.name.as_str()),
                run_number,
                spec: &spec,
                team,
                together,
                alone: of_each(team, &isolated),
                system: here.map_or_else(SystemInfo::default, |here| {
                    SystemInfo::of(&here.machine, &here.build)
                }),
                timestamp: record.at.to_string(),
            });
            let detail = together.detail.as_ref();
            if let (Some(run), Some(detail)) = (run, detail) {
                let of = if sweep { &arm.name } else { "runs" };
                let file = format!("{FOLDER}/{of}/run_{run_number}/metrics.json");
                all.push((file, run, &detail.texts[..]));
            }
        }
    }
    all
}

/// Of each agent of a team the run of one that is like it, alone.
fn of_each<'a>(team: &Team, isolated: &[(usize, &'a Run)]) -> Vec<Option<&'a Run>> {
    let each: Vec<_> = team.each().collect();
    let alone = |member| {
        let mut runs = isolated.iter();
        let found = runs.find(|(agent, _)| each.get(*agent).is_some_and(|it| it.is_like(member)));
        found.map(|(_, run)| *run)
    };
    each.iter().map(|member| alone(*member)).collect()
}

/// The real servers' addresses. Mocks have one while they run only, and are called by name.
fn addresses(experiment: &Experiment) -> BTreeMap<String, String> {
    let servers = experiment.servers.iter();
    let real = servers.filter_map(|(name, server)| match server {
        Server::Real { base_url } => Some((name.clone(), base_url.clone())),
        Server::Mock(_) => None,
    });
    real.collect()
}

fn provenance<'a>(stored: &'a Stored, record: &Record) -> Option<&'a Provenance> {
    let sitting = stored.manifest.sittings.get(record.sitting)?;
    Some(&sitting.provenance)
}

/// On what a team ran.
fn setup(stored: &Stored, runs: &[TeamRun]) -> Option<TeamSetup> {
    let experiment = &stored.manifest.experiment;
    let (_, arm) = experiment.arms().next()?;
    let spec: &Spec = &arm.spec;
    let Work::Team(team) = &spec.work else {
        return None;
    };
    let sitting = stored.manifest.sittings.last()?;
    let servers = experiment.servers.iter().filter_map(|(name, server)| {
        Some(match server {
            Server::Mock(mock) => agent::Server::Mock {
                name: mock.name.clone(),
                profile: mock.profile.clone(),
            },
            Server::Real { base_url } => {
                let described = sitting.servers.get(name)?.clone();
                agent::Server::there(base_url.clone(), described)
            }
        })
    });
    let mocks = experiment.servers.values().find_map(|server| match server {
        Server::Mock(mock) => Some(MockServers {
            servers: mock.servers,
            gpus: mock.gpus,
            parallel: mock.parallel,
            speed: Some(mock.speed).filter(|&speed| speed != 1.0),
        }),
        Server::Real { .. } => None,
    });
    let truth = runs.first()?.tare.as_ref()?;
    Some(TeamSetup {
        provenance: sitting.provenance.clone(),
        stack: spec.stack,
        io: truth.io.clone(),
        threads: truth.threads,
        servers: servers.collect(),
        mocks,
        api: spec.api,
        model: spec.model.clone(),
        isolated: experiment
            .arms()
            .any(|(_, arm)| matches!(arm.role, Role::Isolated { .. })),
        fixed_length: team.tokens,
        seed: team.members.first().and_then(|it| team.sent(it).seed),
        order_seed: experiment.order_seed,
        inject: spec.inject,
        limits: team.limits.into(),
        corpus: sitting.corpus.clone()?,
        ingest_concurrency: spec.ingest_concurrency,
    })
}
