//! What a run notes while it runs, with room for all of it beforehand, so that noting
//! allocates nothing.

use super::account::{AgentAccount, CallAccount, CorpusAccount};
use super::outcome::Iteration;
use super::spec::{Spec, Work};
use super::texts::TranscriptEntry;
use crate::meter::{Call, Histogram};
use crate::workflow::AgentRun;
use std::time::Duration;

/// The notes of all iterations.
pub struct Ledger {
    pub iterations: Vec<Iteration>,
    pub agents: Vec<AgentAccount>,
    pub calls: Vec<CallAccount>,
    pub texts: Vec<TranscriptEntry>,
    pub corpus: Option<CorpusAccount>,
    /// Whether what takes memory to find out is noted too.
    detail: bool,
    pub delivery: Histogram,
    pub itl: Histogram,
}

impl Ledger {
    pub fn for_iterations(spec: &Spec, iterations: u64) -> Self {
        let iterations = usize::try_from(iterations).unwrap_or_default();
        let agents = match &spec.work {
            Work::Stream { .. } | Work::Whole | Work::Load(_) => 0,
            Work::Agents { agents, .. } => agents.get(),
            Work::Team(team) => team.agents(),
        };
        let calls = match agents {
            0 => 1,
            agents => 2 * agents,
        };
        Self {
            iterations: Vec::with_capacity(iterations),
            agents: Vec::with_capacity(iterations * agents),
            calls: Vec::with_capacity(iterations * calls),
            texts: Vec::new(),
            corpus: None,
            detail: spec.detail,
            delivery: Histogram::new(),
            itl: Histogram::new(),
        }
    }

    /// The index of the present iteration.
    fn iteration(&self) -> u64 {
        self.iterations.len() as u64
    }

    /// Tokens of all iterations so far.
    pub fn tokens(&self) -> u64 {
        self.iterations
            .iter()
            .map(|iteration| iteration.tokens)
            .sum()
    }

    pub fn note(&mut self, call: &Call, agent: u32) {
        call.delivery().for_each(|it| self.delivery.record(it));
        call.itl().for_each(|it| self.itl.record(it));
        let mut account = CallAccount::of(call, self.iteration(), agent);
        if self.detail {
            account.note_delivery(call);
        }
        self.calls.push(account);
    }

    /// Notes agents that ran at once, `gross` from the start of the first to the end of the last, and
    /// what is in it for the iteration.
    pub fn note_agents(&mut self, gross: Duration, runs: &[AgentRun]) -> Iteration {
        let mut iteration = Iteration {
            gross_ns: nanos(gross),
            ..Iteration::default()
        };
        for (agent, run) in (0..).zip(runs) {
            self.agents.push(AgentAccount {
                iteration: self.iteration(),
                agent,
                gross_ns: nanos(run.gross),
                net_ns: run.net().map(nanos),
                ingest_ns: nanos(run.ingest),
                tokens: run.tokens() as u64,
            });
            iteration.ingest_ns += nanos(run.ingest);
            for stage in run.stages() {
                self.note(&stage.call, agent);
                iteration.tokens += stage.call.token_count() as u64;
                iteration.delivery_ns += stage.call.delivery().map(nanos).sum::<u64>();
                iteration.note_lateness(&stage.call);
            }
        }
        if self.detail && self.corpus.is_none() {
            self.corpus = runs.first().map(|run| CorpusAccount::of(&run.corpus));
        }
        let first = runs.first().and_then(|run| run.analysis.call.ttft());
        iteration.ttft_ns = nanos(first.unwrap_or_default());
        iteration
    }

    /// Notes what the first agents said.
    pub fn note_texts(&mut self, runs: &[AgentRun]) {
        let iteration = self.iteration();
        for (agent, run) in (0..).zip(runs) {
            self.texts
                .extend(TranscriptEntry::of(run, iteration, agent));
        }
    }
}

pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
