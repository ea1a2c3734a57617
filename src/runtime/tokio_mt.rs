//! Tokio's multi-thread scheduler: work stealing over a fixed number of workers.

use super::counted::Counted;
use super::on_tokio::{Owner, connect, joined};
use super::{Reactor, Runtime, WORKER_NAME};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// `tokio-mt`.
#[derive(Clone)]
pub struct TokioMt {
    owner: Arc<Owner>,
    threads: NonZeroUsize,
}

impl Runtime for TokioMt {
    const NAME: &'static str = "tokio-mt";
    const REACTOR: Reactor = Reactor::Tokio;

    type Stream = TokioIo<Counted<TcpStream>>;
    type Sleep = tokio::time::Sleep;

    fn new(threads: NonZeroUsize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.get())
            .thread_name(WORKER_NAME)
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self {
            owner: Arc::new(Owner::new(runtime)),
            threads,
        })
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = self.owner.runtime();
        joined(runtime.block_on(runtime.spawn(work)))
    }

    fn run_as_root<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.owner.runtime().block_on(work)
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let task = self.owner.runtime().spawn(work);
        async { joined(task.await) }
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Self::Stream> {
        connect(to).await
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    async fn read_file(&self, path: PathBuf) -> io::Result<Vec<u8>> {
        tokio::fs::read(path).await
    }
}
