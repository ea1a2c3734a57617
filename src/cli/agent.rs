//! `tare agent`: one agent, baseline against chimera.

use super::experiment::{Finished, Flags, conduct, list_metrics};
use super::overrides::{self, Chimera};
use super::values::{LimitArguments, api};
use super::{Failure, find_profile};
use crate::client::Limits;
use crate::corpus;
use crate::experiment::{ALPHA, Arm, Cadence, Experiment, Kind, Role, Server, Workload, mock};
use crate::protocol::{Api, Options, default_base_url};
use crate::published::agent::{BASELINE_AGAIN, FILES, Side, export};
use crate::report::files::write_all;
use crate::run::{Answers, Member, Spec, Team, Work};
use crate::runtime::{Runtime, Threads};
use crate::stack::Stack;
use crate::team::Scenario;
use crate::workflow::{self, INGEST_CONCURRENCY, Skipped, ingest};
use anyhow::anyhow;
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

/// Benchmark one agent: the server's default options (baseline) against overrides (chimera)
///
/// The agent reads a folder of benchmark files, has a model analyse them, and has it write a report
/// from the analysis. Each block runs both sides once, a process each, in random order. Beside the
/// records, data/metrics.json, data/transcript.jsonl and three reports in reports/ go to --out.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without any --chimera option, chimera is num_gpu 80, num_ctx 512, temperature 0.8; of these \
OpenAI's API can express the temperature only.

Examples:
  tare agent --mock
  tare agent --mock --runs 5 --chimera-temperature 0.6 --num-predict 256 --seed 1 --control"
)]
pub struct Arguments {
    /// Runtime and client
    #[arg(long, value_name = "STACK", default_value = "tokio-mt/reqwest")]
    stack: Stack,
    /// Worker threads of the runtime
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new())]
    model: String,
    /// How to ask: chat, generate and raw (generate without template and context) are Ollama's,
    /// openai is /v1/chat/completions of llama.cpp's server, vLLM, LM Studio or Ollama
    #[arg(long, default_value_t, value_parser = api())]
    api: Api,
    /// Address of the server; with --api openai it may end in /v1
    #[arg(long, value_name = "URL", default_value_t = default_base_url())]
    base_url: String,
    /// Ask a mock instead, started for the purpose, with the profile paced-1ms or the one named
    #[arg(
        long,
        value_name = "PROFILE",
        num_args = 0..=1,
        default_missing_value = "paced-1ms",
        conflicts_with = "base_url"
    )]
    mock: Option<String>,
    /// Ask through a recording proxy, which knows when it passed each token on: gives delivery for
    /// servers that don't tell (see `tare proxy`)
    #[arg(long)]
    proxy: bool,
    /// Folder of CSV, JSON and Markdown files to read; built-in is the one inside the program
    #[arg(long, value_name = "DIR", default_value_t)]
    corpus: corpus::Source,
    /// Files that an agent reads at a time; 1 reads one after the other
    #[arg(long, value_name = "N", default_value_t = INGEST_CONCURRENCY)]
    ingest_concurrency: NonZeroUsize,
    /// Run the baseline a second time in each block: the A/A control of the verdicts
    #[arg(long)]
    control: bool,

    #[command(flatten)]
    chimera: Chimera,

    /// Most tokens of each answer, on both sides
    #[arg(long, value_name = "N", value_parser = value_parser!(i32).range(1..), help_heading = "Both sides")]
    num_predict: Option<i32>,
    /// Seed of the model's sampler, on both sides
    #[arg(long, value_name = "N", help_heading = "Both sides")]
    seed: Option<u64>,

    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    experiment: Flags,
}

/// Runs of each side where nobody says otherwise.
const RUNS: u32 = 3;
/// So many failures in a row end a sitting.
const TOO_MANY: NonZeroU32 = NonZeroU32::new(3).unwrap();
/// What is judged where nobody says otherwise.
const METRICS: [&str; 6] = ["gross", "net", "ttft", "tare", "calls", "ingest"];

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.experiment.list_metrics {
        return list_metrics();
    }
    let experiment = arguments.experiment()?;
    tell_skipped(&read_corpus(&arguments.corpus.open()?.folder)?.skipped);
    let flags = &arguments.experiment;
    let finished = conduct(experiment, flags, ", or add `--mock` to do without one")?;
    write_export(&finished)?;
    finished.report(flags)?;
    finished.conclude(flags)
}

