//! Wakes each of many tasks at its time, by one [`Timer`].

use super::timer::Timer;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// All who wait for a time on this thread. A clone is the same alarm.
#[derive(Clone, Default)]
pub struct Alarm(Rc<RefCell<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// By time; the number keeps two of the same time apart.
    due: BTreeMap<(Instant, u64), Waker>,
    next: u64,
    /// The task that rings, to be told when there is an earlier time than it knows.
    ringer: Option<Waker>,
}

impl Alarm {
    /// Ready at `due`; until then the task is woken at that time.
    pub fn poll_until(&self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        if Instant::now() >= due {
            return Poll::Ready(());
        }
        let waiting = &mut *self.0.borrow_mut();
        waiting.next += 1;
        let key = (due, waiting.next);
        let earliest = waiting.due.first_key_value().map(|(&key, _)| key);
        waiting.due.insert(key, cx.waker().clone());
        if earliest.is_none_or(|earliest| key < earliest)
            && let Some(ringer) = waiting.ringer.take()
        {
            ringer.wake();
        }
        Poll::Pending
    }

    /// Waits until `due`.
    pub async fn until(&self, due: Instant) {
        poll_fn(|cx| self.poll_until(cx, due)).await;
    }

    /// Rings for all, for good.
    pub async fn ring(&self, mut timer: Timer) -> io::Error {
        loop {
            let known = self.0.borrow().due.first_key_value().map(|(&key, _)| key);
            let Some(first) = known else {
                self.earlier_than(None).await;
                continue;
            };
            tokio::select! {
                rung = timer.until(first.0) => if let Err(error) = rung {
                    return error;
                },
                () = self.earlier_than(known) => {}
            }
            let waiting = &mut *self.0.borrow_mut();
            let later = waiting.due.split_off(&(Instant::now(), u64::MAX));
            for waker in std::mem::replace(&mut waiting.due, later).into_values() {
                waker.wake();
            }
        }
    }

    /// Ready when somebody waits for an earlier time than `known`.
    async fn earlier_than(&self, known: Option<(Instant, u64)>) {
        poll_fn(|cx| {
            let waiting = &mut *self.0.borrow_mut();
            let first = waiting.due.first_key_value().map(|(&key, _)| key);
            if first.is_some_and(|first| known.is_none_or(|known| first < known)) {
                return Poll::Ready(());
            }
            waiting.ringer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
