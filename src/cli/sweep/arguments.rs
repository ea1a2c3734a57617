//! The arguments of `tare sweep`, checked and put together.

use crate::cli::values::{Format, LimitArguments, speed};
use crate::cli::{Failure, find_profile};
use crate::client::Limits;
use crate::corpus;
use crate::plan::{Circumstances, Occasion, Part, Plan, PlanError};
use anyhow::anyhow;
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use tare_mock::Profile;

/// Run a plan: scenarios x settings x repetitions, which can stop, go on, and be split over machines
///
/// Runs are interleaved: every block has each configuration once, in an order drawn by lot. Each
/// finished run is at once a file, runs/CONFIGURATION/run_N/metrics.json below --out, whole or not
/// there; whatever ends the sweep, --resume goes on with the rest. A run that fails is noted and tried
/// again by --resume.
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

A plan of your own, on several machines:
  tare sweep --plan mine.toml --partition 1/2 --out part1
  tare sweep --merge part1 part2 --out whole"
)]
pub struct Arguments {
    /// A shipped plan, or a TOML file
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "merge")]
    plan: Option<String>,
    /// Folder of the results [default: tare-results/sweep/PLAN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the sweep in that folder
    #[arg(long)]
    resume: bool,
    /// Go on, or merge, although build, machine or server are not what they were; this is recorded
    #[arg(long)]
    accept_differences: bool,
    /// Only this part of the plan's runs, such as 1/3; see --merge
    #[arg(long, value_name = "PART/PARTS")]
    partition: Option<Part>,
    /// Join the parts of a plan, all of them finished, in --out
    #[arg(
        long,
        value_name = "DIR",
        num_args = 1..,
        requires = "out",
        conflicts_with_all = ["plan", "resume", "partition", "dry_run", "shuffle", "mock", "model", "corpus", "ingest_concurrency", "servers"]
    )]
    merge: Vec<PathBuf>,
    /// Print the runs in their order and how long they will take, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Seed of the order within the blocks [default: the plan's; with --resume the one before]
    #[arg(long, value_name = "SEED")]
    shuffle: Option<u64>,
    /// Print counts and failures to stdout; with --dry-run the runs
    #[arg(long, value_enum)]
    format: Option<Format>,

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

/// What was asked for.
pub enum Asked {
    Sweep(Box<SweepAsked>),
    Merge(MergeAsked),
}

pub struct SweepAsked {
    pub plan: Plan,
    pub part: Option<Part>,
    pub out: PathBuf,
    pub occasion: Occasion,
    pub circumstances: Circumstances,
    /// Where one was given.
    pub order_seed: Option<u64>,
    pub dry_run: bool,
    pub source: Source,
    pub limits: Limits,
    pub format: Option<Format>,
}

pub struct MergeAsked {
    pub parts: Vec<PathBuf>,
    pub out: PathBuf,
    pub circumstances: Circumstances,
}

/// Whom to ask.
pub enum Source {
    Mock(MockAsked),
    /// The first agent's server and the second's.
    There([String; 2]),
}

pub struct MockAsked {
    pub name: String,
    /// With the model and the slots that it is to have, at its own speed.
    pub profile: Box<Profile>,
    pub speed: f64,
    pub gpus: NonZeroUsize,
    pub parallel: Option<NonZeroU32>,
}

impl Arguments {
    pub fn check(self) -> Result<Asked, Failure> {
        let circumstances = match self.accept_differences {
            true => Circumstances::MayDiffer,
            false => Circumstances::MustAgree,
        };
        let Some(name) = &self.plan else {
            return Ok(Asked::Merge(MergeAsked {
                out: self.out.unwrap_or_default(),
                parts: self.merge,
                circumstances,
            }));
        };
        let mut plan = Plan::find(name).map_err(|error| match error {
            PlanError::Unreadable { .. } => Failure::Failed(error.into()),
            PlanError::Unknown { .. } | PlanError::Invalid { .. } => Failure::Usage(error.into()),
        })?;
        plan.model = self.model.unwrap_or(plan.model);
        plan.corpus = self.corpus.unwrap_or(plan.corpus);
        plan.ingest_concurrency = self.ingest_concurrency.unwrap_or(plan.ingest_concurrency);
        if let Some(servers) = self.servers {
            plan.servers = count(servers);
        }
        if let Some(part) = self.partition
            && plan.order(0, Some(part)).is_empty()
        {
            return Err(Failure::Usage(anyhow!(
                "part {part} of plan {} has no run: it has {} runs; take fewer parts",
                plan.name,
                plan.runs()
            )));
        }
        let source = self.mock.source(&plan)?;
        let source = match source {
            Some(mock) => Source::Mock(mock),
            None => Source::There(self.there.addresses(&plan)?),
        };
        let folder = match self.partition {
            Some(part) => format!("{}-part-{}-of-{}", plan.name, part.part(), part.of()),
            None => plan.name.clone(),
        };
        Ok(Asked::Sweep(Box::new(SweepAsked {
            out: self
                .out
                .unwrap_or_else(|| PathBuf::from("tare-results/sweep").join(folder)),
            plan,
            part: self.partition,
            occasion: match self.resume {
                true => Occasion::Resume,
                false => Occasion::Begin,
            },
            circumstances,
            order_seed: self.shuffle,
            dry_run: self.dry_run,
            source,
            limits: self.limits.into(),
            format: self.format,
        })))
    }
}

fn count(number: u8) -> NonZeroUsize {
    NonZeroUsize::new(number.into()).unwrap_or(NonZeroUsize::MIN)
}

impl MockArguments {
    fn source(self, plan: &Plan) -> Result<Option<MockAsked>, Failure> {
        let Some(name) = self.mock else {
            return Ok(None);
        };
        let mut profile = find_profile(&name)?;
        profile.model.clone_from(&plan.model);
        profile.parallel = self.parallel.or(profile.parallel);
        let gpus = count(self.gpus);
        if gpus > plan.servers {
            return Err(Failure::Usage(anyhow!(
                "one server has one GPU: leave out --gpus {gpus}, or add --servers 2"
            )));
        }
        Ok(Some(MockAsked {
            name,
            profile: Box::new(profile),
            speed: self.speed,
            gpus,
            parallel: self.parallel,
        }))
    }
}

impl ThereArguments {
    fn addresses(self, plan: &Plan) -> Result<[String; 2], Failure> {
        let first = self.collector_ollama_url.or(self.base_url);
        let first = first.unwrap_or_else(crate::protocol::default_base_url);
        let one = plan.servers == NonZeroUsize::MIN;
        let second = self.insight_ollama_url.unwrap_or_else(|| match one {
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
            _ => Ok([first, second].map(|url| plan.api.base_url(&url).to_owned())),
        }
    }
}
