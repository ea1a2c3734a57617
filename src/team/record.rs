//! From the outcomes of a run's processes to its `metrics.json`.

use super::figures::{
    Seen, balance_percent, contention, efficiency_percent, slowdown, speedup, summary,
};
use super::scenario::Scenario;
use super::spec::TeamSpec;
use crate::machine::Machine;
use crate::protocol::Options;
use crate::provenance::Build;
use crate::published::agent::Side;
use crate::report::published::{
    AgentResult, Aggregate, CallFigures, Config, Member, MemberTruth, SCHEMA, SystemInfo, TeamRun,
    Truth,
};
use crate::run::{AgentAccount, CallAccount, HotServer, Outcome, Waits};
use crate::stats::{jain_fairness, mean};
use crate::workflow::Role;

/// An agent of an outcome: its account and its calls.
struct Agent<'a> {
    account: &'a AgentAccount,
    calls: Vec<&'a CallAccount>,
    /// What each of its calls waited for, where that is known.
    waits: Vec<Option<Waits>>,
}

impl<'a> Agent<'a> {
    /// All of an outcome of one iteration, in their order.
    fn all(outcome: &'a Outcome) -> Vec<Self> {
        let mut agents: Vec<Self> = outcome
            .agents
            .iter()
            .map(|account| Self {
                account,
                calls: Vec::with_capacity(2),
                waits: Vec::new(),
            })
            .collect();
        for call in &outcome.calls {
            if let Some(agent) = agents.get_mut(call.agent as usize) {
                agent.calls.push(call);
            }
        }
        agents
    }

    fn time_s(&self) -> f64 {
        seconds(self.account.gross_ns)
    }

    fn generated(&self) -> u64 {
        self.calls.iter().map(|call| call.generated).sum()
    }

    /// The sum of a wait over its calls, ns; `None` where one of them does not tell.
    fn waited(&self, figure: fn(&Waits) -> u64) -> Option<u64> {
        self.waits
            .iter()
            .map(|waits| waits.as_ref().map(figure))
            .sum()
    }

    /// Finds out what its calls waited for: a mock tells, and of a real server the same calls of the
    /// same agent alone do.
    fn reckon_waits(&mut self, alone: Option<&Agent<'_>>) {
        let hot = alone.and_then(|alone| HotServer::of(alone.calls.iter().copied()));
        let of = |(index, call): (usize, &&CallAccount)| {
            call.waits.or_else(|| {
                let twin = alone?.calls.get(index)?.stated?;
                hot?.waits(&call.stated?, &twin)
            })
        };
        self.waits = self.calls.iter().enumerate().map(of).collect();
    }

    fn mean_ttft_ms(&self) -> Option<f64> {
        let ttft = self.calls.iter().filter_map(|call| call.ttft_ns);
        mean(&ttft.map(ms).collect::<Vec<_>>())
    }
}

/// Where and when a run was.
struct Here {
    system: SystemInfo,
    now: String,
}

/// The record of a run: all agents together, and what each did alone, where it did.
pub fn record(
    spec: &TeamSpec,
    run_number: u32,
    together: &Outcome,
    alone: &[Option<&Outcome>],
) -> TeamRun {
    let mut agents = Agent::all(together);
    let here = Here {
        system: SystemInfo::of(&Machine::here(), &Build::here()),
        now: jiff::Timestamp::now().to_string(),
    };
    let alone: Vec<Option<Agent<'_>>> = alone
        .iter()
        .map(|outcome| Agent::all((*outcome)?).pop())
        .collect();
    for (agent, alone) in agents.iter_mut().zip(&alone) {
        agent.reckon_waits(alone.as_ref());
    }
    let mut members: Vec<Member> = agents
        .iter()
        .zip(&alone)
        .enumerate()
        .map(|(index, (agent, alone))| member(spec, &here, index, agent, alone.as_ref()))
        .collect();
    for said in together.texts.iter().filter(|said| said.call == 0) {
        // Equal agents have the same prompt, which is long: it is kept once.
        let kept = spec.scenario != Scenario::Equal || said.agent == 0;
        if let Some(member) = members.get_mut(said.agent as usize).filter(|_| kept) {
            member.result.prompt.clone_from(&said.prompt);
        }
    }
    let truth = truth(spec, together, &agents, &alone);
    let mut run = TeamRun {
        run_number,
        scenario: spec.scenario.name().to_owned(),
        ..TeamRun::default()
    };
    match (<[Member; 2]>::try_from(members), &spec.members[..]) {
        (Ok([collector, insight]), [first, second])
            if (first.role, second.role) == (Role::DataCollector, Role::Insight) =>
        {
            run.summary = Some(summary(&collector, &insight, truth.makespan_s));
            run.collector = Some(collector);
            run.insight = Some(insight);
        }
        (Ok(pair), _) => run.agents = pair.into(),
        (Err(members), _) => run.agents = members,
    }
    run.tare = Some(truth);
    run
}

