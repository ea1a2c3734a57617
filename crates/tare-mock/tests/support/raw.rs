//! HTTP by hand, over a plain socket, so that no client's leniency hides what a server says.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A server that can be asked.
pub trait Served {
    /// Its address, or the name of its host, with the port.
    fn host(&self) -> String;
}

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
pub fn ask(server: &impl Served, head: &str, body: &str) -> Reply {
    read(send(server, head, body), head).expect("a whole reply")
}

/// Sends one request to any server at `address`, a host with its port, and reads the whole reply.
///
/// # Errors
/// When the connection breaks, or what comes is not HTTP.
pub fn ask_at(address: &str, head: &str, body: &str) -> io::Result<Reply> {
    read(send_to(address, head, body)?, head)
}

/// Sends two requests at once and reads the reply that comes first. The other one stays under way
/// until the server ends.
pub fn first_of(server: &impl Served, requests: [(&'static str, &'static str); 2]) -> Reply {
    let (tell, told) = mpsc::channel();
    for (head, body) in requests {
        let stream = send(server, head, body);
        let tell = tell.clone();
        thread::spawn(move || tell.send(read(stream, head).expect("a whole reply")));
    }
    told.recv().expect("a reply")
}

/// Far more than any reply takes, so that one that never ends fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends a request to a mock.
fn send(server: &impl Served, head: &str, body: &str) -> TcpStream {
    send_to(&server.host(), head, body).expect("the mock listens")
}

/// Sends a request. A `host` among the headers takes the place of the true one.
fn send_to(address: &str, head: &str, body: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut lines = head.split('\n');
    let first = lines.next().unwrap_or_default();
    let mut headers = format!("connection: close\r\ncontent-length: {}\r\n", body.len());
    let mut host = format!("host: {address}");
    for line in lines {
        if line.to_ascii_lowercase().starts_with("host:") {
            host = line.to_owned();
        } else {
            headers.push_str(line);
            headers.push_str("\r\n");
        }
    }
    write!(stream, "{first} HTTP/1.1\r\n{host}\r\n{headers}\r\n{body}")?;
    Ok(stream)
}

/// Reads the whole reply to a request with this head.
fn read(stream: TcpStream, head: &str) -> io::Result<Reply> {
    let mut reader = BufReader::new(stream);
    let status = line(&mut reader)?;
    let status = status.trim_start_matches("HTTP/1.1 ").to_owned();
    let mut headers = Vec::new();
    while let Some((name, value)) = line(&mut reader)?.split_once(':') {
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut reply = Reply {
        status,
        headers,
        chunks: Vec::new(),
    };
    let without_body = head.starts_with("HEAD ") || reply.status.starts_with("204");
    let chunks = if without_body {
        Vec::new()
    } else if reply.header("transfer-encoding") == Some("chunked") {
        chunks(&mut reader)?
    } else {
        let length = reply.header("content-length").unwrap_or("0");
        vec![bytes(&mut reader, length.parse().map_err(no_http)?)?]
    };
    // A long JSON reply is cut anywhere, between the bytes of a character too.
    let texts: Result<_, _> = chunks.iter().cloned().map(String::from_utf8).collect();
    reply.chunks = match texts {
        Ok(texts) => texts,
        Err(_) => vec![String::from_utf8(chunks.concat()).map_err(no_http)?],
    };
    Ok(reply)
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches("\r\n").to_owned())
}

fn bytes(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The chunks up to the last one, which is empty.
fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<Vec<u8>>> {
    let mut chunks = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(reader)?, 16).map_err(no_http)?;
        let chunk = bytes(reader, size)?;
        if !line(reader)?.is_empty() {
            return Err(no_http("a chunk of another size than it says"));
        }
        if size == 0 {
            return Ok(chunks);
        }
        chunks.push(chunk);
    }
}

fn no_http(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
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
pub fn wire(server: &impl Served, head: &str, body: &str) -> Wire {
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
