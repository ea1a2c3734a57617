//! The floor: HTTP/1.1 by hand over a blocking socket.
//!
//! It does what the others do (keep-alive, chunked and sized bodies, limits) and nothing more: one
//! buffer per connection, one `read` whenever the buffer is empty, each HTTP chunk lent from the
//! buffer where it lies. What it costs is what the kernel and the parsing cost. Its futures are
//! always ready, so it runs on `threads` only.

use super::bare_content_type;
use super::idle::Idle;
use super::{
    Body, Client, ClientError, Endpoint, Io, Limits, Options, Phase, ReadBuffer, Reply, Timing,
};
use crate::clock::Moment;
use crate::runtime::{Threads, note_read};
use ::hyper::Method;
use bytes::Bytes;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// What one `read` asks for.
const BUFFER: usize = 64 * 1024;
/// More header lines than any reply of an inference server has.
const HEADERS: usize = 64;

/// `raw`.
#[derive(Clone)]
pub struct Raw {
    shared: Arc<Shared>,
}

struct Shared {
    to: Endpoint,
    limits: Limits,
    headers: String,
    idle: Idle<Link>,
}

/// A connection, and what was read from it but not yet used: `buffer[start..end]`.
struct Link {
    stream: TcpStream,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Client<Threads> for Raw {
    type Body = RawBody;

    fn new(_: Threads, options: &Options) -> Result<Self, ClientError> {
        if options.read_buffer != ReadBuffer::Adaptive {
            return Err(ClientError::Unusable(
                "raw has a read buffer of its own; take hyper-N".to_owned(),
            ));
        }
        let mut headers = format!(
            "host: {}\r\ncontent-type: application/json\r\n",
            options.endpoint.authority()
        );
        for (name, value) in &options.headers {
            headers.push_str(&format!("{name}: {value}\r\n"));
        }
        Ok(Self {
            shared: Arc::new(Shared {
                to: options.endpoint.clone(),
                limits: options.limits,
                headers,
                idle: Idle::new(),
            }),
        })
    }

    fn io() -> Io {
        Io::Native
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Reply<RawBody>, ClientError> {
        let Shared { to, headers, .. } = &*self.shared;
        let mut request = format!(
            "{method} {} HTTP/1.1\r\n{headers}content-length: {}\r\n\r\n",
            to.path(path),
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(&body);

        let on_a_new_one = || {
            let link = self.shared.connect()?;
            let connected = Moment::now();
            let exchanged = self.exchange(link, &request);
            Ok::<_, ClientError>(exchanged.map(|exchanged| (Some(connected), exchanged)))
        };
        let exchanged = match self.shared.idle.take() {
            Some(link) => match self.exchange(link, &request) {
                // The server may have closed an idle connection: once more, on a new one.
                Err(Failure::Gone(_)) => on_a_new_one()?,
                outcome => outcome.map(|exchanged| (None, exchanged)),
            },
            None => on_a_new_one()?,
        };
        let (connected, Exchanged { link, sent, head }) =
            exchanged.map_err(|failure| self.shared.failed(failure, Phase::Head))?;
        Ok(Reply {
            timing: Timing {
                connected,
                sent: Some(sent),
                head: Moment::now(),
            },
            status: head.status,
            content_type: head.content_type,
            body: RawBody {
                link: Some(link),
                left: head.length,
                reusable: head.reusable,
                shared: Arc::clone(&self.shared),
            },
        })
    }
}

impl Raw {
    fn exchange(&self, mut link: Link, request: &[u8]) -> Result<Exchanged, Failure> {
        let limits = self.shared.limits;
        link.read_limit(limits.head.min(limits.call))?;
        link.stream.write_all(request)?;
        let sent = Moment::now();
        let head = link.head()?;
        link.read_limit(limits.gap)?;
        Ok(Exchanged { link, sent, head })
    }
}

impl Shared {
    fn connect(&self) -> Result<Link, ClientError> {
        let limit = self.limits.connect;
        let connected = TcpStream::connect_timeout(&self.to.address(), limit)
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        match connected {
            Ok(stream) => Ok(Link {
                stream,
                buffer: vec![0; BUFFER].into_boxed_slice(),
                start: 0,
                end: 0,
            }),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(ClientError::TimedOut {
                to: self.to.clone(),
                phase: Phase::Connect,
                limit,
            }),
            Err(source) => Err(ClientError::Connect {
                to: self.to.clone(),
                source,
            }),
        }
    }

    fn failed(&self, failure: Failure, phase: Phase) -> ClientError {
        let to = self.to.clone();
        match failure {
            Failure::TimedOut => ClientError::TimedOut {
                to,
                phase,
                limit: match phase {
                    Phase::Gap => self.limits.gap,
                    _ => self.limits.head.min(self.limits.call),
                },
            },
            Failure::Gone(reason) | Failure::NotHttp(reason) => ClientError::Broken { to, reason },
        }
    }
}

/// A request that was written, and its reply's head.
struct Exchanged {
    link: Link,
    sent: Moment,
    head: Head,
}

/// Why a connection is of no further use.
enum Failure {
    TimedOut,
    Gone(String),
    NotHttp(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::TimedOut,
            _ => Failure::Gone(error.to_string()),
        }
    }
}

struct Head {
    status: u16,
    content_type: String,
    length: Length,
    reusable: bool,
}

/// How much of the body is still to come.
enum Length {
    /// So many bytes.
    Sized(u64),
    /// Chunks; so many bytes of the present one, `None` before its size line.
    Chunked(Option<u64>),
    /// Whatever comes until the server closes the connection.
    UntilClose,
    /// Nothing.
    Ended,
}

impl Link {
    fn read_limit(&self, limit: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(limit))
    }

    fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads once, behind what is still unread.
    fn fill(&mut self) -> Result<usize, Failure> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.end == self.buffer.len() {
                return Err(Failure::NotHttp(format!("a line of over {BUFFER} bytes")));
            }
        }
        loop {
            match self.stream.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => {
                    let read = outcome?;
                    note_read(read);
                    self.end += read;
                    return Ok(read);
                }
            }
        }
    }

    fn fill_or_closed(&mut self) -> Result<(), Failure> {
        match self.fill()? {
            0 => Err(Failure::Gone("connection closed too early".to_owned())),
            _ => Ok(()),
        }
    }

    fn head(&mut self) -> Result<Head, Failure> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; HEADERS];
            let mut response = httparse::Response::new(&mut headers);
            let parsed = response
                .parse(self.unread())
                .map_err(|error| Failure::NotHttp(format!("invalid HTTP: {error}")))?;
            match parsed {
                httparse::Status::Complete(size) => {
                    let head = Head::read(&response)?;
                    self.start += size;
                    return Ok(head);
                }
                httparse::Status::Partial => self.fill_or_closed()?,
            }
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<&[u8], Failure> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', self.unread()) {
                let line = self.start..self.start + length;
                self.start += length + 1;
                let line = &self.buffer[line];
                return Ok(line.strip_suffix(b"\r").unwrap_or(line));
            }
            self.fill_or_closed()?;
        }
    }

    /// What is unread, `most` bytes of it at the most, after a read if there is nothing.
    fn take(&mut self, most: u64) -> Result<&[u8], Failure> {
        if self.start == self.end {
            self.fill_or_closed()?;
        }
        let size = (self.end - self.start).min(usize::try_from(most).unwrap_or(usize::MAX));
        let taken = self.start..self.start + size;
        self.start += size;
        Ok(&self.buffer[taken])
    }
}

