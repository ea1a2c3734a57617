//! A waker for a connection that is driven by the very task which waits for its data.
//!
//! hyper passes each piece of a body through a channel between the connection and its reader, and
//! each side wakes the other. Here both are one task, which is running at that moment and will look
//! again in any case; but an executor that is told to wake a running task queues it once more, and
//! on two threads it wakes the other thread to run it. At a token per millisecond that doubled the
//! CPU time of tokio's multi-thread scheduler and of smol. So a wake-up which the driving task
//! causes itself only makes it look again before it waits; every other goes through.

use futures::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// The waker to poll a connection with.
#[derive(Debug)]
pub struct Gate {
    state: Arc<State>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct State {
    /// The task that drives, woken by all others.
    task: AtomicWaker,
    /// The thread that drives at present; 0 is none.
    driver: AtomicUsize,
    /// The driver has woken itself.
    again: AtomicBool,
}

impl Gate {
    pub fn new() -> Self {
        let state = Arc::<State>::default();
        Self {
            waker: Arc::clone(&state).into(),
            state,
        }
    }

    /// Polls `step` with the gate's waker until it is ready, or pending without having woken
    /// itself.
    pub fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.state.task.register(cx.waker());
        self.state.driver.store(this_thread(), Ordering::Release);
        let inner = &mut Context::from_waker(&self.waker);
        let outcome = loop {
            let outcome = step(inner);
            if outcome.is_ready() || !self.state.again.swap(false, Ordering::AcqRel) {
                break outcome;
            }
        };
        self.state.driver.store(0, Ordering::Release);
        outcome
    }
}

impl Wake for State {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.driver.load(Ordering::Acquire) == this_thread() {
            self.again.store(true, Ordering::Release);
        } else {
            self.task.wake();
        }
    }
}

/// A number that no other living thread has, and that is not 0.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::task::noop_waker;
    use std::sync::atomic::AtomicU32;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_task_that_wakes_itself_looks_again_and_is_not_queued() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut looked = 0;
        let outcome: Poll<()> = Gate::new().poll(&mut Context::from_waker(&waker), |cx| {
            looked += 1;
            if looked < 3 {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        });
        assert_eq!((outcome, looked), (Poll::Pending, 3));
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_wake_up_from_elsewhere_goes_through_at_any_time() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let gate = Gate::new();
        let mut kept = noop_waker();
        let _: Poll<()> = gate.poll(&mut Context::from_waker(&waker), |cx| {
            kept = cx.waker().clone();
            let waker = cx.waker().clone();
            let elsewhere = std::thread::spawn(move || waker.wake());
            elsewhere.join().expect("the thread does not panic");
            Poll::Pending
        });
        assert_eq!(count.0.load(Ordering::Relaxed), 1, "while it drives");
        let again = Waker::from(Arc::clone(&count));
        let _: Poll<()> = gate.poll(&mut Context::from_waker(&again), |_| Poll::Pending);
        kept.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 2, "while it waits");
    }

    #[test]
    fn a_wake_up_by_itself_before_it_was_ready_is_not_lost() {
        let gate = Gate::new();
        let noop = noop_waker();
        let cx = &mut Context::from_waker(&noop);
        let ready = gate.poll(cx, |cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        });
        assert!(ready.is_ready());
        let mut looked = 0;
        let _: Poll<()> = gate.poll(cx, |_| {
            looked += 1;
            Poll::Pending
        });
        assert_eq!(looked, 2);
    }
}
