//! `tare load`: so many streams at once, or requests at a rate, against a server; with several stacks
//! they are compared.

use super::experiment::{Flags, Format, conduct, list_metrics};
use super::{Failure, find_profile, values};
use crate::client::Endpoint;
use crate::experiment::{Ending, Loading, Server, Stored, mock};
use crate::load::{Arrivals, Extent, Mode, Prompt, Setup, Slo};
use crate::protocol::{Api, default_base_url};
use crate::report::load::report;
use crate::run::Work;
use crate::stack::Stack;
use crate::workflow::Topology;
use anyhow::anyhow;
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use jiff::SignedDuration;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

/// Put a load on a server: N streams at once, or requests at a rate
///
/// With --streams each stream asks again when it is answered (a closed loop: a slow server is asked
/// less often). With --rate requests start by a schedule, whatever became of those before (an open
/// loop), and their latencies count from when they were to start. What was to start within the
/// measuring window counts; what is then under way may end within --drain. With several stacks each
/// puts the load on the server in turn, --runs times, and they are compared with the first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A quantile is left out where fewer than ten values lie beyond it: a p99 takes 1,000, a p99.9 10,000.

Examples:
  tare load --mock --streams 8 --measure 3s
  tare load --mock --rate 50 --arrivals poisson --seed 1 --tokens 32 --slo ttft=500ms,tpot=50ms --measure 3s
  tare load --mock instant --stack tokio-mt/hyper,smol/hyper --streams 32 --requests 500 --runs 2

On a server of your own:
  tare load --base-url http://127.0.0.1:11434 --model gemma3:latest --streams 4 --out load"
)]
pub struct Arguments {
    /// Streams at once, each of which asks again when it is answered [default: 8, without --rate]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=65_536))]
    streams: Option<u32>,
    /// Requests per second, whatever becomes of them
    #[arg(long, value_name = "R", conflicts_with = "streams", allow_negative_numbers = true, value_parser = rate)]
    rate: Option<f64>,
    /// How those follow each other
    #[arg(long, value_enum, default_value = "constant", requires = "rate")]
    arrivals: Following,
    /// Seed of their times [default: drawn, and recorded]
    #[arg(long, value_name = "N", requires = "rate")]
    seed: Option<u32>,
    /// Start none while so many are under way; it counts as failed
    #[arg(long, value_name = "N", default_value = "4096", requires = "rate")]
    max_in_flight: NonZeroUsize,
    /// Time under load before what counts, such as 2s [default: 2s, or none with --requests]
    #[arg(long, value_name = "TIME", value_parser = time)]
    warm_up: Option<Duration>,
    /// Length of the measuring window
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = some_time, conflicts_with = "requests")]
    measure: Duration,
    /// How long what was started in the window may go on after it
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time, conflicts_with = "requests")]
    drain: Duration,
    /// Measure so many requests instead, however long they take
    #[arg(long, value_name = "N")]
    requests: Option<NonZeroU64>,
    /// What an answer of use keeps: ttft=TIME, tpot=TIME, e2e=TIME, several with commas
    #[arg(long, value_name = "LIMITS")]
    slo: Option<Slo>,

    /// Address of the server; with --api openai it may end in /v1
    #[arg(
        long,
        value_name = "URL",
        default_value_t = default_base_url(),
        help_heading = "Server"
    )]
    base_url: String,
    /// Load a mock instead, started for the purpose, with the profile paced-1ms or the one named;
    /// every token of its answers is checked
    #[arg(
        long,
        value_name = "PROFILE",
        num_args = 0..=1,
        default_missing_value = "paced-1ms",
        conflicts_with = "base_url",
        help_heading = "Server"
    )]
    mock: Option<String>,
    /// Fault in the mock's replies, as `tare mock --help` lists them; several times for several
    #[arg(long, value_name = "SPEC", requires = "mock", help_heading = "Server")]
    fault: Vec<String>,
    /// How to ask: chat, generate or raw (Ollama), openai (llama.cpp's server, vLLM, LM Studio)
    #[arg(long, default_value_t, value_parser = values::api(), help_heading = "Server")]
    api: Api,

    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new(), help_heading = "Requests")]
    model: String,
    /// Most tokens of each answer; a mock's has exactly so many
    #[arg(long, value_name = "N", default_value = "64", value_parser = value_parser!(u32).range(1..=1_000_000), help_heading = "Requests")]
    tokens: u32,
    /// What to ask, the same each time
    #[arg(long, value_name = "TEXT", default_value = Prompt::USUAL, value_parser = NonEmptyStringValueParser::new(), help_heading = "Requests")]
    prompt: String,
    /// Ask something of about so many tokens instead, another thing each time, so that no server has
    /// read it before
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "prompt",
        help_heading = "Requests"
    )]
    prompt_tokens: Option<NonZeroU32>,

    /// What drives the load: RUNTIME/CLIENT, as in `tare compare`; several with commas are compared,
    /// with the first as base
    #[arg(
        long,
        value_name = "STACKS",
        value_delimiter = ',',
        default_value = "tokio-mt/hyper",
        help_heading = "Stack"
    )]
    stack: Vec<Stack>,
    /// Worker threads of the runtime
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Stack")]
    threads: NonZeroUsize,

    #[command(flatten)]
    experiment: Flags,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Following {
    /// At equal distances
    Constant,
    /// Each at a time of its own, as independent users do
    Poisson,
}

