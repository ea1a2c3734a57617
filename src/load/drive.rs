//! How a load begins and ends. The same code under every runtime: each stream, and each request of
//! a schedule, is a spawned task, and so is what waits for them.

use super::failure::Errors;
use super::ledger::{Ledger, Span};
use super::outcome::{Ending, InFlight, Observed, Outcome};
use super::requests::{Shared, lock};
use super::setup::{Extent, Mode, Setup};
use super::signal::{Crew, Signal};
use crate::client::{Client, ClientError, Endpoint, EndpointError, Options, SocketReads};
use crate::machine::keep_on;
use crate::meter::{Digest, Histogram, Lens, Moment, Process, ProfileRun, Usage};
use crate::protocol::Ollama;
use crate::protocol::wire::{Options as ModelOptions, PROXY_HEADER, TRUTH_HEADER};
use crate::run::{self, Answers, Spec, count_workers};
use crate::runtime::Runtime;
use crate::stack::OnStack;
use async_io::Timer;
use futures::future::{Either, select};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tare_mock::Text;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The address is not one.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A processor that does not exist, or may not be used.
    #[error("cannot keep the process on its processors: {0}")]
    Processors(io::Error),
    /// The runtime does not start.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// The client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system does not tell what was used.
    #[error("cannot read the process's resource usage: {0}")]
    Usage(io::Error),
    /// Somebody ended it during the warm-up, or before anything was answered.
    #[error("interrupted before anything was answered")]
    Interrupted,
    /// The window was too short for the rate.
    #[error("no request was to start in the measuring window: raise --rate, or --measure")]
    NoRequest,
    /// The answers took too long.
    #[error(
        "none of {0} requests was answered in time: raise --drain or --measure, or lower the load"
    )]
    NoneInTime(u64),
    /// All failed, or were cut off.
    #[error("none of {begun} requests was answered: {kinds}; the first said: {first}")]
    NoneAnswered {
        /// How many there were.
        begun: u64,
        /// How many failed, by kind.
        kinds: String,
        /// What the first of the most frequent kind said.
        first: String,
    },
}

/// Who is told how it goes. Asked seldom, and by a task of the runtime under test: do little.
pub trait Watch: Send + Sync + 'static {
    /// The warm-up is over.
    fn measuring(&self) {}
    /// The window is over, and so many are still under way.
    fn draining(&self, in_flight: usize) {
        let _ = in_flight;
    }
}

/// Who does not care.
pub struct Silent;

impl Watch for Silent {}

/// Drives the load of a spec in this process, until it is over or `stop` is raised. Once only: some
/// runtimes are one per process.
///
/// # Errors
/// When nothing was answered. Requests that fail are part of the outcome.
pub fn run(
    spec: Spec,
    setup: Setup,
    stop: Arc<Signal>,
    watch: Box<dyn Watch>,
) -> Result<run::Outcome, LoadError> {
    let stack = spec.stack;
    stack.dispatch(Drive {
        spec,
        setup,
        stop,
        watch,
    })
}

struct Drive {
    spec: Spec,
    setup: Setup,
    stop: Arc<Signal>,
    watch: Box<dyn Watch>,
}

