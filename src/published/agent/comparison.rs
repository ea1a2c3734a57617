//! `reports/comparison_report.md`: chimera against baseline.

use super::call::StageName;
use super::metrics::{Metrics, SideMetrics};
use super::net;
use super::prose::{self, bullets, document};
use super::setup::{Server, Side};
use super::side::shares;
use crate::experiment::Judgement;
use crate::report::markdown::{Align, NONE, Table, maybe, mean_and_sd, number, ratio_ends};
use crate::stats::mean;

/// The report of both sides.
pub fn comparison_report(metrics: &Metrics) -> String {
    document([
        format!(
            "# Baseline against chimera: {}\n\nOne agent reads a folder of benchmark files, has a model analyse them, and has it write a report from the analysis: with the server's default options (baseline), and with overrides (chimera). The calls of each run are in `baseline_report.md` and `chimera_report.md`.\n",
            metrics.provenance.model
        ),
        prose::opening(metrics),
        format!("## Key findings\n\n{}", bullets(&findings(metrics))),
        format!(
            "## Aggregate\n\nMean ± sd and CV over calls or runs. Δ = chimera − baseline, of the means; it says nothing about chance, which the verdicts do.\n\n{}",
            aggregate(metrics)
        ),
        format!("## Verdicts\n\n{}", verdicts(metrics)),
        format!(
            "## Configurations\n\n{}",
            prose::configuration(metrics, &Side::BOTH)
        ),
        format!(
            "## Run by run\n\nIn the order in which they ran.\n\n{}",
            runs(metrics)
        ),
        prose::skipped(metrics),
        prose::how_to_read(metrics),
        prose::system(&metrics.provenance.provenance),
    ])
}

/// What was measured of either side, and what bears on how far it reaches.
fn findings(metrics: &Metrics) -> Vec<String> {
    let mut lines: Vec<String> = Side::BOTH
        .map(|side| shares(metrics, metrics.side(side)))
        .into();
    let known = |figure: &super::Figure| figure.unit == "tok/s";
    lines.push(match metrics.figures.iter().any(known) {
        true => "Throughput is the server's own figure: a difference in it is the server's, never the client's.".to_owned(),
        false => "Throughput is unknown: the server states no generation time.".to_owned(),
    });
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
    let [baseline, chimera] = Side::BOTH.map(|side| prompt_tokens(metrics.side(side)));
    if let (Some(baseline), Some(chimera)) = (baseline, chimera)
        && baseline != chimera
    {
        lines.push(format!(
            "The analysis prompt is the same text for both, but the server counts {} tokens of it for baseline and {} for chimera: a prompt longer than `num_ctx` is cut, and then the sides do not do the same work.",
            number(baseline),
            number(chimera)
        ));
    }
    let mixed = mixed_pairs(metrics);
    if mixed > 0 {
        lines.push(format!(
            "In {mixed} of {} blocks one side's run was cold and the other's warm, so that the verdicts on TTFT, gross and net have a load on one side. A change of `num_ctx` or `num_gpu` makes Ollama load the model again.",
            metrics.baseline.runs
        ));
    }
    if metrics.baseline.runs < 2 || metrics.chimera.runs < 2 {
        lines.push("With one run per side there is no interval, and nothing can be concluded. Raise `--runs`.".to_owned());
    }
    lines
}

/// Tokens of the analysis prompt, mean over the runs, where each states them.
fn prompt_tokens(of: &SideMetrics) -> Option<f64> {
    let calls = of.individual_runs.iter();
    let calls = calls.filter(|call| call.stage == StageName::Analysis);
    let tokens: Option<Vec<f64>> = calls
        .map(|call| call.prompt_tokens.map(|n| n as f64))
        .collect();
    mean(&tokens?)
}

