//! `reports/baseline_report.md` and `reports/chimera_report.md`: one side by itself.

use super::call::{CallMetrics, Load, RunMetrics, StageName};
use super::metrics::Metrics;
use super::net;
use super::prose;
use super::setup::Side;
use super::side_metrics::SideMetrics;
use crate::report::markdown::{Align, NONE, Table, maybe, mean_and_sd, number, percent};
use crate::stats::{mean, sample_sd};

/// The report of one side.
pub fn side_report(metrics: &Metrics, side: Side) -> String {
    let of = metrics.side(side);
    let what = match side {
        Side::Baseline => "the server's default options",
        Side::Chimera => "overrides of the server's options",
    };
    [
        format!("# {} agent: {}\n\nOne agent reads a folder of benchmark files, has a model analyse them, and has it write a report from the analysis; here with {what}.\n", title(side), of.model),
        prose::opening(metrics),
        format!("## Key findings\n\n{}", findings(metrics, of)),
        format!("## Aggregate\n\n{}", aggregate(of)),
        format!("## Configuration\n\n{}", prose::configuration(metrics, &[side])),
        format!("## Run by run\n\n{}", runs(of)),
        prose::skipped(metrics),
        prose::how_to_read(metrics),
        prose::system(&metrics.provenance.provenance),
        format!("## Conclusion\n\n{}", conclusion(metrics, of)),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

/// A side's name at the beginning of a heading.
fn title(side: Side) -> &'static str {
    match side {
        Side::Baseline => "Baseline",
        Side::Chimera => "Chimera",
    }
}

/// A figure over the calls or runs that have it.
struct Spread {
    n: usize,
    mean: Option<f64>,
    sd: Option<f64>,
    ends: Option<(f64, f64)>,
}

impl Spread {
    fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let mut values: Vec<f64> = values.flatten().collect();
        values.sort_by(f64::total_cmp);
        Self {
            n: values.len(),
            mean: mean(&values),
            sd: sample_sd(&values),
            ends: values.first().copied().zip(values.last().copied()),
        }
    }

    fn cv(&self) -> Option<f64> {
        self.mean
            .filter(|mean| *mean > 0.0)
            .zip(self.sd)
            .map(|(mean, sd)| sd / mean)
    }

    fn row(&self, name: String, unit: &str) -> Vec<String> {
        let end = |pick: fn((f64, f64)) -> f64| maybe(self.ends.map(pick));
        vec![
            name,
            unit.to_owned(),
            self.n.to_string(),
            mean_and_sd(self.mean, self.sd),
            self.cv().map_or_else(|| NONE.to_owned(), percent),
            end(|(least, _)| least),
            end(|(_, most)| most),
        ]
    }
}

fn calls(of: &SideMetrics, stage: StageName, load: Load) -> impl Iterator<Item = &CallMetrics> {
    let calls = of.individual_runs.iter();
    calls.filter(move |call| call.stage == stage && call.load() == load)
}

fn runs_of(of: &SideMetrics, load: Load) -> impl Iterator<Item = &RunMetrics> {
    of.agent_runs.iter().filter(move |run| run.load() == load)
}

