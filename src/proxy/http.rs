//! Where HTTP/1.1 messages begin and end in a stream of bytes, without any I/O.
//!
//! A [`HeadReader`] gathers a head until it is whole, a [`Body`] walks over what follows and says of
//! each stretch of bytes what it is. Nothing is changed and no content is copied.

use std::ops::Range;

/// No head is longer than this, or the other side speaks no HTTP: bytes. Go's server takes as much.
const LONGEST_HEAD: usize = 1 << 20;
/// More header lines than any client or server sends.
const MOST_HEADERS: usize = 256;

/// The bytes are no HTTP/1 messages, so that nobody can say where one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHttp;

/// Gathers the bytes of a head.
#[derive(Debug, Default)]
pub struct HeadReader {
    gathered: Vec<u8>,
}

impl HeadReader {
    /// Takes what belongs to the head off the front of `bytes`. `Some` is the whole head, with the
    /// blank line that ends it.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, NotHttp> {
        // The end may lie across two pieces: of what was gathered, the last three bytes count.
        let seen = self.gathered.len().saturating_sub(3);
        self.gathered.extend_from_slice(bytes);
        let Some(end) = end_of_head(&self.gathered[seen..]) else {
            *bytes = &[];
            return match self.gathered.len() {
                0..=LONGEST_HEAD => Ok(None),
                _ => Err(NotHttp),
            };
        };
        let rest = self.gathered.len() - (seen + end);
        *bytes = &bytes[bytes.len() - rest..];
        self.gathered.truncate(seen + end);
        Ok(Some(std::mem::take(&mut self.gathered)))
    }

    /// What was gathered of a head that is not whole.
    pub fn gathered(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.gathered)
    }
}

/// Where the first blank line ends. A bare `\n` ends a line too, as it does for Go and hyper.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| match &bytes[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// A line of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderLine<'a> {
    /// The name as it was written.
    pub name: &'a str,
    /// The value.
    pub value: &'a [u8],
}

impl HeaderLine<'_> {
    /// Whether it has this name, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn says(&self, word: &[u8]) -> bool {
        let mut words = self.value.split(|&byte| byte == b',');
        words.any(|one| one.trim_ascii().eq_ignore_ascii_case(word))
    }
}

/// The head of a request.
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a str,
    /// What is asked for.
    pub target: &'a str,
    /// HTTP/1.`minor`.
    pub minor: u8,
    /// The header lines in their order.
    pub headers: Vec<HeaderLine<'a>>,
}

/// The head of a reply.
#[derive(Debug)]
pub struct ReplyHead<'a> {
    /// HTTP/1.`minor`.
    pub minor: u8,
    /// Status code.
    pub status: u16,
    /// The header lines in their order.
    pub headers: Vec<HeaderLine<'a>>,
}

impl<'a> RequestHead<'a> {
    /// Reads a whole head.
    pub fn read(head: &'a [u8]) -> Result<Self, NotHttp> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(head).map_err(|_| NotHttp)?;
        let whole = request.method.zip(request.path).zip(request.version);
        let ((method, target), minor) = whole.ok_or(NotHttp)?;
        Ok(Self {
            method,
            target,
            minor,
            headers: lines(request.headers),
        })
    }

    /// The body that follows.
    pub fn body(&self) -> Result<Body, NotHttp> {
        Ok(sized(&self.headers)?.unwrap_or(Body::Ended))
    }
}

impl<'a> ReplyHead<'a> {
    /// Reads a whole head.
    pub fn read(head: &'a [u8]) -> Result<Self, NotHttp> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut reply = httparse::Response::new(&mut headers);
        reply.parse(head).map_err(|_| NotHttp)?;
        let (minor, status) = reply.version.zip(reply.code).ok_or(NotHttp)?;
        Ok(Self {
            minor,
            status,
            headers: lines(reply.headers),
        })
    }

    /// Whether it only announces another.
    pub fn is_interim(&self) -> bool {
        matches!(self.status, 100..=199) && !self.switches()
    }

    /// Whether what follows is another protocol.
    pub fn switches(&self) -> bool {
        self.status == 101
    }

    /// The body that follows, if the request was no `HEAD`.
    pub fn body(&self) -> Result<Body, NotHttp> {
        match self.status {
            100..=199 | 204 | 304 => Ok(Body::Ended),
            _ => Ok(sized(&self.headers)?.unwrap_or(Body::UntilClose)),
        }
    }

    /// The value of a header, where there is one.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut named = self.headers.iter().filter(|line| line.is(name));
        named.next().map(|line| line.value)
    }
}

fn lines<'a>(headers: &[httparse::Header<'a>]) -> Vec<HeaderLine<'a>> {
    let line = |header: &httparse::Header<'a>| HeaderLine {
        name: header.name,
        value: header.value,
    };
    headers.iter().map(line).collect()
}

