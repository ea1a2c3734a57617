//! What the reports of a team have in common: their opening, the rows of their tables, what the
//! words mean.

use super::summary::{Over, TeamSummary};
use crate::published::agent::server;
use crate::published::{Member, TeamRun};
use crate::report::markdown::{Align, NONE, Table, mean_and_sd, number};

/// Parts of a report, one after the other, those that say nothing left out.
pub fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

/// Date, model, runs, and what ran on what.
pub fn opening(summary: &TeamSummary) -> String {
    let setup = &summary.provenance;
    let here = &setup.provenance;
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let date = here.occasion.timestamp.strftime("%Y-%m-%d %H:%M:%S UTC");
    table.row(["Date", &date.to_string()]);
    table.row(["Scenario", &scenario(summary)]);
    table.row(["Model", &setup.model]);
    for asked in &setup.servers {
        table.row(["Server", &server(asked)]);
    }
    if let Some(mocks) = &setup.mocks {
        let slots = mocks
            .parallel
            .map_or("as many slots each as the profile".to_owned(), |it| {
                format!("{it} slots each")
            });
        let speed = mocks
            .speed
            .map_or(String::new(), |it| format!(", {it} times as fast"));
        let told = format!(
            "{} servers, {} GPUs, {slots}{speed}",
            mocks.servers, mocks.gpus
        );
        table.row(["Mock", &told]);
    }
    table.row(["API", &format!("{} ({})", setup.api, setup.api.path())]);
    let order = match setup.isolated {
        true => format!(
            "{}; in each the team once and each kind of agent alone once, a process each, in an order drawn with seed {}",
            summary.runs, setup.order_seed
        ),
        false => format!("{}; no agent was run alone", summary.runs),
    };
    table.row(["Runs", &order]);
    if let Some(length) = setup.fixed_length {
        table.row(["Answers", &format!("asked to have {length} tokens each")]);
    }
    if let Some(inject) = setup.inject {
        table.row(["Built in on purpose", &inject.to_string()]);
    }
    let stack = format!(
        "{} ({} I/O, {} threads)",
        setup.stack, setup.io, setup.threads
    );
    table.row(["Runtime and client", &stack]);
    let at_once = setup.ingest_concurrency;
    table.row([
        "Corpus",
        &format!("{}; {at_once} files read at a time", setup.corpus),
    ]);
    table.row(["Language", &format!("Rust ({})", here.build.rust_version)]);
    let machine = &here.machine;
    table.row(["System", &format!("{} {}", machine.os, machine.arch)]);
    table.row(["Hostname", &machine.hostname]);
    let mut text = table.to_string();
    if here.build.is_debug() {
        text += "\nThis is a debug build: the tare below is that of unoptimised code.\n";
    }
    text
}

fn scenario(summary: &TeamSummary) -> String {
    match summary.agents {
        1 => format!("{}: one agent", summary.scenario),
        agents => format!("{}: {agents} agents at once", summary.scenario),
    }
}

/// A table of figures over runs.
pub fn figures() -> Table {
    Table::new(&[
        ("figure", Align::Left),
        ("unit", Align::Left),
        ("n", Align::Right),
        ("mean ± sd", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
    ])
}

/// A row of it, if there is anything to tell.
pub fn row(table: &mut Table, name: &str, unit: &str, over: Option<&Over>) {
    if let Some(over) = over {
        table.row([
            name.to_owned(),
            unit.to_owned(),
            over.n.to_string(),
            mean_and_sd(Some(over.mean), over.sd),
            number(over.least),
            number(over.most),
        ]);
    }
}

/// Published and true efficiency side by side, and what each measures.
pub fn efficiency(summary: &TeamSummary) -> String {
    let mut table = figures();
    let published = summary.published("efficiency_percent");
    let balance = summary.true_figure("balance_percent");
    let agents = summary.agents;
    let alone = |what: &str| format!("{what}, against each agent alone");
    row(
        &mut table,
        "published efficiency",
        "%",
        published.or(balance),
    );
    row(
        &mut table,
        &alone("true efficiency"),
        "%",
        summary.true_figure("efficiency_percent"),
    );
    row(
        &mut table,
        "published speed-up",
        "×",
        summary.published("concurrency_speedup"),
    );
    row(
        &mut table,
        &alone("true speed-up"),
        "×",
        summary.true_figure("speedup"),
    );
    let mut text = format!(
        "{table}\n\
         The published efficiency is the sum of the agents' times *while all run* over {agents} times the makespan: it measures how equal these times are (their *balance*), and what slows all alike drops out of it.\n"
    );
    text += &if summary.provenance.isolated {
        format!(
            "The true efficiency is the sum of the agents' times *alone* over {agents} times the makespan: 100 % where no agent slowed another, {} % where they might as well have run one after the other.\n",
            number(100.0 / agents as f64)
        )
    } else {
        "The true efficiency is not known: no agent was run alone (`--no-isolated`).\n".to_owned()
    };
    text
}

/// In how many runs the mock was late, if in any.
pub fn lateness(summary: &TeamSummary) -> String {
    match summary.mock_late {
        Some(late) if late.count > 0 => format!(
            "In {} of {} runs the mock was late in one of its calls: it wrote more than 1 % of the tokens more than 1 ms after they were due, because the machine was too busy. The pace of these runs was not the profile's; they are marked below.\n",
            late.count, late.of
        ),
        _ => String::new(),
    }
}

/// One of the agents through all runs.
pub struct Through<'a> {
    /// Its index in the team.
    index: usize,
    runs: &'a [TeamRun],
}

