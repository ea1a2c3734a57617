//! `tare sweep`: a plan, run by run, and parts of a plan joined.

mod arguments;
mod bench;
mod progress;

pub use arguments::Arguments;

use super::server::First;
use super::values::Format;
use super::{Failure, server};
use crate::client::Limits;
use crate::plan::{
    self, Answering, Ending, MergeError, Occasion, Occupied, Plan, ResumeError, Run, Served,
    Sitting, There, estimate, sweep,
};
use crate::provenance::Provenance;
use crate::run::Program;
use crate::team::{Known, MockPlan, Servers};
use anyhow::{Context, anyhow};
use arguments::{Asked, MergeAsked, MockAsked, Source, SweepAsked};
use bench::Teams;
use progress::{Progress, words};
use std::io::Write;
use std::num::NonZeroUsize;
use tare_mock::Profile;

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.check()? {
        Asked::Merge(asked) => merge(asked),
        Asked::Sweep(asked) if asked.dry_run => dry_run(&asked),
        Asked::Sweep(asked) => run_plan(&asked),
    }
}

fn refused(error: ResumeError) -> Failure {
    match error {
        ResumeError::Folder(_) => Failure::Failed(error.into()),
        _ => Failure::Usage(error.into()),
    }
}

fn run_plan(asked: &SweepAsked) -> Result<(), Failure> {
    super::usable_folder(&asked.out, "--out")?;
    let plan = &asked.plan;
    let corpus = plan.corpus.open()?;
    let taken = Occupied::take(&asked.out, asked.occasion, plan, asked.part);
    let mut occupied = taken.map_err(refused)?;
    let runs = occupied.planned().runs().count();
    if occupied.finished() == runs {
        eprintln!(
            "all {runs} runs are finished already, in {}",
            asked.out.display()
        );
        return report(asked, &occupied, runs);
    }
    let provenance = Provenance::here().with_findings(crate::doctor::quick());
    super::warn_of(&provenance.spoilers());
    let program = Program::this().context("cannot find the program to start its processes")?;
    let (servers, served) = start(&program, plan, &asked.source)?;
    let known = occupied.order_seed();
    let order_seed = asked.order_seed.or(known).unwrap_or(plan.seed);
    let sitting = Sitting {
        provenance,
        server: served,
        corpus: Some(corpus.identity),
        order_seed,
        part: None,
        accepted: Vec::new(),
    };
    // From here on there is something to go on with.
    let mut progress = Progress::start(occupied.finished(), runs)?;
    occupied
        .sit(sitting, asked.circumstances)
        .map_err(refused)?;
    let order = plan.order(order_seed, asked.part);
    eprintln!(
        "plan {}: {runs} runs, {} finished; results in {}",
        plan.name,
        occupied.finished(),
        asked.out.display()
    );
    let mut teams = Teams {
        program: &program,
        plan,
        corpus: &corpus.folder,
        servers: &servers,
        known: match &asked.source {
            Source::Mock(mock) => Some(Known::from(&*mock.profile)),
            Source::There(_) => None,
        },
        order_seed,
        limits: asked.limits,
        interrupted: progress.interrupted(),
    };
    let cool_down = match &asked.source {
        Source::Mock(mock) => plan.cool_down.div_f64(mock.speed),
        Source::There(_) => plan.cool_down,
    };
    let ending = sweep(&mut occupied, &order, cool_down, &mut teams, &mut progress);
    progress.finish();
    let ending = ending.map_err(|error| Failure::Failed(error.into()))?;
    let finished = occupied.finished();
    eprintln!(
        "{finished} of {runs} runs are finished, in {}",
        asked.out.display()
    );
    report(asked, &occupied, runs)?;
    match ending {
        Ending::Interrupted => {
            eprintln!("go on with: {}", how_to_resume(asked));
            Err(Failure::Interrupted)
        }
        Ending::GivenUp(failures) => Err(anyhow!(
            "{failures} runs in a row failed, so the others were not tried; see to it and go on with: {}",
            how_to_resume(asked)
        )
        .into()),
        Ending::Done if finished < runs => Err(anyhow!(
            "{} of {runs} runs failed; try them again with: {}",
            runs - finished,
            how_to_resume(asked)
        )
        .into()),
        Ending::Done => Ok(()),
    }
}

/// The command line that goes on.
fn how_to_resume(asked: &SweepAsked) -> String {
    let line = crate::provenance::Occasion::now().shell_line();
    match asked.occasion {
        Occasion::Begin => line + " --resume",
        Occasion::Resume => line,
    }
}

