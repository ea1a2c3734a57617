//! From the records of a run, the team's and those of its agents alone, to its `metrics.json`.

use super::formulas::{
    Seen, balance_percent, contention, efficiency_percent, slowdown, speedup, summary,
};
use super::ours::{MemberTruth, SCHEMA, Truth};
use super::schema::{AgentResult, Aggregate, CallFigures, Config, Member, SystemInfo, TeamRun};
use crate::experiment::{Detail, Run};
use crate::protocol::Options;
use crate::run::{AgentAccount, CallAccount, HotServer, Member as Told, Spec, Team, Waits};
use crate::stats::{jain_fairness, mean};
use crate::team::Scenario;
use crate::workflow::Role;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// An agent of an outcome: its account and its calls.
struct Agent<'a> {
    account: &'a AgentAccount,
    calls: Vec<&'a CallAccount>,
    /// What each of its calls waited for, where that is known.
    waits: Vec<Option<Waits>>,
}

impl<'a> Agent<'a> {
    /// All of a run of one iteration, in their order.
    fn all(detail: &'a Detail) -> Vec<Self> {
        let accounts = detail.agents.iter();
        let mut agents: Vec<Self> = accounts
            .map(|account| Self {
                account,
                calls: Vec::with_capacity(2),
                waits: Vec::new(),
            })
            .collect();
        for call in &detail.calls {
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
    fn waited(&self, wait: fn(&Waits) -> u64) -> Option<u64> {
        self.waits
            .iter()
            .map(|waits| waits.as_ref().map(wait))
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

/// What a run was told, and what came of it.
pub struct Recorded<'a> {
    /// Its configuration's name, if it is of a plan.
    pub configuration: Option<&'a str>,
    /// Among the runs of its configuration, from 1.
    pub run_number: u32,
    /// What the team's process was told, with servers' addresses where they are known.
    pub spec: &'a Spec,
    /// The team.
    pub team: &'a Team,
    /// What came of it.
    pub together: &'a Run,
    /// What came of each agent alone, where it was run so.
    pub alone: Vec<Option<&'a Run>>,
    /// On which machine, by which build.
    pub system: SystemInfo,
    /// When, as RFC 3339.
    pub timestamp: String,
}

/// `metrics.json` of a run: all agents together, and what each did alone, where it did. `None` where the
/// run has no account of its agents.
pub fn team_run(of: &Recorded<'_>) -> Option<TeamRun> {
    let detail = of.together.detail.as_ref()?;
    let told: Vec<&Told> = of.team.each().collect();
    let mut agents = Agent::all(detail);
    if agents.len() != told.len() {
        return None;
    }
    let alone: Vec<Option<Agent<'_>>> = of
        .alone
        .iter()
        .map(|run| Agent::all((*run)?.detail.as_ref()?).pop())
        .collect();
    for (agent, alone) in agents.iter_mut().zip(&alone) {
        agent.reckon_waits(alone.as_ref());
    }
    let mut members: Vec<Member> = agents
        .iter()
        .zip(&alone)
        .enumerate()
        .map(|(index, (agent, alone))| member(of, (index, told[index]), agent, alone.as_ref()))
        .collect();
    let equal = of.team.scenario == Scenario::Equal.name();
    for entry in detail.texts.iter().filter(|entry| entry.call == 0) {
        // Equal agents have the same prompt, which is long: it is kept once.
        let kept = !equal || entry.agent == 0;
        if let Some(member) = members.get_mut(entry.agent as usize).filter(|_| kept) {
            member.result.prompt.clone_from(&entry.prompt);
        }
    }
    let truth = truth(of, detail, &agents, &alone)?;
    let mut run = TeamRun {
        run_number: of.run_number,
        scenario: of.team.scenario.clone(),
        ..TeamRun::default()
    };
    match (<[Member; 2]>::try_from(members), &told[..]) {
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
    Some(run)
}

fn member(
    of: &Recorded<'_>,
    (index, told): (usize, &Told),
    agent: &Agent<'_>,
    alone: Option<&Agent<'_>>,
) -> Member {
    let side = side(&told.options);
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
                Role::Neutral if of.team.agents() > 1 => format!("{}-{}", told.role, index + 1),
                role => role.to_string(),
            },
            label: label(&told.options),
            model: of.spec.model.clone(),
            base_url: told.base_url.clone(),
            prompt: told.role.task().to_owned(),
            options: told.options.clone(),
        },
        result: AgentResult {
            agent_type: side.to_owned(),
            aggregate_metrics: Aggregate::of(&calls),
            configuration: of.team.sent(told),
            individual_runs: calls,
            model: of.spec.model.clone(),
            prompt: String::new(),
            runs: 1,
            system_info: of.system.clone(),
            timestamp: of.timestamp.clone(),
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

/// An agent with overrides is a chimera.
fn side(overrides: &Options) -> &'static str {
    match *overrides == Options::default() {
        true => "baseline",
        false => "chimera",
    }
}

/// The side, with what makes it so.
fn label(options: &Options) -> String {
    let side = side(options);
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
    of: &Recorded<'_>,
    detail: &Detail,
    agents: &[Agent<'_>],
    alone: &[Option<Agent<'_>>],
) -> Option<Truth> {
    let makespan_s = seconds(detail.iterations.iter().map(|it| it.gross_ns).sum());
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
    let servers = of.team.members.iter();
    let servers: BTreeSet<&str> = servers.map(|it| it.base_url.as_str()).collect();
    Some(Truth {
        schema: SCHEMA.to_owned(),
        configuration: of.configuration.map(str::to_owned),
        stack: of.spec.stack,
        io: of.together.io.clone(),
        threads: of.together.threads.unwrap_or(of.spec.threads),
        servers: NonZeroUsize::new(servers.len())?,
        fixed_length: of.team.tokens,
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
    })
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
