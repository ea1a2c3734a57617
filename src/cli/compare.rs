//! `tare compare`: stacks against each other, and what can be said of them.

use super::experiment::{Flags, conduct, list_metrics};
use super::{Failure, find_profile, values};
use crate::corpus;
use crate::experiment::{Cadence, Comparison, Kind, Server, Task, mock};
use crate::inject::Inject;
use crate::machine::allowed_processors;
use crate::protocol::Api;
use crate::stack::Stack;
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
/// Every stack is run once in each of many blocks, in random order, with blocking threads (the floor)
/// and the base a second time (the A/A control) among them. A verdict is faster or slower (of amounts:
/// lower or higher), equivalent within a margin fixed beforehand, or undecided. No difference smaller
/// than the A/A control could have seen gets a verdict.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --workload it compares one agent against a paced mock, for tare, and streams in a burst, for CPU time.

Examples:
  tare compare --runs 2 --stacks 'tokio-*/hyper' --iterations 2
  tare compare --workload team --agents 2,4 --stacks 'tokio-*/hyper/spawn' --runs 2 --iterations 1
  tare compare --workload stream --stacks tokio-mt/hyper --inject delay=50us/chunk --runs 2"
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
    #[arg(long, value_name = "STACK", default_value = "tokio-mt/hyper")]
    base: Stack,
    /// What an iteration does: stream (one answer), agent (read files, two answers), team (several agents),
    /// load (streams at once)
    #[arg(long, value_enum)]
    workload: Option<Work>,
    /// How tokens come: paced (at the profile's pace), burst, or whole (one answer in one piece; of stream only)
    #[arg(long, value_enum, requires = "workload")]
    cadence: Option<Pace>,
    /// Agents of a team, several numbers with commas
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "workload")]
    agents: Vec<NonZeroUsize>,
    /// Streams of a load at once [default: 8]
    #[arg(long, value_name = "N", requires = "workload")]
    streams: Option<NonZeroUsize>,
    /// Also compare another program that speaks the run protocol (docs/run-protocol.md); several times
    /// for several
    #[arg(long, value_name = "NAME=COMMAND", value_parser = peer)]
    peer: Vec<(String, String)>,
    /// Worker threads of each runtime
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
    /// Tokens of each answer [default: 64, or 512 for streams in a burst or whole]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000))]
    tokens: Option<u32>,
    /// Iterations of each run that count, of a load its requests [default: as many as make a run a quarter to half a second]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000))]
    iterations: Option<u64>,
    /// Profile of the mock to ask: a built-in one or a TOML file [default: paced-250us for an agent, else paced-1ms; instant in a burst]
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
    /// Also run the base with a mistake built in, which must be found: delay=50us/chunk, mutex,
    /// accumulate=1024, block-on-root
    #[arg(long, value_name = "WHAT")]
    inject: Vec<Inject>,
    /// End as soon as every stack is decided
    #[arg(long)]
    until_decided: bool,
    #[command(flatten)]
    experiment: Flags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Work {
    Stream,
    Agent,
    Team,
    Load,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Pace {
    Paced,
    Burst,
    Whole,
}

impl From<Pace> for Cadence {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Paced => Self::Paced,
            Pace::Burst => Self::Burst,
            Pace::Whole => Self::Whole,
        }
    }
}

/// So many streams a load has where nobody said.
const STREAMS: usize = 8;
/// So many blocks a comparison has that nobody limited, if there is time.
const BLOCKS: u32 = 15;
/// So many it has until all is decided.
const MOST_BLOCKS: u32 = 10_000;
/// So long a comparison takes that nobody limited.
const TIME_LIMIT: Duration = Duration::from_secs(210);
/// What is judged where nobody says otherwise.
const METRICS: [&str; 12] = [
    "calls",
    "ingest",
    "tare",
    "delivery",
    "delivery-p99",
    "cpu",
    "gross",
    "throughput",
    "ttft-p99",
    "itl-p99",
    "allocations",
    "memory",
];

pub fn run(mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.experiment.list_metrics {
        return list_metrics();
    }
    let comparison = arguments.comparison()?;
    let flags = &mut arguments.experiment;
    if flags.time_limit.is_none() && flags.runs.is_none() {
        flags.time_limit = Some(TIME_LIMIT);
    }
    let mut experiment = comparison.experiment();
    experiment.until_decided = arguments.until_decided;
    experiment.proxied = arguments.proxy;
    if arguments.pin {
        (experiment.mock_processor, _) = pinned()?;
    }
    let otherwise = ", or leave out --base-url to compare against a mock";
    let finished = conduct(experiment, flags, otherwise)?;
    finished.report(flags)?;
    finished.conclude(flags)
}