/// Failures to stderr, and all of it to stdout if asked.
fn report(asked: &SweepAsked, occupied: &Occupied, runs: usize) -> Result<(), Failure> {
    let failures = occupied.failed();
    for (run, why) in failures {
        eprintln!(
            "failed: {}, run {}: {why}",
            name(&asked.plan, *run),
            run.number
        );
    }
    let Some(Format::Json) = asked.format else {
        return Ok(());
    };
    let failures = failures.iter().map(|(run, why)| {
        serde_json::json!({
            "configuration": name(&asked.plan, *run), "run_number": run.number, "message": why,
        })
    });
    print(&serde_json::json!({
        "plan": asked.plan.name,
        "digest": asked.plan.digest(),
        "folder": asked.out,
        "runs": runs,
        "finished": occupied.finished(),
        "failures": failures.collect::<Vec<_>>(),
    }))
}

fn name(plan: &Plan, run: Run) -> &str {
    &plan.configurations[run.configuration].name
}

fn print(value: &serde_json::Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Whom the agents ask.
fn start(program: &Program, plan: &Plan, source: &Source) -> Result<(Servers, Served), Failure> {
    match source {
        Source::Mock(mock) => {
            let speed = mock.speed.to_string();
            let servers = Servers::mock(
                program,
                &MockPlan {
                    profile: &mock.name,
                    model: &plan.model,
                    servers: plan.servers,
                    gpus: mock.gpus,
                    parallel: mock.parallel,
                    further: &["--speed", &speed],
                },
            )?;
            let MockAsked {
                name,
                profile,
                speed,
                gpus,
                ..
            } = mock;
            let served = Served::Mock {
                name: name.clone(),
                profile: profile.clone(),
                speed: *speed,
                gpus: *gpus,
            };
            Ok((servers, served))
        }
        Source::There(urls) => {
            let mut servers: Vec<There> = Vec::new();
            for url in urls {
                if servers.iter().all(|known| known.base_url != *url) {
                    let described = server::greet(
                        url,
                        Limits::default(),
                        plan.api,
                        &plan.model,
                        First::Nothing,
                        ", or ask mocks with --mock",
                    )?;
                    servers.push(There {
                        base_url: url.clone(),
                        described,
                    });
                }
            }
            let served = Served::There { servers };
            Ok((Servers::there(&urls[0], &urls[1]), served))
        }
    }
}

/// By which a real server is taken to be as fast.
const USUAL_PROFILE: &str = "rtx4080-gemma3-4b";

fn dry_run(asked: &SweepAsked) -> Result<(), Failure> {
    let plan = &asked.plan;
    let mut order = plan.order(asked.order_seed.unwrap_or(plan.seed), asked.part);
    if asked.occasion == Occasion::Resume {
        let finished = Occupied::peek(&asked.out, plan, asked.part).map_err(refused)?;
        order.retain(|run| !finished.contains(run));
    }
    let usual: Profile;
    let (by, told) = match &asked.source {
        Source::Mock(mock) => {
            let by = Answering {
                profile: &mock.profile,
                speed: mock.speed,
                gpus: mock.gpus,
            };
            (by, format!("by profile {}", mock.name))
        }
        Source::There(_) => {
            usual = super::find_profile(USUAL_PROFILE)?;
            let by = Answering {
                profile: &usual,
                speed: 1.0,
                gpus: NonZeroUsize::MIN,
            };
            (
                by,
                format!("if the server is as fast as profile {USUAL_PROFILE}"),
            )
        }
    };
    let time = estimate(plan, &order, by);
    eprintln!(
        "plan {}: {} runs of {} configurations, about {} {told}",
        plan.name,
        order.len(),
        plan.configurations.len(),
        words(time)
    );
    if let Some(Format::Json) = asked.format {
        let runs = order.iter().map(
            |&run| serde_json::json!({"configuration": name(plan, run), "run_number": run.number}),
        );
        return print(&serde_json::json!({
            "plan": plan.name,
            "digest": plan.digest(),
            "runs": runs.collect::<Vec<_>>(),
            "estimated_s": time.as_secs_f64(),
        }));
    }
    let mut lines = String::new();
    for (position, &run) in order.iter().enumerate() {
        lines += &format!(
            "{}\t{}\trun {}\n",
            position + 1,
            name(plan, run),
            run.number
        );
    }
    Ok(std::io::stdout().lock().write_all(lines.as_bytes())?)
}

fn merge(asked: MergeAsked) -> Result<(), Failure> {
    let merged = plan::merge(&asked.parts, &asked.out, asked.circumstances);
    let merged = merged.map_err(|error| match error {
        MergeError::Folder(_) | MergeError::Write { .. } => Failure::Failed(error.into()),
        _ => Failure::Usage(error.into()),
    })?;
    for difference in &merged.machines {
        eprintln!("note: the parts' machines differ: {difference}");
    }
    eprintln!(
        "plan {}: {} runs of {} parts joined in {}",
        merged.sweep.plan.name,
        merged.sweep.plan.runs(),
        asked.parts.len(),
        asked.out.display()
    );
    Ok(())
}
