//! A run from the inside: warm up, run, check, count.
//!
//! The driver is a spawned task under every runtime, and the same code. An iteration counts only
//! if each of its calls brought exactly the tokens that the mock was to send: [`Text`] of the same
//! seed says which.

use super::agents::Connections;
use super::expected::Expected;
use super::ledger::{Ledger, nanos};
use super::outcome::{Iteration, Outcome};
use super::spec::{Answers, Connection, Spec, Work};
use crate::client::{Client, ClientError, Endpoint, EndpointError, Options, SocketReads};
use crate::inject::Inject;
use crate::load;
use crate::machine::keep_on;
use crate::meter::{Digest, Lens, Process, Recorder, Usage};
use crate::protocol::wire::{Options as ModelOptions, PROXY_HEADER, TRUTH_HEADER};
use crate::protocol::{CallError, Form, Ollama, Question};
use crate::runtime::{Runtime, WORKER_NAME};
use crate::stack::OnStack;
use crate::workflow::AgentError;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Why a run gives no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The runtime does not start.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// The client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A stream failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An agent failed.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// A token was lost, added, moved or damaged.
    #[error(
        "the tokens are not those that were sent: digest {found} of {count} tokens, expected {expected} of {tokens}; nothing measured here counts"
    )]
    WrongTokens {
        /// The digest of what came.
        found: Digest,
        /// How many came.
        count: usize,
        /// The digest of what was sent.
        expected: Digest,
        /// How many were sent.
        tokens: u32,
    },
    /// A load failed.
    #[error(transparent)]
    Load(#[from] load::LoadError),
    /// Several agents, and nothing said about how they share the runtime.
    #[error("{0} agents need a topology: name the stack with /join or /spawn")]
    NoTopology(NonZeroUsize),
    /// A processor that is not there, or may not be used.
    #[error("cannot keep the process on its processors: {0}")]
    Processors(io::Error),
    /// The system does not tell what was used.
    #[error("cannot read the process's resource usage: {0}")]
    Usage(io::Error),
}

/// Does a run in this process. Once only: some runtimes are one per process. A load ends before its time
/// when `stop` is raised, and tells `watch` how it goes.
///
/// # Errors
/// When anything fails, or a token is not the one expected; then there is no result at all.
pub fn run(
    spec: Spec,
    stop: Arc<load::Signal>,
    watch: Box<dyn load::Watch>,
) -> Result<Outcome, RunError> {
    if let Work::Load(setup) = &spec.work {
        let setup = load::Setup::clone(setup);
        return Ok(load::run(spec, setup, stop, watch)?);
    }
    let stack = spec.stack;
    stack.dispatch(Inside(spec))
}

struct Inside(Spec);

impl OnStack for Inside {
    type Output = Result<Outcome, RunError>;

    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output {
        let Inside(spec) = self;
        let mut options = Options::new(Endpoint::resolve(&spec.base_url)?);
        options.read_buffer = spec.stack.read_buffer();
        options.inject = spec.inject;
        if let Work::Team(team) = &spec.work {
            options.limits = team.limits;
        }
        options.time_decoding = spec.profile_run;
        if spec.answers == Answers::Known {
            options.headers.push(TRUTH_HEADER);
        }
        if spec.proxied {
            options.headers.push(PROXY_HEADER);
        }
        if !spec.processors.is_empty() {
            keep_on(&spec.processors).map_err(RunError::Processors)?;
        }

        // Before the runtime starts its threads, or it would not see them.
        let lens = spec.profile_run.then(Lens::open);
        let rt = R::new(spec.threads).map_err(RunError::Runtime)?;
        let ollama = Ollama::new(rt.clone(), Arc::new(options.clone()))?;
        let driver = Driver::<R, C> {
            connections: Connections::of(&spec, &ollama, &options)?,
            ollama,
            options: Arc::new(options),
            expected: expected(&spec),
            spec,
            lens,
        };
        let threads = rt.threads();
        match driver.spec.inject {
            Some(Inject::BlockOnRoot) => rt.run_as_root(driver.drive(threads)),
            _ => rt.run(driver.drive(threads)),
        }
    }
}

/// What each answer is to be.
fn expected(spec: &Spec) -> Option<Expected> {
    match (spec.answers, &spec.work) {
        // A team's differ from member to member, and a load checks its own.
        (Answers::Unknown, _) | (_, Work::Team(_) | Work::Load(_)) => None,
        (Answers::Known, Work::Whole) => Some(Expected::whole(spec.seed, spec.tokens)),
        (Answers::Known, Work::Stream { .. } | Work::Agents { .. }) => {
            Some(Expected::tokens(spec.seed, spec.tokens))
        }
    }
}

