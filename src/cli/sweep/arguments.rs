//! The arguments of `tare sweep`, checked and put together.

use crate::cli::experiment::Flags;
use crate::cli::values::{LimitArguments, speed};
use crate::cli::{Failure, find_profile};
use crate::corpus;
use crate::experiment::{Experiment, MockServer, Server};
use crate::plan::{Plan, PlanError, Planned};
use anyhow::anyhow;
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

/// Run a plan: scenarios x settings x repetitions, which can stop, go on, and be split over machines
///
/// Every block has each configuration once, in random order, and beside it each kind of its agents
/// alone. Whatever ends the sweep, --resume goes on with the rest; a run that failed is tried again.
/// Below --out are the records of all runs, and in published/CONFIGURATION/run_N/metrics.json the same in
/// the older reports' schema.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shipped plans: tr111 (one agent, 18 settings and the default), tr114 (two agents, 150 runs), tr115 \
(five runtimes), scaling (1 to 1,024 agents on every stack).

Examples:
  tare sweep --plan tr114 --dry-run
  tare sweep --plan tr114 --partition 1/50 --mock rtx4080-gemma3-4b --speed 50

The whole plan, and on with it when it was stopped:
  tare sweep --plan tr114 --mock rtx4080-gemma3-4b --speed 50
  tare sweep --plan tr114 --mock rtx4080-gemma3-4b --speed 50 --resume
  tare sweep --plan tr114 --dry-run
  tare sweep --plan tr114 --mock instant --partition 1/2 --out part1"
)]
pub struct Arguments {
    /// A shipped plan, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    plan: String,
    /// Print the runs in their order and how long they will take, and run nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Model to ask, instead of the plan's
    #[arg(long, help_heading = "Instead of what the plan says", value_parser = NonEmptyStringValueParser::new())]
    model: Option<String>,
    /// Folder of CSV, JSON and Markdown files that agents read; built-in is the one inside the program
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Instead of what the plan says"
    )]
    corpus: Option<corpus::Source>,
    /// Files that an agent reads at a time; 1 reads one after the other
    #[arg(long, value_name = "N", help_heading = "Instead of what the plan says")]
    ingest_concurrency: Option<NonZeroUsize>,
    /// Servers for two agents: 1 for both, or 2, one for each
    #[arg(long, value_name = "N", help_heading = "Instead of what the plan says", value_parser = value_parser!(u8).range(1..=2))]
    servers: Option<u8>,

    #[command(flatten)]
    mock: MockArguments,
    #[command(flatten)]
    there: ThereArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    pub flags: Flags,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Mock")]
struct MockArguments {
    /// Ask mocks, started for the purpose, with the profile paced-1ms or the one named
    #[arg(
        long,
        value_name = "PROFILE",
        num_args = 0..=1,
        default_missing_value = "paced-1ms",
        conflicts_with_all = ["base_url", "collector_ollama_url", "insight_ollama_url"]
    )]
    mock: Option<String>,
    /// So many times as fast as the profile; pauses are as many times shorter
    #[arg(long, value_name = "N", requires = "mock", default_value = "1", value_parser = speed)]
    speed: f64,
    /// GPUs of two servers: 1 that they share, or one for each
    #[arg(long, value_name = "N", requires = "mock", default_value = "1", value_parser = value_parser!(u8).range(1..=2))]
    gpus: u8,
    /// Slots of a loaded model, as OLLAMA_NUM_PARALLEL, instead of the profile's
    #[arg(long, value_name = "N", requires = "mock")]
    parallel: Option<NonZeroU32>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Servers that are there")]
struct ThereArguments {
    /// Address of the first server [default: what OLLAMA_HOST names, or http://127.0.0.1:11434]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The collector's, instead of --base-url
    #[arg(long, value_name = "URL", conflicts_with = "base_url")]
    collector_ollama_url: Option<String>,
    /// The insight agent's [default: http://127.0.0.1:11435, or the collector's where there is one server]
    #[arg(long, value_name = "URL")]
    insight_ollama_url: Option<String>,
}

/// What is judged where nobody says what.
const METRICS: [&str; 5] = ["calls", "ingest", "tare", "gross", "ttft"];

