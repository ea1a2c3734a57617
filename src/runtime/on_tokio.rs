//! What `tokio-mt` and `tokio-local` share: Tokio's streams, its task handles, and a way to let a
//! runtime go.

use super::counted::Counted;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinError;

/// A Tokio runtime that can be let go from anywhere, a task of its own included.
pub struct Owner(Option<Runtime>);

impl Owner {
    pub fn new(runtime: Runtime) -> Self {
        Self(Some(runtime))
    }

    pub fn runtime(&self) -> &Runtime {
        self.0
            .as_ref()
            .expect("the runtime is taken only when its owner is dropped")
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The result of a task; a panic inside it goes on in whoever waits for it.
pub fn joined<T>(outcome: Result<T, JoinError>) -> T {
    match outcome.map_err(JoinError::try_into_panic) {
        Ok(value) => value,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(error)) => panic!("a task ended before its work was done: {error}"),
    }
}

/// Connects with `TCP_NODELAY` on.
pub async fn connect(to: SocketAddr) -> io::Result<TokioIo<Counted<TcpStream>>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(TokioIo::new(Counted::new(stream)))
}