fn findings(metrics: &Metrics, of: &SideMetrics) -> String {
    let mut lines = Vec::new();
    let throughput = Spread::of(
        of.individual_runs
            .iter()
            .map(|c| c.figures.throughput_tokens_per_sec),
    );
    lines.push(match throughput.mean {
        Some(_) => format!(
            "Throughput by the server's own clock: {} tok/s over {} calls.",
            mean_and_sd(throughput.mean, throughput.sd),
            throughput.n
        ),
        None => "The server states no generation time, so there is no throughput.".to_owned(),
    });
    for stage in StageName::BOTH {
        for load in Load::ALL {
            let ttft = Spread::of(calls(of, stage, load).map(|call| call.figures.ttft_ms));
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
    let tare = Spread::of(of.agent_runs.iter().map(|run| run.tare_ms));
    let share = Spread::of(of.agent_runs.iter().map(RunMetrics::tare_share));
    lines.push(match (tare.mean, share.mean) {
        (Some(_), Some(share)) => format!(
            "Tare: {} ms per run, {} of gross, over {} runs.",
            mean_and_sd(tare.mean, tare.sd),
            percent(share),
            tare.n
        ),
        _ => format!(
            "Net and tare are unknown: {}.",
            net::why_none(metrics.provenance.api)
        ),
    });
    lines.push(format!("{}.", prose::cold_calls(&of.individual_runs)));
    lines.extend(net::lateness([of]));
    if of.runs < 2 {
        lines.push(
            "One run has no spread: nothing can be concluded from it about the next.".to_owned(),
        );
    }
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

fn aggregate(of: &SideMetrics) -> String {
    let mut table = Table::new(&[
        ("figure", Align::Left),
        ("unit", Align::Left),
        ("n", Align::Right),
        ("mean ± sd", Align::Right),
        ("CV", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
    ]);
    let mut row = |name: String, unit: &str, spread: Spread| {
        if spread.n > 0 {
            table.row(spread.row(name, unit));
        }
    };
    let all = || of.individual_runs.iter();
    let runs = || of.agent_runs.iter();
    let throughput = Spread::of(all().map(|call| call.figures.throughput_tokens_per_sec));
    row(
        "throughput (server's clock)".to_owned(),
        "tok/s",
        throughput,
    );
    row(
        "TPOT".to_owned(),
        "ms",
        Spread::of(all().map(|call| call.tpot_ms)),
    );
    for load in Load::ALL {
        for stage in StageName::BOTH {
            let ttft = Spread::of(calls(of, stage, load).map(|call| call.figures.ttft_ms));
            row(format!("TTFT, {} call, {load}", stage.name()), "ms", ttft);
        }
        let gross = Spread::of(runs_of(of, load).map(|run| Some(run.gross_ms)));
        row(format!("gross, {load}"), "ms", gross);
        let net = Spread::of(runs_of(of, load).map(|run| run.net_ms));
        row(format!("net, {load}"), "ms", net);
    }
    row(
        "tare".to_owned(),
        "ms",
        Spread::of(runs().map(|run| run.tare_ms)),
    );
    let share = Spread::of(runs().map(|run| run.tare_share().map(|share| 100.0 * share)));
    row("tare, share of gross".to_owned(), "%", share);
    let ingest = Spread::of(runs().map(|run| Some(run.ingest_ms)));
    row("ingest (part of tare)".to_owned(), "ms", ingest);
    for (name, delivery) in [
        (
            "delivery, p50 of a call",
            Spread::of(all().map(|call| call.delivery_p50_ms.map(|ms| 1e3 * ms))),
        ),
        (
            "delivery, p99 of a call",
            Spread::of(all().map(|call| call.delivery_p99_ms.map(|ms| 1e3 * ms))),
        ),
    ] {
        row(name.to_owned(), "µs", delivery);
    }
    let tokens = Spread::of(all().map(|call| Some(call.figures.tokens_generated as f64)));
    row("tokens per answer".to_owned(), "tokens", tokens);
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
            run.tare_share().map_or_else(|| NONE.to_owned(), percent),
            run.tokens.to_string(),
        ]);
    }
    let mut text = format!("### Agent\n\n{table}");
    for stage in StageName::BOTH {
        let heading = match stage {
            StageName::Analysis => "Analysis calls",
            StageName::Report => "Report calls",
        };
        text += &format!("\n### {heading}\n\n{}", stage_table(of, stage));
    }
    text + "\nLoad, prompt eval and eval are stated by the server; load is part of its total and of TTFT.\n"
}

/// The calls of one stage, run by run.
pub fn stage_table(of: &SideMetrics, stage: StageName) -> Table {
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
        table.row([
            call.run.to_string(),
            call.state(),
            maybe(call.figures.ttft_ms),
            maybe(call.tpot_ms),
            maybe(call.figures.throughput_tokens_per_sec),
            call.figures.tokens_generated.to_string(),
            call.prompt_tokens
                .map_or_else(|| NONE.to_owned(), |n| n.to_string()),
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

fn conclusion(metrics: &Metrics, of: &SideMetrics) -> String {
    let side = of.agent_type;
    let share = Spread::of(of.agent_runs.iter().map(RunMetrics::tare_share));
    let tare = match share.mean {
        Some(mean) => format!(
            "In {} runs of {side}, {} of the wall-clock time was tare{}; the rest was the server's.",
            share.n,
            percent(mean),
            match share.ends {
                Some((least, most)) if share.n > 1 =>
                    format!(" (from {} to {})", percent(least), percent(most)),
                _ => String::new(),
            }
        ),
        None => format!(
            "How much of the wall-clock time was tare is unknown: {}.",
            net::why_none(metrics.provenance.api)
        ),
    };
    format!(
        "{tare} This report is of one side alone; how it compares with {} is in `comparison_report.md`.\n",
        side.other()
    )
}
