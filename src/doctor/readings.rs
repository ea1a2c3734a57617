//! What files and cheap calls say, before anything is made of it.

use crate::machine::Switch;
use crate::machine::{CLOCK_SOURCES, Files, Memory, Turbo, Virtualisation};
use crate::machine::{container, cpu_quota, load_average, processor, virtualisation};
use crate::provenance::Build;

/// Everything that is judged without measuring. What is not known is `None`.
#[derive(Clone, Debug)]
pub struct Readings {
    /// The program.
    pub build: Build,
    /// Load average over 1, 5 and 15 minutes.
    pub load_average: Option<[f64; 3]>,
    /// Processors that are in use.
    pub online: Option<usize>,
    /// Those of them that this process may run on.
    pub allowed: Option<usize>,
    /// Cores' worth of time that a control group grants; none where it grants all.
    pub cpu_quota_cores: Option<f64>,
    /// Such as `docker`.
    pub container: Option<String>,
    /// Of each processor that has one.
    pub governors: Vec<String>,
    /// Whether cores may run faster than they can for long.
    pub turbo: Option<Turbo>,
    /// Whether two processors share a core.
    pub smt: Option<Switch>,
    /// How often cores were throttled because of heat, since the start of the system.
    pub throttled: Option<u64>,
    /// Power supplies; `None` where the system does not list them.
    pub supplies: Option<Vec<Supply>>,
    /// Bare metal or a guest.
    pub virtualisation: Option<Virtualisation>,
    /// Share of CPU time that the hypervisor gave to others, since the start of the system.
    pub steal: Option<f64>,
    /// The kernel's clock.
    pub clock_source: Option<String>,
    /// Those that it could take instead.
    pub clock_sources: Vec<String>,
    /// The limit of open files.
    pub open_files: Option<OpenFiles>,
    /// Memory and swap.
    pub memory: Option<Memory>,
    /// `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// Places that memory is in.
    pub numa_nodes: Option<usize>,
}

/// Where power comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// The mains, plugged in.
    Mains,
    /// The mains, not plugged in.
    Unplugged,
    /// A battery that feeds the machine.
    Discharging,
    /// A battery that does not.
    Battery,
}

/// How many files a process may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// At present.
    pub soft: u64,
    /// What it may raise that to by itself.
    pub hard: u64,
}

impl Readings {
    /// Of the machine that these files tell of; affinity and the limit of open files are this
    /// process's.
    pub fn of(files: &Files, build: Build) -> Self {
        let sources = files.line(&format!("{CLOCK_SOURCES}/available_clocksource"));
        let sources = sources.unwrap_or_default();
        Self {
            build,
            load_average: load_average(files),
            online: processor::online(files),
            allowed: processor::allowed(),
            cpu_quota_cores: cpu_quota(files),
            container: container(files),
            governors: processor::governors(files),
            turbo: processor::turbo(files),
            smt: processor::smt(files),
            throttled: throttled(files),
            supplies: supplies(files),
            virtualisation: virtualisation(files),
            steal: files
                .text("proc/stat")
                .as_deref()
                .and_then(Ticks::parse)
                .map(Ticks::steal_share),
            clock_source: files.line(&format!("{CLOCK_SOURCES}/current_clocksource")),
            clock_sources: sources.split_whitespace().map(str::to_owned).collect(),
            open_files: open_files(),
            memory: Memory::of(files),
            huge_pages: huge_pages(files),
            numa_nodes: files
                .line("sys/devices/system/node/online")
                .and_then(|list| processor::count(&list)),
        }
    }
}

/// The system's count of its processors' time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// Of all kinds together.
    pub all: u64,
    /// Given to another guest while ours wanted to run.
    pub steal: u64,
}

impl Ticks {
    /// Reads `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; what follows is
    /// part of user and nice already.
    pub fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Option<Vec<u64>> = line
            .split_whitespace()
            .take(8)
            .map(|n| n.parse().ok())
            .collect();
        let ticks = ticks.filter(|ticks| ticks.len() == 8)?;
        Some(Self {
            all: ticks.iter().sum(),
            steal: ticks[7],
        })
    }

    /// The share that was stolen; 0 of no time.
    pub fn steal_share(self) -> f64 {
        if self.all == 0 {
            0.0
        } else {
            self.steal as f64 / self.all as f64
        }
    }

    /// From `earlier` to here.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            all: self.all.saturating_sub(earlier.all),
            steal: self.steal.saturating_sub(earlier.steal),
        }
    }
}

