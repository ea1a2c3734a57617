//! What Linux tells of this process under `/proc/self`; elsewhere it is absent.
//!
//! The peak of its memory is `VmHWM` and not `ru_maxrss`: a process that was just started inherits
//! the latter from whoever started it.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::ops::Sub;

/// Memory and threads of the process at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Process {
    /// The most memory that was resident at once, bytes.
    pub peak_rss_bytes: u64,
    /// Threads that live.
    pub threads: u64,
}

impl Process {
    /// The process now; `None` where the system does not tell.
    pub fn now() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/self/status").ok()?;
        Some(Self {
            peak_rss_bytes: field(&text, "VmHWM:")? * 1024,
            threads: field(&text, "Threads:")?,
        })
    }
}

/// Calls of `read` and `write` and their kin by the whole process, with the bytes they moved: files
/// and the descriptors by which threads wake each other. A socket's reads are in it only if they are
/// not by `recv`, and no client here reads so; its writes are in it under Tokio (`writev`) and not
/// elsewhere (`send`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileIo {
    /// Calls of `read`, `pread` and `readv`, those that found nothing and the one that read this
    /// included.
    pub reads: u64,
    /// Bytes they brought.
    pub read_bytes: u64,
    /// Calls of `write`, `pwrite` and `writev`.
    pub writes: u64,
    /// Bytes they took.
    pub write_bytes: u64,
}

impl FileIo {
    /// Up to now; `None` where the system does not tell. Costs one read.
    pub fn now() -> Option<Self> {
        let mut text = [0; 512];
        let size = File::open("/proc/self/io").ok()?.read(&mut text).ok()?;
        let text = std::str::from_utf8(text.get(..size)?).ok()?;
        Some(Self {
            reads: field(text, "syscr:")?,
            read_bytes: field(text, "rchar:")?,
            writes: field(text, "syscw:")?,
            write_bytes: field(text, "wchar:")?,
        })
    }
}

impl Sub for FileIo {
    type Output = FileIo;

    fn sub(self, earlier: FileIo) -> FileIo {
        FileIo {
            reads: self.reads.saturating_sub(earlier.reads),
            read_bytes: self.read_bytes.saturating_sub(earlier.read_bytes),
            writes: self.writes.saturating_sub(earlier.writes),
            write_bytes: self.write_bytes.saturating_sub(earlier.write_bytes),
        }
    }
}

/// The first number of the line that begins so.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_name() {
        let text = "Name:\ttare\nVmHWM:\t    5120 kB\nThreads:\t3\n";
        assert_eq!(field(text, "VmHWM:"), Some(5120));
        assert_eq!(field(text, "Threads:"), Some(3));
        assert_eq!(field(text, "Thread:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells() {
        let process = Process::now().expect("/proc/self/status");
        assert!(process.peak_rss_bytes > 1 << 20 && process.threads > 0);
        let before = FileIo::now().expect("/proc/self/io");
        let file = std::fs::read("/proc/self/exe").expect("this program");
        let used = FileIo::now().expect("/proc/self/io") - before;
        assert!(used.reads > 0 && used.read_bytes >= file.len() as u64);
    }
}
