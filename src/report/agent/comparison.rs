//! `reports/comparison_report.md`: chimera against baseline.

use super::call::{RunMetrics, StageName};
use super::compare::{Figure, Quantity, Sample, Verdict};
use super::metrics::Metrics;
use super::net;
use super::prose;
use super::setup::{Server, Side};
use super::side::stage_table;
use super::side_metrics::SideMetrics;
use crate::report::markdown::{
    Align, NONE, Table, maybe, mean_and_sd, number, percent, ratio_ends,
};
use crate::stats::mean;

/// The report of both sides.
pub fn comparison_report(metrics: &Metrics) -> String {
    [
        format!("# Baseline against chimera: {}\n\nOne agent reads a folder of benchmark files, has a model analyse them, and has it write a report from the analysis: with the server's default options (baseline), and with overrides (chimera).\n", metrics.provenance.model),
        prose::opening(metrics),
        format!("## Key findings\n\n{}", bullets(&findings(metrics))),
        format!("## Aggregate\n\nMean ± sd over runs. Δ = chimera − baseline, of the means; it says nothing about chance, which the next table does.\n\n{}", aggregate(metrics)),
        format!("## What the pairs show\n\n{}", pairs(metrics)),
        format!("## Configurations\n\n{}", prose::configuration(metrics, &Side::BOTH)),
        format!("## Coefficients of variation\n\nsd / mean over runs.\n\n{}", variation(metrics)),
        format!("## Run by run\n\n{}", runs(metrics)),
        prose::skipped(metrics),
        prose::how_to_read(metrics),
        prose::system(&metrics.provenance.provenance),
        format!("## Conclusion\n\n{}", conclusion(metrics)),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join("\n")
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

fn findings(metrics: &Metrics) -> Vec<String> {
    let figures = metrics.comparison.figures.iter();
    let mut lines: Vec<String> = figures.map(finding).collect();
    let throughput = |figure: &Figure| figure.quantity == Quantity::Throughput;
    if !metrics.comparison.figures.iter().any(throughput) {
        lines.push("Throughput is unknown: the server states no generation time.".to_owned());
    }
    for side in Side::BOTH {
        lines.push(shares(metrics, metrics.side(side)));
    }
    lines.extend(cautions(metrics));
    lines
}

fn finding(figure: &Figure) -> String {
    let unit = figure.quantity.unit();
    let value = |sample: &Sample| match sample.mean {
        Some(mean) => format!("{} {unit}", number(mean)),
        None => "unknown".to_owned(),
    };
    format!(
        "{}: baseline {}, chimera {}; {}.",
        capital(&prose::name(figure)),
        value(&figure.baseline),
        value(&figure.chimera),
        prose::verdict(figure)
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

/// Gross, net and tare of a side, in one line.
fn shares(metrics: &Metrics, of: &SideMetrics) -> String {
    let runs = of.agent_runs.iter();
    let figure = |pick: fn(&RunMetrics) -> Option<f64>| {
        let values: Vec<f64> = of.agent_runs.iter().filter_map(pick).collect();
        mean(&values)
    };
    let gross = maybe(figure(|run| Some(run.gross_ms)));
    let side = capital(of.agent_type.name());
    match (
        figure(|run| run.net_ms),
        figure(|run| run.tare_ms),
        figure(RunMetrics::tare_share),
    ) {
        (Some(net), Some(tare), Some(share)) => format!(
            "{side}, mean of {} runs: gross {gross} ms, net {} ms, tare {} ms, which is {} of gross.",
            runs.len(),
            number(net),
            number(tare),
            percent(share)
        ),
        _ => format!(
            "{side}, mean of {} runs: gross {gross} ms; net and tare are unknown, as {}.",
            runs.len(),
            net::why_none(metrics.provenance.api)
        ),
    }
}

/// What bears on how far the findings reach.
fn cautions(metrics: &Metrics) -> Vec<String> {
    let mut lines = Vec::new();
    let factors = prose::factors(metrics);
    if factors.len() > 1 {
        lines.push(format!(
            "The sides differ in {} options at once ({}), so no difference can be put down to one of them.",
            factors.len(),
            factors.join(", ")
        ));
    }
    if let Server::Mock { .. } = metrics.provenance.server {
        lines.push(
            "The mock's timing depends on none of the options in which the sides differ: here baseline against chimera is the same work twice, and shows what chance and order do.".to_owned(),
        );
    }
    lines.extend(net::lateness(Side::BOTH.map(|side| metrics.side(side))));
    for stage in StageName::BOTH {
        let [baseline, chimera] = Side::BOTH.map(|side| prompt_tokens(metrics.side(side), stage));
        if let (Some(baseline), Some(chimera)) = (baseline, chimera)
            && stage == StageName::Analysis
            && baseline != chimera
        {
            lines.push(format!(
                "The analysis prompt is the same text for both, but the server counts {} tokens of it for baseline and {} for chimera: a prompt longer than `num_ctx` is cut, and then the sides do not do the same work.",
                number(baseline),
                number(chimera)
            ));
        }
    }
    let mixed = mixed_pairs(metrics);
    if mixed > 0 {
        lines.push(format!(
            "In {mixed} of {} blocks one side's run was cold and the other's warm; such pairs count for no figure that a load is part of. A change of `num_ctx` or `num_gpu` makes Ollama load the model again.",
            metrics.baseline.runs
        ));
    }
    if metrics.baseline.runs < 2 {
        lines.push("With one run per side there is no interval, and nothing can be concluded. Raise `--runs`.".to_owned());
    }
    lines
}

fn prompt_tokens(of: &SideMetrics, stage: StageName) -> Option<f64> {
    let calls = of.individual_runs.iter().filter(|call| call.stage == stage);
    let tokens: Option<Vec<f64>> = calls
        .map(|call| call.prompt_tokens.map(|n| n as f64))
        .collect();
    mean(&tokens?)
}

fn mixed_pairs(metrics: &Metrics) -> usize {
    let pairs = metrics
        .baseline
        .agent_runs
        .iter()
        .zip(&metrics.chimera.agent_runs);
    pairs
        .filter(|(one, other)| one.load() != other.load())
        .count()
}

fn aggregate(metrics: &Metrics) -> String {
    let mut table = Table::new(&[
        ("figure", Align::Left),
        ("unit", Align::Left),
        ("n", Align::Right),
        ("baseline", Align::Right),
        ("chimera", Align::Right),
        ("Δ", Align::Right),
        ("Δ / baseline", Align::Right),
    ]);
    for figure in &metrics.comparison.figures {
        let difference = figure.difference();
        let relative = difference.zip(figure.baseline.mean);
        let relative = relative.filter(|&(_, base)| base > 0.0);
        let n = match (figure.baseline.n, figure.chimera.n) {
            (baseline, chimera) if baseline == chimera => baseline.to_string(),
            (baseline, chimera) => format!("{baseline}, {chimera}"),
        };
        table.row([
            prose::name(figure),
            figure.quantity.unit().to_owned(),
            n,
            mean_and_sd(figure.baseline.mean, figure.baseline.sd),
            mean_and_sd(figure.chimera.mean, figure.chimera.sd),
            difference.map_or_else(|| NONE.to_owned(), signed),
            relative.map_or_else(
                || NONE.to_owned(),
                |(difference, base)| format!("{} %", signed(100.0 * difference / base)),
            ),
        ]);
    }
    table.to_string()
}

/// A difference, which always shows its sign.
fn signed(value: f64) -> String {
    if value > 0.0 {
        format!("+{}", number(value))
    } else {
        number(value)
    }
}

fn pairs(metrics: &Metrics) -> String {
    let mut table = Table::new(&[
        ("figure", Align::Left),
        ("pairs", Align::Right),
        ("chimera / baseline", Align::Right),
        ("interval", Align::Right),
        ("chimera is", Align::Left),
    ]);
    for figure in &metrics.comparison.figures {
        let ratio = figure.ratio.as_ref();
        table.row([
            prose::name(figure),
            figure.pairs.to_string(),
            ratio.map_or_else(|| NONE.to_owned(), |ratio| format!("{:.4}", ratio.estimate)),
            ratio.map_or_else(|| NONE.to_owned(), ratio_ends),
            word(figure.verdict).to_owned(),
        ]);
    }
    let level = match metrics.comparison.alpha_each {
        Some(alpha) => {
            let level = 100.0 * (1.0 - alpha);
            format!(
                "A pair is the two runs of one block. The ratio is that of geometric means; the interval is Student's for the mean log ratio. Each is made at {level:.2} % so that all of them hold together at 95 %. A difference is called *higher* or *lower* only where the interval excludes 1; *undecided* does not mean that there is no difference.\n"
            )
        }
        None => "A pair is the two runs of one block. No figure has the two differing pairs that an interval needs.\n".to_owned(),
    };
    format!("{level}\n{table}")
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Higher => "higher",
        Verdict::Lower => "lower",
        Verdict::Undecided => "undecided",
        Verdict::Equal => "equal in each pair",
        Verdict::TooFew => "too few pairs",
        Verdict::NoRatio => "no ratio: a value is not positive",
    }
}

fn variation(metrics: &Metrics) -> String {
    let mut table = Table::new(&[
        ("figure", Align::Left),
        ("baseline", Align::Right),
        ("chimera", Align::Right),
    ]);
    let cv = |sample: &Sample| {
        let mean = sample.mean.filter(|mean| *mean > 0.0);
        let cv = mean.zip(sample.sd).map(|(mean, sd)| sd / mean);
        cv.map_or_else(|| NONE.to_owned(), percent)
    };
    for figure in &metrics.comparison.figures {
        table.row([
            prose::name(figure),
            cv(&figure.baseline),
            cv(&figure.chimera),
        ]);
    }
    table.to_string()
}

fn runs(metrics: &Metrics) -> String {
    let mut text = String::new();
    for stage in StageName::BOTH {
        for side in Side::BOTH {
            let heading = format!("{} call, {side}", capital(stage.name()));
            let table = stage_table(metrics.side(side), stage);
            text += &format!("### {heading}\n\n{table}\n");
        }
    }
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("side", Align::Left),
        ("ran as", Align::Right),
        ("state", Align::Left),
        ("ingest ms", Align::Right),
        ("gross ms", Align::Right),
        ("net ms", Align::Right),
        ("tare ms", Align::Right),
        ("tare / gross", Align::Right),
        ("tokens", Align::Right),
    ]);
    let sides = Side::BOTH.map(|side| {
        metrics
            .side(side)
            .agent_runs
            .iter()
            .map(move |run| (side, run))
    });
    let mut all: Vec<_> = sides.into_iter().flatten().collect();
    all.sort_by_key(|(_, run)| run.position);
    for (side, run) in all {
        table.row([
            run.run.to_string(),
            side.to_string(),
            format!("no. {}", run.position),
            run.state(),
            number(run.ingest_ms),
            number(run.gross_ms),
            maybe(run.net_ms),
            maybe(run.tare_ms),
            run.tare_share().map_or_else(|| NONE.to_owned(), percent),
            run.tokens.to_string(),
        ]);
    }
    format!("{text}### Whole runs, in the order in which they ran\n\n{table}")
}

fn conclusion(metrics: &Metrics) -> String {
    let with = |verdict: Verdict| -> Vec<String> {
        let figures = metrics.comparison.figures.iter();
        let named = figures.filter(|figure| figure.verdict == verdict);
        named.map(prose::name).collect()
    };
    let mut lines = Vec::new();
    for (verdict, text) in [
        (Verdict::Higher, "Higher under chimera"),
        (Verdict::Lower, "Lower under chimera"),
        (Verdict::Undecided, "Undecided at this number of runs"),
        (Verdict::Equal, "Equal in each pair"),
        (Verdict::TooFew, "Too few pairs to conclude anything"),
        (Verdict::NoRatio, "Without a ratio"),
    ] {
        let figures = with(verdict);
        if !figures.is_empty() {
            lines.push(format!("{text}: {}.", figures.join("; ")));
        }
    }
    if lines.is_empty() {
        lines.push("Nothing was measured on both sides.".to_owned());
    }
    lines.push("Throughput is the server's own figure: a difference in it is the server's, never the client's.".to_owned());
    bullets(&lines)
}
