//! The engine behind HTTP, so that a client can't tell it from Ollama, and every delay is known.
//!
//! It runs on one thread: hyper's server on Tokio's current-thread scheduler, with a timer of its own (`timer.rs`), because Tokio's has ticks of a millisecond.
//! What it states as truth about a token's sending is read off at the socket (`socket.rs`), not
//! where the token was made.

mod account;
mod aliases;
mod answer;
mod asked;
mod base64;
mod catalog;
mod completions;
mod composed;
mod create;
mod dispatch;
mod embed;
mod fault;
mod files;
mod form;
mod gate;
mod go_json;
mod images;
mod json;
mod log;
mod logprobs;
mod manage;
mod messages;
mod models;
mod native;
mod openai;
mod progress;
mod realtime;
mod refusals;
mod replay;
mod reply;
mod responses;
mod routes;
mod schema;
mod show;
mod socket;
mod stream;
mod table;
mod template;
mod timer;
mod tools;

pub use fault::{FAULT_HEADER, Fault, FaultError, Faults, KINDS, WHENS};
pub use log::{Answered, Ending, Log};
pub use models::ModelsError;

use crate::engine::{Engine, EngineConfig, Gpus, Profile, ServerId};
use crate::trace::Trace;
use futures_util::stream::{FuturesUnordered, StreamExt};
use models::Store;
use realtime::Realtime;
use replay::Replay;
use routes::Server;
use socket::{Ledger, Socket};
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;
use timer::Timer;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

/// In a burst, so much is gathered before it is written, bytes: what a fast server's lines coalesce
/// to on their way. More would make the first token wait for the making of the last.
const MOST_UNWRITTEN: usize = 16 * 1024;

/// Listens on an address; port 0 takes any that is free. Gives the one that it was.
pub fn listen(address: SocketAddr) -> io::Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    let_thousands_wait(&listener)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Whether a server can have the models of a profile.
pub fn check_models(profile: &Profile) -> Result<(), ModelsError> {
    Store::new(profile).map(|_| ())
}

/// A mock that takes connections already, but does not serve them yet.
///
/// [`Builder::start`](crate::Builder::start) is what a test needs. This is for a program that is a
/// mock: it has the thread that serves.
pub struct Bound {
    pub(crate) listeners: Vec<std::net::TcpListener>,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) profile: Profile,
    pub(crate) gpus: Gpus,
    /// What it plays, and how many times as fast as it was recorded.
    pub(crate) trace: Option<(Trace, f64)>,
    pub(crate) faults: Faults,
    pub(crate) log: Option<Log>,
}

/// A mock that can no longer take connections or keep time.
#[derive(Debug, thiserror::Error)]
#[error("the mock cannot go on: {0}")]
pub struct ServeError(#[from] io::Error);

impl Bound {
    /// Where it listens, in the order asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves on this thread, for good.
    ///
    /// # Errors
    /// When connections can no longer be taken, or the system gives no timer.
    pub fn serve(self) -> Result<Infallible, ServeError> {
        self.serve_until(pending())
    }

    /// Serves on this thread until `end` is ready.
    pub(crate) fn serve_until<T>(self, end: impl Future<Output = T>) -> Result<T, ServeError> {
        ask_for_precise_timers();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let served = LocalSet::new().block_on(&runtime, async {
            tokio::select! {
                error = self.run() => match error {
                    Ok(never) => match never {},
                    Err(error) => Err(error),
                },
                ended = end => Ok(ended),
            }
        });
        Ok(served?)
    }

    async fn run(self) -> io::Result<Infallible> {
        let servers = NonZeroUsize::new(self.listeners.len()).unwrap_or(NonZeroUsize::MIN);
        let engine = Engine::new(EngineConfig {
            servers,
            gpus: self.gpus,
            seed: self.profile.seed,
            profile: self.profile.clone(),
        });
        let realtime = Rc::new(Realtime::new(engine));
        let profile = Rc::new(self.profile);
        let replay = self
            .trace
            .map(|(trace, speed)| Rc::new(Replay::new(&trace, speed)));
        let faults = Rc::new(self.faults);
        let mut accepting = FuturesUnordered::new();
        let listening = self.listeners.into_iter().zip(self.addresses);
        for (id, (listener, address)) in listening.enumerate() {
            let server = Rc::new(Server {
                id: ServerId(id),
                address,
                profile: Rc::clone(&profile),
                realtime: Rc::clone(&realtime),
                replay: replay.clone(),
                faults: Rc::clone(&faults),
                log: self.log.clone(),
                models: Store::new(&profile).map_err(io::Error::other)?,
                loaded_as: RefCell::default(),
            });
            accepting.push(accept(TcpListener::from_std(listener)?, server));
        }
        let driving = realtime.drive(Timer::new()?);
        tokio::select! {
            error = driving => Err(error),
            Some(error) = accepting.next() => Err(error),
        }
    }
}

/// Takes connections until that is no longer possible.
async fn accept(listener: TcpListener, server: Rc<Server>) -> io::Error {
    /// When too many connections are open: until some of them are closed.
    const PAUSE: Duration = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(spawn_local(connection(Rc::clone(&server), stream))),
            Err(error) if is_passing(&error) => tokio::time::sleep(PAUSE).await,
            Err(error) => return error,
        }
    }
}

/// The standard library lets 128 connections wait to be taken. When thousands come at once the kernel
/// drops what is beyond that, and the client tries again a second later, then three, then seven.
fn let_thousands_wait(listener: &std::net::TcpListener) -> io::Result<()> {
    use nix::sys::socket::{Backlog, listen};
    // As many as the system allows; only Linux has a value that says so.
    #[cfg(target_os = "linux")]
    const BACKLOG: Backlog = Backlog::MAXALLOWABLE;
    #[cfg(not(target_os = "linux"))]
    const BACKLOG: Backlog = Backlog::MAXCONN;
    Ok(listen(listener, BACKLOG)?)
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
async fn connection(server: Rc<Server>, stream: TcpStream) {
    if stream.set_nodelay(true).is_err() {
        return; // gone already
    }
    let ledger = Rc::new(Ledger::default());
    let socket = Socket::new(stream, Rc::clone(&ledger));
    let service = hyper::service::service_fn(|request| {
        let server = Rc::clone(&server);
        let ledger = Rc::clone(&ledger);
        async move { Ok::<_, Infallible>(server.answer(request, ledger).await) }
    });
    // A client may go away in the middle; the server has not failed then.
    let _ = hyper::server::conn::http1::Builder::new()
        .title_case_headers(true)
        .writev(false)
        .max_buf_size(MOST_UNWRITTEN)
        .serve_connection(socket, service)
        .await;
}
