//! A socket that counts what is read from it and notes when it was last written to.
//!
//! The kernel's own count of a process's reads, `/proc/self/io`, does not see a socket: the standard
//! library reads one by `recv`, under every runtime, and only `read` and its kin are counted there.
//! So each runtime's stream is wrapped in the same few lines. A read counts when it brought bytes or
//! the end; one that found nothing and has to wait does not, because a stream does not tell whether
//! it asked the kernel at all.

use crate::clock::Moment;
use crate::tally::{self, Count};
use hyper_util::rt::TokioIo;
use smol_hyper::rt::FuturesIo;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// Counts a read that brought so many bytes, or the end.
#[inline]
pub fn note_read(bytes: usize) {
    tally::add([
        (Count::SocketReads, 1),
        (Count::SocketReadBytes, bytes as u64),
    ]);
}

/// When a stream was last written to. It outlives the stream.
#[derive(Clone, Debug, Default)]
pub struct Written(Arc<AtomicU64>);

impl Written {
    /// When the last write ended; `None` before the first.
    pub fn last(&self) -> Option<Moment> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Moment(nanos)),
        }
    }

    fn now(&self) {
        self.0.store(Moment::now().0, Ordering::Relaxed);
    }
}

/// A stream that knows when it was written to.
pub trait Watched {
    /// The note of it.
    fn written(&self) -> Written;
}

/// A counted stream.
#[derive(Debug)]
pub struct Counted<S> {
    stream: S,
    written: Written,
}

impl<S> Counted<S> {
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            written: Written::default(),
        }
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = written {
            self.written.now();
        }
        written
    }
}

impl<S> Watched for TokioIo<Counted<S>> {
    fn written(&self) -> Written {
        self.inner().written.clone()
    }
}

impl<S> Watched for FuturesIo<Counted<S>> {
    fn written(&self) -> Written {
        self.get_ref().written.clone()
    }
}

impl<S: tokio::io::AsyncRead + Unpin> tokio::io::AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = read {
            note_read(buffer.filled().len() - before);
        }
        read
    }
}

impl<S: tokio::io::AsyncWrite + Unpin> tokio::io::AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.noted(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: futures::AsyncRead + Unpin> futures::AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(bytes)) = read {
            note_read(bytes);
        }
        read
    }
}

impl<S: futures::AsyncWrite + Unpin> futures::AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.noted(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