impl<'a> Through<'a> {
    /// The agent of this index.
    pub fn of(runs: &'a [TeamRun], index: usize) -> Self {
        Self { index, runs }
    }

    /// It in each run, with the run.
    pub fn runs(&self) -> impl Iterator<Item = (&'a TeamRun, &'a Member)> {
        let index = self.index;
        let runs = self.runs.iter();
        runs.filter_map(move |run| Some((run, run.members().nth(index)?)))
    }

    /// A figure over the runs that have it.
    pub fn over(&self, figure: impl Fn(&Member) -> Option<f64>) -> Option<Over> {
        let values: Vec<f64> = self.runs().filter_map(|(_, it)| figure(it)).collect();
        Over::of(&values)
    }

    /// The figures of an agent, as rows.
    pub fn rows(&self, table: &mut Table) {
        let aggregate = |it: &Member| it.result.aggregate_metrics.clone();
        let truth = |it: &Member| it.tare.clone().unwrap_or_default();
        let mut figure = |name: &str, unit: &str, over: Option<Over>| {
            row(table, name, unit, over.as_ref());
        };
        figure(
            "time while all ran",
            "s",
            self.over(|it| Some(it.execution_time_s)),
        );
        figure("time alone", "s", self.over(|it| truth(it).isolated_time_s));
        figure("slow-down", "×", self.over(|it| truth(it).slowdown));
        figure(
            "throughput (server's clock)",
            "tok/s",
            self.over(|it| aggregate(it).average_tokens_per_second),
        );
        figure(
            "TTFT, both calls",
            "ms",
            self.over(|it| aggregate(it).average_ttft_ms),
        );
        figure(
            "tokens, both calls",
            "tokens",
            self.over(|it| Some(aggregate(it).total_tokens_generated as f64)),
        );
        figure("net", "ms", self.over(|it| truth(it).net_ms));
        figure("tare", "ms", self.over(|it| truth(it).tare_ms));
        figure(
            "queueing (part of net)",
            "ms",
            self.over(|it| truth(it).queueing_ms),
        );
        figure(
            "reload (part of net)",
            "ms",
            self.over(|it| truth(it).reload_ms),
        );
        figure(
            "ingest (part of tare)",
            "ms",
            self.over(|it| truth(it).ingest_ms),
        );
    }
}

/// What the words mean.
pub fn how_to_read() -> String {
    format!(
        "## How to read this\n\n\
         - **makespan**: from the start of the first agent to the end of the last, by the client's clock. **Aggregate throughput** is the tokens of all agents over it.\n\
         - **time** of an agent: read the corpus, analysis call, parse the answer, report call. *Alone*: the same agent on the same server in a process of its own, with nobody beside it. **Slow-down** is the one over the other.\n\
         - **net**: what the server spent on an agent's calls, its queue included. **tare** = the agent's time − net: what its own process and the transport added. A lock in the client is tare; a queue at the server is net.\n\
         - **queueing**: waiting for a slot or in the server's queue, by the server's account; **reload**: waiting for the model to be loaded with other options. Of a real server queueing is what the remainder (total − load − prompt eval − eval) exceeds that of the same call alone by, which is the prompt's tokenization; and a load that is more than three times, and more than 50 ms above, the median load of the agent alone is a reload, the queue before it included. Without the agents' runs alone neither is known.\n\
         - **fairness**: Jain's index of the agents' tokens per second, 1 where all are served alike, 1/n where one gets all.\n\
         - Before each process's clock starts, it has its connections, and the model is loaded with the options of its last agent (not over OpenAI's API, which can't ask for that).\n\
         - **sd**: sample standard deviation (n − 1) over runs. {NONE} marks what is not known.\n"
    )
}
