//! What stands between this process and the hardware: a hypervisor, a container, a quota of CPU.

use super::Files;
use super::processor::cpu_field;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether the machine is one. In JSON `none`, or the hypervisor's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "String", into = "String")]
pub enum Virtualisation {
    /// Real hardware.
    None,
    /// A guest of this hypervisor; of `unknown` where it does not give its name.
    Guest(String),
}

impl fmt::Display for Virtualisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Virtualisation::None => "none",
            Virtualisation::Guest(name) => name,
        })
    }
}

impl From<Virtualisation> for String {
    fn from(host: Virtualisation) -> Self {
        host.to_string()
    }
}

impl From<String> for Virtualisation {
    fn from(name: String) -> Self {
        match name.as_str() {
            "none" => Self::None,
            _ => Self::Guest(name),
        }
    }
}

/// What firmware calls itself under a hypervisor, in lower case, and the hypervisor.
const FIRMWARE: [(&str, &str); 9] = [
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("parallels", "parallels"),
    ("apple virtualization", "apple"),
    ("xen", "xen"),
    ("kvm", "kvm"),
    ("qemu", "kvm"),
    ("google compute engine", "kvm"),
];

/// Clocks that only a guest has.
const CLOCKS: [(&str, &str); 3] = [
    ("kvm-clock", "kvm"),
    ("hyperv_clocksource", "hyper-v"),
    ("xen", "xen"),
];

/// Whether there is a hypervisor; not known where nothing tells.
pub fn virtualisation(files: &Files) -> Option<Virtualisation> {
    let cpuinfo = files.text("proc/cpuinfo");
    // Only x86 has the flag; there it is the processor's own word, and it decides.
    let flags = cpuinfo.as_deref().and_then(|text| cpu_field(text, "flags"));
    let flagged = flags.map(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    match (flagged, hypervisor(files)) {
        (Some(false), _) => Some(Virtualisation::None),
        (_, Some(name)) => Some(Virtualisation::Guest(name)),
        (Some(true), None) => Some(Virtualisation::Guest("unknown".to_owned())),
        (None, None) => None,
    }
}

fn hypervisor(files: &Files) -> Option<String> {
    let named = |text: String, names: &[(&str, &str)]| {
        let text = text.to_lowercase();
        let found = names.iter().find(|(mark, _)| text.contains(mark));
        found.map(|&(_, name)| name.to_owned())
    };
    let firmware = ["sys_vendor", "product_name", "bios_vendor"].into_iter();
    let mut firmware = firmware.filter_map(|file| files.line(&format!("sys/class/dmi/id/{file}")));
    let clocks = || files.line(&format!("{}/available_clocksource", super::CLOCK_SOURCES));
    firmware
        .find_map(|text| named(text, &FIRMWARE))
        .or_else(|| clocks().and_then(|text| named(text, &CLOCKS)))
        .or_else(|| files.line("sys/hypervisor/type"))
        .or_else(|| {
            let tree = files.line("proc/device-tree/hypervisor/compatible")?;
            Some(tree.trim_end_matches('\0').to_owned())
        })
}

/// The container that this process is in; none as far as one can see.
pub fn container(files: &Files) -> Option<String> {
    let marks = [(".dockerenv", "docker"), ("run/.containerenv", "podman")];
    let marked = marks.iter().find(|(file, _)| files.has(file));
    marked.map(|&(_, name)| name.to_owned()).or_else(|| {
        let groups = files.text("proc/self/cgroup")?;
        let names = [
            ("kubepods", "kubernetes"),
            ("/docker", "docker"),
            ("/lxc", "lxc"),
        ];
        let named = names.iter().find(|(mark, _)| groups.contains(mark));
        named.map(|&(_, name)| name.to_owned())
    })
}

/// How many cores' worth of time the group of this process may use, the least over the groups that
/// it is in; none where nothing limits it.
pub fn cpu_quota(files: &Files) -> Option<f64> {
    let groups = files.text("proc/self/cgroup")?;
    let mut least: Option<f64> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        for group in ancestors(path) {
            let quota = match controllers {
                "" => second_version(files, group),
                list if list.split(',').any(|name| name == "cpu") => {
                    first_version(files, list, group)
                }
                _ => None,
            };
            least = [least, quota].into_iter().flatten().reduce(f64::min);
        }
    }
    least
}