pub(super) struct Driver<R: Runtime, C: Client<R>> {
    pub(super) ollama: Ollama<R, C>,
    options: Arc<Options>,
    /// A team's members; of other work there are none.
    pub(super) connections: Connections<R, C>,
    /// What each answer is to be, where that is known.
    pub(super) expected: Option<Expected>,
    pub(super) spec: Spec,
    lens: Option<Lens>,
}

impl<R: Runtime, C: Client<R>> Driver<R, C> {
    async fn drive(mut self, threads: NonZeroUsize) -> Result<Outcome, RunError> {
        let mut threads_seen = vec![Process::now()];
        let preload = matches!(&self.spec.work, Work::Team(team) if team.preload);
        self.connections.get_ready(self.spec.api, preload).await?;
        let mut ledger = Ledger::for_iterations(&self.spec, u64::from(self.spec.warm_up));
        for _ in 0..self.spec.warm_up {
            self.iterate(&mut ledger).await?;
        }
        let mut ledger = Ledger::for_iterations(&self.spec, self.spec.iterations);
        threads_seen.push(Process::now());
        let unseen = self.lens.as_mut().map(|lens| lens.seen(0));
        let before = Usage::now().map_err(RunError::Usage)?;
        for _ in 0..self.spec.iterations {
            let iteration = self.iterate(&mut ledger).await?;
            ledger.iterations.push(iteration);
        }
        let after = Usage::now().map_err(RunError::Usage)?;
        let seen = self.lens.as_mut().map(|lens| lens.seen(ledger.tokens()));
        let process = Process::now();
        threads_seen.push(process);
        let mut usage = after - before;
        if C::socket_reads() == SocketReads::Unseen {
            usage.sockets = None;
        }
        Ok(Outcome {
            stack: self.spec.stack,
            io: C::io().into(),
            threads,
            workers_seen: count_workers(),
            iterations: ledger.iterations,
            usage,
            profile_run: seen.zip(unseen).map(|(seen, before)| seen - before),
            process,
            threads_most: threads_seen.iter().flatten().map(|seen| seen.threads).max(),
            agents: ledger.agents,
            calls: ledger.calls,
            texts: ledger.texts,
            corpus: ledger.corpus,
            delivery_histogram_ns: ledger.delivery,
            itl_histogram_ns: ledger.itl,
            load: None,
        })
    }

    async fn iterate(&self, ledger: &mut Ledger) -> Result<Iteration, RunError> {
        match &self.spec.work {
            Work::Stream { connection } => self.answer(*connection, Form::Stream, ledger).await,
            Work::Whole => self.answer(Connection::Warm, Form::Whole, ledger).await,
            Work::Agents { agents, corpus } => self.agents(*agents, corpus.clone(), ledger).await,
            Work::Team(team) => self.team(team, ledger).await,
            // Has a driver of its own, and never comes here.
            Work::Load(_) => Ok(Iteration::default()),
        }
    }

    /// One call by itself.
    async fn answer(
        &self,
        connection: Connection,
        form: Form,
        ledger: &mut Ledger,
    ) -> Result<Iteration, RunError> {
        let fresh;
        let ollama = match connection {
            Connection::Warm => &self.ollama,
            Connection::Cold => {
                let rt = self.ollama.runtime().clone();
                fresh = Ollama::<R, C>::new(rt, Arc::clone(&self.options))?;
                &fresh
            }
        };
        let question = Question {
            model: &self.spec.model,
            prompt: "Count the tokens.",
            options: &self.model_options(),
            keep_alive: None,
            form,
        };
        let mut recorder = Recorder::start(self.spec.tokens as usize);
        let last = ollama.ask(self.spec.api, &question, &mut recorder).await?;
        let call = recorder.finish(last);
        if let Some(expected) = &self.expected {
            expected.check(&call)?;
        }
        ledger.note(&call, 0);
        let mut iteration = Iteration {
            gross_ns: nanos(call.gross()),
            net_ns: call.net().map(nanos),
            ingest_ns: 0,
            ttft_ns: nanos(call.ttft().unwrap_or_default()),
            tokens: match form {
                Form::Stream => call.token_count() as u64,
                Form::Whole => call.last.eval_count,
            },
            delivery_ns: call.delivery().map(nanos).sum(),
            ..Iteration::default()
        };
        iteration.note_lateness(&call);
        Ok(iteration)
    }

    pub(super) fn model_options(&self) -> ModelOptions {
        ModelOptions {
            seed: Some(self.spec.seed),
            num_predict: Some(i32::try_from(self.spec.tokens).unwrap_or(i32::MAX)),
            ..ModelOptions::default()
        }
    }
}

/// How many threads of this process are named as a runtime's workers are, where `/proc` tells.
pub fn count_workers() -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    Some(names.filter(|name| name.trim_end() == WORKER_NAME).count())
}
