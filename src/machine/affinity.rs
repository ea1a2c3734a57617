//! Keeping to processors.

use std::io;

/// Keeps this thread, and those that it starts from now on, on these processors, counted from 0.
///
/// # Errors
/// When one of them is not there or may not be used, or the system has no such call.
pub fn keep_on(processors: &[usize]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use nix::sched::{CpuSet, sched_setaffinity};
        use nix::unistd::Pid;
        let mut set = CpuSet::new();
        for &processor in processors {
            set.set(processor)?;
        }
        Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = processors;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}
