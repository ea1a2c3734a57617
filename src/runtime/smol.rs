//! smol, with an executor of a known size.
//!
//! `smol::spawn` uses a global executor whose size is `SMOL_THREADS`, 1 by default. An executor
//! of our own takes the number of threads that every other runtime gets and reads no variable.

use super::counted::Counted;
use super::on_async_io::Sleep;
use super::{Reactor, Runtime, WORKER_NAME};
use smol::Executor;
use smol::channel::{Receiver, Sender, bounded};
use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// `smol`.
#[derive(Clone)]
pub struct Smol {
    executor: Arc<Executor<'static>>,
    /// The workers stop when the last sender is gone.
    _running: Sender<()>,
    threads: NonZeroUsize,
}

impl Runtime for Smol {
    const NAME: &'static str = "smol";
    const REACTOR: Reactor = Reactor::AsyncIo;

    type Stream = FuturesIo<Counted<TcpStream>>;
    type Sleep = Sleep;

    fn new(threads: NonZeroUsize) -> io::Result<Self> {
        let executor = Arc::new(Executor::new());
        let (running, stop) = bounded(1);
        for _ in 0..threads.get() {
            let executor = Arc::clone(&executor);
            let stop = stop.clone();
            std::thread::Builder::new()
                .name(WORKER_NAME.to_owned())
                .spawn(move || work_until_stopped(&executor, &stop))?;
        }
        Ok(Self {
            executor,
            _running: running,
            threads,
        })
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        // Not `smol::block_on`: it would make this thread a third party that polls the reactor
        // and hands every event to a worker by futex.
        futures::executor::block_on(self.executor.spawn(work))
    }

    fn run_as_root<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        smol::block_on(work)
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        Detached(Some(self.executor.spawn(work)))
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(Counted::new(stream)))
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        Sleep::new(duration)
    }

    async fn read_file(&self, path: PathBuf) -> io::Result<Vec<u8>> {
        smol::fs::read(path).await
    }
}

/// A worker: it goes on after a task's panic, which the task's own handle reports.
fn work_until_stopped(executor: &Executor<'static>, stop: &Receiver<()>) {
    let work = || smol::block_on(executor.run(stop.recv()));
    while catch_unwind(AssertUnwindSafe(work)).is_err() {}
}

/// A task that goes on when its handle is dropped; smol's own would be cancelled.
struct Detached<T>(Option<smol::Task<T>>);

impl<T> Future for Detached<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let task = self
            .0
            .as_mut()
            .expect("the task is taken only when its handle is dropped");
        Pin::new(task).poll(cx)
    }
}

impl<T> Drop for Detached<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}
