//! An invocation from the inside: warm up, run, check, count.
//!
//! The driver is a spawned task under every runtime, and the same code. An iteration counts only
//! if each of its calls brought exactly the tokens that the mock was to send: [`Text`] of the same
//! seed says which.

use super::account::{AgentAccount, CallAccount};
use super::outcome::{Iteration, Outcome};
use super::spec::{Answers, Connection, Spec, Work};
use crate::cell::Workload;
use crate::client::{Client, ClientError, Endpoint, EndpointError, Options, SocketReads};
use crate::engine::text::Text;
use crate::inject::Inject;
use crate::machine::keep_on;
use crate::meter::{Call, Digest, Histogram, Lens, Process, Recorder, Usage};
use crate::ollama::wire::{Options as ModelOptions, TRUTH_HEADER};
use crate::ollama::{CallError, Form, Ollama, Question};
use crate::runtime::{Runtime, WORKER_NAME};
use crate::workflow::{AgentError, AgentRun, Job, Topology, run_agent, run_team};
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why an invocation gives no result.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
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
    /// Several agents, and nothing said about how they share the runtime.
    #[error("{0} agents need a topology: name the cell with /join or /spawn")]
    NoTopology(NonZeroUsize),
    /// A processor that is not there, or may not be used.
    #[error("cannot keep the process on its processors: {0}")]
    Processors(io::Error),
    /// The system does not tell what was used.
    #[error("cannot read the process's resource usage: {0}")]
    Usage(io::Error),
}

/// Runs an invocation in this process. Once only: some runtimes are one per process.
///
/// # Errors
/// When anything fails, or a token is not the one expected; then there is no result at all.
pub fn run(spec: Spec) -> Result<Outcome, InvocationError> {
    let cell = spec.cell;
    cell.weigh(Inside(spec))
}

struct Inside(Spec);