/// A group, those around it, and the root, which in a container is where its own is mounted.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_end_matches('/');
    std::iter::successors(Some(path), |path| Some(&path[..path.rfind('/')?]))
}

/// `cpu.max`: the quota or `max`, and the period, both µs.
fn second_version(files: &Files, group: &str) -> Option<f64> {
    let roots = ["sys/fs/cgroup", "sys/fs/cgroup/unified"].into_iter();
    let mut lines = roots.filter_map(|root| files.line(&format!("{root}{group}/cpu.max")));
    let line = lines.next()?;
    let (quota, period) = line.split_once(' ')?;
    share(quota.parse().ok()?, period.parse().ok()?)
}

/// The quota, −1 for none, and the period, both µs, in files of their own.
fn first_version(files: &Files, controllers: &str, group: &str) -> Option<f64> {
    let number = |name: &str| {
        let mut lines = ["cpu", controllers].into_iter().filter_map(|controller| {
            files.line(&format!(
                "sys/fs/cgroup/{controller}{group}/cpu.cfs_{name}_us"
            ))
        });
        lines.next()?.parse::<f64>().ok()
    };
    share(number("quota")?, number("period")?)
}

fn share(quota: f64, period: f64) -> Option<f64> {
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::canned::files;

    #[test]
    fn the_processor_says_whether_it_is_a_real_one_and_the_firmware_whose_it_is() {
        let guest = "flags\t\t: fpu tsc hypervisor lahf_lm\n";
        let bare = "flags\t\t: fpu tsc lahf_lm\n";
        let host = |canned: &[(&str, &str)]| virtualisation(&files(canned).1);
        assert_eq!(host(&[]), None);
        assert_eq!(
            host(&[
                ("proc/cpuinfo", bare),
                ("sys/class/dmi/id/sys_vendor", "QEMU")
            ]),
            Some(Virtualisation::None)
        );
        let named = |name: &str| Some(Virtualisation::Guest(name.to_owned()));
        assert_eq!(host(&[("proc/cpuinfo", guest)]), named("unknown"));
        assert_eq!(
            host(&[
                ("proc/cpuinfo", guest),
                ("sys/class/dmi/id/sys_vendor", "VMware, Inc.")
            ]),
            named("vmware")
        );
        let clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource";
        assert_eq!(
            host(&[("proc/cpuinfo", guest), (clocks, "tsc kvm-clock \n")]),
            named("kvm")
        );
        // ARM has no such flag.
        assert_eq!(
            host(&[("sys/class/dmi/id/product_name", "KVM Virtual Machine")]),
            named("kvm")
        );
    }

    #[test]
    fn the_tightest_quota_around_a_process_counts() {
        let quota = |canned: &[(&str, &str)]| cpu_quota(&files(canned).1);
        assert_eq!(quota(&[]), None);
        let second = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
        ];
        assert_eq!(quota(&second), Some(1.5));
        let in_a_container = [
            ("proc/self/cgroup", "0::/docker/77\n"),
            ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
        ];
        assert_eq!(quota(&in_a_container), Some(0.5));
        let first = [
            ("proc/self/cgroup", "4:memory:/\n1:cpu,cpuacct:/x\n0::/\n"),
            ("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "200000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"),
        ];
        assert_eq!(quota(&first), Some(2.0));
        let unlimited = [
            ("proc/self/cgroup", "1:cpu:/\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ];
        assert_eq!(quota(&unlimited), None);
    }

    #[test]
    fn a_container_shows_by_its_mark_or_its_group() {
        let inside = |canned: &[(&str, &str)]| container(&files(canned).1);
        assert_eq!(inside(&[("proc/self/cgroup", "0::/user.slice\n")]), None);
        assert_eq!(inside(&[(".dockerenv", "")]).as_deref(), Some("docker"));
        let pod = "0::/kubepods/besteffort/pod1\n";
        assert_eq!(
            inside(&[("proc/self/cgroup", pod)]).as_deref(),
            Some("kubernetes")
        );
    }
}
