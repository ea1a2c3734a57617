//! Several agents at once on one runtime.

use super::agent::{AgentError, AgentRun, Job, run_agent};
use crate::client::Client;
use crate::ollama::Ollama;
use crate::runtime::Runtime;
use futures::future::join_all;

/// How several agents share a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One task joins them all.
    Join,
    /// A task each.
    Spawn,
}

impl Topology {
    /// Its name in a cell.
    pub fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Spawn => "spawn",
        }
    }
}

/// Runs an agent per job, all at once, and waits for the last.
///
/// [`Topology::Join`] keeps them in the present task, where they take turns whenever one waits;
/// [`Topology::Spawn`] gives each a task of its own. The outcomes come in the order of the jobs.
pub async fn run_team<R: Runtime, C: Client<R>>(
    ollama: &Ollama<R, C>,
    jobs: Vec<Job>,
    topology: Topology,
) -> Vec<Result<AgentRun, AgentError>> {
    match topology {
        Topology::Join => join_all(jobs.iter().map(|job| run_agent(ollama, job))).await,
        Topology::Spawn => {
            let tasks: Vec<_> = jobs
                .into_iter()
                .map(|job| {
                    let agent = ollama.clone();
                    let work = async move { run_agent(&agent, &job).await };
                    ollama.runtime().spawn(work)
                })
                .collect();
            join_all(tasks).await
        }
    }
}
