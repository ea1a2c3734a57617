//! The runs: in each block both sides once, in an order drawn by lot, all inside one spawned task.

use super::Mock;
use super::arguments::Plan;
use super::progress::Progress;
use crate::cli::server;
use crate::client::{Client, Options as ClientOptions};
use crate::protocol::{Api, Identity, ModelIdentity, Ollama, Software};
use crate::report::agent::{Measured, Side};
use crate::run::{Expected, RunError};
use crate::runtime::Runtime;
use crate::stack::OnStack;
use crate::workflow::{AgentError, AgentRun, Job, Role, run_agent};
use anyhow::{Context, anyhow};
use fastrand::Rng;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use tare_mock::Profile;

/// The workload.
pub struct Blocks {
    threads: NonZeroUsize,
    client: ClientOptions,
    api: Api,
    baseline: Job,
    chimera: Job,
    runs: u32,
    order_seed: u64,
    mock: Option<Profile>,
}

/// What came of it.
pub struct Ran {
    /// Worker threads that the runtime was made with.
    pub threads: NonZeroUsize,
    /// What the server says it is.
    pub server: Identity,
    /// What it says of the model.
    pub model: Option<ModelIdentity>,
    /// All runs, in the order in which they ran.
    pub measured: Vec<Measured>,
}

impl Blocks {
    pub(super) fn new(plan: &Plan, corpus: &Path, client: ClientOptions) -> Self {
        let job = |options: &crate::protocol::Options| Job {
            role: Role::Neutral,
            corpus: corpus.to_owned(),
            ingest_concurrency: plan.ingest_concurrency,
            api: plan.api,
            model: plan.model.clone(),
            options: options.clone(),
            keep_alive: None,
        };
        Self {
            threads: plan.threads,
            client,
            api: plan.api,
            baseline: job(&plan.baseline),
            chimera: job(&plan.chimera),
            runs: plan.runs,
            order_seed: plan.order_seed,
            mock: plan
                .mock
                .as_ref()
                .map(|Mock { profile, .. }| profile.clone()),
        }
    }
}

impl OnStack for Blocks {
    type Output = anyhow::Result<Ran>;

    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output {
        let rt = R::new(self.threads).context("cannot start the runtime")?;
        let threads = rt.threads();
        let work = self.drive::<R, C>(rt.clone());
        let (server, model, measured) = rt.run(work)?;
        Ok(Ran {
            threads,
            server,
            model,
            measured,
        })
    }
}

impl Blocks {
    async fn drive<R: Runtime, C: Client<R>>(
        self,
        rt: R,
    ) -> anyhow::Result<(Identity, Option<ModelIdentity>, Vec<Measured>)> {
        let otherwise = match self.mock {
            Some(_) => "",
            None => ", or add `--mock` to do without one",
        };
        let identity =
            server::look_for::<R, C>(rt.clone(), &self.client, self.api, otherwise).await?;
        let ollama = Ollama::<R, C>::new(rt, Arc::new(self.client.clone()))?;
        // Opens the connection, so that no run pays for it.
        ollama.identify(self.api).await?;
        let model = ollama.find_model(&self.baseline.model).await;

        let order = order(self.runs, self.order_seed);
        let progress = Progress::new(order.len(), self.runs);
        let mut measured = Vec::with_capacity(order.len());
        for (block, side) in order {
            progress.begin(block, side);
            let job = self.job(side);
            let run = run_agent(&ollama, job).await;
            let run = run.map_err(|error| explain(error, job, identity.software))?;
            self.check(&run, job)?;
            progress.end(block, side, &run);
            measured.push(Measured { block, side, run });
        }
        progress.finish();
        Ok((identity, model, measured))
    }

    fn job(&self, side: Side) -> &Job {
        match side {
            Side::Baseline => &self.baseline,
            Side::Chimera => &self.chimera,
        }
    }

    /// With a mock every token is known beforehand, and a run that lost or changed one is none.
    fn check(&self, run: &AgentRun, job: &Job) -> Result<(), RunError> {
        let Some(profile) = &self.mock else {
            return Ok(());
        };
        for stage in run.stages() {
            let limit = job.options.num_predict;
            let limit = limit.and_then(|limit| u32::try_from(limit).ok());
            let tokens = limit.unwrap_or(profile.tokens);
            let seed = job.options.seed.unwrap_or(profile.seed);
            Expected::tokens(seed, tokens).check(&stage.call)?;
        }
        Ok(())
    }
}

/// The sides in the order in which they run, each with its block, from 1.
fn order(runs: u32, seed: u64) -> Vec<(u32, Side)> {
    let mut rng = Rng::with_seed(seed);
    let blocks = (1..=runs).flat_map(|block| {
        let mut sides = Side::BOTH;
        rng.shuffle(&mut sides);
        sides.map(|side| (block, side))
    });
    blocks.collect()
}

/// Adds what to do about it, where the server's words do not say.
fn explain(error: AgentError, job: &Job, server: Software) -> anyhow::Error {
    let remedy = match &error {
        AgentError::Analysis(cause) | AgentError::Report(cause) => {
            server::remedy(cause, server, &job.model)
        }
        AgentError::Ingest(_) => None,
    };
    match remedy {
        Some(remedy) => anyhow!("{error}; {remedy}"),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_has_both_sides_and_the_seed_decides_the_order() {
        let drawn = order(50, 3);
        for (index, block) in drawn.chunks(2).enumerate() {
            assert!(
                block
                    .iter()
                    .all(|(number, _)| *number as usize == index + 1)
            );
            assert_ne!(block[0].1, block[1].1);
        }
        assert_eq!(drawn, order(50, 3));
        assert_ne!(drawn, order(50, 4));
        let first: Vec<_> = drawn.iter().step_by(2).map(|(_, side)| side).collect();
        assert!(Side::BOTH.iter().all(|side| first.contains(&side)));
    }
}
