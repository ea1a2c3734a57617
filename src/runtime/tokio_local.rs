//! Tokio's current-thread scheduler with a `LocalSet`: one thread, and tasks that never migrate.

use super::counted::Counted;
use super::on_tokio::{Owner, connect, joined};
use super::{Reactor, Runtime};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{LocalSet, spawn_local};

/// `tokio-local`.
#[derive(Clone)]
pub struct TokioLocal {
    owner: Arc<Owner>,
}

impl Runtime for TokioLocal {
    const NAME: &'static str = "tokio-local";
    const REACTOR: Reactor = Reactor::Tokio;

    type Stream = TokioIo<Counted<TcpStream>>;
    type Sleep = tokio::time::Sleep;

    fn new(_threads: NonZeroUsize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self {
            owner: Arc::new(Owner::new(runtime)),
        })
    }

    fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let tasks = LocalSet::new();
        let driver = async { joined(spawn_local(work).await) };
        tasks.block_on(self.owner.runtime(), driver)
    }

    fn run_as_root<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        LocalSet::new().block_on(self.owner.runtime(), work)
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let task = spawn_local(work);
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