impl Workload for Inside {
    type Output = Result<Outcome, InvocationError>;

    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output {
        let Inside(spec) = self;
        let mut options = Options::new(Endpoint::resolve(&spec.base_url)?);
        options.read_buffer = spec.cell.read_buffer();
        options.inject = spec.inject;
        options.time_decoding = spec.close_look;
        if spec.answers == Answers::Known {
            options.headers.push(TRUTH_HEADER);
        }
        if !spec.processors.is_empty() {
            keep_on(&spec.processors).map_err(InvocationError::Processors)?;
        }

        // Before the runtime starts its threads, or it would not see them.
        let lens = spec.close_look.then(Lens::open);
        let rt = R::new(spec.threads).map_err(InvocationError::Runtime)?;
        let driver = Driver::<R, C> {
            ollama: Ollama::new(rt.clone(), Arc::new(options.clone()))?,
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

/// The digest of each answer's pieces.
fn expected(spec: &Spec) -> Option<Digest> {
    let tokens = Text::new(spec.seed).take(spec.tokens as usize);
    match (spec.answers, &spec.work) {
        (Answers::Unknown, _) => None,
        (Answers::Known, Work::Whole) => {
            let whole: String = tokens.collect();
            Some(Digest::of([whole.as_str()]))
        }
        (Answers::Known, Work::Stream { .. } | Work::Agents { .. }) => Some(Digest::of(tokens)),
    }
}

struct Driver<R: Runtime, C: Client<R>> {
    ollama: Ollama<R, C>,
    options: Arc<Options>,
    /// Of each answer's pieces, where they are known.
    expected: Option<Digest>,
    spec: Spec,
    lens: Option<Lens>,
}

impl<R: Runtime, C: Client<R>> Driver<R, C> {
    async fn drive(mut self, threads: NonZeroUsize) -> Result<Outcome, InvocationError> {
        let mut threads_seen = vec![Process::now()];
        let mut ledger = Ledger::for_iterations(&self.spec.work, u64::from(self.spec.warm_up));
        for _ in 0..self.spec.warm_up {
            self.iterate(&mut ledger).await?;
        }
        let mut ledger = Ledger::for_iterations(&self.spec.work, self.spec.iterations);
        threads_seen.push(Process::now());
        let unseen = self.lens.as_mut().map(|lens| lens.seen(0));
        let before = Usage::now().map_err(InvocationError::Usage)?;
        for _ in 0..self.spec.iterations {
            let iteration = self.iterate(&mut ledger).await?;
            ledger.iterations.push(iteration);
        }
        let after = Usage::now().map_err(InvocationError::Usage)?;
        let seen = self.lens.as_mut().map(|lens| lens.seen(ledger.tokens()));
        let process = Process::now();
        threads_seen.push(process);
        let mut usage = after - before;
        if C::socket_reads() == SocketReads::Unseen {
            usage.sockets = None;
        }
        Ok(Outcome {
            cell: self.spec.cell,
            io: C::io().into(),
            threads,
            workers_seen: count_workers(),
            iterations: ledger.iterations,
            usage,
            close_look: seen.zip(unseen).map(|(seen, before)| seen - before),
            process,
            threads_most: threads_seen.iter().flatten().map(|seen| seen.threads).max(),
            agents: ledger.agents,
            calls: ledger.calls,
            delivery_histogram_ns: ledger.delivery,
            itl_histogram_ns: ledger.itl,
        })
    }

    async fn iterate(&self, ledger: &mut Ledger) -> Result<Iteration, InvocationError> {
        match &self.spec.work {
            Work::Stream { connection } => self.answer(*connection, Form::Stream, ledger).await,
            Work::Whole => self.answer(Connection::Warm, Form::Whole, ledger).await,
            Work::Agents { agents, corpus } => self.agents(*agents, corpus.clone(), ledger).await,
        }
    }

    /// One call by itself.
    async fn answer(
        &self,
        connection: Connection,
        form: Form,
        ledger: &mut Ledger,
    ) -> Result<Iteration, InvocationError> {
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
        self.check(&call)?;
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

    async fn agents(
        &self,
        agents: NonZeroUsize,
        corpus: PathBuf,
        ledger: &mut Ledger,
    ) -> Result<Iteration, InvocationError> {
        let job = Job {
            corpus,
            api: self.spec.api,
            model: self.spec.model.clone(),
            options: self.model_options(),
            keep_alive: None,
        };
        if agents == NonZeroUsize::MIN {
            let run = run_agent(&self.ollama, &job).await?;
            let net_ns = run.net().map(nanos);
            let iteration = self.team(run.gross, &[run], ledger)?;
            return Ok(Iteration {
                net_ns,
                ..iteration
            });
        }
        let topology = self.spec.cell.topology;
        let topology = topology.ok_or(InvocationError::NoTopology(agents))?;
        let jobs = vec![job; agents.get()];
        let started = Instant::now();
        let runs = self.run_team(jobs, topology).await;
        let gross = started.elapsed();
        let runs: Vec<AgentRun> = runs.into_iter().collect::<Result<_, _>>()?;
        self.team(gross, &runs, ledger)
    }

    async fn run_team(
        &self,
        jobs: Vec<Job>,
        topology: Topology,
    ) -> Vec<Result<AgentRun, AgentError>> {
        run_team(&self.ollama, jobs, topology).await
    }

    /// The account of agents that ran at once.
    fn team(
        &self,
        gross: Duration,
        runs: &[AgentRun],
        ledger: &mut Ledger,
    ) -> Result<Iteration, InvocationError> {
        let mut iteration = Iteration {
            gross_ns: nanos(gross),
            ..Iteration::default()
        };
        for (agent, run) in (0..).zip(runs) {
            ledger.agents.push(AgentAccount {
                iteration: ledger.iteration(),
                agent,
                gross_ns: nanos(run.gross),
                net_ns: run.net().map(nanos),
                ingest_ns: nanos(run.ingest),
                tokens: run.tokens() as u64,
            });
            iteration.ingest_ns += nanos(run.ingest);
            for stage in run.stages() {
                self.check(&stage.call)?;
                ledger.note(&stage.call, agent);
                iteration.tokens += stage.call.token_count() as u64;
                iteration.delivery_ns += stage.call.delivery().map(nanos).sum::<u64>();
                iteration.note_lateness(&stage.call);
            }
        }
        let first = runs.first().and_then(|run| run.analysis.call.ttft());
        iteration.ttft_ns = nanos(first.unwrap_or_default());
        Ok(iteration)
    }

    fn model_options(&self) -> ModelOptions {
        ModelOptions {
            seed: Some(self.spec.seed),
            num_predict: Some(i32::try_from(self.spec.tokens).unwrap_or(i32::MAX)),
            ..ModelOptions::default()
        }
    }

    fn check(&self, call: &Call) -> Result<(), InvocationError> {
        let found = call.digest();
        let expected = match self.expected {
            Some(expected) if expected != found => expected,
            _ => return Ok(()),
        };
        Err(InvocationError::WrongTokens {
            found,
            count: call.token_count(),
            expected,
            tokens: self.spec.tokens,
        })
    }
}

/// What is noted of the iterations, with room for all of it, so that noting allocates nothing.
struct Ledger {
    iterations: Vec<Iteration>,
    agents: Vec<AgentAccount>,
    calls: Vec<CallAccount>,
    delivery: Histogram,
    itl: Histogram,
}

impl Ledger {
    fn for_iterations(work: &Work, iterations: u64) -> Self {
        let iterations = usize::try_from(iterations).unwrap_or_default();
        let (agents, calls) = match work {
            Work::Stream { .. } | Work::Whole => (0, 1),
            Work::Agents { agents, .. } => (agents.get(), 2 * agents.get()),
        };
        Self {
            iterations: Vec::with_capacity(iterations),
            agents: Vec::with_capacity(iterations * agents),
            calls: Vec::with_capacity(iterations * calls),
            delivery: Histogram::new(),
            itl: Histogram::new(),
        }
    }

    /// The index of the present iteration.
    fn iteration(&self) -> u64 {
        self.iterations.len() as u64
    }

    /// Tokens of all iterations so far.
    fn tokens(&self) -> u64 {
        self.iterations
            .iter()
            .map(|iteration| iteration.tokens)
            .sum()
    }

    fn note(&mut self, call: &Call, agent: u32) {
        call.delivery().for_each(|it| self.delivery.record(it));
        call.itl().for_each(|it| self.itl.record(it));
        let account = CallAccount::of(call, self.iteration(), agent);
        self.calls.push(account);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How many threads of this process are named as a runtime's workers are, where `/proc` tells.
fn count_workers() -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    Some(names.filter(|name| name.trim_end() == WORKER_NAME).count())
}
