//! The arguments of `tare compare`, checked and put together.

use crate::cli::{Failure, find_profile, values};
use crate::corpus;
use crate::engine::Profile;
use crate::inject::Inject;
use crate::machine::allowed_processors;
use crate::protocol::Api;
use crate::stack::Stack;
use crate::weighing::{Setup, Stop, Subject, Until, Workload, subjects};
use crate::workflow::INGEST_CONCURRENCY;
use anyhow::{Context, anyhow};
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use wildmatch::WildMatch;

/// Compare stacks (runtime/client/topology) against each other, process by process
///
/// Every stack is run once in each of many blocks, in an order drawn by lot, with blocking threads
/// (the floor) and the base a second time among them. A verdict is faster, slower, equivalent (within
/// a margin fixed beforehand: 5 % of tare and of CPU time, 1 % of gross) or undecided. Results go to
/// result.json and report.md below --output-dir, the report to stdout as well.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --workload it weighs one agent against a paced mock, for tare, and streams in a burst, for CPU time.

Examples:
  tare compare --stacks 'tokio-*/hyper' --invocations 2
  tare compare --workload team --agents 2,4 --stacks 'tokio-*/hyper/spawn' --invocations 2 --tokens 16
  tare compare --workload stream --stacks tokio-mt/hyper --inject delay=50us/chunk --invocations 3

All stacks, in 4 minutes; the tokio ones, ten times each:
  tare compare
  tare compare --stacks 'tokio-*/*' --invocations 10"
)]
pub struct Arguments {
    /// Which stacks: names or patterns such as '*/hyper*', several with commas
    #[arg(
        long,
        value_name = "PATTERNS",
        value_delimiter = ',',
        default_value = "*"
    )]
    stacks: Vec<String>,
    /// What all are compared with
    #[arg(long, value_name = "CELL", default_value = "tokio-mt/hyper")]
    base: Stack,
    /// What an iteration does: stream (one answer), agent (read files, two answers), team (several agents)
    #[arg(long, value_enum)]
    workload: Option<Kind>,
    /// How tokens come: paced (1 ms apart), burst, or whole (one answer in one piece; of stream only)
    #[arg(long, value_enum, requires = "workload")]
    cadence: Option<Cadence>,
    /// Agents of a team, several numbers with commas
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "workload")]
    agents: Vec<NonZeroUsize>,
    /// Worker threads of each runtime
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
    /// Tokens of each answer [default: 64 paced, 512 in a burst or whole]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    tokens: Option<u32>,
    /// Invocations of each stack, one per block [default: as many as the time allows, at most 15]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(2..=MOST_INVOCATIONS))]
    invocations: Option<u32>,
    /// End as soon as every stack is decided
    #[arg(long)]
    until_decided: bool,
    /// Begin no block that would end later than this, such as 90s or 10m [default: 3m30s, or none with --invocations]
    #[arg(long, value_name = "TIME", value_parser = time)]
    time_limit: Option<Duration>,
    /// Profile of the mock to ask: a shipped one or a TOML file [default: paced-1ms, or instant]
    #[arg(
        long,
        value_name = "PROFILE",
        conflicts_with = "base_url",
        requires = "workload"
    )]
    mock: Option<String>,
    /// A real server to ask instead; net is then what it states
    #[arg(long, value_name = "URL", requires = "workload")]
    base_url: Option<String>,
    /// Ask through a recording proxy, which knows when it passed each token on: gives delivery for
    /// servers that don't tell (see `tare proxy`)
    #[arg(long)]
    proxy: bool,
    /// How to ask: chat, generate or raw (Ollama), openai (llama.cpp's server, vLLM, LM Studio)
    #[arg(long, default_value_t, value_parser = values::api())]
    api: Api,
    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new())]
    model: String,
    /// Folder of CSV, JSON and Markdown files that agents read; built-in is the one inside the program
    #[arg(long, value_name = "DIR", default_value_t)]
    corpus: corpus::Source,
    /// Files that an agent reads at a time; 1 reads one after the other
    #[arg(long, value_name = "N", default_value_t = INGEST_CONCURRENCY)]
    ingest_concurrency: NonZeroUsize,
    /// Keep the mock, and the proxy, on the last processor and all others off it
    #[arg(long)]
    pin: bool,
    /// Seed of the order within the blocks [default: drawn, and recorded]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Also run the base with a mistake built in, which must be found: delay=50us/chunk, mutex,
    /// accumulate=1024, block-on-root
    #[arg(long, value_name = "WHAT")]
    inject: Vec<Inject>,
    /// Folder of the results; files of an earlier result in it are replaced
    #[arg(long, value_name = "DIR", default_value = "tare-results/compare")]
    output_dir: PathBuf,
    /// Print the result to stdout instead of the report
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Format {
    /// What result.json holds
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Stream,
    Agent,
    Team,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Cadence {
    Paced,
    Burst,
    Whole,
}

/// What was asked for.
pub struct Asked {
    pub setup: Setup,
    pub corpus: PathBuf,
    pub parts: Vec<AskedPart>,
    pub until: Until,
    pub stop: Stop,
    pub mock_arguments: Vec<String>,
    pub output_dir: PathBuf,
    pub format: Option<Format>,
}

/// One workload.
pub struct AskedPart {
    pub workload: Workload,
    pub source: Source,
    pub tokens: u32,
    pub warm_up: u32,
    pub iterations: u64,
    pub subjects: Vec<Subject>,
}

/// Whom to ask.
pub enum Source {
    Mock(String, Box<Profile>),
    There(String),
}

/// Seed of the answers' text.
const TEXT_SEED: u64 = 1;
/// So many blocks tell tare within a tenth, and keep the result below 300 kB.
const MOST_BLOCKS: usize = 15;
/// More than this nobody runs, not even until all is decided.
const MOST_INVOCATIONS: i64 = 10_000;
/// So long a comparison takes that nobody limited.
const TIME_LIMIT: Duration = Duration::from_secs(210);

fn time(text: &str) -> Result<Duration, String> {
    let time: Option<jiff::SignedDuration> = text.parse().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| !time.is_zero())
        .ok_or_else(|| "expected a time such as 90s or 10m".to_owned())
}

