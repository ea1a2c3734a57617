//! The mock: the engine behind HTTP, so that a client can't tell it from Ollama, and every delay
//! is known.
//!
//! It runs in a process of its own and on one thread: an executor and hyper's server on
//! `async-io`, whose timer is finer than a tenth of a millisecond where tokio's has a wheel of one.
//! What it states as truth about a token's sending is read off at the socket (`socket.rs`), not
//! where the token was made.

mod json;
mod routes;
mod socket;
mod stream;

use crate::engine::Profile;
use async_io::Async;
use futures::channel::oneshot;
use routes::Server;
use smol::LocalExecutor;
use socket::{Ledger, Socket};
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

/// In a burst, so much is gathered before it is written, bytes: what a fast server's lines coalesce
/// to on their way. More would make the first token wait for the making of the last.
const MOST_UNWRITTEN: usize = 16 * 1024;

/// A server that accepts connections, but does not serve them yet.
pub struct Mock {
    listener: Async<TcpListener>,
    address: SocketAddr,
    server: Rc<Server>,
}

/// Why a mock does not run.
#[derive(Debug, thiserror::Error)]
pub enum MockError {
    /// The address can't be had.
    #[error(
        "cannot listen on {address}: {source}; take another with --listen, or port 0 for any that is free"
    )]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No further connection can be taken.
    #[error("cannot take connections on {address}: {source}")]
    Accept {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl Mock {
    /// Listens on `address`; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address can't be had.
    pub fn listen(address: SocketAddr, profile: Profile) -> Result<Self, MockError> {
        let listen = || {
            let listener = Async::<TcpListener>::bind(address)?;
            let address = listener.get_ref().local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) =
            listen().map_err(|source| MockError::Listen { address, source })?;
        Ok(Self {
            listener,
            address,
            server: Rc::new(Server::new(profile)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves on this thread, for good.
    ///
    /// # Errors
    /// When connections can no longer be taken.
    pub fn serve(self) -> Result<Infallible, MockError> {
        ask_for_precise_timers();
        let executor = LocalExecutor::new();
        async_io::block_on(executor.run(self.accept(&executor)))
    }

    async fn accept(&self, executor: &LocalExecutor<'_>) -> Result<Infallible, MockError> {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let server = Rc::clone(&self.server);
                    executor.spawn(connection(server, stream)).detach();
                }
                // A client that is gone before it was taken, or too many at once: go on.
                Err(error) if is_passing(&error) => {
                    async_io::Timer::after(std::time::Duration::from_millis(10)).await;
                }
                Err(source) => {
                    return Err(MockError::Accept {
                        address: self.address,
                        source,
                    });
                }
            }
        }
    }
}

/// Linux lets a sleeping thread's timers ring up to 50 µs late, so as to wake it less often, unless
/// the thread asks for better. If it may not ask, the mock's truth tells how late it was.
fn ask_for_precise_timers() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
}

/// Whether taking the next connection may succeed: EMFILE and ENFILE pass when others close.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    ) || matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// Serves one connection until either side ends it.
async fn connection(server: Rc<Server>, stream: Async<TcpStream>) {
    if stream.get_ref().set_nodelay(true).is_err() {
        return; // gone already
    }
    let ledger = Rc::new(Ledger::default());
    let socket = Socket::new(stream, Rc::clone(&ledger));
    let service = hyper::service::service_fn(|request| {
        let server = Rc::clone(&server);
        let ledger = Rc::clone(&ledger);
        async move { Ok::<_, Infallible>(server.answer(request, ledger).await) }
    });
    // A client that goes away in the middle is no failure of the server's.
    let _ = hyper::server::conn::http1::Builder::new()
        .max_buf_size(MOST_UNWRITTEN)
        .serve_connection(socket, service)
        .await;
}

/// A mock on a thread of the present process, for tests only: a measurement needs a process.
#[doc(hidden)]
pub fn start_on_thread(profile: Profile) -> Result<SocketAddr, MockError> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mock = Mock::listen(SocketAddr::from(([127, 0, 0, 1], 0)), profile);
        match mock {
            Ok(mock) => {
                let _ = tell.send(Ok(mock.address()));
                drop(mock.serve());
            }
            Err(error) => drop(tell.send(Err(error))),
        }
    });
    futures::executor::block_on(told).expect("the thread tells before it ends")
}