/// The body that its own headers give an end.
fn sized(headers: &[HeaderLine<'_>]) -> Result<Option<Body>, NotHttp> {
    let named = |name: &'static str| headers.iter().filter(move |line| line.is(name));
    if named("transfer-encoding").any(|line| line.says(b"chunked")) {
        return Ok(Some(Body::Chunked(Chunks::default())));
    }
    let Some(line) = named("content-length").next() else {
        return Ok(None);
    };
    let size = std::str::from_utf8(line.value).ok();
    match size.and_then(|size| size.trim().parse().ok()) {
        Some(0) => Ok(Some(Body::Ended)),
        Some(size) => Ok(Some(Body::Sized(size))),
        None => Err(NotHttp),
    }
}

/// What is still to come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// So many bytes.
    Sized(u64),
    /// Chunks.
    Chunked(Chunks),
    /// Whatever comes until the connection is closed.
    UntilClose,
    /// Nothing.
    Ended,
}

/// What a stretch of a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Content.
    Content,
    /// The size of a chunk, or its end.
    Framing,
    /// What comes after the last chunk, up to the blank line that ends the body.
    Trailer,
}

impl Body {
    /// What the front of `bytes`, of which there must be some, is and how long that goes on. At
    /// least one byte is taken unless the body has ended.
    pub fn next(&mut self, bytes: &[u8]) -> Result<(Range<usize>, Part), NotHttp> {
        match self {
            Body::Ended => Ok((0..0, Part::Framing)),
            Body::UntilClose => Ok((0..bytes.len(), Part::Content)),
            Body::Sized(left) => {
                let taken = most(*left, bytes);
                *left -= taken as u64;
                if *left == 0 {
                    *self = Body::Ended;
                }
                Ok((0..taken, Part::Content))
            }
            Body::Chunked(chunks) => {
                let (taken, part) = chunks.next(bytes)?;
                if *chunks == Chunks::Ended {
                    *self = Body::Ended;
                }
                Ok((0..taken, part))
            }
        }
    }
}

/// So many of these bytes at the most.
fn most(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
}

/// Where in a chunked body one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// In the line that has the size of the next chunk.
    Size {
        /// What its digits say so far.
        size: u64,
        /// How many digits there were.
        digits: u32,
        /// Whether the digits are over and an extension follows.
        extension: bool,
    },
    /// So many bytes before the end of a chunk.
    Content(u64),
    /// At the line end after a chunk.
    ContentEnd,
    /// After the last chunk, in a line that has something or nothing yet.
    Trailer {
        /// Whether nothing stands in it.
        blank: bool,
    },
    /// Behind all of it.
    Ended,
}

impl Default for Chunks {
    fn default() -> Self {
        Self::Size {
            size: 0,
            digits: 0,
            extension: false,
        }
    }
}

impl Chunks {
    fn next(&mut self, bytes: &[u8]) -> Result<(usize, Part), NotHttp> {
        match self {
            Chunks::Content(left) => {
                let taken = most(*left, bytes);
                *left -= taken as u64;
                if *left == 0 {
                    *self = Chunks::ContentEnd;
                }
                Ok((taken, Part::Content))
            }
            Chunks::Trailer { .. } => Ok((self.trailer(bytes), Part::Trailer)),
            Chunks::Ended => Ok((0, Part::Framing)),
            Chunks::Size { .. } | Chunks::ContentEnd => {
                let mut taken = 0;
                for &byte in bytes {
                    if !matches!(self, Chunks::Size { .. } | Chunks::ContentEnd) {
                        break;
                    }
                    self.framing(byte)?;
                    taken += 1;
                }
                Ok((taken, Part::Framing))
            }
        }
    }

    /// Takes a byte of what stands between contents.
    fn framing(&mut self, byte: u8) -> Result<(), NotHttp> {
        match (&mut *self, byte) {
            (Chunks::ContentEnd, b'\r') => {}
            (Chunks::ContentEnd, b'\n') => *self = Chunks::default(),
            (Chunks::Size { digits: 0, .. }, b'\n') => return Err(NotHttp),
            (Chunks::Size { size: 0, .. }, b'\n') => *self = Chunks::Trailer { blank: true },
            (Chunks::Size { size, .. }, b'\n') => *self = Chunks::Content(*size),
            (
                Chunks::Size {
                    extension: true, ..
                },
                _,
            ) => {}
            (Chunks::Size { extension, .. }, b';' | b' ' | b'\t' | b'\r') => *extension = true,
            (Chunks::Size { size, digits, .. }, _) => {
                let digit = char::from(byte).to_digit(16).ok_or(NotHttp)?;
                let shifted = size.checked_mul(16).ok_or(NotHttp)?;
                *size = shifted + u64::from(digit);
                *digits = digits.saturating_add(1);
            }
            _ => return Err(NotHttp),
        }
        Ok(())
    }

