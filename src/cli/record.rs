//! `tare record`: what a real server answers, and when, as a trace that the mock can play.
//!
//! The calls go one after the other over one open connection of the floor's client, so that what
//! the recorder adds to the times is as little as there can be.

use super::server;
use super::{Failure, find_profile};
use crate::client::{Endpoint, EndpointError, Limits, Options as ClientOptions, Raw};
use crate::corpus;
use crate::machine::Machine as Hardware;
use crate::meter::Recorder;
use crate::protocol::{Api, Form, Identity, Ollama, Options, Question, Software, default_base_url};
use crate::provenance::Build;
use crate::report::files::write_all;
use crate::run::{MockServer, Program};
use crate::runtime::{Runtime, Threads};
use crate::trace::{Exchange, Head, Machine, RecordError, SCHEMA, Trace, record};
use crate::workflow::{Answer, INGEST_CONCURRENCY, Role, ingest, prompt};
use anyhow::{Context, anyhow};
use clap::builder::NonEmptyStringValueParser;
use clap::value_parser;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Record a server's answers into a trace, which `tare mock --trace` serves again
///
/// The trace has every byte of each answer and the time at which it came, the request, the model, and
/// what the server says that it is. It names neither this machine nor its user; look into it all the
/// same before you give it away, for it has the prompts and the answers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tare record --mock --prompt 'Why is the sky blue?' --num-predict 64 --out sky.jsonl
  tare record --mock --num-predict 64 --out agent.jsonl && tare mock --trace agent.jsonl --listen 127.0.0.1:0

From a server of your own, what an agent asks that reads a folder:
  tare record --model gemma3 --corpus results/ --seed 1 --out agent.jsonl")]
pub struct Arguments {
    /// Address of the server
    #[arg(long, value_name = "URL", default_value_t = default_base_url())]
    base_url: String,
    /// Record a mock instead, started for the purpose, with the profile paced-1ms or the one named
    #[arg(
        long,
        value_name = "PROFILE",
        num_args = 0..=1,
        default_missing_value = "paced-1ms",
        conflicts_with = "base_url"
    )]
    mock: Option<String>,
    /// How to ask: chat, generate or raw (Ollama), openai (llama.cpp's server, vLLM, LM Studio)
    #[arg(long, default_value_t, value_parser = super::values::api())]
    api: Api,
    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new())]
    model: String,
    /// What to ask; several times for several calls, one after the other
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "corpus",
        value_parser = NonEmptyStringValueParser::new()
    )]
    prompt: Vec<String>,
    /// Ask what an agent asks that reads this folder: for an analysis, then for a report. Without a
    /// prompt the files are those inside the program
    #[arg(long, value_name = "DIR")]
    corpus: Option<corpus::Source>,
    /// Most tokens of each answer
    #[arg(long, value_name = "N", value_parser = value_parser!(i32).range(1..))]
    num_predict: Option<i32>,
    /// Seed of the model's sampler
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Sampling temperature, 0 or more
    #[arg(long, value_name = "T", value_parser = super::values::not_negative)]
    temperature: Option<f64>,
    /// File to write; one that exists is not replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the trace should say of the server: its machine, its settings
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let (folder, name) = place(&arguments.out)?;
    let api = arguments.api;
    let mock = match &arguments.mock {
        Some(profile) => Some(start_mock(profile, &arguments.model)?),
        None => None,
    };
    let asked = mock
        .as_ref()
        .map_or(&*arguments.base_url, MockServer::base_url);
    let endpoint = Endpoint::resolve(api.base_url(asked));
    let endpoint = endpoint.map_err(|error| match error {
        EndpointError::Url { .. } => Failure::Usage(error.into()),
        EndpointError::Unresolved { .. } => Failure::Failed(error.into()),
    })?;
    let recorded = jiff::Timestamp::now();
    let rt = Threads::new(NonZeroUsize::MIN)?;
    let mut client = ClientOptions::new(endpoint);
    client.limits = Limits::default();
    let ollama = Ollama::<Threads, Raw>::new(rt.clone(), Arc::new(client.clone()))?;

    let (model, options) = (
        arguments.model,
        Options {
            num_predict: arguments.num_predict,
            seed: arguments.seed,
            temperature: arguments.temperature,
            ..Options::default()
        },
    );
    let prompts = arguments.prompt;
    let corpus = match prompts.is_empty() {
        true => Some(arguments.corpus.unwrap_or_default().open()?.folder),
        false => None,
    };
    let recording = async move {
        let rt = ollama.runtime().clone();
        let identity = server::look_for::<Threads, Raw>(rt, &client, api, "").await?;
        // Opens the connection, so that the first call does not pay for it.
        ollama.identify(api).await?;
        let session = Session {
            ollama,
            server: identity.software,
            api,
            model,
            options,
        };
        let exchanges = match corpus {
            Some(corpus) => session.agent(&corpus).await?,
            None => session.prompts(&prompts).await?,
        };
        let found = session.ollama.find_model(&session.model).await;
        let digest = found.map(|model| model.digest);
        anyhow::Ok((identity, (session.model, digest), exchanges))
    };
    let (server, model, exchanges) = rt.run(recording)?;
    let trace = Trace {
        head: head(recorded, server, model, api, arguments.note),
        exchanges,
    };
    let text = trace.to_text()?;
    write_all(&folder, &[(&name, &text)])?;
    eprintln!(
        "wrote {} to {}; serve it with `tare mock --trace {}`",
        match trace.exchanges.len() {
            1 => "1 call".to_owned(),
            calls => format!("{calls} calls"),
        },
        arguments.out.display(),
        arguments.out.display()
    );
    Ok(())
}

