//! A closer look at where time goes: how many system calls there were, and how long decoding took.
//!
//! Both slow what they count (the kernel takes its slow path into every system call of the machine,
//! and the clock is read twice a piece), so what looks closer is no measurement of time. It is done
//! in a run of its own, beside those that are timed.

use crate::tally::{self, Count};
use serde::{Deserialize, Serialize};
use std::ops::Sub;

/// What a closer look has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProfileRun {
    /// Tokens that came meanwhile.
    pub tokens: u64,
    /// System calls of all threads; absent where the system does not let us count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_calls: Option<u64>,
    /// Time in the decoder, from a piece of a reply to its tokens' having been heard, ns.
    pub decoding_ns: u64,
}

impl ProfileRun {
    /// System calls per token.
    pub fn system_calls_per_token(&self) -> Option<f64> {
        self.per_token(self.system_calls?)
    }

    /// Time in the decoder per token, ns.
    pub fn decoding_per_token_ns(&self) -> Option<f64> {
        self.per_token(self.decoding_ns)
    }

    fn per_token(&self, count: u64) -> Option<f64> {
        (self.tokens > 0).then(|| count as f64 / self.tokens as f64)
    }
}

impl Sub for ProfileRun {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(earlier.tokens),
            system_calls: self
                .system_calls
                .zip(earlier.system_calls)
                .map(|(later, earlier)| later.saturating_sub(earlier)),
            decoding_ns: self.decoding_ns.saturating_sub(earlier.decoding_ns),
        }
    }
}

/// Looks closer at this process from its making on. It sees only threads that begin after that, and
/// the one that it was made on.
pub struct Lens(Option<counter::SystemCalls>);

impl Lens {
    /// Begins to count.
    pub fn open() -> Self {
        Self(counter::SystemCalls::new())
    }

    /// What there was up to now; `tokens` is for the caller to say.
    pub fn seen(&mut self, tokens: u64) -> ProfileRun {
        ProfileRun {
            tokens,
            system_calls: self.0.as_mut().and_then(counter::SystemCalls::count),
            decoding_ns: tally::total(Count::DecodingNanos),
        }
    }
}

#[cfg(target_os = "linux")]
mod counter {
    use perf_event::events::Tracepoint;
    use perf_event::{Builder, Counter};
    use std::fs;

    /// The kernel's own count of entries into system calls.
    pub struct SystemCalls(Counter);

    impl SystemCalls {
        /// `None` where the kernel does not let us, as it lets only root by default.
        pub fn new() -> Option<Self> {
            const NUMBER: &str = "events/raw_syscalls/sys_enter/id";
            let places = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
            let mut found = places
                .iter()
                .filter_map(|place| fs::read_to_string(format!("{place}/{NUMBER}")).ok());
            let number = found.next()?.trim().parse().ok()?;
            let mut counter = Builder::new(Tracepoint::with_id(number))
                .inherit(true)
                .include_kernel()
                .build()
                .ok()?;
            counter.enable().ok()?;
            Some(Self(counter))
        }

        pub fn count(&mut self) -> Option<u64> {
            self.0.read().ok()
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod counter {
    pub enum SystemCalls {}

    impl SystemCalls {
        pub fn new() -> Option<Self> {
            None
        }

        pub fn count(&mut self) -> Option<u64> {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_what_came_between_and_what_is_unknown_stays_so() {
        let look = |tokens, system_calls, decoding_ns| ProfileRun {
            tokens,
            system_calls,
            decoding_ns,
        };
        let seen = look(30, Some(100), 700) - look(10, Some(40), 200);
        assert_eq!(seen, look(20, Some(60), 500));
        assert_eq!(seen.system_calls_per_token(), Some(3.0));
        assert_eq!(seen.decoding_per_token_ns(), Some(25.0));
        let blind = look(30, None, 700) - look(10, None, 200);
        assert_eq!(blind.system_calls_per_token(), None);
        assert_eq!(look(0, Some(1), 1).decoding_per_token_ns(), None);
    }

    /// Where the kernel lets nobody count, there is nothing to test, and the test says so.
    #[test]
    fn system_calls_of_this_thread_and_of_later_ones_are_counted_one_by_one() {
        let mut lens = Lens::open();
        let calls = || {
            for _ in 0..1000 {
                nix::unistd::getppid();
            }
        };
        let before = lens.seen(0);
        calls();
        let after = std::thread::spawn(calls).join().map(|()| lens.seen(1));
        let seen = after.expect("it does not panic") - before;
        match seen.system_calls {
            Some(count) => assert!((2000..2100).contains(&count), "{count}"),
            None => eprintln!("skipped: this system lets us count no system calls"),
        }
    }
}
