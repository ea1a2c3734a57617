//! What the process used, by its own counters and the operating system's.

use super::{Allocations, FileIo};
use crate::tally::{self, Count};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde::{Deserialize, Serialize};
use std::io;
use std::ops::Sub;
use std::time::Duration;

/// Counters of the whole process, all threads together.
///
/// The sum of user and system time is exact. How it splits, Linux may only guess from where its
/// timer's ticks fell, some milliseconds apart: over a short run the split says little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Usage {
    /// CPU time in the program, ns.
    pub user_ns: u64,
    /// CPU time in the kernel on its behalf, ns.
    pub system_ns: u64,
    /// Context switches because a thread waited.
    pub voluntary_switches: u64,
    /// Context switches because its time was up.
    pub involuntary_switches: u64,
    /// What was asked of the allocator; absent in a program that does not count it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap: Option<Allocations>,
    /// What came over sockets; absent for a client whose sockets can't be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<SocketIo>,
    /// Calls of `read` and `write`; absent where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileIo>,
}

/// What came over sockets.
///
/// Held against `strace -f` over each stack's iterations, this is the number of `recvfrom` calls that
/// returned no error, one by one. Those that returned `EAGAIN` are not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SocketIo {
    /// Reads that brought something, or the end.
    pub reads: u64,
    /// Bytes they brought, heads and chunk sizes included.
    pub read_bytes: u64,
}

impl Usage {
    /// The counters up to now.
    ///
    /// # Errors
    /// When the system does not tell even the CPU time.
    pub fn now() -> io::Result<Self> {
        let files = FileIo::now();
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let count = |value| u64::try_from(value).unwrap_or_default();
        Ok(Self {
            user_ns: nanos(usage.user_time()),
            system_ns: nanos(usage.system_time()),
            voluntary_switches: count(usage.voluntary_context_switches()),
            involuntary_switches: count(usage.involuntary_context_switches()),
            heap: Allocations::now(),
            sockets: Some(SocketIo {
                reads: tally::total(Count::SocketReads),
                read_bytes: tally::total(Count::SocketReadBytes),
            }),
            files,
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
            heap: both(self.heap, earlier.heap),
            sockets: both(self.sockets, earlier.sockets),
            files: both(self.files, earlier.files),
        }
    }
}

impl Sub for SocketIo {
    type Output = SocketIo;

    fn sub(self, earlier: SocketIo) -> SocketIo {
        SocketIo {
            reads: self.reads.saturating_sub(earlier.reads),
            read_bytes: self.read_bytes.saturating_sub(earlier.read_bytes),
        }
    }
}

fn both<T: Sub<Output = T>>(later: Option<T>, earlier: Option<T>) -> Option<T> {
    Some(later? - earlier?)
}

fn nanos(time: TimeVal) -> u64 {
    // Microseconds are 32 bits wide on macOS.
    #[allow(clippy::useless_conversion)]
    let micros = time.tv_sec().saturating_mul(1_000_000) + i64::from(time.tv_usec());
    u64::try_from(micros).unwrap_or_default() * 1_000
}
