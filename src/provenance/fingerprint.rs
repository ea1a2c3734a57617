//! What two results must share to be compared.
//!
//! A fingerprint holds what changes times without anyone's doing it on purpose, and leaves out what
//! is compared on purpose (the commit, the stack, the model) and what only says when and where
//! (host name, date, load). What one side states and the other does not counts as different: that
//! it is the same can't be shown.

use super::Provenance;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;

/// One thing that a fingerprint holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The processor's name: another one has other times for everything.
    Cpu,
    /// Operating system and architecture: another scheduler and poller, other instructions.
    System,
    /// Cores that the process may use: they decide whether client and mock wait for each other.
    Cores,
    /// Bare metal or which hypervisor: a guest's timers and wake-ups cost several times as much.
    Virtualisation,
    /// The kernel's major and minor version: scheduler, timers and loopback change with it.
    Kernel,
    /// The frequency governor: it decides how fast a core is that has just woken.
    Governor,
    /// Turbo: with it, the clock depends on heat and on the neighbours.
    Turbo,
    /// The compiler: it writes the code that is measured.
    Compiler,
    /// Debug or release: without the optimiser, parsing takes many times as long.
    Profile,
    /// tare's own version: what it does and how it counts may change with it.
    Tare,
    /// Worker threads of the runtime: one more may cost or save a wake-up per token.
    Threads,
    /// The version of a crate that runtimes and clients are made of: it is the thing on the scale.
    Dependency(String),
}

impl Item {
    /// Why results that differ in it can't be compared, as the end of a sentence.
    pub fn why(&self) -> &'static str {
        match self {
            Item::Cpu => "another processor has other times for everything",
            Item::System => "another system schedules and polls in another way",
            Item::Cores => "cores decide whether client and server wait for each other",
            Item::Virtualisation => "timers and wake-ups cost more in a guest",
            Item::Kernel => "scheduler, timers and loopback change with the kernel",
            Item::Governor => "it decides how fast a core is that has just woken",
            Item::Turbo => "with it, the clock depends on heat and on the neighbours",
            Item::Compiler => "it writes the code that is measured",
            Item::Profile => "without the optimiser, everything takes longer",
            Item::Tare => "what is done and how it is counted may have changed",
            Item::Threads => "a worker thread more costs or saves wake-ups",
            Item::Dependency(_) => "it is part of what is measured",
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Item::Cpu => "processor",
            Item::System => "system",
            Item::Cores => "cores",
            Item::Virtualisation => "virtualisation",
            Item::Kernel => "kernel",
            Item::Governor => "governor",
            Item::Turbo => "turbo",
            Item::Compiler => "compiler",
            Item::Profile => "build profile",
            Item::Tare => "tare",
            Item::Threads => "worker threads",
            Item::Dependency(name) => name,
        })
    }
}

/// One thing in which two results differ. As text, a clause that says so, and why it matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What differs.
    pub what: Item,
    /// How it is in the result that asks; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub here: Option<String>,
    /// How it is in the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let (here, there) = (said(&self.here), said(&self.there));
        let Self { what, .. } = self;
        write!(f, "{what}: {here} here, {there} there ({})", what.why())
    }
}

/// What a result must share with another; see [`Item`] for what each is there for. It is not kept:
/// it is made of a result's provenance, so that results of an older tare have one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<Item, String>);

impl Fingerprint {
    /// That of a result, of which the runtime had so many worker threads.
    pub fn of(provenance: &Provenance, threads: NonZeroUsize) -> Self {
        let (build, machine) = (&provenance.build, &provenance.machine);
        let known = [
            (Item::Cpu, machine.cpu_model.clone()),
            (
                Item::System,
                Some(format!("{} {}", machine.os, machine.arch)),
            ),
            (Item::Cores, machine.cores.map(|cores| cores.to_string())),
            (
                Item::Virtualisation,
                machine.virtualisation.as_ref().map(ToString::to_string),
            ),
            (Item::Kernel, machine.kernel.as_deref().map(major_minor)),
            (Item::Governor, machine.governor.clone()),
            (Item::Turbo, machine.turbo.map(|turbo| turbo.to_string())),
            (Item::Compiler, Some(build.rust_version.clone())),
            (Item::Profile, Some(build.profile.clone())),
            (Item::Tare, Some(build.tare_version.clone())),
            (Item::Threads, Some(threads.to_string())),
        ];
        let dependencies = build.dependencies.iter();
        let dependencies =
            dependencies.map(|(name, version)| (Item::Dependency(name.clone()), version.clone()));
        let known = known
            .into_iter()
            .filter_map(|(item, value)| Some((item, value?)));
        Self(known.chain(dependencies).collect())
    }

