//! `collector_report.md` and `insight_report.md`: one agent of the two.

use super::prose::{self, Through, figures};
use super::summary::TeamSummary;
use crate::published::TeamRun;
use crate::published::agent::{StageName, system};
use crate::report::markdown::{Align, Table, maybe, number};

/// The report of the agent of this index; `None` if there is none.
pub fn member_report(summary: &TeamSummary, runs: &[TeamRun], index: usize) -> Option<String> {
    let first = runs.first()?.members().nth(index)?;
    let config = &first.config;
    let through = Through::of(runs, index);
    let mut table = figures();
    through.rows(&mut table);
    Some(prose::joined([
        format!(
            "# {}: {}\n\n{} Asked of {}, beside {} other.\n",
            config.id,
            config.label,
            config.prompt,
            config.base_url,
            summary.agents - 1
        ),
        prose::opening(summary),
        format!("## Figures over the runs\n\n{table}"),
        prose::lateness(summary),
        format!("## Configuration\n\n{}", configuration(first)),
        format!("## Run by run\n\n{}", by_run(&through)),
        format!("## Calls\n\n{}", calls(&through)),
        prose::how_to_read(),
        system(&summary.provenance.provenance),
    ]))
}

fn configuration(member: &crate::published::Member) -> String {
    let options = serde_json::to_value(&member.result.configuration).unwrap_or_default();
    let mut table = Table::new(&[("option", Align::Left), ("value", Align::Right)]);
    for (name, value) in options.as_object().into_iter().flatten() {
        table.row([name.as_str(), &value.to_string()]);
    }
    if table.is_empty() {
        return "No option is sent: the server's defaults hold.\n".to_owned();
    }
    format!("{table}\nOptions that are not listed are not sent: the server's defaults hold.\n")
}

fn by_run(through: &Through<'_>) -> String {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("time s", Align::Right),
        ("alone s", Align::Right),
        ("slow-down", Align::Right),
        ("net ms", Align::Right),
        ("tare ms", Align::Right),
        ("queueing ms", Align::Right),
        ("reload ms", Align::Right),
        ("tokens", Align::Right),
    ]);
    for (run, member) in through.runs() {
        let truth = member.tare.clone().unwrap_or_default();
        let tokens = member.result.aggregate_metrics.total_tokens_generated;
        table.row([
            run.run_number.to_string(),
            number(member.execution_time_s),
            maybe(truth.isolated_time_s),
            maybe(truth.slowdown),
            maybe(truth.net_ms),
            maybe(truth.tare_ms),
            maybe(truth.queueing_ms),
            maybe(truth.reload_ms),
            tokens.to_string(),
        ]);
    }
    table.to_string()
}

fn calls(through: &Through<'_>) -> String {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("call", Align::Left),
        ("TTFT ms", Align::Right),
        ("tok/s", Align::Right),
        ("tokens", Align::Right),
        ("total ms", Align::Right),
        ("load ms", Align::Right),
        ("prompt eval ms", Align::Right),
        ("eval ms", Align::Right),
    ]);
    for (run, member) in through.runs() {
        let calls = StageName::BOTH
            .into_iter()
            .zip(&member.result.individual_runs);
        for (stage, call) in calls {
            table.row([
                run.run_number.to_string(),
                stage.name().to_owned(),
                maybe(call.ttft_ms),
                maybe(call.throughput_tokens_per_sec),
                call.tokens_generated.to_string(),
                maybe(call.total_duration_ms),
                maybe(call.load_duration_ms),
                maybe(call.prompt_eval_duration_ms),
                maybe(call.eval_duration_ms),
            ]);
        }
    }
    format!("{table}\nTTFT is by the client's clock; all else is stated by the server.\n")
}
