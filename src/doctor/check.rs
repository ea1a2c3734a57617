//! What is checked, and what each of it does to measurements, whatever was found.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Debug or release.
    Build,
    /// Load average against cores.
    Load,
    /// Number of cores.
    Cores,
    /// Processors that this process is kept to.
    Affinity,
    /// A control group's limit of CPU time.
    CpuQuota,
    /// The frequency governor.
    Governor,
    /// Turbo or boost.
    Turbo,
    /// Two processors on one core.
    Smt,
    /// Throttling because of heat.
    Thermal,
    /// Battery or mains.
    Power,
    /// Bare metal or a guest.
    VirtualMachine,
    /// Time that the hypervisor gave to others.
    Steal,
    /// Time that busy threads were kept off their cores.
    Pauses,
    /// How late a sleep ends.
    Timer,
    /// What reading the clock costs.
    Clock,
    /// A round trip between two threads over TCP.
    Loopback,
    /// Who answers at Ollama's port.
    Port,
    /// The limit of open files.
    OpenFiles,
    /// Swap space in use.
    Swap,
    /// Transparent huge pages.
    HugePages,
    /// Memory in several places.
    Numa,
}

impl Check {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 21] = [
        Self::Build,
        Self::Load,
        Self::Cores,
        Self::Affinity,
        Self::CpuQuota,
        Self::Governor,
        Self::Turbo,
        Self::Smt,
        Self::Thermal,
        Self::Power,
        Self::VirtualMachine,
        Self::Steal,
        Self::Pauses,
        Self::Timer,
        Self::Clock,
        Self::Loopback,
        Self::Port,
        Self::OpenFiles,
        Self::Swap,
        Self::HugePages,
        Self::Numa,
    ];

    /// Its name, as results have it.
    pub fn name(self) -> &'static str {
        match self {
            Check::Build => "build",
            Check::Load => "load",
            Check::Cores => "cores",
            Check::Affinity => "affinity",
            Check::CpuQuota => "cpu-quota",
            Check::Governor => "governor",
            Check::Turbo => "turbo",
            Check::Smt => "smt",
            Check::Thermal => "thermal",
            Check::Power => "power",
            Check::VirtualMachine => "virtual-machine",
            Check::Steal => "steal",
            Check::Pauses => "pauses",
            Check::Timer => "timer",
            Check::Clock => "clock",
            Check::Loopback => "loopback",
            Check::Port => "port",
            Check::OpenFiles => "open-files",
            Check::Swap => "swap",
            Check::HugePages => "huge-pages",
            Check::Numa => "numa",
        }
    }

    /// What it does to measurements: a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Check::Build => {
                "Without the optimiser, parsing and polling take many times as long, and not in the same proportion."
            }
            Check::Load => {
                "Other processes take turns with the one that is measured: its times grow and scatter."
            }
            Check::Cores => {
                "A client with 2 worker threads, the mock and everything else want 4; with fewer, one waits for the other and the wait counts as tare."
            }
            Check::Affinity => {
                "What tare starts stays on these processors too, so client and mock share them."
            }
            Check::CpuQuota => {
                "When the quota of a period is spent, every thread stands still until the next: pauses of up to 100 ms."
            }
            Check::Governor => {
                "A governor that follows the load runs an agent, which mostly waits, on slow cores, and a busy loop on fast ones."
            }
            Check::Turbo => {
                "With turbo, the clock falls as cores get warm or busy: the first stack of a block runs faster than the last."
            }
            Check::Smt => {
                "Where two processors share a core, client and mock slow each other down when the kernel puts them there."
            }
            Check::Thermal => "A core that is too hot runs slower until it has cooled.",
            Check::Power => "On battery, cores are kept slow, and slower as it empties.",
            Check::VirtualMachine => {
                "Timers and wake-ups take a way through the hypervisor, and other guests share the hardware: compare only within blocks."
            }
            Check::Steal => {
                "Time in which the hypervisor ran another guest counts as ours: it looks like tare."
            }
            Check::Pauses => {
                "A thread that is kept off its core delivers its tokens late, whatever runtime it belongs to."
            }
            Check::Timer => {
                "A sleep that ends late sends a mock's token late, and lets a paced client fall behind."
            }
            Check::Clock => {
                "Every token is stamped on both sides; a clock that is slow to read adds its own time to each."
            }
            Check::Loopback => {
                "Every call takes at least one such round trip; where it scatters, the time to the first token does."
            }
            Check::Port => {
                "Ollama's port is where `tare agent` asks and `tare mock` listens unless told otherwise, and a model that someone uses takes cores and GPU."
            }
            Check::OpenFiles => {
                "Each stream is an open file in the client and one in the mock: 10,000 streams need as many in each."
            }
            Check::Swap => {
                "A page that has to come back from disk costs milliseconds, in whoever touches it first."
            }
            Check::HugePages => {
                "Where the kernel makes huge pages of any memory, it stops processes to do so, some more often than others."
            }
            Check::Numa => {
                "Memory of another node is slower to reach, and which node a process gets differs from one to the next."
            }
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_check_is_named_once_and_alike_everywhere() {
        let names: HashSet<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        assert_eq!(names.len(), Check::ALL.len());
        for check in Check::ALL {
            let json = serde_json::to_value(check).expect("JSON");
            assert_eq!(json, check.name());
            assert!(check.meaning().ends_with('.'), "{check}");
        }
    }
}
