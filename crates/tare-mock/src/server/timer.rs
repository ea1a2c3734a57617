//! A timer that rings when it should, on Tokio's current-thread scheduler.
//!
//! Tokio's own timer has ticks of a millisecond. `async-io`'s is precise, but whoever waits in its
//! `block_on` for more than half a millisecond hands the waiting to a thread of the library, so
//! that a token costs two wake-ups: here half of them were 0.1 to 0.2 ms late. So the kernel's timer
//! is waited for directly, among the sockets and on the same thread; and since waking a sleeping
//! processor takes time by itself, it is set a little early, and the rest of the time is spent
//! looking at the clock and the sockets in turn. How early grows with the sleep, because a processor
//! sleeps the deeper the longer: on a virtual machine the 99th percentile of the kernel's lateness
//! was 93 µs after 1 ms, 165 µs after 10 ms and 247 µs after 40 ms.

use std::io;
use std::time::{Duration, Instant};
use tokio::task::yield_now;

/// The least that the kernel's timer is set early by.
const LEAST_EARLY: Duration = Duration::from_micros(100);
/// The most that it is set early by, and so the most time per token that the mock burns.
const MOST_EARLY: Duration = Duration::from_micros(300);
/// Between the two it is this share of the time to wait.
const EARLY_SHARE: u32 = 40;

/// A timer for one who waits at a time.
pub struct Timer(kernel::Timer);

impl Timer {
    /// # Errors
    /// When the system gives no timer.
    pub fn new() -> io::Result<Self> {
        kernel::Timer::new().map(Self)
    }

    /// Waits until `due`, and not less. May be given up at any time.
    pub async fn until(&mut self, due: Instant) -> io::Result<()> {
        let left = due.saturating_duration_since(Instant::now());
        let early = (left / EARLY_SHARE).clamp(LEAST_EARLY, MOST_EARLY);
        let asleep = left.saturating_sub(early);
        // The kernel takes zero for "never".
        if !asleep.is_zero() {
            self.0.wait(asleep).await?;
        }
        while Instant::now() < due {
            yield_now().await;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::time::Duration;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// The kernel's timer as a file that becomes readable.
    pub struct Timer(AsyncFd<File>);

    struct File(TimerFd);

    impl AsRawFd for File {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    impl Timer {
        pub fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let file = File(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
            // SAFETY: the descriptor is open, `File` owns it for as long as `AsyncFd` owns `File`,
            // and `as_raw_fd` gives that one each time.
            #[expect(unsafe_code)]
            let file = unsafe { AsyncFd::register_with_interest(file, Interest::READABLE)? };
            Ok(Self(file))
        }

        /// Waits for `duration`. Setting it takes back what it was set to before.
        pub async fn wait(&mut self, duration: Duration) -> io::Result<()> {
            let once = Expiration::OneShot(TimeSpec::from_duration(duration));
            self.0.get_ref().0.set(once, TimerSetTimeFlags::empty())?;
            loop {
                let mut ready = self.0.readable().await?;
                // Reading takes the ring off; there is none if it was of a wait given up before.
                match ready.try_io(|file| Ok(file.get_ref().0.wait()?)) {
                    Ok(rung) => return rung,
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;
    use std::time::Duration;

    /// Tokio's timer, which never rings early; what it is late by is left to be waited for.
    pub struct Timer;

    impl Timer {
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub async fn wait(&mut self, duration: Duration) -> io::Result<()> {
            /// Two of Tokio's ticks.
            const COARSE: Duration = Duration::from_millis(2);
            if duration > COARSE {
                tokio::time::sleep(duration - COARSE).await;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_rings_early_and_can_be_set_again_after_it_was_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut timer = Timer::new().expect("a timer");
            for micros in [0, 50, 1_500, 300] {
                let due = Instant::now() + Duration::from_micros(micros);
                timer.until(due).await.expect("it rings");
                assert!(Instant::now() >= due);
                // Given up while it waits: an earlier one must ring all the same.
                tokio::select! {
                    _ = timer.until(Instant::now() + Duration::from_secs(3600)) => {}
                    () = yield_now() => {}
                }
            }
        });
    }
}