impl Arguments {
    fn experiment(&self) -> Result<Experiment, Failure> {
        if self.stack.topology.is_some() {
            return Err(Failure::Usage(anyhow!(
                "`{}` is for a team: leave out /join and /spawn",
                self.stack
            )));
        }
        let baseline = Options {
            num_predict: self.num_predict,
            seed: self.seed,
            ..Options::default()
        };
        let (chimera, _) = self
            .chimera
            .over(&baseline, &overrides::chimera(), self.api)?;
        let (name, server) = match &self.mock {
            Some(name) => (name.clone(), mock(name, find_profile(name)?, &self.model)),
            None => {
                let base_url = self.api.base_url(&self.base_url).to_owned();
                ("server".to_owned(), Server::Real { base_url })
            }
        };
        let arm = |arm: &str, role, options: &Options| Arm {
            name: arm.to_owned(),
            role,
            blocks: None,
            program: Vec::new(),
            spec: self.spec(&name, &server, options),
        };
        let mut arms = vec![
            arm(Side::Baseline.name(), Role::Base, &baseline),
            arm(Side::Chimera.name(), Role::Compared, &chimera),
        ];
        if self.control {
            arms.insert(1, arm(BASELINE_AGAIN, Role::BaseAgain, &baseline));
        }
        let flags = &self.experiment;
        let burst = matches!(&server, Server::Mock(mock) if mock.profile.gap.is_zero());
        Ok(Experiment {
            preset: "agent".to_owned(),
            name: "agent".to_owned(),
            servers: BTreeMap::from([(name.clone(), server)]),
            proxied: self.proxy,
            mock_processor: None,
            workloads: vec![Workload {
                name: "one agent".to_owned(),
                kind: Kind::Agent,
                cadence: match burst {
                    true => Cadence::Burst,
                    false => Cadence::Paced,
                },
                arms,
            }],
            blocks: flags.runs.unwrap_or(RUNS) as usize,
            order_seed: flags.order_seed(&flags.folder("agent")),
            seed_per_block: false,
            warm_up_runs: 0,
            cool_down: Duration::ZERO,
            profile_blocks: 0,
            failures_in_a_row: TOO_MANY,
            metrics: flags.metrics(&METRICS)?,
            alpha: ALPHA,
            until_decided: false,
        })
    }

    fn spec(&self, name: &str, server: &Server, options: &Options) -> Spec {
        // With a mock every token is known beforehand.
        let (answers, tokens, seed) = match server {
            Server::Mock(mock) => (Answers::Known, mock.profile.tokens, mock.profile.seed),
            Server::Real { .. } => (Answers::Unknown, 0, 0),
        };
        Spec {
            stack: self.stack,
            threads: self.threads,
            base_url: name.to_owned(),
            api: self.api,
            model: self.model.clone(),
            work: Work::Team(Team {
                members: vec![Member {
                    role: workflow::Role::Neutral,
                    base_url: name.to_owned(),
                    options: options.clone(),
                    count: NonZeroUsize::MIN,
                }],
                scenario: Scenario::Single.name().to_owned(),
                tokens: None,
                seed: None,
                corpus: self.corpus.named(),
                limits: Limits::from(&self.limits),
                preload: false,
                texts_of: 1,
            }),
            ingest_concurrency: self.ingest_concurrency,
            tokens,
            seed,
            warm_up: 0,
            iterations: 1,
            answers,
            proxied: false,
            inject: None,
            profile_run: false,
            detail: true,
            processors: Vec::new(),
        }
    }
}

/// Reads the corpus once beforehand: to know that it has something to read, and so that no run pays for a cold
/// page cache.
fn read_corpus(folder: &Path) -> anyhow::Result<workflow::Corpus> {
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

/// Writes what the older reports' schema has of the finished runs, if there are any.
fn write_export(finished: &Finished) -> Result<(), Failure> {
    if let Some(texts) = export(&finished.stored)? {
        let files: Vec<(&str, &str)> = FILES
            .into_iter()
            .zip(texts.iter().map(String::as_str))
            .collect();
        write_all(&finished.folder, &files)?;
    }
    Ok(())
}
