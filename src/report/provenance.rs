//! Where a result comes from: what was built, on which machine it ran, and what was asked for.

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};
use std::fs;
use std::thread::available_parallelism;

/// The build, the machine and the command line. What the system does not tell is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the crate.
    pub tare_version: String,
    /// Git commit that it was built from, `-dirty` if tracked files differed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The compiler, as `rustc --version` says it.
    pub rust_version: String,
    /// `debug` or `release`.
    pub profile: String,
    /// Such as `linux`.
    pub os: String,
    /// Such as `x86_64`.
    pub arch: String,
    /// Release of the kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Name of the first CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// Cores that this process may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
    /// Frequency governor of the first CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governor: Option<String>,
    /// Name of the machine.
    pub hostname: String,
    /// Load average over 1, 5 and 15 minutes, before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_average: Option<[f64; 3]>,
    /// Program and arguments.
    pub command_line: Vec<String>,
    /// Before the start, UTC.
    pub timestamp: jiff::Timestamp,
}

impl Provenance {
    /// That of this process, now.
    pub fn here() -> Self {
        let name = uname().ok();
        let kernel = name.as_ref().map(|name| name.release());
        let hostname = nix::unistd::gethostname().ok();
        Self {
            tare_version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("TARE_COMMIT").map(str::to_owned),
            rust_version: option_env!("TARE_RUSTC").unwrap_or("unknown").to_owned(),
            profile: option_env!("TARE_PROFILE").unwrap_or("unknown").to_owned(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            kernel: kernel.map(|release| release.to_string_lossy().into_owned()),
            cpu_model: cpu_model(),
            cores: available_parallelism().ok().map(usize::from),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            hostname: hostname.map_or_else(
                || "unknown".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
            load_average: line("/proc/loadavg").as_deref().and_then(load_average),
            command_line: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            timestamp: jiff::Timestamp::now(),
        }
    }

    /// Whether the build left out the optimiser, so that no time of its own means much.
    pub fn is_debug(&self) -> bool {
        self.profile == "debug"
    }

    /// The command line as a shell would take it.
    pub fn shell_line(&self) -> String {
        let quoted = self.command_line.iter().map(|argument| quote(argument));
        quoted.collect::<Vec<_>>().join(" ")
    }
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn cpu_model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let model = text.lines().find(|line| line.starts_with("model name"))?;
    Some(model.split_once(':')?.1.trim().to_owned())
}

fn load_average(line: &str) -> Option<[f64; 3]> {
    let mut numbers = line.split_whitespace().map_while(|word| word.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_where_it_runs() {
        let here = Provenance::here();
        assert!(here.rust_version.starts_with("rustc "), "{here:?}");
        assert!(["debug", "release"].contains(&here.profile.as_str()));
        assert!(!here.command_line.is_empty());
    }

    #[test]
    fn a_load_average_is_three_numbers() {
        assert_eq!(
            load_average("0.42 1.00 2.50 3/77 1"),
            Some([0.42, 1.0, 2.5])
        );
        assert_eq!(load_average("0.42 1.00"), None);
    }

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        assert_eq!(quote("--mock"), "--mock");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote(""), "''");
    }
}
