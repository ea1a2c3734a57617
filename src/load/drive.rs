//! How a load begins and ends. The same code under every runtime: each stream, and each request of
//! a schedule, is a spawned task, and so is what waits for them.

use super::ledger::{Ledger, Span};
use super::outcome::{Ending, InFlight, Observed, Outcome};
use super::requests::{Shared, lock};
use super::setup::{Extent, Mode, Setup};
use super::signal::{Crew, Signal};
use crate::client::{Client, ClientError, Endpoint, Options, SocketReads};
use crate::meter::{Digest, Moment, Usage};
use crate::protocol::Ollama;
use crate::protocol::wire::{Options as ModelOptions, TRUTH_HEADER};
use crate::run::Answers;
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
    /// The runtime does not start.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// The client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system does not tell what was used.
    #[error("cannot read the process's resource usage: {0}")]
    Usage(io::Error),
    /// Somebody ended it during the warm-up.
    #[error("interrupted before anything was measured")]
    Interrupted,
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

/// What is to be driven.
pub struct Drive {
    /// What was fixed beforehand.
    pub setup: Setup,
    /// The server.
    pub endpoint: Endpoint,
    /// Whether it is a mock of ours, whose every token is known and which ends by Ctrl-C as we do.
    pub answers: Answers,
    /// Ends it before its time.
    pub stop: Arc<Signal>,
    /// Is told how it goes.
    pub watch: Box<dyn Watch>,
}

/// Drives it in this process. Once only: some runtimes are one per process.
///
/// # Errors
/// When nothing could be measured. Requests that fail are part of the outcome.
pub fn run(drive: Drive) -> Result<Outcome, LoadError> {
    let stack = drive.setup.stack;
    stack.dispatch(drive)
}

impl OnStack for Drive {
    type Output = Result<Outcome, LoadError>;

    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output {
        let mut options = Options::new(self.endpoint.clone());
        options.read_buffer = self.setup.stack.read_buffer();
        if self.answers == Answers::Known {
            options.headers.push(TRUTH_HEADER);
        }
        let rt = R::new(self.setup.threads).map_err(LoadError::Runtime)?;
        let ollama = Ollama::<R, C>::new(rt.clone(), Arc::new(options))?;
        rt.run(async move { Driver::start(self, ollama).finish().await })
    }
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
            setup,
            answers,
            stop,
            watch,
            ..
        } = drive;
        let began = Instant::now();
        let start = Moment::now().plus(setup.warm_up_ns);
        let text = Text::new(setup.text_seed).take(setup.tokens as usize);
        let (end, left) = match setup.extent {
            Extent::Window { measure_ns, .. } => (Some(start.plus(measure_ns)), u64::MAX),
            Extent::Requests { requests } => (None, requests.get()),
        };
        let shared = Arc::new(Shared {
            options: ModelOptions {
                seed: Some(setup.text_seed),
                num_predict: Some(i32::try_from(setup.tokens).unwrap_or(i32::MAX)),
                ..ModelOptions::default()
            },
            expected: (answers == Answers::Known).then(|| Digest::of(text)),
            answers,
            span: Span { start, end },
            ledgers: std::array::from_fn(|_| Mutex::default()),
            left: AtomicU64::new(left),
            begun: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            stop,
            ollama,
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
    async fn finish(self) -> Result<Outcome, LoadError> {
        let shared = &*self.shared;
        let warm = self.began + shared.setup.warm_up();
        if self.before_stop(Timer::at(warm)).await.is_err() {
            return Err(LoadError::Interrupted);
        }
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
        if (shared.answers, ending) == (Answers::Known, Ending::Interrupted) {
            let last = ledger.last_answer.unwrap_or(shared.span.start);
            ledger.failures.take_gone(last);
        }
        let end = match (shared.span.end, ending) {
            (Some(end), _) => end.min(now),
            (None, Ending::Complete) => ledger.last.unwrap_or(now),
            (None, Ending::Interrupted) => now,
        };
        Ok(Outcome::of(
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
                usage,
            },
        ))
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
