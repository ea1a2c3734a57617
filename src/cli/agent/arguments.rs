//! The arguments of `tare agent`, and the plan that they make.

use super::Mock;
use crate::cell::{Cell, CellError};
use crate::cli::{Failure, find_profile};
use crate::client::Limits;
use crate::ollama::{Api, Options};
use crate::report::agent::Chosen;
use anyhow::anyhow;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::value_parser;
use jiff::SignedDuration;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Benchmark one agent: the server's default options (baseline) against overrides (chimera)
///
/// The agent reads a folder of benchmark files, has a model analyse them, and has it write a report
/// from the analysis. Each block of two runs has both sides once, in an order drawn by lot. Results go
/// to data/metrics.json, data/transcript.jsonl and three reports in reports/, below --output-dir.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without any --chimera option, chimera is num_gpu 80, num_ctx 512, temperature 0.8; of these \
OpenAI's API can express the temperature only.

Examples:
  tare agent --mock
  tare agent --model gemma3:latest --runs 5 --chimera-temperature 0.6 --num-predict 256 --seed 1
  tare agent --api openai --base-url http://127.0.0.1:8080 --model gemma3"
)]
pub struct Arguments {
    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new())]
    model: String,
    /// How to ask: generate and chat are Ollama's, openai is /v1/chat/completions of llama.cpp's
    /// server, vLLM, LM Studio or Ollama
    #[arg(long, default_value_t, value_parser = api())]
    api: Api,
    /// Address of the server; with --api openai it may end in /v1
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:11434")]
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
    /// Runs of each side
    #[arg(long, value_name = "N", default_value = "3", value_parser = value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Folder of the results; files of an earlier result in it are replaced
    #[arg(long, value_name = "DIR", default_value = "tare-results/agent")]
    output_dir: PathBuf,
    /// Folder of CSV, JSON and Markdown files to read
    #[arg(long, value_name = "DIR", default_value = "fixtures/corpus")]
    corpus: PathBuf,
    /// Also print the result to stdout
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// tokio-mt, tokio-local, async-std, smol, or threads (with the client raw)
    #[arg(long, default_value = "tokio-mt", help_heading = "Cell")]
    runtime: String,
    /// reqwest, hyper, hyper-N (a read buffer of N bytes), or raw (on threads)
    #[arg(long, default_value = "reqwest", help_heading = "Cell")]
    client: String,
    /// Worker threads of the runtime
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Cell")]
    threads: NonZeroUsize,

    #[command(flatten)]
    chimera: Chimera,

    /// Most tokens of each answer, on both sides
    #[arg(long, value_name = "N", value_parser = value_parser!(i32).range(1..), help_heading = "Both sides")]
    num_predict: Option<i32>,
    /// Seed of the model's sampler, on both sides
    #[arg(long, value_name = "N", help_heading = "Both sides")]
    seed: Option<u64>,
    /// Seed of the order of the sides within each block [default: drawn, and recorded]
    #[arg(long, value_name = "N", help_heading = "Both sides")]
    order_seed: Option<u64>,

    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Format {
    /// What data/metrics.json holds
    Json,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Chimera's options")]
struct Chimera {
    /// Layers on the GPU; -1: as many as fit
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(i32).range(-1..))]
    chimera_num_gpu: Option<i32>,
    /// Context length in tokens
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    chimera_num_ctx: Option<u32>,
    /// Sampling temperature, 0 or more
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = not_negative)]
    chimera_temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1
    #[arg(long, value_name = "P", allow_negative_numbers = true, value_parser = share)]
    chimera_top_p: Option<f64>,
    /// Sample from so many tokens; 0: from all
    #[arg(long, value_name = "K")]
    chimera_top_k: Option<u32>,
    /// Penalty on repetition, 0 or more; 1: none
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = not_negative)]
    chimera_repeat_penalty: Option<f64>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Time limits, such as 500ms, 5s or 30m")]
struct LimitArguments {
    /// To make a connection
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().connect))]
    connect_timeout: Wait,
    /// From the start of a call to the first token: a load of the model is part of it
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().head))]
    head_timeout: Wait,
    /// Between two pieces of an answer
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().gap))]
    gap_timeout: Wait,
    /// For a whole call
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().call))]
    call_timeout: Wait,
}

/// A time limit as people write it.
#[derive(Clone, Copy, Debug)]
struct Wait(Duration);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time: SignedDuration = text
            .parse()
            .map_err(|_| "expected a time such as 500ms, 5s or 30m".to_owned())?;
        match Duration::try_from(time) {
            Ok(time) if !time.is_zero() => Ok(Self(time)),
            _ => Err("a time limit is longer than nothing".to_owned()),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(time) => write!(f, "{time:#}"),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

/// An API by its name; help lists them.
pub fn api() -> impl TypedValueParser<Value = Api> {
    PossibleValuesParser::new(Api::ALL.map(Api::name)).try_map(|name| name.parse::<Api>())
}

pub fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "0 or more", |value| value >= 0.0)
}

fn share(text: &str) -> Result<f64, String> {
    number(text, "from 0 to 1", |value| (0.0..=1.0).contains(&value))
}

fn number(text: &str, range: &str, within: impl Fn(f64) -> bool) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite());
    value
        .filter(|&value| within(value))
        .ok_or_else(|| format!("expected a number, {range}"))
}

