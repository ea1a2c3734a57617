//! `summary.md`: one page.

use super::prose::{self, figures, row};
use super::summary::TeamSummary;

/// The figures that most people come for.
pub fn short_summary(summary: &TeamSummary) -> String {
    let mut table = figures();
    for (name, figure, unit) in [
        ("makespan", "makespan_s", "s"),
        ("aggregate throughput", "tokens_per_s", "tok/s"),
        ("queueing, all calls", "queueing_s", "s"),
        ("reload, all calls", "reload_s", "s"),
        ("tare per agent", "tare_per_agent_ms", "ms"),
    ] {
        row(&mut table, name, unit, summary.true_figure(figure));
    }
    prose::joined([
        format!(
            "# {}: {} agents, {} runs\n",
            summary.scenario, summary.agents, summary.runs
        ),
        prose::efficiency(summary),
        prose::lateness(summary),
        table.to_string(),
        "All figures, agent by agent and run by run, are in `combined_report.md`.\n".to_owned(),
    ])
}
