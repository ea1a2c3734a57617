//! What to make of it: from readings and measurements to verdicts, without looking at anything.

mod processor;
mod surroundings;
mod time;

use super::diagnosis::Diagnosis;
use super::{Check, Measured, Readings};

/// Every check.
pub fn all(read: &Readings, measured: &Measured) -> Vec<Diagnosis> {
    let judge = |check| judge(check, read, Some(measured));
    Check::ALL.into_iter().filter_map(judge).collect()
}

/// Those that need no measurement.
pub fn reading(read: &Readings) -> Vec<Diagnosis> {
    let judge = |check| judge(check, read, None);
    Check::ALL.into_iter().filter_map(judge).collect()
}

/// One check; none where it needs measurements and there are none.
fn judge(check: Check, read: &Readings, measured: Option<&Measured>) -> Option<Diagnosis> {
    let busy = measured.and_then(|measured| measured.busy);
    let judged = match check {
        Check::Build => surroundings::build(&read.build),
        Check::Load => processor::load(read.load_average, read.online),
        Check::Cores => processor::cores(read.allowed.or(read.online)),
        Check::Affinity => processor::affinity(read.allowed, read.online),
        Check::CpuQuota => processor::quota(
            read.cpu_quota_cores,
            read.allowed.or(read.online),
            read.container.as_deref(),
        ),
        Check::Governor => processor::governor(&read.governors, read.virtualisation.as_ref()),
        Check::Turbo => processor::turbo(read.turbo),
        Check::Smt => processor::smt(read.smt),
        Check::Thermal => processor::thermal(read.throttled, busy.and_then(|busy| busy.throttled)),
        Check::Power => processor::power(read.supplies.as_deref()),
        Check::VirtualMachine => time::virtual_machine(read.virtualisation.as_ref()),
        Check::Steal => time::steal(read.steal, busy.and_then(|busy| busy.steal)),
        Check::Pauses => time::pauses(measured?.busy),
        Check::Timer => time::timer(measured?.timer),
        Check::Clock => time::clock(
            read.clock_source.as_deref(),
            &read.clock_sources,
            measured.map(|measured| measured.clock),
        ),
        Check::Loopback => time::loopback(measured?.loopback),
        Check::Port => surroundings::port(measured?.answered),
        Check::OpenFiles => surroundings::open_files(read.open_files),
        Check::Swap => surroundings::swap(read.memory),
        Check::HugePages => surroundings::huge_pages(read.huge_pages.as_deref()),
        Check::Numa => surroundings::numa(read.numa_nodes),
    };
    Some(Diagnosis::of(check, judged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::ClockCost;
    use crate::machine::canned::files;
    use crate::provenance::{Build, Verdict};
    use std::collections::HashMap;

    fn release() -> Build {
        Build {
            profile: "release".to_owned(),
            ..Build::here()
        }
    }

    /// The verdicts on a machine that consists of these files.
    fn verdicts(canned: &[(&str, &str)]) -> HashMap<Check, Verdict> {
        let (_folder, files) = files(canned);
        let read = Readings::of(&files, release());
        let diagnoses = reading(&read).into_iter();
        diagnoses
            .map(|diagnosis| (diagnosis.check, diagnosis.verdict))
            .collect()
    }

    #[test]
    fn a_quiet_server_is_good_and_a_laptop_on_battery_is_not() {
        let server = verdicts(&[
            ("proc/loadavg", "0.05 0.10 0.20 1/300 77\n"),
            ("proc/cpuinfo", "flags : fpu tsc\n"),
            ("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n"),
            (
                "proc/meminfo",
                "MemTotal: 1000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
            ),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/devices/system/cpu/online", "0-7\n"),
            (
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "performance\n",
            ),
            (
                "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
                "0\n",
            ),
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n"),
            ("sys/devices/system/cpu/smt/active", "0\n"),
            (
                "sys/devices/system/clocksource/clocksource0/current_clocksource",
                "tsc\n",
            ),
            ("sys/devices/system/node/online", "0\n"),
            (
                "sys/kernel/mm/transparent_hugepage/enabled",
                "always [madvise] never\n",
            ),
            ("sys/class/power_supply/AC/type", "Mains\n"),
        ]);
        // What depends on the process that tests run in is left out.
        let own = [Check::Cores, Check::Affinity, Check::OpenFiles];
        for (check, verdict) in server {
            assert!(
                own.contains(&check) || verdict == Verdict::Good,
                "{check}: {verdict}"
            );
        }
        let laptop = verdicts(&[
            ("proc/loadavg", "6.00 4.00 3.00 9/300 77\n"),
            (
                "proc/meminfo",
                "MemTotal: 1000 kB\nSwapTotal: 500 kB\nSwapFree: 100 kB\n",
            ),
            ("sys/devices/system/cpu/online", "0-7\n"),
            (
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "powersave\n",
            ),
            ("sys/devices/system/cpu/cpufreq/boost", "1\n"),
            ("sys/devices/system/cpu/smt/active", "1\n"),
            ("sys/class/power_supply/BAT0/type", "Battery\n"),
            ("sys/class/power_supply/BAT0/status", "Discharging\n"),
        ]);
        for check in [Check::Load, Check::Governor, Check::Power] {
            assert_eq!(laptop[&check], Verdict::Bad, "{check}");
        }
        for check in [Check::Turbo, Check::Smt, Check::Swap] {
            assert_eq!(laptop[&check], Verdict::Note, "{check}");
        }
    }

    #[test]
    fn without_files_nothing_is_known_and_nothing_is_blamed() {
        for (check, verdict) in verdicts(&[]) {
            let own = [
                Check::Build,
                Check::Cores,
                Check::Affinity,
                Check::CpuQuota,
                Check::OpenFiles,
            ];
            assert!(
                own.contains(&check) || verdict == Verdict::Unknown,
                "{check}: {verdict}"
            );
        }
    }

    #[test]
    fn what_is_amiss_says_what_to_do() {
        let (_folder, files) = files(&[]);
        let measured = Measured {
            busy: None,
            timer: None,
            clock: ClockCost {
                read_ns: 20_000.0,
                resolution_ns: None,
            },
            loopback: None,
            answered: true,
        };
        let diagnoses = all(&Readings::of(&files, release()), &measured);
        let checks: Vec<Check> = diagnoses.iter().map(|diagnosis| diagnosis.check).collect();
        assert_eq!(checks, Check::ALL);
        for diagnosis in diagnoses {
            let amiss = [Verdict::Bad, Verdict::Note].contains(&diagnosis.verdict);
            assert!(!amiss || diagnosis.remedy.is_some(), "{diagnosis:?}");
            assert!(!diagnosis.found.is_empty());
        }
    }
}
