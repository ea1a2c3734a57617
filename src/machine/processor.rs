//! The processors: which, how many, and how fast they are let run.

use super::Files;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// It is on.
    On,
    /// It is off.
    Off,
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Switch::On => "on",
            Switch::Off => "off",
        })
    }
}

/// Whether the processors may run faster than they can for long, and where that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turbo {
    /// Whether they may.
    pub state: Switch,
    /// What sets it.
    pub knob: TurboKnob,
}

/// Where turbo is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurboKnob {
    /// Intel's driver, whose file says 1 for *off*.
    NoTurbo,
    /// All other drivers.
    Boost,
}

impl TurboKnob {
    /// Its file, below the root.
    pub fn file(self) -> &'static str {
        match self {
            TurboKnob::NoTurbo => "sys/devices/system/cpu/intel_pstate/no_turbo",
            TurboKnob::Boost => "sys/devices/system/cpu/cpufreq/boost",
        }
    }

    /// What its file says where turbo is off.
    pub fn off(self) -> u64 {
        match self {
            TurboKnob::NoTurbo => 1,
            TurboKnob::Boost => 0,
        }
    }
}

const FOLDER: &str = "sys/devices/system/cpu";

/// The name of the first processor; where there is none (ARM), the numbers that stand for it.
pub fn model(files: &Files) -> Option<String> {
    let text = files.text("proc/cpuinfo")?;
    let field = |name| cpu_field(&text, name);
    field("model name").map(str::to_owned).or_else(|| {
        let (implementer, part) = (field("CPU implementer")?, field("CPU part")?);
        Some(format!("implementer {implementer}, part {part}"))
    })
}

/// The first field of this name in `/proc/cpuinfo`.
pub fn cpu_field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(found, _)| found.trim() == name)?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

/// The processors' names, `cpu0` and so on; none where the system does not list them.
pub fn names(files: &Files) -> Vec<String> {
    let mut names = files.names(FOLDER).unwrap_or_default();
    names.retain(|name| {
        let number = name.strip_prefix("cpu").unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    names
}

/// The frequency governor of each processor that has one.
pub fn governors(files: &Files) -> Vec<String> {
    let of = |name| files.line(&format!("{FOLDER}/{name}/cpufreq/scaling_governor"));
    names(files).into_iter().filter_map(of).collect()
}

/// Turbo, where the system says.
pub fn turbo(files: &Files) -> Option<Turbo> {
    let knobs = [TurboKnob::NoTurbo, TurboKnob::Boost].into_iter();
    let mut known = knobs.filter_map(|knob| Some((knob, files.number(knob.file())?)));
    let (knob, value) = known.next()?;
    let state = if value == knob.off() {
        Switch::Off
    } else {
        Switch::On
    };
    Some(Turbo { state, knob })
}

/// Whether two processors share a core.
pub fn smt(files: &Files) -> Option<Switch> {
    match files.number(&format!("{FOLDER}/smt/active"))? {
        0 => Some(Switch::Off),
        _ => Some(Switch::On),
    }
}

/// Processors that are in use.
pub fn online(files: &Files) -> Option<usize> {
    count(&files.line(&format!("{FOLDER}/online"))?)
}

/// How many a list such as `0-3,8` has.
pub fn count(list: &str) -> Option<usize> {
    let ranges = list.split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        Some(last.checked_sub(first)? + 1)
    });
    ranges.sum()
}

/// The processors that this process may run on, where the system says.
pub fn allowed() -> Option<usize> {
    #[cfg(target_os = "linux")]
    {
        use nix::sched::{CpuSet, sched_getaffinity};
        let set = sched_getaffinity(nix::unistd::Pid::from_raw(0)).ok()?;
        let held = (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or_default());
        Some(held.count())
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_processors_is_counted() {
        for (list, number) in [("0", 1), ("0-3", 4), ("0-3,8,10-11", 7)] {
            assert_eq!(count(list), Some(number), "{list}");
        }
        for list in ["", "a", "3-1", "0-"] {
            assert_eq!(count(list), None, "{list}");
        }
    }

    #[test]
    fn a_model_is_a_name_or_two_numbers() {
        let x86 = "processor\t: 0\nmodel\t\t: 167\nmodel name\t: Intel(R) Xeon(R)\n";
        assert_eq!(cpu_field(x86, "model name"), Some("Intel(R) Xeon(R)"));
        assert_eq!(cpu_field(x86, "model"), Some("167"));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("proc")).expect("a folder");
        let arm = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";
        std::fs::write(folder.path().join("proc/cpuinfo"), arm).expect("a file");
        let model = model(&Files::below(folder.path()));
        assert_eq!(model.as_deref(), Some("implementer 0x41, part 0xd0c"));
    }
}
