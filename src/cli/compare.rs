//! `tare compare`: stacks against each other, and what can be said of them.

mod arguments;
mod progress;

pub use arguments::Arguments;

use super::server::First;
use super::{Failure, server};
use crate::client::Limits;
use crate::provenance::Provenance;
use crate::report::compare::report;
use crate::report::files::write_all;
use crate::run::{MockServer, Program, ProxyServer};
use crate::weighing::{Ending, PartPlan, Plan, Record, Served, Standing, run as weigh};
use anyhow::{Context, anyhow};
use arguments::{Format, Source};
use progress::Progress;
use std::io::Write;

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let asked = arguments.check()?;
    let provenance = Provenance::here().with_findings(crate::doctor::quick());
    super::warn_of(&provenance.spoilers());
    super::usable_folder(&asked.output_dir, "--output-dir")?;
    let program = Program::this().context("cannot find the program to start its processes")?;

    let pinned: Vec<&str> = asked.mock_arguments.iter().map(String::as_str).collect();
    let (mut mocks, mut proxies) = (Vec::new(), Vec::new());
    let mut parts = Vec::new();
    for part in asked.parts {
        let (base_url, served) = match part.source {
            Source::Mock(name, profile) => {
                let mock =
                    MockServer::start_with(&program, &name, Some(&asked.setup.model), &pinned)?;
                let base_url = mock.base_url().to_owned();
                mocks.push(mock);
                (base_url, Served::Mock { name, profile })
            }
            Source::There(base_url) => {
                let described = server::greet(
                    &base_url,
                    Limits::default(),
                    asked.setup.api,
                    &asked.setup.model,
                    First::Token,
                    ", or leave out --base-url to compare against a mock",
                )?;
                let served = Served::There {
                    base_url: base_url.clone(),
                    described,
                };
                (base_url, served)
            }
        };
        let base_url = match asked.setup.proxied {
            true => {
                let proxy = ProxyServer::start(&program, &base_url, &pinned)?;
                let base_url = proxy.base_url().to_owned();
                proxies.push(proxy);
                base_url
            }
            false => base_url,
        };
        parts.push(PartPlan {
            workload: part.workload,
            server: served,
            base_url,
            tokens: part.tokens,
            warm_up: part.warm_up,
            iterations: part.iterations,
            subjects: part.subjects,
        });
    }
    let plan = Plan {
        setup: asked.setup,
        corpus: asked.corpus,
        parts,
        until: asked.until,
        stop: asked.stop,
    };
    let mut progress = Progress::start(&plan)?;
    let done = weigh(&program, &plan, &mut progress);
    progress.finish(&done);
    let mut weighed = done.parts.iter().flat_map(|part| &part.weighed);
    if weighed.any(|one| one.invocations.is_empty()) {
        return Err(match done.failure {
            Some(failure) => failure.into(),
            None => {
                eprintln!("not every stack was run once: there is nothing to report");
                Failure::Interrupted
            }
        });
    }
    let record = Record::new(provenance, plan.setup, done.parts, done.ending);
    let json = serde_json::to_string(&record)? + "\n";
    let text = report(&record);
    write_all(
        &asked.output_dir,
        &[("result.json", &json), ("report.md", &text)],
    )?;
    let mut stdout = std::io::stdout().lock();
    match asked.format {
        Some(Format::Json) => stdout.write_all(json.as_bytes())?,
        None => stdout.write_all(text.as_bytes())?,
    }
    eprintln!(
        "wrote result.json and report.md to {}",
        asked.output_dir.display()
    );
    match (done.failure, record.standing, record.ending) {
        (Some(failure), _, _) => Err(anyhow!(failure)
            .context("what was finished is reported, but an invocation failed")
            .into()),
        (None, Standing::Sound, Ending::Interrupted) => Err(Failure::Interrupted),
        (None, Standing::Sound, _) => Ok(()),
        (None, Standing::Withheld(why), _) => Err(anyhow!("{why}").into()),
    }
}
