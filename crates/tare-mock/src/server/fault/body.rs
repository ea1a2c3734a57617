//! A faulty reply as it goes out: it takes the course that its faults set, around the stream that
//! it would have been.

use super::course::{Course, Step};
use super::plan::Plan;
use crate::server::log::Ending;
use crate::server::socket::Ledger;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

/// A reply with faults. `S` is the stream without them.
pub struct Faulty<S> {
    /// None when nothing more is wanted of it: with it goes the request's place at the engine.
    stream: Option<S>,
    ledger: Rc<Ledger>,
    course: Course,
    waits: Option<Wait>,
    /// How a reply in one piece ends.
    ending: Option<Ending>,
}

enum Wait {
    /// For what was handed over to be written: more flushes than there were.
    Flush(u64),
    Time(Pin<Box<Sleep>>),
}

/// The end of a connection, for hyper to make.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset, as a fault wants it")]
pub struct Reset;

impl<S> Faulty<S> {
    /// A stream. `error` is the line that an `error` says.
    pub fn stream(stream: S, plan: &Plan, error: Vec<u8>, ledger: Rc<Ledger>) -> Self {
        Self {
            stream: Some(stream),
            ledger,
            course: Course::stream(plan.lines.clone(), plan.course.clone(), error),
            waits: None,
            ending: None,
        }
    }

    /// A reply in one piece.
    pub fn whole(object: Vec<u8>, plan: &Plan, ledger: Rc<Ledger>) -> Self {
        Self {
            stream: None,
            ledger,
            course: Course::whole(object, plan.course.clone()),
            waits: None,
            ending: Some(match plan.course.end {
                Some(_) => Ending::Cut,
                None => Ending::Complete,
            }),
        }
    }

    /// How a reply in one piece ends; `None` of a stream, which tells it itself.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.waits {
            None => return Poll::Ready(()),
            Some(Wait::Flush(before)) => ready!(self.ledger.poll_flushed(cx, *before)),
            Some(Wait::Time(sleep)) => ready!(sleep.as_mut().poll(cx)),
        }
        self.waits = None;
        Poll::Ready(())
    }

    fn pause(&mut self, time: Duration) {
        self.waits = Some(Wait::Time(Box::pin(tokio::time::sleep(time))));
    }
}

impl<S: Body<Data = Bytes, Error = Infallible> + Unpin> Faulty<S> {
    /// Takes the stream's next line, if it has one.
    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(());
        };
        let before = self.ledger.handed();
        let frame = Pin::new(stream).poll_frame(cx);
        // What it handed over is not on its way before the course lets it go.
        let tokens = self.ledger.handed() - before;
        self.ledger.hold(tokens);
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    self.course.line(data.into(), tokens);
                }
                Poll::Ready(())
            }
            Poll::Ready(None) => {
                self.stream = None;
                self.course.release();
                Poll::Ready(())
            }
            // It won't say its last line before all others are sent.
            Poll::Pending if self.course.holds_back() && self.ledger.is_awaited() => {
                self.course.release();
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: Body<Data = Bytes, Error = Infallible> + Unpin> Body for Faulty<S> {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        let this = &mut *self;
        loop {
            ready!(this.poll_wait(cx));
            match this.course.next() {
                Some(Step::Chunk(bytes, tokens)) => {
                    this.ledger.release(tokens);
                    return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
                }
                Some(Step::Flush) => this.waits = Some(Wait::Flush(this.ledger.flushes())),
                Some(Step::Pause(time)) => this.pause(time),
                Some(Step::End) => {
                    this.stream = None;
                    return Poll::Ready(None);
                }
                Some(Step::Reset) => {
                    this.stream = None;
                    this.ledger.reset();
                    return Poll::Ready(Some(Err(Reset)));
                }
                None if this.stream.is_none() => return Poll::Ready(None),
                None => ready!(this.poll_line(cx)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::fault::Faults;
    use futures_util::task::noop_waker;
    use hyper::HeaderMap;

    /// A stream of lines, each of which is a token, as far as the ledger knows.
    struct Lines(Vec<&'static str>, Rc<Ledger>);

    impl Body for Lines {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let line = self.0.pop();
            if line.is_some() {
                self.1.hand(1);
            }
            Poll::Ready(line.map(|line| Ok(Frame::data(Bytes::from_static(line.as_bytes())))))
        }
    }

    #[test]
    fn the_second_part_waits_until_the_first_is_written_and_only_then_counts() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let ledger = Rc::new(Ledger::default());
            let faults = Faults::new(vec!["split=2".parse().expect("a fault")], 0);
            let plan = faults
                .strike(&HeaderMap::new())
                .expect("sound")
                .expect("a plan");
            let lines = Lines(vec!["cdef", "abcd"], Rc::clone(&ledger));
            let mut body = Faulty::stream(lines, &plan, Vec::new(), Rc::clone(&ledger));
            let waker = noop_waker();
            let mut poll = || {
                let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(&waker));
                frame.map(|frame| frame.map(|frame| frame.expect("no end").into_data().ok()))
            };
            let data =
                |text: &'static str| Poll::Ready(Some(Some(Bytes::from_static(text.as_bytes()))));
            let sent = || ledger.poll_sent(&mut Context::from_waker(&waker));

            assert_eq!(poll(), data("ab"));
            assert_eq!(poll(), Poll::Pending, "not written yet");
            ledger.flushed();
            assert_eq!(poll(), Poll::Pending, "a moment between the two");
            assert_eq!(sent(), Poll::Pending, "half of a token is none");
            let second = loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if let Poll::Ready(part) = poll() {
                    break Poll::Ready(part);
                }
            };
            assert_eq!(second, data("cd"));
            assert_eq!(
                poll(),
                Poll::Pending,
                "the next line is written by itself too"
            );
            ledger.flushed();
            assert_eq!(poll(), data("cd"));
        });
    }
}
