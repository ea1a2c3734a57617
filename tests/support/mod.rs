//! What several integration tests need: a `tare mock` process, and a server that answers with
//! whatever bytes a test wants.
#![allow(dead_code, unused_imports)] // each test takes a part

mod asking;
mod driver;
pub mod place;
#[path = "../../crates/tare-mock/tests/support/raw.rs"]
mod raw;
pub mod running;

pub use asking::{call_times, call_times_with, pieces};
pub use driver::Driver;
pub use raw::{Reply, Served, Wire, ask, ask_at, wire};

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tare::run::{MockServer, Program};

impl Served for MockServer {
    fn host(&self) -> String {
        self.base_url().trim_start_matches("http://").to_owned()
    }
}

pub fn program() -> Program {
    Program::at(env!("CARGO_BIN_EXE_tare"))
}

pub fn mock(profile: &str) -> MockServer {
    MockServer::start(&program(), profile, None).expect("the mock starts")
}

/// A server that reads a request and hands the connection to `answer`, again and again until the
/// client closes it or `answer` gives `None`.
pub struct FixtureServer {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl FixtureServer {
    pub fn start(answer: impl Fn(&mut TcpStream) -> Option<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(answer);
        let count = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream.ok()?, &*answer));
            }
        });
        Self {
            address,
            connections,
        }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were taken so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&mut TcpStream) -> Option<()>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    loop {
        read_request(&mut stream)?;
        answer(&mut stream)?;
    }
}

/// Reads a request to its end; `None` if the client is gone.
fn read_request(stream: &mut TcpStream) -> Option<()> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()
}

/// Blocks until the client closes the connection.
pub fn until_closed(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// The head of a streamed reply.
pub const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n";

/// One HTTP chunk; an empty one ends the body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// Writes all of it; `None` if the client is gone.
pub fn send(stream: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    stream.write_all(bytes).ok()
}
