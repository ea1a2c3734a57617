//! Blocking threads in the clothes of a runtime: the floor.
//!
//! Every future here does its work when it is polled, blocks its thread meanwhile and is ready
//! when it returns. So the same generic workflow compiles to straight-line blocking code, and what
//! an async stack costs above it is the runtime's and the client's. A task is a thread; futures
//! joined in one task run one after the other, so there is no `join` topology here.

use super::counted::Counted;
use super::{Reactor, Runtime, WORKER_NAME};
use futures::executor::block_on;
use futures::io::AllowStdIo;
use smol_hyper::rt::FuturesIo;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// `threads`.
#[derive(Clone)]
pub struct Threads {
    threads: NonZeroUsize,
}

impl Runtime for Threads {
    const NAME: &'static str = "threads";
    const REACTOR: Reactor = Reactor::Blocking;

    type Stream = FuturesIo<Counted<AllowStdIo<TcpStream>>>;
    type Sleep = Sleep;

    fn new(threads: NonZeroUsize) -> io::Result<Self> {
        Ok(Self { threads })
    }

    fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        block_on(self.spawn(work))
    }

    fn run_as_root<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        block_on(work)
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let mut thread = Some(start(work));
        poll_fn(move |_| match thread.take().map(JoinHandle::join) {
            Some(Ok(value)) => Poll::Ready(value),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => panic!("a task was awaited twice"),
        })
    }

    async fn connect(&self, to: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(Counted::new(AllowStdIo::new(stream))))
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        Sleep(duration)
    }

    async fn read_file(&self, path: PathBuf) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }
}

fn start<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    thread::Builder::new()
        .name(WORKER_NAME.to_owned())
        .spawn(|| block_on(work))
        .unwrap_or_else(|error| panic!("the system gave no further thread: {error}"))
}

/// Blocks its thread when polled.
pub struct Sleep(Duration);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        thread::sleep(self.0);
        Poll::Ready(())
    }
}
