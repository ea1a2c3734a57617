//! HTTP by hand, over a plain socket, so that no client's leniency hides what a server says.

use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tare::invocation::MockServer;

/// A reply as it came over the wire.
pub struct Reply {
    /// Code and reason.
    pub status: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's HTTP chunks, or the body as one.
    pub chunks: Vec<String>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub fn body(&self) -> String {
        self.chunks.concat()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body()).expect("a JSON body")
    }
}

/// Sends one request and reads the whole reply. `head` is method and path, then a header a line.
pub fn ask(server: &MockServer, head: &str, body: &str) -> Reply {
    read(send(server, head, body), head)
}

/// The same for a server that the request calls by another name.
pub fn ask_as(host: &str, server: &MockServer, head: &str, body: &str) -> Reply {
    read(send_as(host, server, head, body), head)
}

/// Sends two requests at once and reads the reply that comes first. The other one stays under way
/// until the server ends.
pub fn first_of(server: &MockServer, requests: [(&'static str, &'static str); 2]) -> Reply {
    let (tell, told) = mpsc::channel();
    for (head, body) in requests {
        let stream = send(server, head, body);
        let tell = tell.clone();
        thread::spawn(move || tell.send(read(stream, head)));
    }
    told.recv().expect("a reply")
}

/// Far more than any reply takes, so that one that never ends fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends a request.
fn send(server: &MockServer, head: &str, body: &str) -> TcpStream {
    send_as(address(server), server, head, body)
}

fn address(server: &MockServer) -> &str {
    server.base_url().trim_start_matches("http://")
}

fn send_as(host: &str, server: &MockServer, head: &str, body: &str) -> TcpStream {
    let address = address(server);
    let mut stream = TcpStream::connect(address).expect("the mock listens");
    let limited = stream.set_read_timeout(Some(PATIENCE));
    limited.expect("a limit");
    let mut lines = head.split('\n');
    let first = lines.next().expect("a request line");
    let further: String = lines.map(|line| format!("{line}\r\n")).collect();
    write!(
        stream,
        "{first} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{further}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("a request");
    stream
}

/// Reads the whole reply to a request with this head.
fn read(stream: TcpStream, head: &str) -> Reply {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        line.trim_end_matches("\r\n").to_owned()
    };
    let status = line().trim_start_matches("HTTP/1.1 ").to_owned();
    let mut headers = Vec::new();
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut reply = Reply {
        status,
        headers,
        chunks: Vec::new(),
    };
    let mut read = |size: usize| {
        let mut bytes = vec![0; size];
        reader.read_exact(&mut bytes).expect("a body");
        String::from_utf8(bytes).expect("UTF-8")
    };
    if reply.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            while !size.ends_with("\r\n") {
                size.push_str(&read(1));
            }
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk size");
            let chunk = read(size);
            assert_eq!(read(2), "\r\n");
            if size == 0 {
                break;
            }
            reply.chunks.push(chunk);
        }
    } else if !head.starts_with("HEAD ") {
        let length = reply.header("content-length").unwrap_or("0");
        let length = length.parse().expect("a number");
        reply.chunks.push(read(length));
    }
    reply
}

/// A reply byte by byte, however it ended.
pub struct Wire {
    /// Status line and headers.
    pub head: String,
    /// What came after it.
    pub body: Vec<u8>,
    /// What the last read said, if not that the other side has closed.
    pub broken: Option<ErrorKind>,
}

impl Wire {
    /// The HTTP chunks that came whole.
    pub fn chunks(&self) -> Vec<&[u8]> {
        self.chunks_and_rest().0
    }

    /// Whether the last chunk said that it is the last.
    pub fn is_complete(&self) -> bool {
        self.chunks_and_rest().1 == b"0\r\n\r\n"
    }

    fn chunks_and_rest(&self) -> (Vec<&[u8]>, &[u8]) {
        let mut chunks = Vec::new();
        let mut rest = &self.body[..];
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let size = std::str::from_utf8(&rest[..end]).expect("a chunk size");
            let size = usize::from_str_radix(size.trim_end(), 16).expect("a chunk size");
            let chunk = end + 1..end + 1 + size;
            if size == 0 || rest.len() < chunk.end + 2 {
                break;
            }
            chunks.push(&rest[chunk.clone()]);
            assert_eq!(&rest[chunk.end..chunk.end + 2], b"\r\n");
            rest = &rest[chunk.end + 2..];
        }
        (chunks, rest)
    }
}

/// Sends one request and takes what comes until the connection ends, in whichever way.
pub fn wire(server: &MockServer, head: &str, body: &str) -> Wire {
    let mut stream = send(server, head, body);
    let mut bytes = Vec::new();
    // What was read before an error stays in `bytes`.
    let broken = stream.read_to_end(&mut bytes).err().map(|e| e.kind());
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.map_or(bytes.len(), |end| end + 4);
    Wire {
        head: String::from_utf8(bytes[..end].to_vec()).expect("an ASCII head"),
        body: bytes.split_off(end),
        broken,
    }
}