impl Head {
    fn read(response: &httparse::Response<'_, '_>) -> Result<Self, Failure> {
        let status = response.code.unwrap_or_default();
        let header = |name: &str| {
            let named = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case(name);
            response.headers.iter().find(named).map(|h| h.value)
        };
        let says = |name: &str, value: &[u8]| {
            header(name).is_some_and(|given| given.eq_ignore_ascii_case(value))
        };
        let length =
            if says("transfer-encoding", b"chunked") {
                Length::Chunked(None)
            } else if let Some(value) = header("content-length") {
                let size = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
                Length::Sized(size.ok_or_else(|| {
                    Failure::NotHttp("a content-length that is no number".to_owned())
                })?)
            } else if matches!(status, 204 | 304) {
                Length::Ended
            } else {
                Length::UntilClose
            };
        Ok(Self {
            status,
            content_type: bare_content_type(header("content-type")),
            reusable: response.version == Some(1)
                && !says("connection", b"close")
                && !matches!(length, Length::UntilClose),
            length,
        })
    }
}

/// The body of a reply, with the connection that brings it.
pub struct RawBody {
    link: Option<Link>,
    left: Length,
    reusable: bool,
    shared: Arc<Shared>,
}

impl Body for RawBody {
    async fn chunk(&mut self) -> Result<Option<&[u8]>, ClientError> {
        if let Err(failure) = self.advance() {
            self.link = None;
            return Err(self.shared.failed(failure, Phase::Gap));
        }
        if matches!(self.left, Length::Ended) {
            if let Some(link) = self.link.take().filter(|_| self.reusable) {
                self.shared.idle.put(link);
            }
            return Ok(None);
        }
        let Some(link) = &mut self.link else {
            return Ok(None);
        };
        let (most, left) = match &mut self.left {
            Length::Sized(left) | Length::Chunked(Some(left)) => (*left, Some(left)),
            _ => (u64::MAX, None),
        };
        match link.take(most) {
            Ok(piece) => {
                if let Some(left) = left {
                    *left -= piece.len() as u64;
                }
                Ok(Some(piece))
            }
            Err(failure) => Err(self.shared.failed(failure, Phase::Gap)),
        }
    }
}

impl RawBody {
    /// Steps over what is no content: the end of a chunk, the next one's size, the trailer.
    fn advance(&mut self) -> Result<(), Failure> {
        let Some(link) = &mut self.link else {
            self.left = Length::Ended;
            return Ok(());
        };
        match self.left {
            Length::Sized(0) => self.left = Length::Ended,
            Length::UntilClose if link.start == link.end && link.fill()? == 0 => {
                self.left = Length::Ended;
            }
            Length::Chunked(None) | Length::Chunked(Some(0)) => {
                if matches!(self.left, Length::Chunked(Some(0))) && !link.line()?.is_empty() {
                    return Err(Failure::NotHttp("a chunk longer than its size".to_owned()));
                }
                let size = chunk_size(link.line()?)?;
                if size == 0 {
                    while !link.line()?.is_empty() {}
                    self.left = Length::Ended;
                } else {
                    self.left = Length::Chunked(Some(size));
                }
            }
            Length::Sized(_) | Length::Chunked(_) | Length::UntilClose | Length::Ended => {}
        }
        Ok(())
    }
}

/// The size in a chunk's first line, extensions ignored.
fn chunk_size(line: &[u8]) -> Result<u64, Failure> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .ok_or_else(|| Failure::NotHttp("a chunk without a size".to_owned()))
}