/// Streams, where nobody said.
const STREAMS: u32 = 8;
/// Warm-up, where nobody said.
const WARM_UP: Duration = Duration::from_secs(2);
/// A schedule's times fit into 64 bits with room to spare.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

fn time(text: &str) -> Result<Duration, String> {
    let time: Option<SignedDuration> = text.parse().ok();
    let time = time.and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| *time <= LONGEST)
        .ok_or_else(|| "expected a time such as 500ms, 10s or 5m, a week at most".to_owned())
}

fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("expected a time longer than nothing".to_owned()),
        time => Ok(time),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    rate.filter(|rate| (0.001..=1e6).contains(rate))
        .ok_or_else(|| "expected requests per second, from 0.001 to 1000000".to_owned())
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What is judged where nobody says otherwise.
const METRICS: [&str; 12] = [
    "throughput",
    "answers",
    "goodput",
    "ttft",
    "ttft-p99",
    "itl-p99",
    "e2e",
    "delivery",
    "delivery-p99",
    "cpu",
    "allocations",
    "memory",
];

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.experiment.list_metrics {
        return list_metrics();
    }
    let loading = arguments.loading()?;
    let flags = &arguments.experiment;
    let finished = conduct(
        loading.experiment(),
        flags,
        ", or add --mock to load a mock",
    )?;
    let interrupted = finished.ending == Ending::Interrupted;
    if interrupted && finished.stored.records.is_empty() {
        eprintln!("interrupted before anything was answered: there is nothing to report");
        return Err(Failure::Interrupted);
    }
    match flags.format {
        Format::Text | Format::Markdown => {
            super::print(&report(&finished.stored))?;
            // A single stack is compared with nothing.
            if loading.stacks.len() > 1 {
                finished.report(flags)?;
            } else {
                eprintln!("results are in {}", finished.folder.display());
            }
        }
        Format::Json | Format::Csv => finished.report(flags)?,
    }
    finished.conclude(flags)
}

impl Arguments {
    fn loading(&self) -> Result<Loading, Failure> {
        let flags = &self.experiment;
        let folder = flags.folder("load");
        Ok(Loading {
            stacks: self.stacks()?,
            threads: self.threads,
            server: self.server()?,
            api: self.api,
            model: self.model.clone(),
            tokens: self.tokens,
            setup: self.setup(&folder),
            blocks: flags.runs.unwrap_or(1) as usize,
            order_seed: flags.order_seed(&folder),
            metrics: flags.metrics(&METRICS)?,
        })
    }

    fn stacks(&self) -> Result<Vec<Stack>, Failure> {
        let mut stacks = Vec::new();
        for stack in &self.stack {
            if stack.topology == Some(Topology::Join) {
                return Err(Failure::Usage(anyhow!(
                    "`{stack}` cannot drive a load: every stream is a task of its own; leave out /join"
                )));
            }
            let stack = stack.alone();
            if !stacks.contains(&stack) {
                stacks.push(stack);
            }
        }
        Ok(stacks)
    }

    fn server(&self) -> Result<Server, Failure> {
        let Some(name) = &self.mock else {
            let base_url = self.api.base_url(&self.base_url).to_owned();
            Endpoint::resolve(&base_url).map_err(|error| Failure::Usage(error.into()))?;
            return Ok(Server::Real { base_url });
        };
        let mut server = mock(name, find_profile(name)?, &self.model);
        if let Server::Mock(mock) = &mut server {
            mock.faults.clone_from(&self.fault);
        }
        Ok(server)
    }

    fn setup(&self, folder: &Path) -> Setup {
        let mode = match self.rate {
            None => Mode::Closed {
                streams: NonZeroUsize::new(self.streams.unwrap_or(STREAMS) as usize)
                    .unwrap_or(NonZeroUsize::MIN),
            },
            Some(rate_per_s) => Mode::Open {
                rate_per_s,
                arrivals: match self.arrivals {
                    Following::Constant => Arrivals::Constant,
                    Following::Poisson => Arrivals::Poisson,
                },
                seed: self.arrivals_seed(folder),
                most_in_flight: self.max_in_flight,
            },
        };
        let (extent, usual) = match self.requests {
            Some(requests) => (Extent::Requests { requests }, Duration::ZERO),
            None => (
                Extent::Window {
                    measure_ns: nanos(self.measure),
                    drain_ns: nanos(self.drain),
                },
                WARM_UP,
            ),
        };
        Setup {
            prompt: match self.prompt_tokens {
                Some(tokens) => Prompt::Drawn {
                    tokens: tokens.get(),
                },
                None => Prompt::Same {
                    text: self.prompt.clone(),
                },
            },
            mode,
            warm_up_ns: nanos(self.warm_up.unwrap_or(usual)),
            extent,
            slo: self.slo,
        }
    }

    /// Seed of the arrivals: the one asked for, that of the load that is gone on with, or a drawn one.
    fn arrivals_seed(&self, folder: &Path) -> u64 {
        let begun = || {
            let resumed = self.experiment.resume.then(|| Stored::read(folder).ok());
            let stored = resumed???;
            let (_, arm) = stored.manifest.experiment.arms().next()?;
            match &arm.spec.work {
                Work::Load(setup) => match setup.mode {
                    Mode::Open { seed, .. } => Some(seed),
                    Mode::Closed { .. } => None,
                },
                _ => None,
            }
        };
        // 32 bits, so that a reader of JSON that has only doubles reads it exactly.
        self.seed
            .map(u64::from)
            .or_else(begun)
            .unwrap_or_else(|| fastrand::u32(..).into())
    }
}
