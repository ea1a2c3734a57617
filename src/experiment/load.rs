//! The preset `load`: stacks that put the same load on the same server, compared where there are several.

use super::design::{ALPHA, Arm, Cadence, Experiment, Kind, Role, Server, Workload};
use crate::load::{Mode, Setup};
use crate::protocol::Api;
use crate::run::{Answers, Spec, Work};
use crate::stack::Stack;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// What is loaded, and by what.
#[derive(Clone, Debug)]
pub struct Loading {
    /// What drives the load; several are compared with the first. At least one.
    pub stacks: Vec<Stack>,
    /// Worker threads of each runtime.
    pub threads: NonZeroUsize,
    /// Who answers.
    pub server: Server,
    /// How it is asked.
    pub api: Api,
    /// The model that is asked.
    pub model: String,
    /// Most tokens of each answer; a mock's has exactly so many.
    pub tokens: u32,
    /// The load.
    pub setup: Setup,
    /// Runs of each stack.
    pub blocks: usize,
    /// Seed of the order within the blocks.
    pub order_seed: u64,
    /// The metrics that are judged.
    pub metrics: Vec<String>,
}

/// Seed of the answers' text.
const TEXT_SEED: u64 = 1;

impl Loading {
    /// The experiment that it stands for.
    pub fn experiment(&self) -> Experiment {
        let name = match &self.server {
            Server::Mock(mock) => mock.name.clone(),
            Server::Real { .. } => "server".to_owned(),
        };
        Experiment {
            preset: "load".to_owned(),
            name: "load".to_owned(),
            servers: [(name.clone(), self.server.clone())].into(),
            proxied: false,
            mock_processor: None,
            workloads: vec![self.workload(&name)],
            blocks: self.blocks,
            order_seed: self.order_seed,
            seed_per_block: false,
            warm_up_runs: 0,
            cool_down: Duration::ZERO,
            profile_blocks: 0,
            failures_in_a_row: NonZeroU32::MIN,
            metrics: self.metrics.clone(),
            alpha: ALPHA,
            until_decided: false,
        }
    }

    fn workload(&self, server: &str) -> Workload {
        let arm = |name: String, role: Role, stack: Stack| Arm {
            name,
            role,
            blocks: None,
            program: Vec::new(),
            spec: Spec {
                stack,
                threads: self.threads,
                base_url: server.to_owned(),
                api: self.api,
                model: self.model.clone(),
                work: Work::Load(Box::new(self.setup.clone())),
                tokens: self.tokens,
                // Nobody reads files here.
                ingest_concurrency: NonZeroUsize::MIN,
                seed: TEXT_SEED,
                warm_up: 0,
                iterations: 1,
                answers: match self.server {
                    Server::Mock(_) => Answers::Known,
                    Server::Real { .. } => Answers::Unknown,
                },
                proxied: false,
                inject: None,
                profile_run: false,
                detail: false,
                processors: Vec::new(),
            },
        };
        let mut arms = Vec::new();
        for (index, &stack) in self.stacks.iter().enumerate() {
            let role = match index {
                0 => Role::Base,
                _ => Role::Compared,
            };
            arms.push(arm(stack.to_string(), role, stack));
            if index == 0 && self.stacks.len() > 1 {
                arms.push(arm(format!("{stack} (A/A)"), Role::BaseAgain, stack));
            }
        }
        Workload {
            name: match self.setup.mode {
                Mode::Closed { streams } => format!("{streams} streams"),
                Mode::Open { rate_per_s, .. } => format!("{rate_per_s} requests/s"),
            },
            kind: Kind::Load,
            cadence: Cadence::Paced,
            arms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::mock;
    use tare_mock::Profile;

    #[test]
    fn one_stack_is_alone_and_several_are_compared_with_the_first_which_runs_twice() {
        let roles = |stacks: &[&str]| -> Vec<Role> {
            let stacks = stacks.iter().map(|name| name.parse().expect("a stack"));
            let loading = Loading {
                stacks: stacks.collect(),
                threads: NonZeroUsize::MIN,
                server: mock("m", Profile::find("instant").expect("built in"), "m"),
                api: Api::Chat,
                model: "m".to_owned(),
                tokens: 1,
                setup: Setup::counted(NonZeroUsize::MIN, std::num::NonZeroU64::MIN),
                blocks: 1,
                order_seed: 1,
                metrics: Vec::new(),
            };
            let experiment = loading.experiment();
            experiment.arms().map(|(_, arm)| arm.role.clone()).collect()
        };
        assert_eq!(roles(&["smol/hyper"]), [Role::Base]);
        let several = [Role::Base, Role::BaseAgain, Role::Compared];
        assert_eq!(roles(&["smol/hyper", "threads/raw"]), several);
    }
}
