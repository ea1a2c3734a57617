//! What the operating system counted for this process.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::Sub;
use std::time::Duration;

/// Counters of the whole process, all threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in the program, ns.
    pub user_ns: u64,
    /// CPU time in the kernel on its behalf, ns.
    pub system_ns: u64,
    /// Context switches because a thread waited.
    pub voluntary_switches: u64,
    /// Context switches because its time was up.
    pub involuntary_switches: u64,
}

impl Usage {
    /// The counters up to now.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn now() -> io::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let count = |value| u64::try_from(value).unwrap_or_default();
        Ok(Self {
            user_ns: nanos(usage.user_time()),
            system_ns: nanos(usage.system_time()),
            voluntary_switches: count(usage.voluntary_context_switches()),
            involuntary_switches: count(usage.involuntary_context_switches()),
        })
    }

    /// CPU time, user and system together.
    pub fn cpu(self) -> Duration {
        Duration::from_nanos(self.user_ns + self.system_ns)
    }
}

impl Sub for Usage {
    type Output = Usage;

    fn sub(self, earlier: Usage) -> Usage {
        Usage {
            user_ns: self.user_ns.saturating_sub(earlier.user_ns),
            system_ns: self.system_ns.saturating_sub(earlier.system_ns),
            voluntary_switches: self
                .voluntary_switches
                .saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(earlier.involuntary_switches),
        }
    }
}

fn nanos(time: TimeVal) -> u64 {
    let micros = time.tv_sec().saturating_mul(1_000_000) + time.tv_usec();
    u64::try_from(micros).unwrap_or_default() * 1_000
}