/// A plan and the experiment that it stands for.
pub struct Asked {
    pub plan: Plan,
    pub experiment: Experiment,
}

impl Arguments {
    /// The plan, with what is to hold instead of what it says, and where its results go.
    pub fn check(&mut self) -> Result<Asked, Failure> {
        let mut plan = Plan::find(&self.plan).map_err(|error| match error {
            PlanError::Unreadable { .. } => Failure::Failed(error.into()),
            PlanError::Unknown { .. } | PlanError::Invalid { .. } => Failure::Usage(error.into()),
        })?;
        if let Some(model) = &self.model {
            plan.model.clone_from(model);
        }
        if let Some(corpus) = &self.corpus {
            plan.corpus.clone_from(corpus);
        }
        plan.ingest_concurrency = self.ingest_concurrency.unwrap_or(plan.ingest_concurrency);
        if let Some(servers) = self.servers {
            plan.servers = count(servers);
        }
        if let Some(runs) = self.flags.runs {
            for one in &mut plan.configurations {
                one.repetitions = runs;
            }
        }
        let folder = match self.flags.partition {
            Some(part) => format!("{}-part-{}-of-{}", plan.name, part.part(), part.of()),
            None => plan.name.clone(),
        };
        let usual = || Path::new("tare-results/sweep").join(folder);
        let out = self.flags.out.get_or_insert_with(usual).clone();
        if !self.flags.resume {
            self.flags.order_seed.get_or_insert(plan.seed);
        }
        let servers = match self.mock.server(&plan)? {
            Some(mock) => vec![mock],
            None => self.there.servers(&plan)?,
        };
        let experiment = plan.experiment(Planned {
            servers,
            limits: (&self.limits).into(),
            order_seed: self.flags.order_seed(&out),
            metrics: self.flags.metrics(&METRICS)?,
        });
        if let Some(part) = self.flags.partition
            && experiment.blocks_in(Some(part)).next().is_none()
        {
            return Err(Failure::Usage(anyhow!(
                "part {part} of plan {} has no block: it has {}; take fewer parts",
                plan.name,
                experiment.blocks
            )));
        }
        Ok(Asked { plan, experiment })
    }
}

fn count(number: u8) -> NonZeroUsize {
    NonZeroUsize::new(number.into()).unwrap_or(NonZeroUsize::MIN)
}

impl MockArguments {
    fn server(&self, plan: &Plan) -> Result<Option<Server>, Failure> {
        let Some(name) = &self.mock else {
            return Ok(None);
        };
        let mut profile = find_profile(name)?;
        profile.model.clone_from(&plan.model);
        let gpus = count(self.gpus);
        if gpus > plan.servers {
            return Err(Failure::Usage(anyhow!(
                "one server has one GPU: leave out --gpus {gpus}, or add --servers 2"
            )));
        }
        Ok(Some(Server::Mock(MockServer {
            servers: plan.servers,
            gpus,
            parallel: self.parallel,
            speed: self.speed,
            ..MockServer::new(name, profile)
        })))
    }
}

impl ThereArguments {
    fn servers(&self, plan: &Plan) -> Result<Vec<Server>, Failure> {
        let first = self.collector_ollama_url.clone();
        let first = first.or_else(|| self.base_url.clone());
        let first = first.unwrap_or_else(crate::protocol::default_base_url);
        let one = plan.servers == NonZeroUsize::MIN;
        let second = self
            .insight_ollama_url
            .clone()
            .unwrap_or_else(|| match one {
                true => first.clone(),
                false => "http://127.0.0.1:11435".to_owned(),
            });
        match (one, first == second) {
            (true, false) => Err(Failure::Usage(anyhow!(
                "plan {} is for one server, and there are two addresses: leave out one, or add --servers 2",
                plan.name
            ))),
            (false, true) => Err(Failure::Usage(anyhow!(
                "plan {} is for two servers, and both have the address {first}: name another with --insight-ollama-url, or add --servers 1",
                plan.name
            ))),
            _ => {
                let urls = [first, second].into_iter().take(plan.servers.get());
                let real = urls.map(|url| Server::Real {
                    base_url: plan.api.base_url(&url).to_owned(),
                });
                Ok(real.collect())
            }
        }
    }
}