fn member(
    spec: &TeamSpec,
    here: &Here,
    index: usize,
    agent: &Agent<'_>,
    alone: Option<&Agent<'_>>,
) -> Member {
    let told = &spec.members[index];
    let side = told.side.name();
    let calls: Vec<CallFigures> = agent
        .calls
        .iter()
        .map(|call| CallFigures::of(call))
        .collect();
    let isolated_time_s = alone.map(Agent::time_s);
    let account = agent.account;
    Member {
        config: Config {
            id: match told.role {
                Role::Neutral if spec.members.len() > 1 => format!("{}-{}", told.role, index + 1),
                role => role.to_string(),
            },
            label: label(told.side, &told.options),
            model: spec.model.clone(),
            base_url: told.base_url.clone(),
            prompt: told.role.task().to_owned(),
            options: told.options.clone(),
        },
        result: AgentResult {
            agent_type: side.to_owned(),
            aggregate_metrics: Aggregate::of(&calls),
            configuration: spec.sent(told),
            individual_runs: calls,
            model: spec.model.clone(),
            prompt: String::new(),
            runs: 1,
            system_info: here.system.clone(),
            timestamp: here.now.clone(),
        },
        execution_time_s: agent.time_s(),
        tare: Some(MemberTruth {
            isolated_time_s,
            slowdown: isolated_time_s.map(|alone| slowdown(agent.time_s(), alone)),
            net_ms: account.net_ns.map(ms),
            tare_ms: account.tare_ns().map(|nanos| nanos as f64 / 1e6),
            ingest_ms: Some(ms(account.ingest_ns)),
            queueing_ms: agent.waited(|waits| waits.queueing_ns).map(ms),
            reload_ms: agent.waited(|waits| waits.reload_ns).map(ms),
        }),
    }
}

/// The side, with what makes it so.
fn label(side: Side, options: &Options) -> String {
    // As they stand in a request: numbers by their names.
    let json = serde_json::to_string(options).unwrap_or_default();
    let options = json.trim_matches(['{', '}']);
    if options.is_empty() {
        return side.to_string();
    }
    let options = options.replace('"', "").replace(':', "=");
    format!("{side} ({})", options.replace(',', ", "))
}

fn truth(
    spec: &TeamSpec,
    together: &Outcome,
    agents: &[Agent<'_>],
    alone: &[Option<Agent<'_>>],
) -> Truth {
    let makespan_s = together.total(|iteration| iteration.gross_ns).as_secs_f64();
    let times_s: Vec<f64> = agents.iter().map(Agent::time_s).collect();
    let isolated_total_s: Option<f64> = alone
        .iter()
        .map(|agent| agent.as_ref().map(Agent::time_s))
        .sum();
    let speedup = isolated_total_s.map(|total| speedup(total, makespan_s));
    let waited = |figure: fn(&Waits) -> u64| -> Option<f64> {
        let all: Option<u64> = agents.iter().map(|agent| agent.waited(figure)).sum();
        all.map(seconds)
    };
    let queueing_s = waited(|waits| waits.queueing_ns);
    let reload_s = waited(|waits| waits.reload_ns);
    let rates: Vec<f64> = agents
        .iter()
        .map(|agent| agent.generated() as f64 / agent.time_s())
        .collect();
    let tares: Option<Vec<f64>> = agents
        .iter()
        .map(|agent| agent.account.tare_ns().map(|nanos| nanos as f64 / 1e6))
        .collect();
    let ttft_ms: Option<Vec<(f64, f64)>> = agents
        .iter()
        .zip(alone)
        .map(|(agent, alone)| Some((agent.mean_ttft_ms()?, alone.as_ref()?.mean_ttft_ms()?)))
        .collect();
    let tokens: u64 = agents.iter().map(Agent::generated).sum();
    let calls = agents.iter().chain(alone.iter().flatten());
    let late = calls.flat_map(|agent| &agent.calls);
    Truth {
        schema: SCHEMA.to_owned(),
        configuration: None,
        stack: spec.stack,
        io: together.io.clone(),
        threads: together.threads,
        servers: spec.servers(),
        fixed_length: spec.fixed_length,
        makespan_s,
        isolated_total_s,
        speedup,
        efficiency_percent: speedup.map(|it| efficiency_percent(it, agents.len())),
        balance_percent: balance_percent(&times_s, makespan_s),
        tokens_per_s: tokens as f64 / makespan_s,
        queueing_s,
        reload_s,
        fairness: jain_fairness(&rates),
        tare_per_agent_ms: tares.and_then(|tares| mean(&tares)),
        contention: contention(&Seen {
            times_s: &times_s,
            makespan_s,
            ttft_ms: ttft_ms.as_deref(),
            waited_s: Option::zip(queueing_s, reload_s).map(|(queueing, reload)| queueing + reload),
        }),
        mock_late: late
            .filter_map(|call| call.mock_late)
            .reduce(|late, also| late || also),
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