/// Throttlings of all cores.
pub fn throttled(files: &Files) -> Option<u64> {
    let of = |cpu: String| {
        files.number(&format!(
            "sys/devices/system/cpu/{cpu}/thermal_throttle/core_throttle_count"
        ))
    };
    let counts: Vec<u64> = processor::names(files).into_iter().filter_map(of).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

fn supplies(files: &Files) -> Option<Vec<Supply>> {
    const FOLDER: &str = "sys/class/power_supply";
    let supplies = files.names(FOLDER)?.into_iter().filter_map(|name| {
        let line = |file: &str| files.line(&format!("{FOLDER}/{name}/{file}"));
        // The battery of a mouse feeds no processor.
        if line("scope").is_some_and(|scope| scope == "Device") {
            return None;
        }
        match (
            line("type")?.as_str(),
            line("online").as_deref(),
            line("status").as_deref(),
        ) {
            ("Battery", _, Some("Discharging")) => Some(Supply::Discharging),
            ("Battery", _, _) => Some(Supply::Battery),
            ("Mains", Some("0"), _) => Some(Supply::Unplugged),
            ("Mains", _, _) => Some(Supply::Mains),
            _ => None,
        }
    });
    Some(supplies.collect())
}

/// The choice that stands in brackets.
fn huge_pages(files: &Files) -> Option<String> {
    let line = files.line("sys/kernel/mm/transparent_hugepage/enabled")?;
    let (_, chosen) = line.split_once('[')?;
    let (chosen, _) = chosen.split_once(']')?;
    Some(chosen.to_owned())
}

fn open_files() -> Option<OpenFiles> {
    use nix::sys::resource::{Resource, getrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    Some(OpenFiles { soft, hard })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::canned::files;

    #[test]
    fn an_empty_system_tells_nothing_and_fails_at_nothing() {
        let (_folder, files) = files(&[]);
        let read = Readings::of(&files, Build::here());
        assert_eq!(
            (read.load_average, read.online, read.steal),
            (None, None, None)
        );
        assert_eq!(
            (read.throttled, read.supplies, read.memory),
            (None, None, None)
        );
        assert_eq!((read.huge_pages, read.numa_nodes), (None, None));
        assert!(read.governors.is_empty() && read.clock_sources.is_empty());
    }

    #[test]
    fn files_are_understood() {
        let (_folder, files) = files(&[
            (
                "proc/stat",
                "cpu  10 0 10 970 0 0 0 10 5 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n",
            ),
            ("sys/devices/system/cpu/online", "0-3\n"),
            (
                "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
                "3\n",
            ),
            (
                "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count",
                "4\n",
            ),
            ("sys/devices/system/cpu/cpuidle/x", ""),
            ("sys/class/power_supply/AC/type", "Mains\n"),
            ("sys/class/power_supply/AC/online", "0\n"),
            ("sys/class/power_supply/BAT0/type", "Battery\n"),
            ("sys/class/power_supply/BAT0/status", "Discharging\n"),
            ("sys/class/power_supply/mouse/type", "Battery\n"),
            ("sys/class/power_supply/mouse/status", "Discharging\n"),
            ("sys/class/power_supply/mouse/scope", "Device\n"),
            (
                "sys/kernel/mm/transparent_hugepage/enabled",
                "always [madvise] never\n",
            ),
            ("sys/devices/system/node/online", "0-1\n"),
        ]);
        let read = Readings::of(&files, Build::here());
        assert_eq!(read.steal, Some(0.01));
        assert_eq!((read.online, read.throttled), (Some(4), Some(7)));
        assert_eq!(
            read.supplies,
            Some(vec![Supply::Unplugged, Supply::Discharging])
        );
        assert_eq!(read.huge_pages.as_deref(), Some("madvise"));
        assert_eq!(read.numa_nodes, Some(2));
    }

    #[test]
    fn a_stat_of_another_form_is_not_understood() {
        assert_eq!(Ticks::parse("intr 5\n"), None);
        assert_eq!(Ticks::parse("cpu  1 2 3\n"), None);
        assert_eq!(Ticks { all: 0, steal: 0 }.steal_share(), 0.0);
    }
}
