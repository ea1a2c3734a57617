//! The arguments of `tare load`, checked and put together.

use crate::cli::values::api;
use crate::cli::{Failure, find_profile};
use crate::load::{Arrivals, Extent, Mode, Prompt, Setup, Slo};
use crate::protocol::{Api, default_base_url};
use crate::stack::Stack;
use crate::workflow::Topology;
use anyhow::anyhow;
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use jiff::SignedDuration;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;
use tare_mock::Profile;

/// Put a load on a server: N streams at once, or requests at a rate
///
/// With --streams each stream asks again when it is answered (a closed loop: a slow server is asked
/// less often). With --rate requests start by a schedule, whatever became of those before (an open
/// loop), and their latencies count from when they were to start. What was to start within the
/// measuring window counts; what is then under way may end within --drain. The report goes to
/// stdout.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A quantile is left out where fewer than ten values lie beyond it: a p99 takes 1,000, a p99.9 10,000.

Examples:
  tare load --mock --streams 8 --measure 3s
  tare load --mock --rate 50 --arrivals poisson --seed 1 --tokens 32 --slo ttft=500ms,tpot=50ms --measure 3s

On a server of your own:
  tare load --base-url http://127.0.0.1:11434 --model gemma3:latest --streams 4 --out load.json"
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
    #[arg(long, default_value_t, value_parser = api(), help_heading = "Server")]
    api: Api,

    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new(), help_heading = "Requests")]
    model: String,
    /// Most tokens of each answer; a mock's has exactly so many
    #[arg(long, value_name = "N", default_value = "64", value_parser = value_parser!(u32).range(1..=1_000_000), help_heading = "Requests")]
    tokens: u32,
    /// What to ask, the same each time
    #[arg(long, value_name = "TEXT", default_value = "Explain at length how a server of language models is measured.", value_parser = NonEmptyStringValueParser::new(), help_heading = "Requests")]
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

    /// What drives the load: RUNTIME/CLIENT, as in `tare compare`
    #[arg(
        long,
        value_name = "CELL",
        default_value = "tokio-mt/hyper",
        help_heading = "Stack"
    )]
    stack: Stack,
    /// Worker threads of the runtime
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Stack")]
    threads: NonZeroUsize,

    /// Also write the result to this file, as JSON (docs/schema/load-1.json)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the result to stdout instead of the report
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Format {
    /// What --out writes
    Json,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Following {
    /// At equal distances
    Constant,
    /// Each at a time of its own, as independent users do
    Poisson,
}

/// What was asked for.
pub struct Asked {
    pub setup: Setup,
    pub source: Source,
    pub out: Option<PathBuf>,
    pub format: Option<Format>,
}

/// Whom to load.
pub enum Source {
    Mock(String, Box<Profile>),
    There(String),
}

/// Seed of the answers' text.
const TEXT_SEED: u64 = 1;
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

impl Arguments {
    pub fn check(self) -> Result<Asked, Failure> {
        let stack = match self.stack.topology {
            Some(Topology::Join) => {
                let stack = self.stack;
                return Err(Failure::Usage(anyhow!(
                    "`{stack}` can't be had here: every stream is a task of its own; leave out /join"
                )));
            }
            _ => Stack {
                topology: None,
                ..self.stack
            },
        };
        let source = match self.mock {
            None => Source::There(self.api.base_url(&self.base_url).to_owned()),
            Some(name) => {
                let mut profile = find_profile(&name)?;
                profile.model.clone_from(&self.model);
                Source::Mock(name, Box::new(profile))
            }
        };
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
                // 32 bits, so that a reader of JSON that has only doubles reads it exactly.
                seed: self.seed.unwrap_or_else(|| fastrand::u32(..)).into(),
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
        Ok(Asked {
            setup: Setup {
                stack,
                io: stack.io().to_string(),
                threads: self.threads,
                api: self.api,
                model: self.model,
                prompt: match self.prompt_tokens {
                    Some(tokens) => Prompt::Drawn {
                        tokens: tokens.get(),
                    },
                    None => Prompt::Same { text: self.prompt },
                },
                tokens: self.tokens,
                text_seed: TEXT_SEED,
                mode,
                warm_up_ns: nanos(self.warm_up.unwrap_or(usual)),
                extent,
                slo: self.slo,
                faults: self.fault,
            },
            source,
            out: self.out,
            format: self.format,
        })
    }
}