/// The mock ends when it is dropped.
fn start_mock(profile: &str, model: &str) -> Result<MockServer, Failure> {
    find_profile(profile)?;
    let program = Program::this().context("cannot find the program to start the mock")?;
    Ok(MockServer::start(&program, profile, Some(model))?)
}

/// Folder and name of a file that may be written, before anything is asked.
fn place(out: &Path) -> Result<(PathBuf, String), Failure> {
    if out.exists() {
        let out = out.display();
        return Err(Failure::Usage(anyhow!(
            "{out} exists already; name another with --out, or remove it"
        )));
    }
    let name = out.file_name().and_then(|name| name.to_str());
    let name = name
        .ok_or_else(|| Failure::Usage(anyhow!("--out {} does not name a file", out.display())))?;
    let folder = match out.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Failure::Usage(anyhow!(
            "there is no folder {folder} for --out; make it first"
        )));
    }
    Ok((folder.to_owned(), name.to_owned()))
}

fn head(
    recorded: jiff::Timestamp,
    server: Identity,
    (model, digest): (String, Option<String>),
    api: Api,
    note: Option<String>,
) -> Head {
    let (build, here) = (Build::here(), Hardware::here());
    let commit = build.commit.map(|commit| format!(" ({commit})"));
    Head {
        schema: SCHEMA.to_owned(),
        recorded,
        recorder: format!("tare {}{}", build.tare_version, commit.unwrap_or_default()),
        server: server.software,
        version: server.version,
        model,
        digest,
        api,
        machine: Machine {
            os: here.os,
            arch: here.arch,
            cpu: here.cpu_model,
            cores: here.cores,
        },
        note,
    }
}

/// The server, and how it is asked.
struct Session {
    ollama: Ollama<Threads, Raw>,
    server: Software,
    api: Api,
    model: String,
    options: Options,
}

impl Session {
    async fn prompts(&self, prompts: &[String]) -> anyhow::Result<Vec<Exchange>> {
        let mut exchanges = Vec::new();
        for (number, prompt) in (1..).zip(prompts) {
            let what = format!("call {number} of {}", prompts.len());
            let (exchange, _) = self.call(prompt, &what).await?;
            exchanges.push(exchange);
        }
        Ok(exchanges)
    }

    async fn agent(&self, corpus: &Path) -> anyhow::Result<Vec<Exchange>> {
        let corpus = ingest(self.ollama.runtime(), corpus, INGEST_CONCURRENCY).await?;
        let analysis = prompt::analysis(Role::Neutral, &corpus);
        let (first, text) = self.call(&analysis, "analysis").await?;
        let report = prompt::report(Role::Neutral, &text, &Answer::parse(&text));
        let (second, _) = self.call(&report, "report").await?;
        Ok(vec![first, second])
    }

    /// Records a call, and says what came of it.
    async fn call(&self, prompt: &str, what: &str) -> anyhow::Result<(Exchange, String)> {
        let question = Question {
            model: &self.model,
            prompt,
            options: &self.options,
            keep_alive: None,
            form: Form::Stream,
        };
        let mut heard = Recorder::start(0);
        let recorded = record(&self.ollama, self.api, &question, &mut heard).await;
        let exchange = recorded.map_err(|error| {
            let remedy = match &error {
                RecordError::Call(cause) => server::remedy(cause, self.server, &self.model),
                _ => None,
            };
            let remedy = remedy.map(|remedy| format!("; {remedy}"));
            anyhow!("{what}: {error}{}", remedy.unwrap_or_default())
        })?;
        let call = heard.finish(exchange.answer().last.clone());
        let ms = |time: Option<std::time::Duration>| {
            time.map_or_else(
                || "-".to_owned(),
                |time| format!("{:.1} ms", time.as_secs_f64() * 1e3),
            )
        };
        eprintln!(
            "{what}: {} tokens, the first after {}, one per {}",
            call.token_count(),
            ms(call.ttft()),
            ms(call.tpot())
        );
        Ok((exchange, call.text().to_owned()))
    }
}
