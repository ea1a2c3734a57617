//! async-std: discontinued (RUSTSEC-2025-0052), and here because people still run it and ask what
//! leaving it gains.
//!
//! Its executor is global: one per process, of a size that is decided by whoever touches it first.
//! We do, with a fixed minimum and maximum and no environment variable, so that
//! `ASYNC_STD_THREAD_COUNT` changes nothing here.

use super::counted::Counted;
use super::on_async_io::Sleep;
use super::{Reactor, Runtime, WORKER_NAME};
use async_std::net::TcpStream;
use smol_hyper::rt::FuturesIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// The size that the process's one executor was started with.
static STARTED: OnceLock<NonZeroUsize> = OnceLock::new();

/// `async-std`.
#[derive(Clone)]
pub struct AsyncStd {
    threads: NonZeroUsize,
}

impl Runtime for AsyncStd {
    const NAME: &'static str = "async-std";
    const REACTOR: Reactor = Reactor::AsyncIo;

    type Stream = FuturesIo<Counted<TcpStream>>;
    type Sleep = Sleep;

    fn new(threads: NonZeroUsize) -> io::Result<Self> {
        let started = *STARTED.get_or_init(|| {
            let config = async_global_executor::GlobalExecutorConfig::default()
                // No variable has an empty name: this is how the executor is told to read none.
                .with_env_var("")
                .with_min_threads(threads.get())
                .with_max_threads(threads.get())
                .with_thread_name_fn(|| WORKER_NAME.to_owned());
            async_global_executor::init_with_config(config);
            threads
        });
        if started == threads {
            Ok(Self { threads })
        } else {
            Err(io::Error::other(format!(
                "async-std has one executor per process, and this one runs {started} threads, not {threads}"
            )))
        }
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        // Not `async_std::task::block_on`: it would make this thread a third party that polls the
        // reactor and hands every event to a worker by futex.
        futures::executor::block_on(async_std::task::spawn(work))
    }

    fn run_as_root<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        async_std::task::block_on(work)
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        async_std::task::spawn(work)
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
        async_std::fs::read(path).await
    }
}
