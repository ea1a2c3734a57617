//! What the system says of the machine: processors, memory, kernel, and what stands between.
//!
//! All of it is read from files and cheap calls, in a few milliseconds; nothing is measured, and
//! nothing is judged. What the system does not tell is absent.

mod affinity;
mod files;
mod host;
mod listener;
mod load;
mod memory;
pub mod processor;

pub use affinity::{allowed_processors, keep_on};
pub use files::Files;
pub use host::{Virtualisation, container, cpu_quota, virtualisation};
pub use listener::variable_of_listener;
pub use load::load_average;
pub use memory::Memory;
pub use processor::{Switch, Turbo, TurboKnob};

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};
use std::thread::available_parallelism;

/// Where the system lists its clocks, below the root.
pub const CLOCK_SOURCES: &str = "sys/devices/system/clocksource/clocksource0";

/// The machine, as results describe it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Machine {
    /// Such as `linux`.
    pub os: String,
    /// Such as `x86_64`.
    pub arch: String,
    /// Release of the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Name of the first processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// Cores that this process may use: those that it is kept to, or fewer by a quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
    /// Main memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Frequency governor; several, with commas, where processors differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Whether processors may run faster than they can for long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turbo: Option<Switch>,
    /// Whether two processors share a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smt: Option<Switch>,
    /// `none`, or the hypervisor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtualisation: Option<Virtualisation>,
    /// Such as `docker`; absent outside one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Cores' worth of time that a control group grants; absent where it grants all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_quota_cores: Option<f64>,
    /// The kernel's clock, such as `tsc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_source: Option<String>,
    /// Name of the machine.
    pub hostname: String,
}

impl Machine {
    /// The one that this runs on.
    pub fn here() -> Self {
        Self::of(&Files::here())
    }

    /// The one that these files tell of; its system, kernel, name and cores are those of this.
    pub fn of(files: &Files) -> Self {
        let name = uname().ok();
        let kernel = name.as_ref().map(|name| name.release());
        let hostname = nix::unistd::gethostname().ok();
        let mut governors = processor::governors(files);
        governors.sort();
        governors.dedup();
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            kernel: kernel.map(|release| release.to_string_lossy().into_owned()),
            cpu_model: processor::model(files),
            cores: available_parallelism().ok().map(usize::from),
            memory_bytes: Memory::of(files).map(|memory| memory.total),
            governor: (!governors.is_empty()).then(|| governors.join(", ")),
            turbo: processor::turbo(files).map(|turbo| turbo.state),
            smt: processor::smt(files),
            virtualisation: virtualisation(files),
            container: container(files),
            cpu_quota_cores: cpu_quota(files),
            clock_source: files.line(&format!("{CLOCK_SOURCES}/current_clocksource")),
            hostname: hostname.map_or_else(
                || "unknown".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }
}

/// Machines that tests make up.
#[cfg(test)]
pub mod canned {
    use super::Files;
    use std::fs;
    use tempfile::TempDir;

    /// A file system of these files, which goes with the folder.
    pub fn files(canned: &[(&str, &str)]) -> (TempDir, Files) {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in canned {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let files = Files::below(folder.path());
        (folder, files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_files_is_described_by_what_there_is() {
        let machine = Machine::of(&Files::below("/no/such/folder"));
        assert_eq!(machine.os, std::env::consts::OS);
        assert_eq!((machine.cpu_model, machine.governor), (None, None));
        assert_eq!((machine.turbo, machine.virtualisation), (None, None));
    }

    #[test]
    fn governors_that_differ_are_all_named() {
        let (_folder, files) = canned::files(&[
            (
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "powersave\n",
            ),
            (
                "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
                "performance\n",
            ),
            (
                "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor",
                "powersave\n",
            ),
            ("sys/devices/system/cpu/cpufreq/boost", "1\n"),
        ]);
        let machine = Machine::of(&files);
        assert_eq!(machine.governor.as_deref(), Some("performance, powersave"));
        assert_eq!(machine.turbo, Some(Switch::On));
    }
}