impl OnStack for Drive {
    type Output = Result<run::Outcome, LoadError>;

    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output {
        let spec = &self.spec;
        let mut options = Options::new(Endpoint::resolve(&spec.base_url)?);
        options.read_buffer = spec.stack.read_buffer();
        options.inject = spec.inject;
        options.time_decoding = spec.profile_run;
        if spec.answers == Answers::Known {
            options.headers.push(TRUTH_HEADER);
        }
        if spec.proxied {
            options.headers.push(PROXY_HEADER);
        }
        if !spec.processors.is_empty() {
            keep_on(&spec.processors).map_err(LoadError::Processors)?;
        }
        // Before the runtime starts its threads, or it would not see them.
        let lens = spec.profile_run.then(Lens::open);
        let rt = R::new(spec.threads).map_err(LoadError::Runtime)?;
        let ollama = Ollama::<R, C>::new(rt.clone(), Arc::new(options))?;
        let told = (spec.stack, C::io().into(), rt.threads());
        let drive = async move { Driver::start(self, ollama).finish(lens).await };
        let Driven {
            load,
            usage,
            profile_run,
            process,
            threads_most,
            workers_seen,
        } = rt.run(drive)?;
        let histogram = |of: &Option<super::Latency>| {
            of.as_ref()
                .map_or_else(Histogram::new, |of| of.histogram_ns.clone())
        };
        let (stack, io, threads) = told;
        Ok(run::Outcome {
            corpus: None,
            stack,
            io,
            threads,
            workers_seen,
            iterations: Vec::new(),
            usage,
            profile_run,
            process,
            threads_most,
            agents: Vec::new(),
            calls: Vec::new(),
            texts: Vec::new(),
            delivery_histogram_ns: histogram(&load.latencies.delivery),
            itl_histogram_ns: histogram(&load.latencies.itl),
            load: Some(Box::new(load)),
        })
    }
}

/// What came of it, and what the process used meanwhile.
struct Driven {
    load: Outcome,
    usage: Usage,
    profile_run: Option<ProfileRun>,
    process: Option<Process>,
    threads_most: Option<u64>,
    workers_seen: Option<usize>,
}

struct Driver<R: Runtime, C: Client<R>> {
    shared: Arc<Shared<R, C>>,
    crew: Arc<Crew>,
    began: Instant,
    watch: Box<dyn Watch>,
}

impl<R: Runtime, C: Client<R>> Driver<R, C> {
    /// Sets all off. The clock starts here.
    fn start(drive: Drive, ollama: Ollama<R, C>) -> Self {
        let Drive {
            spec,
            setup,
            stop,
            watch,
        } = drive;
        let began = Instant::now();
        let start = Moment::now().plus(setup.warm_up_ns);
        let text = Text::new(spec.seed).take(spec.tokens as usize);
        let (end, left) = match setup.extent {
            Extent::Window { measure_ns, .. } => (Some(start.plus(measure_ns)), u64::MAX),
            Extent::Requests { requests } => (None, requests.get()),
        };
        let shared = Arc::new(Shared {
            options: ModelOptions {
                seed: Some(spec.seed),
                num_predict: Some(i32::try_from(spec.tokens).unwrap_or(i32::MAX)),
                ..ModelOptions::default()
            },
            expected: (spec.answers == Answers::Known).then(|| Digest::of(text)),
            span: Span { start, end },
            ledgers: std::array::from_fn(|_| Mutex::default()),
            left: AtomicU64::new(left),
            begun: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            stop,
            ollama,
            spec,
            setup,
        });
        let crew = Arc::<Crew>::default();
        let rt = shared.ollama.runtime();
        match shared.setup.mode {
            Mode::Closed { streams } => {
                for stream in 0..streams.get() {
                    let work = Arc::clone(&shared).stream(stream, streams, crew.join());
                    drop(rt.spawn(work));
                }
            }
            Mode::Open { .. } => drop(rt.spawn(Arc::clone(&shared).keep_schedule(
                began,
                Arc::clone(&crew),
                crew.join(),
            ))),
        }
        Self {
            shared,
            crew,
            began,
            watch,
        }
    }