    /// In what the other differs, in a fixed order; in nothing where they can be compared.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let items: BTreeSet<&Item> = self.0.keys().chain(other.0.keys()).collect();
        let value = |of: &Self, item: &Item| of.0.get(item).cloned();
        let pairs = items.into_iter().map(|item| Difference {
            what: item.clone(),
            here: value(self, item),
            there: value(other, item),
        });
        pairs.filter(|pair| pair.here != pair.there).collect()
    }
}

/// `6.18` of `6.18.44-fc-v669`.
fn major_minor(release: &str) -> String {
    let numbers = release.split('.').take(2);
    numbers.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Switch, Virtualisation};

    const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");

    /// A result from a machine that says all it can.
    fn result() -> Provenance {
        let mut result = Provenance::here();
        let machine = &mut result.machine;
        machine.cpu_model = Some("Xeon".to_owned());
        machine.cores = Some(4);
        machine.kernel = Some("6.18.44-generic".to_owned());
        machine.governor = Some("performance".to_owned());
        machine.turbo = Some(Switch::Off);
        machine.virtualisation = Some(Virtualisation::None);
        let tokio = ("tokio".to_owned(), "1.54.1".to_owned());
        result.build.dependencies = [tokio].into();
        result
    }

    fn changed(change: impl FnOnce(&mut Provenance)) -> Vec<String> {
        let mut other = result();
        change(&mut other);
        let differences =
            Fingerprint::of(&result(), TWO).differences(&Fingerprint::of(&other, TWO));
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_same_machine_on_another_day_can_be_compared() {
        let changes = changed(|other| {
            other.occasion.load_average = Some([9.0; 3]);
            other.machine.hostname = "elsewhere".to_owned();
            other.machine.kernel = Some("6.18.50-generic".to_owned());
            other.build.commit = Some("another".to_owned());
        });
        assert!(changes.is_empty(), "{changes:?}");
    }

    #[test]
    fn each_thing_that_changes_times_is_a_difference_with_its_reason() {
        type Change = fn(&mut Provenance);
        let changes: [(&str, Change); 10] = [
            ("processor: Xeon here, EPYC there (another", |it| {
                it.machine.cpu_model = Some("EPYC".to_owned());
            }),
            ("system: ", |it| it.machine.arch = "riscv64".to_owned()),
            ("cores: 4 here, 2 there (", |it| it.machine.cores = Some(2)),
            ("virtualisation: none here, kvm there (", |it| {
                it.machine.virtualisation = Some(Virtualisation::Guest("kvm".to_owned()));
            }),
            ("kernel: 6.18 here, 6.1 there (", |it| {
                it.machine.kernel = Some("6.1.0-40-amd64".to_owned());
            }),
            ("governor: performance here, unknown there (", |it| {
                it.machine.governor = None
            }),
            ("turbo: off here, on there (", |it| {
                it.machine.turbo = Some(Switch::On)
            }),
            ("compiler: ", |it| {
                it.build.rust_version = "rustc 1.0.0".to_owned()
            }),
            ("build profile: ", |it| {
                it.build.profile = "other".to_owned()
            }),
            ("tare: ", |it| it.build.tare_version = "0.0.1".to_owned()),
        ];
        for (clause, change) in changes {
            let said = changed(change);
            assert_eq!(said.len(), 1, "{clause}: {said:?}");
            assert!(said[0].starts_with(clause), "{said:?}");
        }
    }

    #[test]
    fn a_crate_that_changed_came_or_went_is_a_difference() {
        let said = changed(|other| {
            let mio = ("mio".to_owned(), "1.2.4".to_owned());
            let tokio = ("tokio".to_owned(), "1.55.0".to_owned());
            other.build.dependencies = [mio, tokio].into();
        });
        let reason = "(it is part of what is measured)";
        let expected = [
            format!("mio: unknown here, 1.2.4 there {reason}"),
            format!("tokio: 1.54.1 here, 1.55.0 there {reason}"),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn threads_are_part_of_it() {
        let (one, two) = (
            Fingerprint::of(&result(), NonZeroUsize::MIN),
            Fingerprint::of(&result(), TWO),
        );
        let differences = one.differences(&two);
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].what, Item::Threads);
        assert!(two.differences(&two).is_empty());
    }
}