/// Blocks of a cold and a warm run.
fn mixed_pairs(metrics: &Metrics) -> usize {
    let baseline = metrics.baseline.agent_runs.iter();
    let mixed = baseline.filter(|one| {
        let mut chimera = metrics.chimera.agent_runs.iter();
        chimera.any(|other| other.run == one.run && other.load() != one.load())
    });
    mixed.count()
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
        ("CV baseline", Align::Right),
        ("CV chimera", Align::Right),
    ]);
    for figure in &metrics.figures {
        let (baseline, chimera) = (&figure.baseline, &figure.chimera);
        let difference = chimera
            .mean
            .zip(baseline.mean)
            .map(|(one, base)| one - base);
        let relative = difference.zip(baseline.mean.filter(|&base| base > 0.0));
        let relative = relative.map(|(difference, base)| 100.0 * difference / base);
        let n = match (baseline.n, chimera.n) {
            (one, other) if one == other => one.to_string(),
            (one, other) => format!("{one}, {other}"),
        };
        table.row([
            figure.name.clone(),
            figure.unit.clone(),
            n,
            mean_and_sd(baseline.mean, baseline.sd),
            mean_and_sd(chimera.mean, chimera.sd),
            difference.map_or_else(|| NONE.to_owned(), signed),
            relative.map_or_else(|| NONE.to_owned(), |share| format!("{} %", signed(share))),
            prose::share(baseline.cv()),
            prose::share(chimera.cv()),
        ]);
    }
    table.to_string()
}

/// What the judge says of chimera.
fn verdicts(metrics: &Metrics) -> String {
    let mut table = Table::new(&[
        ("metric", Align::Left),
        ("blocks", Align::Right),
        ("chimera / baseline", Align::Right),
        ("interval", Align::Right),
        ("verdict", Align::Left),
    ]);
    let chimera = |arm: &&Judgement| arm.arm == Side::Chimera.name();
    for metric in &metrics.verdicts {
        let Some(judged) = metric.arms.iter().find(chimera) else {
            continue;
        };
        let ratio = judged.ratio.as_ref();
        let reason = judged.reason.as_ref().or(metric.withheld.as_ref());
        table.row([
            metric.metric.clone(),
            judged.blocks.to_string(),
            maybe(ratio.map(|ratio| ratio.estimate)),
            ratio.map_or_else(|| NONE.to_owned(), ratio_ends),
            match reason {
                Some(reason) => format!("{}: {reason}", judged.verdict),
                None => judged.verdict.to_string(),
            },
        ]);
    }
    let control = match metrics.verdicts.iter().any(|it| it.control.is_some()) {
        true => "The baseline ran twice in each block: the A/A control.",
        false => {
            "There is no A/A control: `--control` runs the baseline a second time in each block."
        }
    };
    format!("{control}\n\n{table}")
}

/// A difference, which always shows its sign.
fn signed(value: f64) -> String {
    if value > 0.0 {
        format!("+{}", number(value))
    } else {
        number(value)
    }
}

fn runs(metrics: &Metrics) -> String {
    let mut table = Table::new(&[
        ("run", Align::Right),
        ("side", Align::Left),
        ("state", Align::Left),
        ("ingest ms", Align::Right),
        ("gross ms", Align::Right),
        ("net ms", Align::Right),
        ("tare ms", Align::Right),
        ("tare / gross", Align::Right),
        ("tokens", Align::Right),
    ]);
    let sides = Side::BOTH.map(|side| {
        let runs = metrics.side(side).agent_runs.iter();
        runs.map(move |run| (side, run))
    });
    let mut all: Vec<_> = sides.into_iter().flatten().collect();
    all.sort_by_key(|(_, run)| run.position);
    for (side, run) in all {
        table.row([
            run.run.to_string(),
            side.to_string(),
            run.state(),
            number(run.ingest_ms),
            number(run.gross_ms),
            maybe(run.net_ms),
            maybe(run.tare_ms),
            prose::share(run.tare_share()),
            run.tokens.to_string(),
        ]);
    }
    table.to_string()
}
