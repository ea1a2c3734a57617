//! The preset `compare`: stacks against a base, with the floor, the base a second time, and positive
//! controls.

use super::design::{ALPHA, Arm, Cadence, Experiment, Kind, MockServer, Role, Server, Workload};
use crate::inject::Inject;
use crate::load::Setup;
use crate::protocol::Api;
use crate::run::{Answers, Connection, Spec, Work};
use crate::stack::Stack;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;
use tare_mock::Profile;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What all others are compared with.
    pub base: Stack,
    /// The others; the base and the floor may be among them.
    pub stacks: Vec<Stack>,
    /// Other programs that speak the run protocol, each with its name and its command line for a shell.
    /// They are told to run the base's stack.
    pub peers: Vec<(String, String)>,
    /// A positive control for each.
    pub inject: Vec<Inject>,
    /// What is done.
    pub tasks: Vec<Task>,
    /// Worker threads of each runtime.
    pub threads: NonZeroUsize,
    /// How the server is asked.
    pub api: Api,
    /// The model that is asked.
    pub model: String,
    /// The folder that agents read.
    pub corpus: PathBuf,
    /// How many of its files an agent reads at once.
    pub ingest_concurrency: NonZeroUsize,
    /// Processors that runs are kept on; none: wherever the system puts them.
    pub processors: Vec<usize>,
    /// Blocks.
    pub blocks: usize,
    /// Seed of the order within them.
    pub order_seed: u64,
    /// The metrics that are judged.
    pub metrics: Vec<String>,
}

/// Something that is done.
#[derive(Clone, Debug)]
pub struct Task {
    /// What an iteration is.
    pub kind: Kind,
    /// How tokens come.
    pub cadence: Cadence,
    /// Agents of a team, or streams of a load, at once; 1 of all else.
    pub agents: NonZeroUsize,
    /// Who answers.
    pub server: Server,
    /// Tokens of each answer.
    pub tokens: u32,
    /// Iterations of each run before those that count.
    pub warm_up: u32,
    /// Iterations of each run that count; of a load, requests.
    pub iterations: u64,
}

/// Seed of the answers' text.
const TEXT_SEED: u64 = 1;
/// Counts under the profiler are nearly the same in every run.
const PROFILE_BLOCKS: usize = 3;

impl Task {
    /// What is done where nobody says otherwise: tokens, warm-up and iterations so that a run takes a
    /// quarter to half a second on two processors of 2024 and most of it is the client's work.
    pub fn usual(kind: Kind, cadence: Cadence, agents: NonZeroUsize, server: Server) -> Self {
        let (tokens, warm_up, iterations) = match (kind, cadence) {
            (Kind::Stream, Cadence::Paced) => (64, 4, 16),
            (Kind::Stream, Cadence::Burst | Cadence::Whole) => (512, 40, 120),
            (Kind::Load, Cadence::Paced) => (64, 0, 8 * agents.get() as u64),
            (Kind::Load, Cadence::Burst | Cadence::Whole) => (64, 0, 2000),
            (Kind::Agent, Cadence::Paced) => (64, 2, 8),
            (Kind::Agent, Cadence::Burst | Cadence::Whole) => (64, 4, 20),
            (Kind::Team, _) => (64, 1, 2),
        };
        Self {
            kind,
            cadence,
            agents,
            server,
            tokens,
            warm_up,
            iterations,
        }
    }

    /// Its name in the experiment.
    fn name(&self) -> String {
        let work = match (self.kind, self.agents.get()) {
            (Kind::Stream, _) => "streams".to_owned(),
            (Kind::Load, streams) => format!("{streams} streams"),
            (Kind::Agent, _) | (Kind::Team, 1) => "one agent".to_owned(),
            (Kind::Team, agents) => format!("{agents} agents"),
        };
        match self.cadence {
            Cadence::Paced => work,
            Cadence::Burst => work + " in a burst",
            Cadence::Whole => "whole answers".to_owned(),
        }
    }

    /// The server's name in the experiment.
    fn server_name(&self) -> String {
        match &self.server {
            Server::Mock(mock) => mock.name.clone(),
            Server::Real { .. } => "server".to_owned(),
        }
    }

    fn work(&self, corpus: &std::path::Path) -> Work {
        match (self.kind, self.cadence) {
            (Kind::Agent | Kind::Team, _) => Work::Agents {
                agents: self.agents,
                corpus: corpus.to_owned(),
            },
            (Kind::Load, _) => {
                let requests = NonZeroU64::new(self.iterations).unwrap_or(NonZeroU64::MIN);
                Work::Load(Box::new(Setup::counted(self.agents, requests)))
            }
            (_, Cadence::Whole) => Work::Whole,
            _ => Work::Stream {
                connection: Connection::Warm,
            },
        }
    }
}

/// A server of this profile.
pub fn mock(name: &str, mut profile: Profile, model: &str) -> Server {
    model.clone_into(&mut profile.model);
    Server::Mock(MockServer::new(name, profile))
}

