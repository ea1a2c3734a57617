//! What a mock asks of the system for its own process: files for its connections, a processor.

use crate::machine::keep_on;
use anyhow::{Context, Result};

/// Raises the limit of open files to what the system allows this process. Where that fails, the
/// limit stays, and connections beyond it are refused with the system's own words.
pub fn open_many_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Keeps this thread, and those that it starts, on one processor.
///
/// # Errors
/// When there is no such processor, or the system has no such call.
pub fn pin(processor: usize) -> Result<()> {
    keep_on(&[processor]).with_context(|| format!("cannot stay on processor {processor}"))
}
