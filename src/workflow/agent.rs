//! One agent, once: ingest, analysis call, report call.

use super::answer::Answer;
use super::corpus::{Corpus, IngestError, ingest};
use super::prompt;
use super::role::Role;
use crate::client::Client;
use crate::meter::{Call, Recorder};
use crate::protocol::{Api, CallError, Form, KeepAlive, Ollama, Options, Question};
use crate::runtime::Runtime;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What an agent is to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the agent is there for.
    pub role: Role,
    /// The folder to read.
    pub corpus: PathBuf,
    /// How many files to read at once.
    pub ingest_concurrency: NonZeroUsize,
    /// How to ask.
    pub api: Api,
    /// The model to ask.
    pub model: String,
    /// Its options.
    pub options: Options,
    /// How long the model stays loaded; `None` leaves it to the server.
    pub keep_alive: Option<KeepAlive>,
}

/// Why an agent did not finish.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// No corpus.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The analysis call failed.
    #[error("the analysis call failed: {0}")]
    Analysis(#[source] CallError),
    /// The report call failed.
    #[error("the report call failed: {0}")]
    Report(#[source] CallError),
}

/// One call of the agent, with what was said.
#[derive(Debug)]
pub struct Stage {
    /// The whole prompt.
    pub prompt: String,
    /// The answer and its times.
    pub call: Call,
}

/// What an agent did.
#[derive(Debug)]
pub struct AgentRun {
    /// What it read.
    pub corpus: Corpus,
    /// The first call.
    pub analysis: Stage,
    /// What the analysis says.
    pub findings: Answer,
    /// The second call.
    pub report: Stage,
    /// Time to read the corpus.
    pub ingest: Duration,
    /// From beginning to end.
    pub gross: Duration,
}

impl AgentRun {
    /// Both calls, in their order.
    pub fn stages(&self) -> [&Stage; 2] {
        [&self.analysis, &self.report]
    }

    /// What the server spent on both calls; `None` where it does not say.
    pub fn net(&self) -> Option<Duration> {
        Some(self.analysis.call.net()? + self.report.call.net()?)
    }

    /// Gross less net, in nanoseconds.
    pub fn tare_ns(&self) -> Option<i64> {
        let nanos = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        self.net().map(|net| nanos(self.gross) - nanos(net))
    }

    /// Tokens of both answers.
    pub fn tokens(&self) -> usize {
        let calls = self.stages().map(|stage| stage.call.token_count());
        calls.iter().sum()
    }
}

/// Runs an agent from ingest to report, in the present task.
///
/// # Errors
/// When there is no corpus or a call fails.
pub async fn run_agent<R: Runtime, C: Client<R>>(
    ollama: &Ollama<R, C>,
    job: &Job,
) -> Result<AgentRun, AgentError> {
    let started = Instant::now();
    let corpus = ingest(ollama.runtime(), &job.corpus, job.ingest_concurrency).await?;
    let ingest = started.elapsed();

    let prompt = prompt::analysis(job.role, &corpus);
    let analysis = ask(ollama, job, prompt)
        .await
        .map_err(AgentError::Analysis)?;
    let findings = Answer::parse(analysis.call.text());

    let prompt = prompt::report(job.role, analysis.call.text(), &findings);
    let report = ask(ollama, job, prompt).await.map_err(AgentError::Report)?;
    Ok(AgentRun {
        gross: started.elapsed(),
        corpus,
        analysis,
        findings,
        report,
        ingest,
    })
}

async fn ask<R: Runtime, C: Client<R>>(
    ollama: &Ollama<R, C>,
    job: &Job,
    prompt: String,
) -> Result<Stage, CallError> {
    /// Room for the tokens of an answer whose length nobody limits.
    const TOKENS: usize = 4096;
    let limit = job.options.num_predict;
    let room = limit.and_then(|limit| usize::try_from(limit).ok());
    let question = Question {
        model: &job.model,
        prompt: &prompt,
        options: &job.options,
        keep_alive: job.keep_alive.as_ref(),
        form: Form::Stream,
    };
    let mut recorder = Recorder::start(room.unwrap_or(TOKENS).min(TOKENS));
    let last = ollama.ask(job.api, &question, &mut recorder).await?;
    Ok(Stage {
        call: recorder.finish(last),
        prompt,
    })
}