impl Comparison {
    /// The experiment that it stands for.
    pub fn experiment(&self) -> Experiment {
        let servers: BTreeMap<String, Server> = self
            .tasks
            .iter()
            .map(|task| (task.server_name(), task.server.clone()))
            .collect();
        Experiment {
            preset: "compare".to_owned(),
            name: "compare".to_owned(),
            servers,
            proxied: false,
            mock_processor: None,
            workloads: self.tasks.iter().map(|task| self.workload(task)).collect(),
            blocks: self.blocks,
            order_seed: self.order_seed,
            seed_per_block: false,
            warm_up_runs: 0,
            cool_down: Duration::ZERO,
            profile_blocks: PROFILE_BLOCKS.min(self.blocks),
            failures_in_a_row: NonZeroU32::MIN,
            metrics: self.metrics.clone(),
            alpha: ALPHA,
            until_decided: false,
        }
    }

    fn workload(&self, task: &Task) -> Workload {
        let arm = |role: Role, stack: Stack, inject: Option<Inject>| Arm {
            name: match (&role, inject) {
                (Role::BaseAgain, _) => format!("{stack} (A/A)"),
                (_, Some(inject)) => format!("{stack} + {inject}"),
                _ => stack.to_string(),
            },
            role,
            blocks: None,
            program: Vec::new(),
            spec: self.spec(task, stack, inject),
        };
        // Whoever is alone shares the runtime with nobody.
        let shared = |stack: Stack| match task.agents == NonZeroUsize::MIN {
            true => stack.alone(),
            false => stack,
        };
        let base = shared(self.base);
        let floor = Stack {
            topology: base.topology.and(
                Stack::FLOOR
                    .topologies()
                    .first()
                    .and_then(|stack| stack.topology),
            ),
            ..Stack::FLOOR
        };
        let mut arms = Vec::new();
        if base != floor {
            arms.push(arm(Role::Floor, floor, None));
        }
        arms.push(arm(Role::Base, base, None));
        arms.push(arm(Role::BaseAgain, base, None));
        for stack in self.stacks.iter().copied().map(shared) {
            if arms.iter().all(|other| other.spec.stack != stack) {
                arms.push(arm(Role::Compared, stack, None));
            }
        }
        for (name, command) in &self.peers {
            arms.push(Arm {
                name: name.clone(),
                program: ["sh", "-c", command].map(str::to_owned).to_vec(),
                ..arm(Role::Compared, base, None)
            });
        }
        for &inject in &self.inject {
            let control = arm(Role::Control, base, Some(inject));
            if arms.iter().all(|other| other.name != control.name) {
                arms.push(control);
            }
        }
        Workload {
            name: task.name(),
            kind: match task.kind {
                Kind::Team if task.agents == NonZeroUsize::MIN => Kind::Agent,
                kind => kind,
            },
            cadence: task.cadence,
            arms,
        }
    }

    fn spec(&self, task: &Task, stack: Stack, inject: Option<Inject>) -> Spec {
        Spec {
            stack,
            threads: self.threads,
            base_url: task.server_name(),
            api: self.api,
            model: self.model.clone(),
            work: task.work(&self.corpus),
            tokens: task.tokens,
            ingest_concurrency: self.ingest_concurrency,
            seed: TEXT_SEED,
            warm_up: task.warm_up,
            iterations: match task.kind {
                Kind::Load => 1,
                _ => task.iterations,
            },
            answers: match task.server {
                Server::Mock(_) => Answers::Known,
                Server::Real { .. } => Answers::Unknown,
            },
            proxied: false,
            inject,
            profile_run: false,
            detail: false,
            processors: self.processors.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(base: &str, stacks: &[&str]) -> Vec<(String, Role)> {
        let stack = |name: &str| name.parse().expect("a stack");
        let profile = Profile::find("instant").expect("a built-in profile");
        let server = mock("instant", profile, "m");
        let one = NonZeroUsize::MIN;
        let two = one.saturating_add(1);
        let comparison = Comparison {
            base: stack(base),
            stacks: stacks.iter().map(|name| stack(name)).collect(),
            peers: Vec::new(),
            inject: Vec::new(),
            tasks: vec![Task::usual(Kind::Team, Cadence::Burst, two, server)],
            threads: one,
            api: Api::Chat,
            model: "m".to_owned(),
            corpus: PathBuf::new(),
            ingest_concurrency: one,
            processors: Vec::new(),
            blocks: 2,
            order_seed: 1,
            metrics: Vec::new(),
        };
        let arms = &comparison.experiment().workloads[0].arms;
        arms.iter()
            .map(|arm| (arm.name.clone(), arm.role.clone()))
            .collect()
    }

    #[test]
    fn floor_and_base_twice_are_always_among_the_arms() {
        let named = names("smol/hyper", &["smol/hyper", "smol/reqwest"]);
        let expected = [
            ("threads/raw", Role::Floor),
            ("smol/hyper", Role::Base),
            ("smol/hyper (A/A)", Role::BaseAgain),
            ("smol/reqwest", Role::Compared),
        ];
        assert_eq!(named, expected.map(|(name, role)| (name.to_owned(), role)));
    }

    #[test]
    fn the_floor_of_a_team_has_threads_of_its_own_and_can_be_the_base() {
        assert_eq!(names("smol/hyper/join", &[])[0].0, "threads/raw/spawn");
        let roles: Vec<Role> = names("threads/raw", &["smol/hyper"])
            .into_iter()
            .map(|(_, role)| role)
            .collect();
        assert_eq!(roles, [Role::Base, Role::BaseAgain, Role::Compared]);
    }
}
