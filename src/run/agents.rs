//! An iteration of agents: equal ones, or a team whose members have a role, a server and options
//! each.

use super::expected::Expected;
use super::inside::{Driver, RunError};
use super::ledger::{Ledger, nanos};
use super::outcome::Iteration;
use super::spec::{Answers, Spec, Team, Work};
use crate::client::{Client, Endpoint, Options};
use crate::protocol::{Api, Ollama, Options as ModelOptions};
use crate::runtime::Runtime;
use crate::workflow::{AgentRun, Job, Role, Topology, run_agent, run_team};
use futures::future::join_all;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The members of a team, each with the client of its server.
pub(super) struct Connections<R: Runtime, C: Client<R>> {
    members: Vec<(Ollama<R, C>, Job)>,
    /// What each is to be answered, in their order, where that is known.
    expected: Vec<Option<Expected>>,
}

impl<R: Runtime, C: Client<R>> Connections<R, C> {
    /// The members that the work has, if it has any: a client per server, the one that is there for
    /// its own, and clones of it for the agents. `options` are that client's.
    pub fn of(spec: &Spec, ollama: &Ollama<R, C>, options: &Options) -> Result<Self, RunError> {
        let mut connections = Self {
            members: Vec::new(),
            expected: Vec::new(),
        };
        let Work::Team(team) = &spec.work else {
            return Ok(connections);
        };
        let mut clients = HashMap::from([(spec.base_url.as_str(), ollama.clone())]);
        let mut answers = HashMap::new();
        for member in team.each() {
            let sent = team.sent(member);
            let client = match clients.entry(&member.base_url) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(place) => {
                    let options = Options {
                        endpoint: Endpoint::resolve(&member.base_url)?,
                        ..options.clone()
                    };
                    place.insert(ollama.beside(Arc::new(options))?).clone()
                }
            };
            let job = Job {
                role: member.role,
                corpus: team.corpus.clone(),
                ingest_concurrency: spec.ingest_concurrency,
                api: spec.api,
                model: spec.model.clone(),
                options: sent.clone(),
                keep_alive: None,
            };
            let seed = sent.seed.unwrap_or(spec.seed);
            let limit = sent.num_predict.map(u32::try_from);
            let tokens = limit.and_then(Result::ok).unwrap_or(spec.tokens);
            connections.expected.push(match spec.answers {
                Answers::Unknown => None,
                Answers::Known => {
                    let answer = answers.entry((seed, tokens));
                    Some(*answer.or_insert_with(|| Expected::tokens(seed, tokens)))
                }
            });
            connections.members.push((client, job));
        }
        Ok(connections)
    }

    /// Opens a connection for each member and, where the spec wants it, has each server load its model
    /// as its members will ask for it, the last one's options last. Over OpenAI's API nothing can be
    /// loaded beforehand.
    pub async fn get_ready(&self, api: Api, preload: bool) -> Result<(), RunError> {
        let openings = self.members.iter().map(|(ollama, _)| {
            let asked = ollama.clone();
            ollama.runtime().spawn(async move { asked.open(api).await })
        });
        // All at once, so that each has a connection of its own.
        for opening in join_all(openings.collect::<Vec<_>>()).await {
            opening?.hear().await?;
        }
        if !preload {
            return Ok(());
        }
        let mut loaded: Vec<(&Ollama<R, C>, &ModelOptions)> = Vec::new();
        for (ollama, job) in &self.members {
            let known = |(other, options): &(&Ollama<R, C>, &ModelOptions)| {
                other.asks_the_same(ollama) && **options == job.options
            };
            if loaded.iter().any(known) {
                continue;
            }
            ollama.load(api, &job.model, &job.options).await?;
            loaded.push((ollama, &job.options));
        }
        Ok(())
    }
}

impl<R: Runtime, C: Client<R>> Driver<R, C> {
    /// Equal agents.
    pub(super) async fn agents(
        &self,
        agents: NonZeroUsize,
        corpus: PathBuf,
        ledger: &mut Ledger,
    ) -> Result<Iteration, RunError> {
        let job = Job {
            role: Role::Neutral,
            corpus,
            ingest_concurrency: self.spec.ingest_concurrency,
            api: self.spec.api,
            model: self.spec.model.clone(),
            options: self.model_options(),
            keep_alive: None,
        };
        let expected = vec![self.expected; agents.get()];
        if agents == NonZeroUsize::MIN {
            let run = run_agent(&self.ollama, &job).await?;
            let net_ns = run.net().map(nanos);
            let (gross, runs) = (run.gross, [run]);
            check(&runs, &expected)?;
            let iteration = ledger.note_agents(gross, &runs);
            return Ok(Iteration {
                net_ns,
                ..iteration
            });
        }
        let topology = self.topology(agents)?;
        let team = vec![(self.ollama.clone(), job); agents.get()];
        let (gross, runs) = self.at_once(team, topology).await?;
        check(&runs, &expected)?;
        Ok(ledger.note_agents(gross, &runs))
    }

    /// The members of a team.
    pub(super) async fn team(
        &self,
        team: &Team,
        ledger: &mut Ledger,
    ) -> Result<Iteration, RunError> {
        let members = self.connections.members.clone();
        let topology = match NonZeroUsize::new(members.len()) {
            None | Some(NonZeroUsize::MIN) => self.spec.stack.topology.unwrap_or(Topology::Join),
            Some(several) => self.topology(several)?,
        };
        let (gross, runs) = self.at_once(members, topology).await?;
        check(&runs, &self.connections.expected)?;
        ledger.note_texts(&runs[..team.texts_of.min(runs.len())]);
        let net_ns = match &runs[..] {
            [alone] => alone.net().map(nanos),
            _ => None,
        };
        Ok(Iteration {
            net_ns,
            ..ledger.note_agents(gross, &runs)
        })
    }

    fn topology(&self, agents: NonZeroUsize) -> Result<Topology, RunError> {
        let topology = self.spec.stack.topology;
        topology.ok_or(RunError::NoTopology(agents))
    }

    /// Runs agents at once: from the start of the first to the end of the last, and what each did.
    async fn at_once(
        &self,
        team: Vec<(Ollama<R, C>, Job)>,
        topology: Topology,
    ) -> Result<(Duration, Vec<AgentRun>), RunError> {
        let started = Instant::now();
        let runs = run_team(team, topology).await;
        let gross = started.elapsed();
        let runs: Result<_, _> = runs.into_iter().collect();
        Ok((gross, runs?))
    }
}

/// Whether each agent was answered what was expected.
fn check(runs: &[AgentRun], expected: &[Option<Expected>]) -> Result<(), RunError> {
    for (run, expected) in runs.iter().zip(expected) {
        if let Some(expected) = expected {
            for stage in run.stages() {
                expected.check(&stage.call)?;
            }
        }
    }
    Ok(())
}
