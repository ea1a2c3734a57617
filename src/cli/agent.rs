//! `tare agent`: one agent, baseline against chimera.
//!
//! What can be checked without a server is checked first: the stack, the profile, the output folder
//! and the corpus. Files are written at the very end, so a failure leaves nothing behind.

mod arguments;
mod blocks;
mod progress;

pub use arguments::Arguments;

use super::server::describe;
use super::values::Format;
use super::{Failure, usable_folder, warn_of};
use crate::client::{Endpoint, EndpointError, Options as ClientOptions};
use crate::doctor;
use crate::protocol::Described;
use crate::protocol::wire::{PROXY_HEADER, TRUTH_HEADER};
use crate::provenance::Provenance;
use crate::report::agent::{
    Measured, Metrics, Server, Setup, Side, comparison_report, side_report, transcript,
};
use crate::report::files::write_all;
use crate::run::{MockServer, Program, ProxyServer};
use crate::runtime::{Runtime, Threads};
use crate::workflow::{Corpus, INGEST_CONCURRENCY, Skipped, ingest};
use anyhow::Context;
use arguments::Plan;
use blocks::Blocks;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use tare_mock::Profile;

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let plan = arguments.plan()?;
    usable_folder(&plan.output_dir, "--output-dir")?;
    let corpus = plan.corpus.open()?;
    tell_skipped(&read_corpus(&corpus.folder)?.skipped);

    let provenance = Provenance::here().with_findings(doctor::quick());
    warn_of(&provenance.spoilers());
    let server = Answering::start(&plan)?;
    let endpoint = resolve(server.base_url())?;
    let proxy = plan.proxy.then(|| beside(&server)).transpose()?;
    let asked = proxy
        .as_ref()
        .map_or(server.base_url(), ProxyServer::base_url);
    let mut client = ClientOptions::new(resolve(asked)?);
    client.limits = plan.limits;
    client.read_buffer = plan.stack.read_buffer();
    if plan.mock.is_some() {
        client.headers.push(TRUTH_HEADER);
    }
    if plan.proxy {
        client.headers.push(PROXY_HEADER);
    }
    let ran = plan
        .stack
        .dispatch(Blocks::new(&plan, &corpus.folder, client))?;
    let described = describe(ran.server, ran.model, &endpoint);
    let setup = Setup {
        provenance,
        stack: plan.stack,
        io: plan.stack.io().to_string(),
        threads: ran.threads,
        server: server.described(&plan, described),
        proxied: plan.proxy,
        api: plan.api,
        model: plan.model,
        order_seed: plan.order_seed,
        limits: plan.limits.into(),
        baseline: plan.baseline,
        chimera: plan.chimera,
        chimera_chosen_by: plan.chimera_chosen_by,
        corpus: corpus.identity,
        ingest_concurrency: plan.ingest_concurrency,
    };
    write(setup, &ran.measured, &plan.output_dir, plan.format)
}

/// Reads the corpus once beforehand: to know that it has something to read, and so that no run pays for a cold
/// page cache.
fn read_corpus(folder: &Path) -> anyhow::Result<Corpus> {
    let floor = Threads::new(NonZeroUsize::MIN)?;
    Ok(futures::executor::block_on(ingest(
        &floor,
        folder,
        INGEST_CONCURRENCY,
    ))?)
}

fn tell_skipped(skipped: &[Skipped]) {
    const MOST: usize = 10;
    for Skipped { path, reason } in skipped.iter().take(MOST) {
        eprintln!("skipped {}: {}", path.display(), reason.replace('\n', " "));
    }
    if let Some(more @ 1..) = skipped.len().checked_sub(MOST) {
        eprintln!("and {more} more skipped");
    }
}

fn resolve(base_url: &str) -> Result<Endpoint, Failure> {
    Endpoint::resolve(base_url).map_err(|error| match error {
        EndpointError::Url { .. } => Failure::Usage(error.into()),
        EndpointError::Unresolved { .. } => Failure::Failed(error.into()),
    })
}

/// A proxy to the server.
fn beside(server: &Answering) -> anyhow::Result<ProxyServer> {
    let program = Program::this().context("cannot find the program to start the proxy")?;
    Ok(ProxyServer::start(&program, server.base_url(), &[])?)
}

/// Whom the agents ask; our own mock ends with this.
enum Answering {
    Mock(MockServer),
    There(String),
}

impl Answering {
    fn start(plan: &Plan) -> anyhow::Result<Self> {
        Ok(match &plan.mock {
            Some(mock) => {
                let program =
                    Program::this().context("cannot find the program to start the mock")?;
                Self::Mock(MockServer::start(&program, &mock.name, Some(&plan.model))?)
            }
            None => Self::There(plan.base_url.clone()),
        })
    }

    fn base_url(&self) -> &str {
        match self {
            Self::Mock(mock) => mock.base_url(),
            Self::There(base_url) => base_url,
        }
    }

    fn described(&self, plan: &Plan, described: Described) -> Server {
        match &plan.mock {
            Some(Mock { name, profile }) => Server::Mock {
                name: name.clone(),
                profile: Box::new(profile.clone()),
            },
            None => Server::there(self.base_url().to_owned(), described),
        }
    }
}

/// The mock that was asked for.
struct Mock {
    name: String,
    /// With the model that it is to serve.
    profile: Profile,
}

fn write(
    setup: Setup,
    measured: &[Measured],
    folder: &Path,
    format: Option<Format>,
) -> Result<(), Failure> {
    let metrics = Metrics::of(setup, measured).context("there was no run")?;
    let json = serde_json::to_string_pretty(&metrics)? + "\n";
    write_all(
        folder,
        &[
            ("data/metrics.json", &json),
            ("data/transcript.jsonl", &transcript(measured)?),
            (
                "reports/baseline_report.md",
                &side_report(&metrics, Side::Baseline),
            ),
            (
                "reports/chimera_report.md",
                &side_report(&metrics, Side::Chimera),
            ),
            ("reports/comparison_report.md", &comparison_report(&metrics)),
        ],
    )?;
    eprintln!(
        "wrote data/metrics.json, data/transcript.jsonl and reports/*.md to {}; begin with {}",
        folder.display(),
        folder.join("reports/comparison_report.md").display()
    );
    match format {
        Some(Format::Json) => Ok(std::io::stdout().lock().write_all(json.as_bytes())?),
        None => Ok(()),
    }
}
