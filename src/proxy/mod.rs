//! A proxy that knows when it passed each token on: for servers that don't tell.
//!
//! It runs in a process of its own, on the client's machine, and on one thread. Each client's
//! connection has a connection to the server of its own, and each byte goes on as soon as it is
//! there, so that everything that a connection does, from keep-alive to being cut off in the middle,
//! is seen at the other end too. Where a request asks for them ([`PROXY_HEADER`]), the last line of
//! its answer takes the times ([`PassedOn`]) at which its tokens were passed on.
//!
//! `http.rs` says where messages begin and end, `request.rs` and `reply.rs` what goes on in either
//! direction, `times.rs` which bytes complete which token; all of that without any I/O. Here bytes
//! are moved.
//!
//! [`PROXY_HEADER`]: crate::protocol::wire::PROXY_HEADER
//! [`PassedOn`]: crate::protocol::wire::PassedOn

mod http;
mod reply;
mod request;
mod times;

use crate::client::Endpoint;
use crate::clock::Moment;
use nix::sys::socket::Shutdown;
use reply::Replies;
use request::{Exchange, Requests, Route};
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

/// How long the server has to take a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// What one `read` asks for. All tokens of a read are written together, so that of a burst the
/// first token does not wait for the decoding of more than this.
const BUFFER: usize = 16 * 1024;

/// A proxy that accepts connections, but does not serve them yet.
#[derive(Debug)]
pub struct Proxy {
    listener: std::net::TcpListener,
    route: Route,
}

/// Why a proxy does not run.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
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
    /// It can no longer take connections.
    #[error("the proxy cannot go on: {source}")]
    Serve {
        /// What the system said.
        source: io::Error,
    },
}

impl Proxy {
    /// Listens on `address`; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address can't be had.
    pub fn listen(address: SocketAddr, to: Endpoint) -> Result<Self, ProxyError> {
        let listen = || {
            let listener = std::net::TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            let own = listener.local_addr()?;
            Ok((listener, own))
        };
        let (listener, own) = listen().map_err(|source| ProxyError::Listen { address, source })?;
        Ok(Self {
            listener,
            route: Route::new(own, to),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> Result<SocketAddr, ProxyError> {
        let address = self.listener.local_addr();
        address.map_err(|source| ProxyError::Serve { source })
    }

    /// Serves on this thread, for good.
    ///
    /// # Errors
    /// When connections can no longer be taken.
    pub fn serve(self) -> Result<Infallible, ProxyError> {
        let serve = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build()?;
            let serving = async {
                let listener = TcpListener::from_std(self.listener)?;
                Err(accept(listener, Rc::new(self.route)).await)
            };
            LocalSet::new().block_on(&runtime, serving)
        };
        serve().map_err(|source| ProxyError::Serve { source })
    }
}

/// Takes connections until that is no longer possible.
async fn accept(listener: TcpListener, route: Rc<Route>) -> io::Error {
    /// When too many connections are open: until some of them are closed.
    const PAUSE: Duration = Duration::from_millis(10);
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(spawn_local(connection(client, Rc::clone(&route)))),
            Err(error) => match (error.kind(), error.raw_os_error()) {
                (io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted, _) => {}
                (_, Some(ENFILE | EMFILE)) => tokio::time::sleep(PAUSE).await,
                _ => return error,
            },
        }
    }
}

/// Serves one connection until both sides have ended it.
async fn connection(client: TcpStream, route: Rc<Route>) {
    let server = match connect(&client, &route).await {
        Ok(server) => server,
        Err(error) => {
            // If the client is gone, there is nobody to tell.
            let _ = refuse(&client, &route, &error).await;
            return;
        }
    };
    let exchange = Exchange::default();
    let ended = futures::future::try_join(
        to_server(&client, &server, &route, &exchange),
        to_client(&server, &client, &exchange),
    );
    if ended.await.is_err() {
        // One side reset the connection, so it is reset for the other too.
        for side in [client, server] {
            let _ = side.set_zero_linger();
        }
    }
}

async fn connect(client: &TcpStream, route: &Route) -> io::Result<TcpStream> {
    client.set_nodelay(true)?;
    let connecting = TcpStream::connect(route.to.address());
    let server = tokio::time::timeout(PATIENCE, connecting).await;
    let server = server.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    server.set_nodelay(true)?;
    Ok(server)
}

async fn to_server(
    client: &TcpStream,
    server: &TcpStream,
    route: &Route,
    exchange: &Exchange,
) -> io::Result<()> {
    let mut requests = Requests::new();
    let mut buffer = vec![0; BUFFER];
    let mut out = Vec::new();
    loop {
        let size = read(client, &mut buffer).await?;
        if size == 0 {
            return close(server);
        }
        let now = Moment::now();
        requests.take(&buffer[..size], now, route, exchange, &mut out);
        if write(server, &out).await.is_err() {
            // The server takes no more. What it says to that, or how it ends, goes the other way.
            return Ok(());
        }
        out.clear();
    }
}

async fn to_client(server: &TcpStream, client: &TcpStream, exchange: &Exchange) -> io::Result<()> {
    let mut replies = Replies::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        let size = read(server, &mut buffer).await?;
        match size {
            0 => replies.closed(),
            size => replies.take(&buffer[..size], exchange),
        }
        while let Some(bytes) = replies.next(Moment::now) {
            write(client, &bytes).await?;
        }
        if size == 0 {
            return close(client);
        }
    }
}

/// Tells the client that there is no server, in the form of the API that it asked by.
async fn refuse(client: &TcpStream, route: &Route, error: &io::Error) -> io::Result<()> {
    let (mut requests, exchange) = (Requests::new(), Exchange::default());
    let mut buffer = vec![0; BUFFER];
    // To the end of the request: a connection with unread bytes in it is reset when it is closed.
    while !requests.is_whole() && !exchange.unread.get() {
        let size = read(client, &mut buffer).await?;
        if size == 0 {
            return Ok(());
        }
        let now = Moment::now();
        requests.take(&buffer[..size], now, route, &exchange, &mut Vec::new());
    }
    let words = format!(
        "the proxy cannot reach the server at http://{}: {error}",
        route.to.authority()
    );
    write(client, &bad_gateway(&requests.last_target, &words)).await?;
    close(client)
}

fn bad_gateway(target: &str, words: &str) -> Vec<u8> {
    let body = match target.contains(OPENAI) {
        true => {
            json!({"error": {"message": words, "type": "api_error", "param": null, "code": null}})
        }
        false => json!({"error": words}),
    };
    let body = body.to_string();
    format!(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json; charset=utf-8\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Where OpenAI's API is.
const OPENAI: &str = "/v1/";

/// Reads once; 0 at the end.
async fn read(from: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => from.readable().await?,
            outcome => return outcome,
        }
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.writable().await?,
            outcome => bytes = &bytes[outcome?..],
        }
    }
    Ok(())
}

/// Says that nothing more comes.
fn close(to: &TcpStream) -> io::Result<()> {
    match nix::sys::socket::shutdown(to.as_raw_fd(), Shutdown::Write) {
        // Closed by the other side already.
        Err(nix::errno::Errno::ENOTCONN) => Ok(()),
        outcome => Ok(outcome?),
    }
}