    /// Takes the lines after the last chunk, up to the blank one.
    fn trailer(&mut self, bytes: &[u8]) -> usize {
        for (at, &byte) in bytes.iter().enumerate() {
            match (&mut *self, byte) {
                (Chunks::Trailer { blank: true }, b'\n') => {
                    *self = Chunks::Ended;
                    return at + 1;
                }
                (Chunks::Trailer { blank }, b'\n') => *blank = true,
                (_, b'\r') => {}
                (Chunks::Trailer { blank }, _) => *blank = false,
                _ => {}
            }
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The contents of a body in these pieces, its trailer, and what was left over.
    fn walked(mut body: Body, pieces: &[&[u8]]) -> Result<[Vec<u8>; 3], NotHttp> {
        let [mut content, mut trailer, mut left] = [const { Vec::new() }; 3];
        for piece in pieces {
            let mut bytes = *piece;
            while !bytes.is_empty() && body != Body::Ended {
                let (taken, part) = body.next(bytes)?;
                let (taken, rest) = bytes.split_at(taken.end);
                assert!(!taken.is_empty(), "it goes on");
                match part {
                    Part::Content => content.extend_from_slice(taken),
                    Part::Trailer => trailer.extend_from_slice(taken),
                    Part::Framing => {}
                }
                bytes = rest;
            }
            left.extend_from_slice(bytes);
        }
        Ok([content, trailer, left])
    }

    const CHUNKED: &[u8] =
        b"5\r\nhello\r\n00c; x=1\r\n, chunk\r\nend\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\nHTTP/1.1";

    #[test]
    fn a_chunked_body_is_walked_to_its_end_whatever_the_cut() {
        let expected: [&[u8]; 3] = [
            b"hello, chunk\r\nend",
            b"X-Sum: 1\r\nY: 2\r\n\r\n",
            b"HTTP/1.1",
        ];
        let chunked = || Body::Chunked(Chunks::default());
        for at in 0..=CHUNKED.len() {
            let (head, tail) = CHUNKED.split_at(at);
            let walked = walked(chunked(), &[head, tail]).expect("a body");
            assert_eq!(walked, expected.map(<[u8]>::to_vec), "cut at {at}");
        }
        let bytes: Vec<&[u8]> = CHUNKED.chunks(1).collect();
        let walked = walked(chunked(), &bytes).expect("a body");
        assert_eq!(walked, expected.map(<[u8]>::to_vec));
    }

    #[test]
    fn a_sized_body_ends_after_its_size() {
        let [content, _, left] = walked(Body::Sized(5), &[b"he", b"llo", b"next"]).expect("a body");
        assert_eq!((&content[..], &left[..]), (&b"hello"[..], &b"next"[..]));
    }

    #[test]
    fn a_chunk_without_a_size_is_no_http() {
        for bytes in [
            &b"\r\nx"[..],
            b"x\r\n",
            b"fffffffffffffffff\r\n",
            b"1\r\nab\r\n",
        ] {
            let walked = walked(Body::Chunked(Chunks::default()), &[bytes]);
            assert_eq!(walked, Err(NotHttp), "{bytes:?}");
        }
    }

    #[test]
    fn a_head_is_gathered_whatever_the_cut() {
        let text = b"GET / HTTP/1.1\r\nHost: h\r\n\r\nbody";
        for at in 0..=text.len() {
            let (mut head, mut tail) = text.split_at(at);
            let mut reader = HeadReader::default();
            let mut whole = reader.take(&mut head).expect("short");
            let mut rest = head.to_vec();
            if whole.is_none() {
                whole = reader.take(&mut tail).expect("short");
            }
            rest.extend_from_slice(tail);
            assert_eq!(
                whole.as_deref(),
                Some(&text[..text.len() - 4]),
                "cut at {at}"
            );
            assert_eq!(rest, b"body", "cut at {at}");
        }
        let mut reader = HeadReader::default();
        let long = vec![b'x'; LONGEST_HEAD + 1];
        assert_eq!(reader.take(&mut &long[..]), Err(NotHttp));
    }

    #[test]
    fn a_reply_has_the_body_that_its_head_says() {
        let body = |head: &str| ReplyHead::read(head.as_bytes()).and_then(|head| head.body());
        let chunked = Body::Chunked(Chunks::default());
        for (head, expected) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
                Ok(Body::Sized(7)),
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
                Ok(Body::Ended),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n",
                Ok(chunked),
            ),
            ("HTTP/1.0 200 OK\r\n\r\n", Ok(Body::UntilClose)),
            ("HTTP/1.1 204 No Content\r\n\r\n", Ok(Body::Ended)),
            ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Err(NotHttp)),
        ] {
            assert_eq!(body(head), expected, "{head}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_without_a_panic_or_a_standstill(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = walked(Body::Chunked(Chunks::default()), &[&bytes]);
            let _ = HeadReader::default().take(&mut &bytes[..]);
        }
    }
}
