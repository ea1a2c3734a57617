//! `reports/baseline_report.md` and `reports/chimera_report.md`: one side by itself.

use super::call::{Load, RunMetrics, StageName};
use super::figure::Spread;
use super::metrics::{Metrics, SideMetrics};
use super::net;
use super::prose::{self, bullets, capital, document};
use super::setup::Side;
use crate::report::markdown::{Align, NONE, Table, maybe, mean_and_sd, number, percent};

/// The report of one side.
pub fn side_report(metrics: &Metrics, side: Side) -> String {
    let of = metrics.side(side);
    let what = match side {
        Side::Baseline => "the server's default options",
        Side::Chimera => "overrides of the server's options",
    };
    document([
        format!(
            "# {} agent: {}\n\nOne agent reads a folder of benchmark files, has a model analyse them, and has it write a report from the analysis; here with {what}. How the sides compare is in `comparison_report.md`.\n",
            capital(side.name()),
            of.model
        ),
        prose::opening(metrics),
        format!("## Key findings\n\n{}", bullets(&findings(metrics, of))),
        format!("## Aggregate\n\n{}", aggregate(metrics, side)),
        format!(
            "## Configuration\n\n{}",
            prose::configuration(metrics, &[side])
        ),
        format!("## Run by run\n\n{}", runs(of)),
        prose::skipped(metrics),
        prose::how_to_read(metrics),
        prose::system(&metrics.provenance.provenance),
    ])
}

fn findings(metrics: &Metrics, of: &SideMetrics) -> Vec<String> {
    let mut lines = vec![shares(metrics, of)];
    let throughput = of.individual_runs.iter();
    let throughput = throughput.filter_map(|call| call.figures.throughput_tokens_per_sec);
    let throughput = Spread::of(throughput);
    lines.push(match throughput.mean {
        Some(_) => format!(
            "Throughput by the server's own clock: {} tok/s over {} calls.",
            mean_and_sd(throughput.mean, throughput.sd),
            throughput.n
        ),
        None => "Throughput is unknown: the server states no generation time.".to_owned(),
    });
    for stage in StageName::BOTH {
        for load in Load::ALL {
            let calls = of.individual_runs.iter();
            let calls = calls.filter(|call| call.stage == stage && call.load() == load);
            let ttft = Spread::of(calls.filter_map(|call| call.figures.ttft_ms));
            if ttft.n > 0 {
                lines.push(format!(
                    "TTFT of the {} call, {load}: {} ms over {} calls.",
                    stage.name(),
                    mean_and_sd(ttft.mean, ttft.sd),
                    ttft.n
                ));
            }
        }
    }
    lines.push(format!("{}.", prose::cold_calls(&of.individual_runs)));
    lines.extend(net::lateness([of]));
    if of.runs < 2 {
        lines.push(
            "One run has no spread: nothing can be concluded from it about the next.".to_owned(),
        );
    }
    lines
}

/// Gross, net and tare of a side, in one line.
pub(super) fn shares(metrics: &Metrics, of: &SideMetrics) -> String {
    let spread = |figure: fn(&RunMetrics) -> Option<f64>| {
        Spread::of(of.agent_runs.iter().filter_map(figure))
    };
    let side = capital(of.agent_type.name());
    let gross = spread(|run| Some(run.gross_ms));
    let share = spread(RunMetrics::tare_share);
    let told = format!(
        "{side}, mean of {} runs: gross {} ms",
        of.runs,
        maybe(gross.mean)
    );
    match (share.mean, share.least.zip(share.most)) {
        _ if of.runs == 0 => format!("No run of {} is finished.", of.agent_type),
        (Some(mean), Some((least, most))) => format!(
            "{told}, net {} ms, tare {} ms: {} of gross ({} to {}).",
            maybe(spread(|run| run.net_ms).mean),
            maybe(spread(|run| run.tare_ms).mean),
            percent(mean),
            percent(least),
            percent(most)
        ),
        _ => format!(
            "{told}; net and tare are unknown, as {}.",
            net::why_none(metrics.provenance.api)
        ),
    }
}

fn aggregate(metrics: &Metrics, side: Side) -> String {
    let mut table = Table::new(&[
        ("figure", Align::Left),
        ("unit", Align::Left),
        ("n", Align::Right),
        ("mean ± sd", Align::Right),
        ("CV", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
    ]);
    for figure in &metrics.figures {
        let spread = figure.of(side);
        if spread.n > 0 {
            table.row([
                figure.name.clone(),
                figure.unit.clone(),
                spread.n.to_string(),
                mean_and_sd(spread.mean, spread.sd),
                prose::share(spread.cv()),
                maybe(spread.least),
                maybe(spread.most),
            ]);
        }
    }
    table.to_string()
}

fn runs(of: &SideMetrics) -> String {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("ran as", Align::Right),
        ("state", Align::Left),
        ("ingest ms", Align::Right),
        ("analysis ms", Align::Right),
        ("report ms", Align::Right),
        ("gross ms", Align::Right),
        ("net ms", Align::Right),
        ("tare ms", Align::Right),
        ("tare / gross", Align::Right),
        ("tokens", Align::Right),
    ]);
    for run in &of.agent_runs {
        table.row([
            run.run.to_string(),
            format!("no. {}", run.position),
            run.state(),
            number(run.ingest_ms),
            number(run.analysis_ms),
            number(run.report_ms),
            number(run.gross_ms),
            maybe(run.net_ms),
            maybe(run.tare_ms),
            prose::share(run.tare_share()),
            run.tokens.to_string(),
        ]);
    }
    let mut text = format!("### Agent\n\n{table}");
    for stage in StageName::BOTH {
        let heading = capital(stage.name());
        text += &format!("\n### {heading} calls\n\n{}", stage_table(of, stage));
    }
    text + "\nLoad, prompt eval and eval are stated by the server; load is part of its total and of TTFT.\n"
}

/// The calls of one stage, run by run.
fn stage_table(of: &SideMetrics, stage: StageName) -> Table {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("state", Align::Left),
        ("TTFT ms", Align::Right),
        ("TPOT ms", Align::Right),
        ("tok/s", Align::Right),
        ("tokens", Align::Right),
        ("prompt tokens", Align::Right),
        ("gross ms", Align::Right),
        ("net ms", Align::Right),
        ("tare ms", Align::Right),
        ("load ms", Align::Right),
        ("prompt eval ms", Align::Right),
        ("eval ms", Align::Right),
        ("ended by", Align::Left),
    ]);
    for call in of.individual_runs.iter().filter(|call| call.stage == stage) {
        let prompt_tokens = call.prompt_tokens.map(|n| n.to_string());
        table.row([
            call.run.to_string(),
            call.state(),
            maybe(call.figures.ttft_ms),
            maybe(call.tpot_ms),
            maybe(call.figures.throughput_tokens_per_sec),
            call.figures.tokens_generated.to_string(),
            prompt_tokens.unwrap_or_else(|| NONE.to_owned()),
            number(call.gross_ms),
            maybe(call.net_ms),
            maybe(call.tare_ms),
            maybe(call.figures.load_duration_ms),
            maybe(call.figures.prompt_eval_duration_ms),
            maybe(call.figures.eval_duration_ms),
            call.done_reason.clone().unwrap_or_else(|| NONE.to_owned()),
        ]);
    }
    table
}
