//! What an agent needs of an async runtime: tasks, a TCP connection, a timer and a file.
//!
//! The trait is a generic parameter everywhere, never an object: each stack is a program of its
//! own with nothing boxed on the token path. The implementations hold every runtime to the same
//! terms: reads are counted alike, the number of worker threads is set and not taken from the machine or from an
//! environment variable, worker threads are named [`WORKER_NAME`], `TCP_NODELAY` is on, and
//! [`Runtime::run`] drives the work from inside a spawned task.

mod async_std;
mod counted;
mod on_async_io;
mod on_tokio;
mod smol;
mod threads;
mod tokio_local;
mod tokio_mt;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

pub use self::async_std::AsyncStd;
pub use self::counted::{Watched, Written, note_read};
pub use self::smol::Smol;
pub use self::threads::Threads;
pub use self::tokio_local::TokioLocal;
pub use self::tokio_mt::TokioMt;

/// The name of every executor thread that we make, so that a run can count them.
pub const WORKER_NAME: &str = "tare-worker";

/// Who watches sockets and timers for a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reactor {
    /// Tokio's I/O driver: clients written for Tokio run natively.
    Tokio,
    /// `async-io`: such clients need a bridge.
    AsyncIo,
    /// None: every call blocks its thread.
    Blocking,
}

/// An async executor with its I/O and timers.
///
/// A clone is another handle to the same executor; the executor ends with the last one.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// The runtime's name in a stack, such as `tokio-mt`.
    const NAME: &'static str;
    /// Who watches its sockets.
    const REACTOR: Reactor;

    /// A connected TCP stream that hyper can use, and whose reads are counted.
    type Stream: hyper::rt::Read + hyper::rt::Write + Watched + Unpin + Send + 'static;
    /// A timer; it starts when first polled or when made, as the runtime does it.
    type Sleep: Future<Output = ()> + Send + 'static;

    /// Starts an executor with `threads` worker threads.
    ///
    /// # Errors
    /// When the threads or the reactor cannot be made, or when the runtime is one per process
    /// and already runs with another number of threads.
    fn new(threads: NonZeroUsize) -> io::Result<Self>;

    /// The number of worker threads that run tasks: what was asked for, or 1 where the runtime
    /// has but one by design.
    fn threads(&self) -> NonZeroUsize;

    /// Runs `work` as a spawned task, never as the root of `block_on`, and waits for it.
    ///
    /// Call it from an ordinary thread, and once: under `tokio-local` the tasks and connections
    /// of one call do not outlive it.
    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T;

    /// Runs `work` as the root of the runtime's own `block_on`, which no measurement may do: it is
    /// there to show what that costs.
    fn run_as_root<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T;

    /// Starts a task. Dropping what this returns leaves the task running.
    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;

    /// Connects to `to` with `TCP_NODELAY` on.
    fn connect(&self, to: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Waits for `duration`, as precisely as the runtime's own timer does.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// Reads a whole file by the runtime's own file API.
    fn read_file(&self, path: PathBuf) -> impl Future<Output = io::Result<Vec<u8>>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn keeps_the_contract<R: Runtime>() {
        let rt = R::new(NonZeroUsize::new(2).expect("2 is not 0")).expect("a runtime starts");
        let inner = rt.clone();
        let name = rt.run(async move {
            let asked = Duration::from_millis(3);
            let started = Instant::now();
            inner.sleep(asked).await;
            assert!(started.elapsed() >= asked, "{} woke too early", R::NAME);

            let one = inner.spawn(async { 1 });
            let two = inner.spawn(async { 2 });
            assert_eq!(one.await + two.await, 3);

            let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
            let text = inner.read_file(manifest).await.expect("Cargo.toml is here");
            assert!(text.starts_with(b"[workspace]"));
            assert!(inner.read_file("/no/such/file".into()).await.is_err());

            std::thread::current().name().map(str::to_owned)
        });
        if R::NAME != TokioLocal::NAME {
            assert_eq!(name.as_deref(), Some(WORKER_NAME), "{}", R::NAME);
        }
    }

    #[test]
    fn every_runtime_spawns_sleeps_reads_and_drives_from_a_worker() {
        keeps_the_contract::<TokioMt>();
        keeps_the_contract::<TokioLocal>();
        keeps_the_contract::<AsyncStd>();
        keeps_the_contract::<Smol>();
        keeps_the_contract::<Threads>();
    }

    fn outlives_its_handle<R: Runtime>() {
        let rt = R::new(NonZeroUsize::new(2).expect("2 is not 0")).expect("a runtime starts");
        let inner = rt.clone();
        let (done, told) = std::sync::mpsc::channel();
        rt.run(async move {
            let timer = inner.clone();
            drop(inner.spawn(async move {
                timer.sleep(Duration::from_millis(1)).await;
                done.send(()).ok();
            }));
            // Give way until the detached task has spoken, on one thread too.
            while told.try_recv().is_err() {
                inner.sleep(Duration::from_millis(1)).await;
            }
        });
    }

    #[test]
    fn a_task_goes_on_when_its_handle_is_dropped() {
        outlives_its_handle::<TokioMt>();
        outlives_its_handle::<TokioLocal>();
        outlives_its_handle::<AsyncStd>();
        outlives_its_handle::<Smol>();
        outlives_its_handle::<Threads>();
    }

    fn passes_a_panic_on<R: Runtime>() {
        let rt = R::new(NonZeroUsize::new(2).expect("2 is not 0")).expect("a runtime starts");
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            rt.run(async { panic!("on purpose") })
        }));
        assert!(outcome.is_err(), "{} swallowed a panic", R::NAME);
    }

    #[test]
    fn a_panic_in_the_work_reaches_the_caller() {
        passes_a_panic_on::<TokioMt>();
        passes_a_panic_on::<TokioLocal>();
        passes_a_panic_on::<AsyncStd>();
        passes_a_panic_on::<Smol>();
        passes_a_panic_on::<Threads>();
    }
}