impl Arguments {
    pub fn check(self) -> Result<Asked, Failure> {
        let usage = |error: anyhow::Error| Failure::Usage(error);
        let kinds = self.kinds().map_err(usage)?;
        let corpus = match kinds.iter().any(|(workload, _)| is_of_agents(*workload)) {
            true => Some(self.corpus.open()?),
            false => None,
        };
        let (corpus, identity) = corpus.map(|it| (it.folder, it.identity)).unzip();
        let parts = kinds
            .into_iter()
            .map(|(workload, cadence)| self.part(workload, cadence));
        let parts = parts.collect::<Result<Vec<_>, Failure>>()?;
        let (mock_arguments, processors) = self.pinned()?;
        let limit = match (self.time_limit, self.invocations) {
            (Some(limit), _) => Some(limit),
            (None, Some(_)) => None,
            (None, None) => Some(TIME_LIMIT),
        };
        let most = match self.until_decided {
            true => MOST_INVOCATIONS as usize,
            false => MOST_BLOCKS,
        };
        Ok(Asked {
            parts,
            until: Until {
                blocks: self.invocations.map_or(most, |blocks| blocks as usize),
                limit,
            },
            stop: match self.until_decided {
                true => Stop::WhenDecided,
                false => Stop::AtTheEnd,
            },
            mock_arguments,
            corpus: corpus.unwrap_or_default(),
            setup: Setup {
                api: self.api,
                model: self.model,
                threads: self.threads,
                text_seed: TEXT_SEED,
                // 32 bits, so that a reader of JSON that has only doubles reads it exactly.
                order_seed: self.seed.unwrap_or_else(|| fastrand::u32(..).into()),
                processors,
                corpus: identity,
                ingest_concurrency: self.ingest_concurrency,
                proxied: self.proxy,
            },
            output_dir: self.output_dir,
            format: self.format,
        })
    }

    /// The workloads, each with how its tokens come.
    fn kinds(&self) -> anyhow::Result<Vec<(Workload, Cadence)>> {
        let one = Workload::Agents {
            agents: NonZeroUsize::MIN,
        };
        let Some(kind) = self.workload else {
            return Ok(vec![
                (one, Cadence::Paced),
                (Workload::Stream, Cadence::Burst),
            ]);
        };
        let cadence = self.cadence.unwrap_or(Cadence::Paced);
        if !self.agents.is_empty() && kind != Kind::Team {
            return Err(anyhow!(
                "--agents is of --workload team; leave one of them out"
            ));
        }
        Ok(match (kind, cadence) {
            (Kind::Stream, Cadence::Whole) => vec![(Workload::Whole, cadence)],
            (_, Cadence::Whole) => {
                return Err(anyhow!(
                    "agents stream: take --cadence paced or burst, or --workload stream"
                ));
            }
            (Kind::Stream, _) => vec![(Workload::Stream, cadence)],
            (Kind::Agent, _) => vec![(one, cadence)],
            (Kind::Team, _) => {
                let two = [NonZeroUsize::MIN.saturating_add(1)];
                let teams = if self.agents.is_empty() {
                    &two[..]
                } else {
                    &self.agents
                };
                let of = |&agents| (Workload::Agents { agents }, cadence);
                teams.iter().map(of).collect()
            }
        })
    }

