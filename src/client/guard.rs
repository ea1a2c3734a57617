//! The time limits of a call, the same for every client on every runtime.
//!
//! A timer armed and dropped per token would be the dearest thing on the token path (on `async-io`
//! it wakes the reactor each time). So a call has one timer: it sleeps until the earliest moment at
//! which a limit *could* have run out, looks then whether anything has come meanwhile, and sleeps
//! on. Progress costs one reading of the clock.
//!
//! On blocking threads nothing is ever pending, so the timer is never asked: there the raw client
//! sets the same limits on its socket, and the limit of the whole call is looked at per piece.

use super::{Body, ClientError, Endpoint, Limits, Phase, Reply};
use crate::runtime::Runtime;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Runs `work` for at most `limit`.
///
/// # Errors
/// What `work` fails with, or [`ClientError::TimedOut`].
pub async fn within<R: Runtime, T>(
    rt: &R,
    to: &Endpoint,
    phase: Phase,
    limit: Duration,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let mut work = pin!(work);
    let mut timer = pin!(rt.sleep(limit));
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = work.as_mut().poll(cx) {
            return Poll::Ready(outcome);
        }
        timer.as_mut().poll(cx).map(|()| {
            Err(ClientError::TimedOut {
                to: to.clone(),
                phase,
                limit,
            })
        })
    })
    .await
}

/// A body that is watched.
pub struct Guarded<R: Runtime, B> {
    body: B,
    watch: Watch<R>,
}

/// Waits for a reply's head under its limit, and watches the body from there on.
///
/// # Errors
/// What `head` fails with, or [`ClientError::TimedOut`].
pub async fn guarded<R: Runtime, B: Body>(
    rt: &R,
    to: &Endpoint,
    limits: Limits,
    head: impl Future<Output = Result<Reply<B>, ClientError>>,
) -> Result<Reply<Guarded<R, B>>, ClientError> {
    let started = Instant::now();
    let reply = within(rt, to, Phase::Head, limits.head.min(limits.call), head).await?;
    let watch = Watch {
        rt: rt.clone(),
        to: to.clone(),
        limits,
        started,
        progress: Instant::now(),
        timer: None,
    };
    Ok(reply.map(|body| Guarded { body, watch }))
}

impl<R: Runtime, B: Body> Body for Guarded<R, B> {
    async fn chunk(&mut self) -> Result<Option<&[u8]>, ClientError> {
        let mut next = pin!(self.body.chunk());
        let watch = &mut self.watch;
        poll_fn(|cx| match next.as_mut().poll(cx) {
            Poll::Ready(Ok(piece)) => Poll::Ready(watch.progressed().map(|()| piece)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => watch.poll(cx).map(Err),
        })
        .await
    }
}

struct Watch<R: Runtime> {
    rt: R,
    to: Endpoint,
    limits: Limits,
    started: Instant,
    progress: Instant,
    timer: Option<Pin<Box<R::Sleep>>>,
}

impl<R: Runtime> Watch<R> {
    fn progressed(&mut self) -> Result<(), ClientError> {
        self.progress = Instant::now();
        if self.progress < self.started + self.limits.call {
            Ok(())
        } else {
            Err(self.timed_out(Phase::Call, self.limits.call))
        }
    }

    /// Ready when a limit has run out; otherwise the timer will wake the task when one could.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ClientError> {
        loop {
            let timer = match &mut self.timer {
                Some(timer) => timer,
                None => {
                    let wait = self.earliest().saturating_duration_since(Instant::now());
                    self.timer.insert(Box::pin(self.rt.sleep(wait)))
                }
            };
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.timer = None;
            if let Some((phase, limit)) = self.overdue() {
                return Poll::Ready(self.timed_out(phase, limit));
            }
        }
    }

    fn earliest(&self) -> Instant {
        (self.progress + self.limits.gap).min(self.started + self.limits.call)
    }

    fn overdue(&self) -> Option<(Phase, Duration)> {
        let now = Instant::now();
        if now >= self.started + self.limits.call {
            Some((Phase::Call, self.limits.call))
        } else if now >= self.progress + self.limits.gap {
            Some((Phase::Gap, self.limits.gap))
        } else {
            None
        }
    }

    fn timed_out(&self, phase: Phase, limit: Duration) -> ClientError {
        ClientError::TimedOut {
            to: self.to.clone(),
            phase,
            limit,
        }
    }
}