/// What is to be done: the arguments, checked and put together.
pub(super) struct Plan {
    pub cell: Cell,
    pub threads: NonZeroUsize,
    pub api: Api,
    pub model: String,
    pub base_url: String,
    pub mock: Option<Mock>,
    pub runs: u32,
    pub order_seed: u64,
    pub baseline: Options,
    pub chimera: Options,
    pub chimera_chosen_by: Chosen,
    pub limits: Limits,
    pub corpus: PathBuf,
    pub output_dir: PathBuf,
    pub format: Option<Format>,
}

impl Arguments {
    pub(super) fn plan(self) -> Result<Plan, Failure> {
        let baseline = Options {
            num_predict: self.num_predict,
            seed: self.seed,
            ..Options::default()
        };
        let (chimera, chimera_chosen_by) = self.chimera.over(&baseline, self.api)?;
        let mock = self.mock.map(|name| -> Result<Mock, Failure> {
            let mut profile = find_profile(&name)?;
            profile.model.clone_from(&self.model);
            Ok(Mock { name, profile })
        });
        Ok(Plan {
            cell: cell(&self.runtime, &self.client)
                .map_err(|error| Failure::Usage(error.into()))?,
            threads: self.threads,
            base_url: self.api.base_url(&self.base_url).to_owned(),
            api: self.api,
            mock: mock.transpose()?,
            model: self.model,
            runs: self.runs,
            // 32 bits, so that a reader of JSON that has only doubles reads it exactly.
            order_seed: self.order_seed.unwrap_or_else(|| fastrand::u32(..).into()),
            chimera,
            chimera_chosen_by,
            baseline,
            limits: Limits {
                connect: self.limits.connect_timeout.0,
                head: self.limits.head_timeout.0,
                gap: self.limits.gap_timeout.0,
                call: self.limits.call_timeout.0,
            },
            corpus: self.corpus,
            output_dir: self.output_dir,
            format: self.format,
        })
    }
}

/// The cell of one agent, which has no topology.
fn cell(runtime: &str, client: &str) -> Result<Cell, CellError> {
    let name = format!("{runtime}/{client}");
    match name.parse()? {
        Cell {
            topology: Some(_), ..
        } => Err(CellError::Form(name)),
        cell => Ok(cell),
    }
}

impl Chimera {
    /// These options over those of both sides; the older reports' if there are none, as far as the
    /// API can express them. One that is given must be expressed.
    fn over(&self, both: &Options, api: Api) -> Result<(Options, Chosen), Failure> {
        let given = Options {
            num_gpu: self.chimera_num_gpu,
            num_ctx: self.chimera_num_ctx,
            temperature: self.chimera_temperature,
            top_p: self.chimera_top_p,
            top_k: self.chimera_top_k,
            repeat_penalty: self.chimera_repeat_penalty,
            ..both.clone()
        };
        if let Some(name) = api.inexpressible(&given).first() {
            return Err(Failure::Usage(anyhow!(
                "--chimera-{} can't be had with `--api {api}`, which has no field for it: set it where the server is started, or take another API",
                name.replace('_', "-")
            )));
        }
        if given != *both {
            return Ok((given, Chosen::CommandLine));
        }
        let mut default = Options {
            num_gpu: Some(80),
            num_ctx: Some(512),
            temperature: Some(0.8),
            ..given
        };
        if !api.inexpressible(&default).is_empty() {
            (default.num_gpu, default.num_ctx) = (None, None);
        }
        Ok((default, Chosen::Default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chimera() -> Chimera {
        Chimera {
            chimera_num_gpu: None,
            chimera_num_ctx: None,
            chimera_temperature: None,
            chimera_top_p: None,
            chimera_top_k: None,
            chimera_repeat_penalty: None,
        }
    }

    #[test]
    fn chimeras_defaults_hold_only_where_nothing_is_given() {
        let both = Options {
            seed: Some(7),
            ..Options::default()
        };
        let over = |chimera: Chimera, api| chimera.over(&both, api).ok().expect("expressible");
        let (default, chosen) = over(chimera(), Api::Generate);
        assert_eq!(chosen, Chosen::Default);
        assert_eq!((default.num_gpu, default.num_ctx), (Some(80), Some(512)));
        assert_eq!(default.seed, Some(7));
        let given = Chimera {
            chimera_top_k: Some(40),
            ..chimera()
        };
        let (given, chosen) = over(given, Api::Generate);
        assert_eq!(chosen, Chosen::CommandLine);
        assert_eq!((given.num_gpu, given.top_k), (None, Some(40)));
        let (openai, chosen) = over(chimera(), Api::OpenAi);
        assert_eq!(chosen, Chosen::Default);
        assert_eq!((openai.num_gpu, openai.num_ctx), (None, None));
        assert_eq!(openai.temperature, Some(0.8));
    }

    #[test]
    fn a_time_limit_reads_back_as_it_is_shown() {
        for text in ["500ms", "5s", "5m", "30m"] {
            let wait: Wait = text.parse().expect(text);
            let shown: Wait = wait.to_string().parse().expect("what is shown can be read");
            assert_eq!(shown.0, wait.0);
        }
        for text in ["", "5", "0s", "-5s", "soon"] {
            assert!(text.parse::<Wait>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_that_smuggles_in_a_topology_is_no_cell() {
        assert!(cell("tokio-mt/hyper", "spawn").is_err());
        assert!(cell("tokio-mt", "hyper/spawn").is_err());
        assert!(cell("threads", "raw").is_ok());
    }
}
