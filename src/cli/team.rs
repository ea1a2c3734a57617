//! `tare team`: several agents at once, and each alone.
//!
//! What can be checked without a server is checked first. Files are written at the very end, so a
//! failure leaves nothing behind; Ctrl-C leaves the runs that are finished.

mod arguments;
mod progress;
mod results;

pub use arguments::Arguments;

use super::server::First;
use super::values::Format;
use super::{Failure, server, usable_folder, warn_of};
use crate::doctor;
use crate::provenance::Provenance;
use crate::report::agent::Server;
use crate::report::published::TeamRun;
use crate::report::team::{MockServers, TeamSetup, TeamSummary};
use crate::run::{ProcessError, Program, TranscriptEntry};
use crate::runtime::{Runtime, Threads};
use crate::team::{Known, MockPlan, Ran, Servers, TeamSpec, run_once};
use crate::workflow::{INGEST_CONCURRENCY, ingest};
use anyhow::Context;
use arguments::{MockSource, Plan, Source};
use progress::Progress;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let plan = arguments.plan()?;
    usable_folder(&plan.output_dir, "--output-dir")?;
    let corpus = plan.corpus.open()?;
    // To know that it has something to read, and so that no run pays for a cold page cache.
    let floor = Threads::new(NonZeroUsize::MIN)?;
    futures::executor::block_on(ingest(&floor, &corpus.folder, INGEST_CONCURRENCY))?;
    let provenance = Provenance::here().with_findings(doctor::quick());
    warn_of(&provenance.spoilers());
    let program = Program::this().context("cannot find the program to start its processes")?;

    let servers = start(&program, &plan)?;
    let spec = spec(&plan, &servers, corpus.folder);
    let described = describe(&plan, &spec)?;
    let progress = Progress::start(plan.runs)?;
    let (runs, said) = all_runs(&program, &spec, plan.runs, &progress)?;
    let interrupted = progress.interrupted();
    progress.finish();

    let setup = |first: &TeamRun| TeamSetup {
        provenance,
        stack: spec.stack,
        io: spec.stack.io().to_string(),
        threads: first.tare.as_ref().map_or(spec.threads, |it| it.threads),
        servers: described,
        mocks: mocks(&plan.source),
        api: spec.api,
        model: spec.model.clone(),
        isolated: spec.isolated,
        fixed_length: spec.fixed_length,
        seed: spec.members.first().and_then(|it| spec.sent(it).seed),
        order_seed: spec.order_seed,
        inject: spec.inject,
        limits: spec.limits.into(),
        corpus: corpus.identity,
        ingest_concurrency: spec.ingest_concurrency,
    };
    let Some(summary) = runs
        .first()
        .and_then(|first| TeamSummary::of(setup(first), &runs))
    else {
        eprintln!("no run was finished: there is nothing to report");
        return Err(Failure::Interrupted);
    };
    let json = results::write(&plan.output_dir, &summary, &runs, &said)?;
    eprintln!(
        "wrote runs/, summary.json, transcript.jsonl and *.md to {}; begin with {}",
        plan.output_dir.display(),
        plan.output_dir.join("summary.md").display()
    );
    if let Some(Format::Json) = plan.format {
        std::io::stdout().lock().write_all(json.as_bytes())?;
    }
    match interrupted {
        true => Err(Failure::Interrupted),
        false => Ok(()),
    }
}

/// The runs that were finished, and what was said in each.
fn all_runs(
    program: &Program,
    spec: &TeamSpec,
    runs: u32,
    progress: &Progress,
) -> Result<(Vec<TeamRun>, Vec<Vec<TranscriptEntry>>), ProcessError> {
    let mut records = Vec::new();
    let mut texts = Vec::new();
    for run in 1..=runs {
        if progress.interrupted() {
            break;
        }
        progress.begin(run);
        match run_once(program, spec, run) {
            Ok(Ran { record, said, .. }) => {
                progress.end(&record);
                records.push(record);
                texts.push(said);
            }
            Err(error) if error.is_of_interruption(|| progress.interrupted()) => break,
            Err(error) => return Err(error),
        }
    }
    Ok((records, texts))
}

fn start(program: &Program, plan: &Plan) -> Result<Servers, Failure> {
    let MockSource {
        name,
        servers,
        gpus,
        parallel,
        speed,
        ..
    } = match &plan.source {
        Source::There([first, second]) => return Ok(Servers::there(first, second)),
        Source::Mock(mock) => mock,
    };
    let speed = speed.map(|speed| speed.to_string());
    let further: Vec<&str> = speed.iter().flat_map(|it| ["--speed", it]).collect();
    Ok(Servers::mock(
        program,
        &MockPlan {
            profile: name,
            model: &plan.model,
            servers: *servers,
            gpus: *gpus,
            parallel: *parallel,
            further: &further,
        },
    )?)
}

fn spec(plan: &Plan, servers: &Servers, corpus: PathBuf) -> TeamSpec {
    let members =
        plan.scenario
            .members(plan.agents, plan.side, &plan.chimeras, servers.addresses());
    TeamSpec {
        stack: plan.stack,
        threads: plan.threads,
        scenario: plan.scenario,
        members,
        api: plan.api,
        model: plan.model.clone(),
        corpus,
        ingest_concurrency: plan.ingest_concurrency,
        isolated: plan.isolated,
        fixed_length: plan.fixed_length,
        seed: plan.seed,
        order_seed: plan.order_seed,
        limits: plan.limits,
        inject: plan.inject,
        known: match &plan.source {
            Source::Mock(mock) => Some(Known::from(&*mock.profile)),
            Source::There(_) => None,
        },
    }
}

fn mocks(source: &Source) -> Option<MockServers> {
    match source {
        Source::There(_) => None,
        Source::Mock(mock) => Some(MockServers {
            servers: mock.servers,
            gpus: mock.gpus,
            parallel: mock.parallel,
            speed: mock.speed,
        }),
    }
}

/// Who answers, each server once. One that is no mock of ours is asked, and whether it has the model.
fn describe(plan: &Plan, spec: &TeamSpec) -> Result<Vec<Server>, Failure> {
    if let Source::Mock(mock) = &plan.source {
        return Ok(vec![Server::Mock {
            name: mock.name.clone(),
            profile: mock.profile.clone(),
        }]);
    }
    let mut asked: Vec<&str> = Vec::new();
    let mut servers = Vec::new();
    for member in &spec.members {
        if !asked.contains(&member.base_url.as_str()) {
            // Over OpenAI's API it can't be asked to load a model.
            let described = server::greet(
                &member.base_url,
                spec.limits,
                spec.api,
                &spec.model,
                First::Load(spec.sent(member)),
                ", or add `--mock` to do without one",
            )?;
            servers.push(Server::there(member.base_url.clone(), described));
            asked.push(&member.base_url);
        }
    }
    Ok(servers)
}
