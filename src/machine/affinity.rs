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

/// The processors that this thread may run on, counted from 0.
///
/// # Errors
/// When the system does not tell.
pub fn allowed_processors() -> io::Result<Vec<usize>> {
    #[cfg(target_os = "linux")]
    {
        use nix::sched::{CpuSet, sched_getaffinity};
        use nix::unistd::Pid;
        let set = sched_getaffinity(Pid::from_raw(0))?;
        let allowed = |&processor: &usize| set.is_set(processor).unwrap_or(false);
        Ok((0..CpuSet::count()).filter(allowed).collect())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let count = std::thread::available_parallelism()?;
        Ok((0..count.get()).collect())
    }
}