    fn part(&self, workload: Workload, cadence: Cadence) -> Result<AskedPart, Failure> {
        let mut stacks = self.stacks().map_err(Failure::Usage)?;
        let mut base = match (self.base.topology, self.of_team()) {
            (None, true) => self.base.topologies().pop().unwrap_or(self.base),
            (Some(_), false) => return Err(Failure::Usage(not_of_a_team(self.base))),
            _ => self.base,
        };
        if !is_team(workload) {
            // Also of a team of one: there is nobody to share the runtime with.
            base = base.alone();
            stacks = stacks.into_iter().map(Stack::alone).collect();
        }
        let source = match &self.base_url {
            Some(base_url) => Source::There(self.api.base_url(base_url).to_owned()),
            None => {
                let usual = match cadence {
                    Cadence::Paced => "paced-1ms",
                    Cadence::Burst | Cadence::Whole => "instant",
                };
                let name = self.mock.as_deref().unwrap_or(usual);
                let mut profile = find_profile(name)?;
                profile.model.clone_from(&self.model);
                Source::Mock(name.to_owned(), Box::new(profile))
            }
        };
        let (usual, warm_up, iterations) = match (workload, cadence) {
            (Workload::Agents { .. }, _) => (64, 1, 2),
            (_, Cadence::Paced) => (64, 2, 4),
            (_, Cadence::Burst | Cadence::Whole) => (512, 40, 40),
        };
        Ok(AskedPart {
            workload,
            source,
            tokens: self.tokens.unwrap_or(usual),
            warm_up,
            iterations,
            subjects: subjects(base, &stacks, &self.inject),
        })
    }

    fn of_team(&self) -> bool {
        self.workload == Some(Kind::Team)
    }

    /// The stacks that the patterns name, of the matrix or, where a name is one, beyond it.
    fn stacks(&self) -> anyhow::Result<Vec<Stack>> {
        let all: Vec<Stack> = match self.of_team() {
            true => Stack::matrix()
                .into_iter()
                .flat_map(Stack::topologies)
                .collect(),
            false => Stack::matrix(),
        };
        let mut stacks = Vec::new();
        for pattern in &self.stacks {
            let matcher = WildMatch::new(pattern);
            let before = stacks.len();
            stacks.extend(
                all.iter()
                    .filter(|stack| matcher.matches(&stack.to_string())),
            );
            if stacks.len() == before {
                let stack: Stack = pattern.parse().with_context(|| {
                    format!("no stack matches `{pattern}`; there are {}", names(&all))
                })?;
                stacks.push(stack);
            }
        }
        let misfit = |stack: &&Stack| stack.topology.is_some() != self.of_team();
        match stacks.iter().find(misfit) {
            Some(stack) if self.of_team() => Err(anyhow!(
                "`{stack}` does not say how a team shares it: add /join or /spawn"
            )),
            Some(stack) => Err(not_of_a_team(*stack)),
            None => Ok(stacks),
        }
    }

    /// What the mock is told, and where the invocations run.
    fn pinned(&self) -> Result<(Vec<String>, Vec<usize>), Failure> {
        if !self.pin {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut processors =
            allowed_processors().context("cannot tell which processors there are")?;
        match processors.pop() {
            Some(last) if !processors.is_empty() => {
                Ok((vec!["--pin".to_owned(), last.to_string()], processors))
            }
            _ => Err(Failure::Usage(anyhow!(
                "--pin needs two processors: one for the mock and one for the rest"
            ))),
        }
    }
}

fn is_of_agents(workload: Workload) -> bool {
    matches!(workload, Workload::Agents { .. })
}

fn is_team(workload: Workload) -> bool {
    matches!(workload, Workload::Agents { agents } if agents > NonZeroUsize::MIN)
}

fn not_of_a_team(stack: Stack) -> anyhow::Error {
    anyhow!(
        "`{stack}` is for a team: add --workload team with two agents or more, or leave out /join and /spawn"
    )
}

fn names(stacks: &[Stack]) -> String {
    let names: Vec<String> = stacks.iter().map(Stack::to_string).collect();
    names.join(", ")
}
