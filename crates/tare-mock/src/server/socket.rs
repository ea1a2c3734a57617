//! The socket, which notes when it wrote each token.
//!
//! The server hands a token to hyper, and hyper writes it some time later, alone or with others.
//! So the moment of sending is taken here, just before the `write` that carries the token. (A
//! `write` that takes only a part, because the client reads too slowly, stamps all that it was
//! given: then the client is the bottleneck and a token's delivery is counted as long as it was.)

use crate::clock::Moment;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::net::TcpStream;

/// What a connection's present reply has handed over, and when that was written.
#[derive(Default)]
pub struct Ledger {
    handed: Cell<usize>,
    /// So many of those handed over last have not gone to hyper yet: a fault keeps them back.
    held: Cell<usize>,
    sent: RefCell<Vec<Moment>>,
    waiting: RefCell<Option<Waker>>,
    flushes: Cell<u64>,
    waiting_for_flush: RefCell<Option<Waker>>,
    ends_by_reset: Cell<bool>,
}

impl Ledger {
    /// Begins a reply.
    pub fn begin(&self) {
        self.handed.set(0);
        self.held.set(0);
        self.sent.borrow_mut().clear();
        self.waiting.take();
    }

    /// So many more tokens go to hyper.
    pub fn hand(&self, tokens: usize) {
        self.handed.set(self.handed.get() + tokens);
    }

    /// Ready with the moment of each token's sending, once all that were handed are sent.
    pub fn poll_sent(&self, cx: &mut Context<'_>) -> Poll<Vec<Moment>> {
        if self.sent.borrow().len() < self.handed.get() {
            *self.waiting.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(self.sent.take())
    }

    /// The moment of each token's sending, of those that are sent.
    pub fn sent(&self) -> Vec<Moment> {
        self.sent.borrow().clone()
    }

    /// Whether someone waits until all tokens that were handed over are sent.
    pub fn is_awaited(&self) -> bool {
        self.waiting.borrow().is_some()
    }

    /// How many tokens were handed over.
    pub fn handed(&self) -> usize {
        self.handed.get()
    }

    /// The last so many tokens that were handed over do not go to hyper yet.
    pub fn hold(&self, tokens: usize) {
        self.held.set(self.held.get() + tokens);
    }

    /// So many of those held back go to hyper now.
    pub fn release(&self, tokens: usize) {
        self.held.set(self.held.get().saturating_sub(tokens));
    }

    /// How often hyper has written all that it had.
    pub fn flushes(&self) -> u64 {
        self.flushes.get()
    }

    /// Ready once hyper has written all that it had more often than `before`.
    pub fn poll_flushed(&self, cx: &mut Context<'_>, before: u64) -> Poll<()> {
        if self.flushes.get() > before {
            return Poll::Ready(());
        }
        *self.waiting_for_flush.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The connection is to end by a reset.
    pub fn reset(&self) {
        self.ends_by_reset.set(true);
    }

    /// Hyper has written all that it had.
    pub fn flushed(&self) {
        self.flushes.set(self.flushes.get() + 1);
        if let Some(waker) = self.waiting_for_flush.take() {
            waker.wake();
        }
    }

    fn written(&self, at: Moment) {
        let gone = self.handed.get() - self.held.get();
        self.sent.borrow_mut().resize(gone, at);
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

/// A connection to a client.
pub struct Socket {
    stream: TokioIo<TcpStream>,
    ledger: Rc<Ledger>,
}

impl Socket {
    pub fn new(stream: TcpStream, ledger: Rc<Ledger>) -> Self {
        Self {
            stream: TokioIo::new(stream),
            ledger,
        }
    }

    fn noted(&self, at: Moment, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = written {
            self.ledger.written(at);
        }
        written
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let at = Moment::now();
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(at, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let at = Moment::now();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.noted(at, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.ledger.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.ledger.ends_by_reset.get() {
            return Poll::Ready(Ok(())); // no polite end before it
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    /// With no time to linger, closing a connection resets it.
    fn drop(&mut self) {
        if self.ledger.ends_by_reset.get() {
            // Where that fails, the connection is gone already.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}