    /// Waits until all is over, and says what came of it.
    async fn finish(self, mut lens: Option<Lens>) -> Result<Driven, LoadError> {
        let shared = &*self.shared;
        let mut threads_seen = vec![Process::now()];
        let warm = self.began + shared.setup.warm_up();
        if self.before_stop(Timer::at(warm)).await.is_err() {
            return Err(LoadError::Interrupted);
        }
        threads_seen.push(Process::now());
        let unseen = lens.as_mut().map(|lens| lens.seen(0));
        let before = Usage::now().map_err(LoadError::Usage)?;
        let at_start = shared.in_flight.load(Relaxed);
        shared.most_in_flight.store(at_start, Relaxed);
        self.watch.measuring();

        let over = match shared.setup.extent {
            Extent::Window { measure_ns, .. } => {
                let end = Timer::at(warm + Duration::from_nanos(measure_ns));
                self.before_stop(end).await
            }
            Extent::Requests { .. } => self.before_stop(self.crew.all_gone()).await,
        };
        let mut usage = Usage::now().map_err(LoadError::Usage)? - before;
        if C::socket_reads() == SocketReads::Unseen {
            usage.sockets = None;
        }
        let now = Moment::now();
        let process = Process::now();
        threads_seen.push(process);
        let workers_seen = count_workers();
        let at_end = shared.in_flight.load(Relaxed);
        let mut ending = match over {
            Ok(()) => Ending::Complete,
            Err(Stopped) => Ending::Interrupted,
        };
        if let (Extent::Window { drain_ns, .. }, Ending::Complete) = (shared.setup.extent, ending) {
            self.watch.draining(at_end);
            let limit = pin!(Timer::after(Duration::from_nanos(drain_ns)));
            let all = pin!(self.crew.all_gone());
            let drained = select(all, limit);
            if self.before_stop(drained).await.is_err() {
                ending = Ending::Interrupted;
            }
        }
        let mut ledger = Ledger::default();
        for one in &shared.ledgers {
            ledger.merge(lock(one).close());
        }
        // The terminal's signal goes to the mock too, and perhaps there first: what broke after its
        // last answer was cut off with us.
        if (shared.spec.answers, ending) == (Answers::Known, Ending::Interrupted) {
            let last = ledger.last_answer.unwrap_or(shared.span.start);
            ledger.failures.take_gone(last);
        }
        let end = match (shared.span.end, ending) {
            (Some(end), _) => end.min(now),
            (None, Ending::Complete) => ledger.last.unwrap_or(now),
            (None, Ending::Interrupted) => now,
        };
        let seen = lens.as_mut().map(|lens| lens.seen(ledger.tokens_within));
        let load = Outcome::of(
            &shared.setup,
            ledger,
            Observed {
                ending,
                window: end.since(shared.span.start),
                begun: shared.begun.load(Relaxed),
                in_flight: InFlight {
                    at_start,
                    at_end,
                    most: shared.most_in_flight.load(Relaxed),
                },
            },
        );
        said_anything(&load)?;
        Ok(Driven {
            load,
            usage,
            profile_run: seen.zip(unseen).map(|(seen, before)| seen - before),
            process,
            threads_most: threads_seen.iter().flatten().map(|seen| seen.threads).max(),
            workers_seen,
        })
    }

    /// Waits for `work`, unless it is stopped before.
    async fn before_stop<T>(&self, work: impl Future<Output = T> + Send) -> Result<(), Stopped> {
        match select(pin!(work), pin!(self.shared.stop.raised())).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(Stopped),
        }
    }
}

/// Somebody ended it.
struct Stopped;

/// Whether there is something to report, and why not.
fn said_anything(outcome: &Outcome) -> Result<(), LoadError> {
    let requests = outcome.requests;
    match (requests.answered, outcome.ending, outcome.errors.first()) {
        (1.., ..) => Ok(()),
        (_, Ending::Interrupted, None) => Err(LoadError::Interrupted),
        (_, Ending::Complete, None) if requests.begun == 0 => Err(LoadError::NoRequest),
        (_, Ending::Complete, None) => Err(LoadError::NoneInTime(requests.begun)),
        (.., Some(most)) => {
            let told = |errors: &Errors| format!("{} {errors}", errors.count);
            let mut kinds: Vec<String> = outcome.errors.iter().map(told).collect();
            if requests.unfinished > 0 {
                kinds.push(format!("{} unfinished", requests.unfinished));
            }
            Err(LoadError::NoneAnswered {
                begun: requests.begun,
                kinds: kinds.join(", "),
                first: most.first.clone(),
            })
        }
    }
}
