//! From a plan to an experiment: an arm per configuration, and one per kind of agent alone.

use super::{Configuration, Plan};
use crate::client::Limits;
use crate::experiment::{Experiment, Server};
use crate::protocol::Options;
use crate::team::{Chimeras, Known, SERVERS, Scenario, TeamSpec, experiment};
use std::num::NonZeroUsize;

/// What a plan does not say, and its runs need to know.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Who answers: one server, or a mock that is as many as the plan has; or two.
    pub servers: Vec<Server>,
    /// Time limits of a call.
    pub limits: Limits,
    /// Seed of the order.
    pub order_seed: u64,
    /// The metrics that are judged.
    pub metrics: Vec<String>,
}

impl Plan {
    /// The experiment that it stands for. Pauses are as many times shorter as a mock is faster.
    pub fn experiment(&self, with: Planned) -> Experiment {
        let mock = with.servers.iter().find_map(|server| match server {
            Server::Mock(mock) => Some(mock),
            Server::Real { .. } => None,
        });
        let known = mock.map(|mock| Known::from(&*mock.profile));
        let speed = mock.map_or(1.0, |mock| mock.speed);
        let most = self.configurations.iter().map(|one| one.repetitions).max();
        let most = most.unwrap_or_default();
        let configurations = self.configurations.iter();
        let arms = configurations.flat_map(|one| {
            let blocks = (one.repetitions < most).then_some(one.repetitions as usize);
            self.team(one, known, with.limits).arms(&one.name, blocks)
        });
        Experiment {
            name: self.name.clone(),
            seed_per_block: true,
            warm_up_runs: self.warm_up,
            cool_down: self.cool_down.div_f64(speed),
            ..experiment(
                "sweep",
                with.servers.clone(),
                arms.collect(),
                most as usize,
                with.order_seed,
                with.metrics,
            )
        }
    }

    fn team(&self, one: &Configuration, known: Option<Known>, limits: Limits) -> TeamSpec {
        let chimeras = match (one.scenario, &one.second) {
            // Of the two only the second has overrides.
            (Scenario::BaselineVsChimera, Some(second)) => Chimeras {
                first: second.clone(),
                second: Options::default(),
            },
            (_, second) => Chimeras {
                first: one.first.clone(),
                second: second.clone().unwrap_or_default(),
            },
        };
        let servers = match self.servers == NonZeroUsize::MIN {
            true => [SERVERS[0]; 2],
            false => SERVERS,
        };
        TeamSpec {
            stack: one.stack,
            threads: self.threads,
            scenario: one.scenario,
            members: one.scenario.members(one.agents, &chimeras, servers),
            api: self.api,
            model: self.model.clone(),
            corpus: self.corpus.named(),
            ingest_concurrency: self.ingest_concurrency,
            isolated: one.isolated,
            fixed_length: self.tokens,
            seed: Some(self.seed),
            limits,
            inject: one.inject,
            known,
        }
    }
}
