//! The runs of a sweep, each as processes of a team.

use crate::client::Limits;
use crate::plan::{Bench, Configuration, Mishap, Plan, Run};
use crate::protocol::Options;
use crate::report::agent::Side;
use crate::report::published::TeamRun;
use crate::run::Program;
use crate::team::{Chimeras, Known, Ran, Scenario, Servers, TeamSpec, run_once};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Teams<'a> {
    pub program: &'a Program,
    pub plan: &'a Plan,
    /// The folder that the agents read.
    pub corpus: &'a Path,
    pub servers: &'a Servers,
    /// What a mock answers.
    pub known: Option<Known>,
    pub order_seed: u64,
    /// Of each call.
    pub limits: Limits,
    pub interrupted: Arc<AtomicBool>,
}

impl Teams<'_> {
    fn spec(&self, one: &Configuration, run: Run) -> TeamSpec {
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
        let side = match one.first == Options::default() {
            true => Side::Baseline,
            false => Side::Chimera,
        };
        // Each configuration draws for itself which of its processes comes first.
        let apart = (run.configuration as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        TeamSpec {
            stack: one.stack,
            threads: self.plan.threads,
            scenario: one.scenario,
            members: one
                .scenario
                .members(one.agents, side, &chimeras, self.servers.addresses()),
            api: self.plan.api,
            model: self.plan.model.clone(),
            corpus: self.corpus.to_owned(),
            ingest_concurrency: self.plan.ingest_concurrency,
            isolated: one.isolated,
            fixed_length: self.plan.tokens,
            seed: Some(self.plan.seed_of(run)),
            order_seed: self.order_seed ^ apart,
            limits: self.limits,
            inject: one.inject,
            known: self.known,
        }
    }

    fn run_once(&self, spec: &TeamSpec, run: Run) -> Result<Ran, Mishap> {
        let interrupted = || self.interrupted.load(Ordering::SeqCst);
        run_once(self.program, spec, run.number).map_err(|error| {
            match error.is_of_interruption(interrupted) {
                true => Mishap::Interrupted,
                false => Mishap::Failed(error.to_string().replace('\n', " ")),
            }
        })
    }
}

impl Bench for Teams<'_> {
    fn warm_up(&mut self, one: &Configuration, run: Run) -> Result<(), Mishap> {
        let spec = TeamSpec {
            isolated: false,
            ..self.spec(one, run)
        };
        self.run_once(&spec, run).map(|_| ())
    }

    fn run(&mut self, one: &Configuration, run: Run) -> Result<TeamRun, Mishap> {
        let mut record = self.run_once(&self.spec(one, run), run)?.record;
        if let Some(truth) = &mut record.tare {
            truth.configuration = Some(one.name.clone());
        }
        Ok(record)
    }
}
