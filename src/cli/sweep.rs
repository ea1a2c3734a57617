//! `tare sweep`: a plan, run by run. A preset of the experiment.

mod arguments;

pub use arguments::Arguments;

use super::experiment::{Format, conduct, list_metrics};
use super::{Failure, print};
use crate::experiment::{Experiment, Server, Stored};
use crate::plan::{Answering, Plan, estimate};
use crate::published::export;
use anyhow::anyhow;
use arguments::Asked;
use std::num::NonZeroUsize;
use std::time::Duration;

pub fn run(mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.flags.list_metrics {
        return list_metrics();
    }
    let Asked { plan, experiment } = arguments.check()?;
    if arguments.dry_run {
        return dry_run(&arguments, &plan, &experiment);
    }
    let flags = &arguments.flags;
    let finished = conduct(experiment, flags, ", or ask mocks with --mock")?;
    let experiment = &finished.stored.manifest.experiment;
    let (all, done) = (
        experiment.order(flags.partition).len(),
        finished.stored.finished().len(),
    );
    let exported = export(&finished.folder, &finished.stored)?;
    let folder = finished.folder.display();
    eprintln!("{done} of {all} runs are finished, in {folder}");
    if exported.runs > 0 {
        eprintln!("analyse them with: tare report sweep {folder}");
        finished.report(flags)?;
    }
    finished.conclude(flags)
}

/// By which a real server is taken to be as fast.
const USUAL_PROFILE: &str = "rtx4080-gemma3-4b";

fn dry_run(arguments: &Arguments, plan: &Plan, experiment: &Experiment) -> Result<(), Failure> {
    let flags = &arguments.flags;
    let mut order = experiment.order(flags.partition);
    if flags.resume {
        let folder = flags.folder("sweep");
        let stored = Stored::read(&folder)?.ok_or_else(|| {
            let folder = folder.display();
            Failure::Usage(anyhow!(
                "there is no experiment in {folder} to go on with; leave out --resume to begin one"
            ))
        })?;
        let finished = stored.finished();
        order.retain(|due| !finished.contains(&due.key()));
    }
    let mock = experiment.servers.values().find_map(|server| match server {
        Server::Mock(mock) => Some(mock),
        Server::Real { .. } => None,
    });
    let (time, told) = match mock {
        Some(mock) => {
            let by = Answering {
                profile: &mock.profile,
                speed: mock.speed,
                gpus: mock.gpus,
            };
            (
                estimate(plan, &order, by),
                format!("by profile {}", mock.name),
            )
        }
        None => {
            let profile = super::find_profile(USUAL_PROFILE)?;
            let by = Answering {
                profile: &profile,
                speed: 1.0,
                gpus: NonZeroUsize::MIN,
            };
            (
                estimate(plan, &order, by),
                format!("if the server is as fast as profile {USUAL_PROFILE}"),
            )
        }
    };
    eprintln!(
        "plan {}: {} runs of {} configurations, about {} {told}",
        plan.name,
        order.len(),
        plan.configurations.len(),
        words(time)
    );
    let runs = order
        .iter()
        .filter_map(|due| Some((&experiment.arm(due.at)?.1.name, due.block + 1)));
    if flags.format == Format::Json {
        let runs = runs.map(|(arm, block)| serde_json::json!({"arm": arm, "block": block}));
        let account = serde_json::json!({
            "plan": plan.name,
            "digest": experiment.digest(),
            "runs": runs.collect::<Vec<_>>(),
            "estimated_s": time.as_secs_f64(),
        });
        return print(&(serde_json::to_string_pretty(&account)? + "\n"));
    }
    let mut lines = String::new();
    for (position, (arm, block)) in runs.enumerate() {
        lines += &format!("{}\t{arm}\tblock {block}\n", position + 1);
    }
    print(&lines)
}

/// A time as people say it.
fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_exactly_as_they_matter() {
        for (seconds, said) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 0 s"),
            (3599.0, "59 min 59 s"),
            (7260.0, "2 h 1 min"),
        ] {
            assert_eq!(words(Duration::from_secs_f64(seconds)), said);
        }
    }
}
