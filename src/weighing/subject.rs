//! What is run: stacks, each with its part in the comparison.

use crate::inject::Inject;
use crate::stack::{Carrier, Stack};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A stack's part in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What all others are compared with.
    Base,
    /// The base once more: the A/A control, which must not be found to differ.
    Again,
    /// Blocking threads: what the kernel and the parsing alone cost.
    Floor,
    /// One that is compared.
    Stack,
    /// The base with something slow built in: the positive control, which must be found.
    Control,
}

/// One of those that are run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Subject {
    /// On what.
    pub stack: Stack,
    /// As what.
    pub role: Role,
    /// What is built in, of a control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inject: Option<Inject>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match (self.role, self.inject) {
            (Role::Again, _) => format!("{} (again)", self.stack),
            (_, Some(inject)) => format!("{} + {inject}", self.stack),
            _ => self.stack.to_string(),
        };
        f.pad(&name)
    }
}

/// All that are run to compare `stacks` with `base`: the floor and the base twice whether or not
/// they are among the stacks, and a control for each of `inject`.
pub fn subjects(base: Stack, stacks: &[Stack], inject: &[Inject]) -> Vec<Subject> {
    let subject = |stack, role| Subject {
        stack,
        role,
        inject: None,
    };
    let floor = Stack {
        topology: base.topology.and(
            Stack::FLOOR
                .topologies()
                .first()
                .and_then(|stack| stack.topology),
        ),
        ..Stack::FLOOR
    };
    let mut subjects = vec![subject(floor, Role::Floor)];
    if base != floor {
        subjects.push(subject(base, Role::Base));
    } else {
        subjects[0].role = Role::Base;
    }
    subjects.push(subject(base, Role::Again));
    for &stack in stacks {
        if subjects.iter().all(|other| other.stack != stack) {
            subjects.push(subject(stack, Role::Stack));
        }
    }
    for &inject in inject {
        let control = Subject {
            inject: Some(inject),
            ..subject(base, Role::Control)
        };
        if !subjects.contains(&control) {
            subjects.push(control);
        }
    }
    subjects
}

/// In what a stack differs from its base. Only one that differs in a single thing says something
/// about that thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// In nothing.
    Nothing,
    /// The async runtime.
    Runtime,
    /// The HTTP client.
    Client,
    /// How agents share the runtime.
    Topology,
    /// More than one of these, or the runtime and with it whether I/O is native.
    Several,
}

impl Changed {
    /// What changes from `base` to `stack`.
    pub fn between(base: Stack, stack: Stack) -> Self {
        let (Carrier::Async(runtime, client), Carrier::Async(other, its)) =
            (base.carrier, stack.carrier)
        else {
            return if base == stack {
                Self::Nothing
            } else {
                Self::Several
            };
        };
        let changes = (
            runtime != other,
            client != its,
            base.topology != stack.topology,
        );
        match changes {
            (false, false, false) => Self::Nothing,
            (true, false, false) if base.io() == stack.io() => Self::Runtime,
            (false, true, false) => Self::Client,
            (false, false, true) => Self::Topology,
            _ => Self::Several,
        }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nothing => "nothing",
            Self::Runtime => "runtime",
            Self::Client => "client",
            Self::Topology => "topology",
            Self::Several => "several",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str) -> Stack {
        name.parse().expect("a stack")
    }

    #[test]
    fn floor_and_base_twice_are_always_among_them() {
        let all = subjects(
            stack("smol/hyper"),
            &[stack("smol/hyper"), stack("smol/reqwest")],
            &[],
        );
        let named: Vec<String> = all.iter().map(Subject::to_string).collect();
        assert_eq!(
            named,
            [
                "threads/raw",
                "smol/hyper",
                "smol/hyper (again)",
                "smol/reqwest"
            ]
        );
        let roles: Vec<Role> = all.iter().map(|subject| subject.role).collect();
        assert_eq!(roles, [Role::Floor, Role::Base, Role::Again, Role::Stack]);
    }

    #[test]
    fn the_floor_of_a_team_has_threads_of_its_own() {
        let all = subjects(stack("smol/hyper/join"), &[], &[]);
        assert_eq!(all[0].to_string(), "threads/raw/spawn");
    }

    #[test]
    fn the_floor_can_be_the_base() {
        let all = subjects(Stack::FLOOR, &[stack("smol/hyper")], &[]);
        let named: Vec<String> = all.iter().map(Subject::to_string).collect();
        assert_eq!(named, ["threads/raw", "threads/raw (again)", "smol/hyper"]);
    }

    #[test]
    fn only_one_change_is_named() {
        for (cell_name, changed) in [
            ("tokio-mt/hyper", Changed::Nothing),
            ("smol/hyper", Changed::Runtime),
            ("tokio-mt/hyper-1k", Changed::Client),
            ("tokio-mt/reqwest", Changed::Client),
            ("smol/reqwest", Changed::Several),
            ("tokio-mt/hyper/spawn", Changed::Topology),
            ("threads/raw", Changed::Several),
        ] {
            let found = Changed::between(stack("tokio-mt/hyper"), stack(cell_name));
            assert_eq!(found, changed, "{cell_name}");
        }
        // The runtime changes, and with it whether I/O is native.
        let bridged = Changed::between(stack("tokio-mt/reqwest"), stack("smol/reqwest"));
        assert_eq!(bridged, Changed::Several);
    }
}
