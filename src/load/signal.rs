//! How tasks wait for each other and for Ctrl-C, under any runtime, blocking threads included:
//! those may not wait for a task's own handle, because that blocks.

use futures::task::AtomicWaker;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

/// Something that happens once; one task waits for it at a time, any number look.
#[derive(Debug, Default)]
pub struct Signal {
    raised: AtomicBool,
    waker: AtomicWaker,
}

impl Signal {
    /// Says that it has happened, and whether it had before.
    pub fn raise(&self) -> bool {
        let before = self.raised.swap(true, Ordering::SeqCst);
        self.waker.wake();
        before
    }

    /// Whether it has happened.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Waits until it has.
    pub fn raised(&self) -> impl Future<Output = ()> + Send {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            match self.is_raised() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }
}

/// How many are at work; one task waits until nobody is.
#[derive(Debug, Default)]
pub struct Crew {
    present: AtomicUsize,
    gone: AtomicWaker,
}

/// One who is at work until this is dropped, be it by a panic.
#[derive(Debug)]
pub struct Member(Arc<Crew>);

impl Crew {
    /// One more.
    pub fn join(self: &Arc<Self>) -> Member {
        self.present.fetch_add(1, Ordering::SeqCst);
        Member(Arc::clone(self))
    }

    /// Waits until nobody is left.
    pub fn all_gone(&self) -> impl Future<Output = ()> + Send {
        poll_fn(|cx| {
            self.gone.register(cx.waker());
            match self.present.load(Ordering::SeqCst) {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.0.present.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.gone.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::thread;

    #[test]
    fn whoever_waits_for_a_signal_is_woken_from_another_thread() {
        let signal = Arc::new(Signal::default());
        let other = Arc::clone(&signal);
        let raiser = thread::spawn(move || other.raise());
        block_on(signal.raised());
        assert!(!raiser.join().expect("no panic"), "it was the first");
        assert!(signal.is_raised() && signal.raise());
    }

    #[test]
    fn a_crew_is_gone_with_its_last_member_and_a_panic_is_a_leaving_too() {
        let crew = Arc::new(Crew::default());
        let leave = crew.join();
        let panic = crew.join();
        let threads = [
            thread::spawn(move || drop(leave)),
            thread::spawn(move || {
                let _here = panic;
                std::panic::resume_unwind(Box::new("on purpose"));
            }),
        ];
        block_on(crew.all_gone());
        let ends = threads.map(|thread| thread.join().is_ok());
        assert_eq!(ends, [true, false]);
    }
}