impl Arguments {
    fn comparison(&self) -> Result<Comparison, Failure> {
        let kinds = self.kinds().map_err(Failure::Usage)?;
        let reads = kinds
            .iter()
            .any(|(kind, ..)| matches!(kind, Kind::Agent | Kind::Team));
        let corpus = match reads {
            true => {
                self.corpus.open()?;
                self.corpus.named()
            }
            false => PathBuf::new(),
        };
        let stacks = self.stacks().map_err(Failure::Usage)?;
        let base = match (self.base.topology, self.of_team()) {
            (None, true) => self.base.topologies().pop().unwrap_or(self.base),
            (Some(_), false) => return Err(Failure::Usage(not_of_a_team(self.base))),
            _ => self.base,
        };
        let tasks = kinds.into_iter().map(|kind| self.task(kind));
        let flags = &self.experiment;
        let processors = match self.pin {
            true => pinned()?.1,
            false => Vec::new(),
        };
        let usual = match self.until_decided {
            true => MOST_BLOCKS,
            false => BLOCKS,
        };
        Ok(Comparison {
            base,
            stacks,
            peers: self.peer.clone(),
            inject: self.inject.clone(),
            tasks: tasks.collect::<Result<_, _>>()?,
            threads: self.threads,
            api: self.api,
            model: self.model.clone(),
            corpus,
            ingest_concurrency: self.ingest_concurrency,
            processors,
            blocks: flags.runs.unwrap_or(usual) as usize,
            order_seed: flags.order_seed(&flags.folder("compare")),
            metrics: flags.metrics(&METRICS)?,
        })
    }

    /// What is done: each with how its tokens come and by how many agents.
    fn kinds(&self) -> anyhow::Result<Vec<(Kind, Cadence, NonZeroUsize)>> {
        const ONE: NonZeroUsize = NonZeroUsize::MIN;
        let Some(work) = self.workload else {
            return Ok(vec![
                (Kind::Agent, Cadence::Paced, ONE),
                (Kind::Stream, Cadence::Burst, ONE),
            ]);
        };
        let cadence = self.cadence.unwrap_or(Pace::Paced).into();
        if !self.agents.is_empty() && work != Work::Team {
            return Err(anyhow!(
                "--agents is of --workload team; leave one of them out"
            ));
        }
        if self.streams.is_some() && work != Work::Load {
            return Err(anyhow!(
                "--streams is of --workload load; leave one of them out"
            ));
        }
        Ok(match (work, cadence) {
            (Work::Stream, _) => vec![(Kind::Stream, cadence, ONE)],
            (_, Cadence::Whole) => {
                let who = match work {
                    Work::Load => "the requests of a load",
                    _ => "agents",
                };
                return Err(anyhow!(
                    "{who} stream: take --cadence paced or burst, or --workload stream"
                ));
            }
            (Work::Load, _) => {
                let streams = self.streams.or(NonZeroUsize::new(STREAMS)).unwrap_or(ONE);
                vec![(Kind::Load, cadence, streams)]
            }
            (Work::Agent, _) => vec![(Kind::Agent, cadence, ONE)],
            (Work::Team, _) => {
                let two = [ONE.saturating_add(1)];
                let teams = if self.agents.is_empty() {
                    &two[..]
                } else {
                    &self.agents
                };
                teams
                    .iter()
                    .map(|&agents| (Kind::Team, cadence, agents))
                    .collect()
            }
        })
    }

    fn task(
        &self,
        (kind, cadence, agents): (Kind, Cadence, NonZeroUsize),
    ) -> Result<Task, Failure> {
        let server = match &self.base_url {
            Some(base_url) => Server::Real {
                base_url: self.api.base_url(base_url).to_owned(),
            },
            None => {
                let usual = match cadence {
                    // Most of a run is then the client's work; several agents could not keep up.
                    Cadence::Paced if kind == Kind::Agent => "paced-250us",
                    Cadence::Paced => "paced-1ms",
                    Cadence::Burst | Cadence::Whole => "instant",
                };
                let name = self.mock.as_deref().unwrap_or(usual);
                mock(name, find_profile(name)?, &self.model)
            }
        };
        let usual = Task::usual(kind, cadence, agents, server);
        Ok(Task {
            tokens: self.tokens.unwrap_or(usual.tokens),
            iterations: self.iterations.unwrap_or(usual.iterations),
            ..usual
        })
    }

    fn of_team(&self) -> bool {
        self.workload == Some(Work::Team)
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
}

fn peer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, command)) if !name.is_empty() && !command.is_empty() => {
            Ok((name.to_owned(), command.to_owned()))
        }
        _ => Err("expected NAME=COMMAND such as python='python3 arm.py'".to_owned()),
    }
}

/// The mock's processor, and those for everything else.
fn pinned() -> Result<(Option<usize>, Vec<usize>), Failure> {
    let mut processors = allowed_processors().context("cannot tell which processors there are")?;
    match processors.pop() {
        Some(last) if !processors.is_empty() => Ok((Some(last), processors)),
        _ => Err(Failure::Usage(anyhow!(
            "--pin needs two processors: one for the mock and one for the rest"
        ))),
    }
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
