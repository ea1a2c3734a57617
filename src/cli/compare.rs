//! `tare compare`: cells against each other, and what can be said of them.

mod arguments;
mod progress;

pub use arguments::Arguments;

use super::{Failure, server};
use crate::client::{Endpoint, EndpointError, Options as ClientOptions, Raw};
use crate::invocation::{MockServer, Program, ProxyServer};
use crate::meter::Recorder;
use crate::ollama::wire::Options as ModelOptions;
use crate::ollama::{Form, Ollama, Question};
use crate::provenance::Provenance;
use crate::report::compare::report;
use crate::report::files::write_all;
use crate::runtime::{Runtime, Threads};
use crate::weighing::{Ending, PartPlan, Plan, Record, Served, Setup, Standing, run as weigh};
use anyhow::{Context, anyhow};
use arguments::{Format, Source};
use progress::Progress;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;

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
                let served = greet(&base_url, &asked.setup)?;
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
                eprintln!("not every cell was run once: there is nothing to report");
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

/// Who is there. One token is asked for, so that a model that is not there is told at once, and one
/// that is there is loaded before the first invocation.
fn greet(base_url: &str, setup: &Setup) -> Result<Served, Failure> {
    let endpoint = Endpoint::resolve(base_url).map_err(|error| match error {
        EndpointError::Url { .. } => Failure::Usage(error.into()),
        EndpointError::Unresolved { .. } => Failure::Failed(error.into()),
    })?;
    let rt = Threads::new(NonZeroUsize::MIN)?;
    let options = ClientOptions::new(endpoint);
    let inner = rt.clone();
    let (api, model) = (setup.api, setup.model.clone());
    let found = rt.run(async move {
        let otherwise = ", or leave out --base-url to compare against a mock";
        let found =
            server::look_for::<Threads, Raw>(inner.clone(), &options, api, otherwise).await?;
        let ollama = Ollama::<_, Raw>::new(inner, Arc::new(options))?;
        let question = Question {
            model: &model,
            prompt: "Count the tokens.",
            options: &ModelOptions {
                num_predict: Some(1),
                ..ModelOptions::default()
            },
            keep_alive: None,
            form: Form::Stream,
        };
        let asked = ollama.ask(api, &question, &mut Recorder::start(1)).await;
        match asked {
            Ok(_) => Ok(found),
            Err(error) => Err(match server::remedy(&error, found.software, &model) {
                Some(remedy) => anyhow!("{error}; {remedy}"),
                None => error.into(),
            }),
        }
    })?;
    Ok(Served::There {
        base_url: base_url.to_owned(),
        software: found.software,
        version: found.version,
    })
}
