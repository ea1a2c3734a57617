//! The arguments of `tare agent`, and the plan that they make.

use super::Mock;
use crate::cli::overrides::{self, Chimera};
use crate::cli::values::{Format, LimitArguments, api};
use crate::cli::{Failure, find_profile};
use crate::client::Limits;
use crate::corpus;
use crate::protocol::{Api, Options, default_base_url};
use crate::report::agent::Chosen;
use crate::stack::{Stack, StackError};
use crate::workflow::INGEST_CONCURRENCY;
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;

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
  tare agent --mock --runs 2 --chimera-temperature 0.6 --num-predict 64 --seed 1

On a server of your own:
  tare agent --model gemma3:latest --runs 5 --chimera-temperature 0.6 --num-predict 256 --seed 1
  tare agent --api openai --base-url http://127.0.0.1:8080 --model gemma3"
)]
pub struct Arguments {
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
    /// Runs of each side
    #[arg(long, value_name = "N", default_value = "3", value_parser = value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Folder of the results; files of an earlier result in it are replaced
    #[arg(long, value_name = "DIR", default_value = "tare-results/agent")]
    output_dir: PathBuf,
    /// Folder of CSV, JSON and Markdown files to read; built-in is the one inside the program
    #[arg(long, value_name = "DIR", default_value_t)]
    corpus: corpus::Source,
    /// Files that an agent reads at a time; 1 reads one after the other
    #[arg(long, value_name = "N", default_value_t = INGEST_CONCURRENCY)]
    ingest_concurrency: NonZeroUsize,
    /// Also print the result to stdout
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// tokio-mt, tokio-local, async-std, smol, or threads (with the client raw)
    #[arg(long, default_value = "tokio-mt", help_heading = "Stack")]
    runtime: String,
    /// reqwest, hyper, hyper-N (a read buffer of N bytes), or raw (on threads)
    #[arg(long, default_value = "reqwest", help_heading = "Stack")]
    client: String,
    /// Worker threads of the runtime
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Stack")]
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

/// What is to be done: the arguments, checked and put together.
pub(super) struct Plan {
    pub stack: Stack,
    pub threads: NonZeroUsize,
    pub api: Api,
    pub model: String,
    pub base_url: String,
    pub mock: Option<Mock>,
    pub proxy: bool,
    pub runs: u32,
    pub order_seed: u64,
    pub baseline: Options,
    pub chimera: Options,
    pub chimera_chosen_by: Chosen,
    pub limits: Limits,
    pub corpus: corpus::Source,
    pub ingest_concurrency: NonZeroUsize,
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
        let default = overrides::chimera();
        let (chimera, chimera_chosen_by) = self.chimera.over(&baseline, &default, self.api)?;
        let mock = self.mock.map(|name| -> Result<Mock, Failure> {
            let mut profile = find_profile(&name)?;
            profile.model.clone_from(&self.model);
            Ok(Mock { name, profile })
        });
        Ok(Plan {
            stack: stack(&self.runtime, &self.client)
                .map_err(|error| Failure::Usage(error.into()))?,
            threads: self.threads,
            base_url: self.api.base_url(&self.base_url).to_owned(),
            api: self.api,
            mock: mock.transpose()?,
            proxy: self.proxy,
            model: self.model,
            runs: self.runs,
            // 32 bits, so that a reader of JSON that has only doubles reads it exactly.
            order_seed: self.order_seed.unwrap_or_else(|| fastrand::u32(..).into()),
            chimera,
            chimera_chosen_by,
            baseline,
            limits: self.limits.into(),
            corpus: self.corpus,
            ingest_concurrency: self.ingest_concurrency,
            output_dir: self.output_dir,
            format: self.format,
        })
    }
}

/// The stack of one agent, which has no topology.
fn stack(runtime: &str, client: &str) -> Result<Stack, StackError> {
    let name = format!("{runtime}/{client}");
    match name.parse()? {
        Stack {
            topology: Some(_), ..
        } => Err(StackError::Form(name)),
        stack => Ok(stack),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_smuggles_in_a_topology_is_no_cell() {
        assert!(stack("tokio-mt/hyper", "spawn").is_err());
        assert!(stack("tokio-mt", "hyper/spawn").is_err());
        assert!(stack("threads", "raw").is_ok());
    }
}
