//! Several agents at once on one runtime.

use super::agent::{AgentError, AgentRun, Job, run_agent};
use crate::client::Client;
use crate::protocol::Ollama;
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
    /// Its name in a stack.
    pub fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Spawn => "spawn",
        }
    }
}

/// Runs an agent per job, all at once, and waits for the last. Each brings the client that it asks
/// by; agents of one server bring clones of one client, which share its connections.
///
/// [`Topology::Join`] keeps them in the present task, where they take turns whenever one waits;
/// [`Topology::Spawn`] gives each a task of its own. The outcomes come in the order of the team.
pub async fn run_team<R: Runtime, C: Client<R>>(
    team: Vec<(Ollama<R, C>, Job)>,
    topology: Topology,
) -> Vec<Result<AgentRun, AgentError>> {
    match topology {
        Topology::Join => join_all(team.iter().map(|(ollama, job)| run_agent(ollama, job))).await,
        Topology::Spawn => {
            let Some(rt) = team.first().map(|(ollama, _)| ollama.runtime().clone()) else {
                return Vec::new();
            };
            let tasks: Vec<_> = team
                .into_iter()
                .map(|(ollama, job)| rt.spawn(async move { run_agent(&ollama, &job).await }))
                .collect();
            join_all(tasks).await
        }
    }
}
