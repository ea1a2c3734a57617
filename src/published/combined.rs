//! `combined_report.md`: the whole team.

use super::prose::{self, Through, figures, row};
use super::summary::TeamSummary;
use crate::published::agent::system;
use crate::published::{MemberTruth, TeamRun, Truth};
use crate::report::markdown::{Align, NONE, Table, maybe, number};

/// Of more agents than this only the first ones are listed.
const MOST_LISTED: usize = 16;

/// The report of all agents over all runs.
pub fn combined_report(summary: &TeamSummary, runs: &[TeamRun]) -> String {
    prose::joined([
        format!(
            "# Team: {}, {}\n\nAgents that read a folder of benchmark files, have a model analyse them, and have it write a report from the analysis, all at once.\n",
            summary.scenario, summary.provenance.model
        ),
        prose::opening(summary),
        format!(
            "## Efficiency, published and true\n\n{}",
            prose::efficiency(summary)
        ),
        prose::lateness(summary),
        format!("## Figures over the runs\n\n{}", all_figures(summary)),
        format!("## Contention\n\n{}", contention(summary)),
        format!("## Agents\n\n{}", agents(summary, runs)),
        format!("## Run by run\n\n{}", by_run(runs)),
        prose::how_to_read(),
        system(&summary.provenance.provenance),
    ])
}

fn all_figures(summary: &TeamSummary) -> String {
    let mut ours = figures();
    for (name, figure, unit) in [
        ("makespan", "makespan_s", "s"),
        ("all agents alone, together", "isolated_total_s", "s"),
        ("aggregate throughput", "tokens_per_s", "tok/s"),
        ("queueing, all calls", "queueing_s", "s"),
        ("reload, all calls", "reload_s", "s"),
        ("fairness (Jain)", "fairness", ""),
        ("tare per agent", "tare_per_agent_ms", "ms"),
    ] {
        row(&mut ours, name, unit, summary.true_figure(figure));
    }
    let mut published = figures();
    for (name, unit) in [
        ("sequential_estimated_s", "s"),
        ("concurrent_wall_time_s", "s"),
        ("throughput_delta", "tok/s"),
        ("ttft_delta_ms", "ms"),
        ("collector_throughput", "tok/s"),
        ("insight_throughput", "tok/s"),
        ("collector_ttft_ms", "ms"),
        ("insight_ttft_ms", "ms"),
    ] {
        row(&mut published, name, unit, summary.published(name));
    }
    if published.is_empty() {
        return ours.to_string();
    }
    format!(
        "{ours}\nAs published, by their names; the deltas are Insight's less the collector's, and `sequential_estimated_s` is the sum of the agents' times while both ran:\n\n{published}"
    )
}

fn contention(summary: &TeamSummary) -> String {
    let mut table = Table::new(&[
        ("rule", Align::Left),
        ("whose", Align::Left),
        ("runs", Align::Right),
    ]);
    for (name, rule, whose) in [
        (
            "speedup_below_1_5",
            "speed-up by the published formula below 1.5",
            "published, in the code",
        ),
        (
            "ttft_3s_over_baseline",
            "an agent's mean TTFT more than 3 s above that alone",
            "published, in the text",
        ),
        (
            "waited",
            "calls waited at the servers for more than 1 % of the makespan",
            "ours",
        ),
    ] {
        let counted = summary.contention.get(name);
        let counted = counted.map_or(NONE.to_owned(), |it| format!("{} of {}", it.count, it.of));
        table.row([rule, whose, &counted]);
    }
    table.to_string()
}

fn agents(summary: &TeamSummary, runs: &[TeamRun]) -> String {
    let Some(first) = runs.first() else {
        return String::new();
    };
    let mut text = String::new();
    for (index, member) in first.members().take(MOST_LISTED).enumerate() {
        let config = &member.config;
        let mut table = figures();
        Through::of(runs, index).rows(&mut table);
        text += &format!(
            "### {}: {} at {}\n\n{}\n\n{table}\n",
            config.id, config.label, config.base_url, config.prompt
        );
    }
    if summary.agents > MOST_LISTED {
        text += &format!(
            "The other {} agents are in the runs' `metrics.json`.\n",
            summary.agents - MOST_LISTED
        );
    }
    text
}

fn by_run(runs: &[TeamRun]) -> String {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("makespan s", Align::Right),
        ("alone s", Align::Right),
        ("published efficiency %", Align::Right),
        ("true efficiency %", Align::Right),
        ("queueing ms", Align::Right),
        ("reload ms", Align::Right),
        ("tare per agent ms", Align::Right),
        ("tokens", Align::Right),
        ("slow-down", Align::Right),
        ("state", Align::Left),
    ]);
    for run in runs {
        if let Some(truth) = &run.tare {
            table.row(run_row(run, truth));
        }
    }
    format!(
        "{table}\nSlow-down is the greatest of an agent, and tokens are the least and the most of one agent.\n"
    )
}

fn run_row(run: &TeamRun, truth: &Truth) -> [String; 11] {
    let milliseconds = |seconds: Option<f64>| maybe(seconds.map(|it| 1e3 * it));
    let members = || run.members();
    let slowest = members()
        .filter_map(|it| it.tare.as_ref().and_then(|it: &MemberTruth| it.slowdown))
        .reduce(f64::max);
    let tokens = || members().map(|it| it.result.aggregate_metrics.total_tokens_generated);
    let tokens = match (tokens().min(), tokens().max()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least} – {most}"),
        _ => NONE.to_owned(),
    };
    [
        run.run_number.to_string(),
        number(truth.makespan_s),
        maybe(truth.isolated_total_s),
        number(truth.balance_percent),
        maybe(truth.efficiency_percent),
        milliseconds(truth.queueing_s),
        milliseconds(truth.reload_s),
        maybe(truth.tare_per_agent_ms),
        tokens,
        maybe(slowest),
        match truth.mock_late {
            Some(true) => "mock late".to_owned(),
            _ => String::new(),
        },
    ]
}
