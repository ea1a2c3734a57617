//! The figures that the reports tell of a side, and how each was distributed.
//!
//! A figure that a model's load is part of (TTFT, gross, net) is told of cold and of warm calls apart.

use super::call::{Load, RunMetrics, StageName};
use super::metrics::SideMetrics;
use crate::stats::{mean, sample_sd};
use serde::{Deserialize, Serialize};

/// One figure of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Of calls or of runs of the baseline.
    pub baseline: Spread,
    /// The same of chimera.
    pub chimera: Spread,
}

/// How a figure was distributed over the calls or runs that have it, in its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many have it.
    pub n: usize,
    /// Their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Their sample standard deviation (n − 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// The smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// The largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
}

impl Spread {
    /// Of these values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        Self {
            n: values.len(),
            mean: mean(&values),
            sd: sample_sd(&values),
            least: values.iter().copied().min_by(f64::total_cmp),
            most: values.iter().copied().max_by(f64::total_cmp),
        }
    }

    /// The coefficient of variation, sd / mean.
    pub fn cv(&self) -> Option<f64> {
        let mean = self.mean.filter(|mean| *mean > 0.0);
        mean.zip(self.sd).map(|(mean, sd)| sd / mean)
    }
}

impl Figure {
    /// Of a side.
    pub fn of(&self, side: super::Side) -> &Spread {
        match side {
            super::Side::Baseline => &self.baseline,
            super::Side::Chimera => &self.chimera,
        }
    }
}

/// Every figure that a side has.
pub(super) fn figures(baseline: &SideMetrics, chimera: &SideMetrics) -> Vec<Figure> {
    let both = spreads(baseline).into_iter().zip(spreads(chimera));
    both.filter(|((.., one), (.., other))| one.n + other.n > 0)
        .map(|((name, unit, baseline), (.., chimera))| Figure {
            name,
            unit: unit.to_owned(),
            baseline,
            chimera,
        })
        .collect()
}

/// The same figures in the same order, whatever the side.
fn spreads(of: &SideMetrics) -> Vec<(String, &'static str, Spread)> {
    let calls = || of.individual_runs.iter();
    let runs = |figure: fn(&RunMetrics) -> Option<f64>| {
        Spread::of(of.agent_runs.iter().filter_map(figure))
    };
    let mut rows = Vec::new();
    let mut row = |name: String, unit, spread| rows.push((name, unit, spread));
    let throughput = calls().filter_map(|call| call.figures.throughput_tokens_per_sec);
    row(
        "throughput (server's clock)".to_owned(),
        "tok/s",
        Spread::of(throughput),
    );
    let tpot = Spread::of(calls().filter_map(|call| call.tpot_ms));
    row("TPOT".to_owned(), "ms", tpot);
    for load in Load::ALL {
        for stage in StageName::BOTH {
            let of = calls().filter(|call| call.stage == stage && call.load() == load);
            let ttft = Spread::of(of.filter_map(|call| call.figures.ttft_ms));
            row(format!("TTFT, {} call, {load}", stage.name()), "ms", ttft);
        }
        let alike = || of.agent_runs.iter().filter(move |run| run.load() == load);
        let gross = Spread::of(alike().map(|run| run.gross_ms));
        row(format!("gross, {load}"), "ms", gross);
        let net = Spread::of(alike().filter_map(|run| run.net_ms));
        row(format!("net, {load}"), "ms", net);
    }
    row("tare".to_owned(), "ms", runs(|run| run.tare_ms));
    let share = runs(|run| run.tare_share().map(|share| 100.0 * share));
    row("tare, share of gross".to_owned(), "%", share);
    let ingest = runs(|run| Some(run.ingest_ms));
    row("ingest (part of tare)".to_owned(), "ms", ingest);
    let p50 = Spread::of(calls().filter_map(|call| call.delivery_p50_ms.map(|ms| 1e3 * ms)));
    row("delivery, p50 of a call".to_owned(), "µs", p50);
    let p99 = Spread::of(calls().filter_map(|call| call.delivery_p99_ms.map(|ms| 1e3 * ms)));
    row("delivery, p99 of a call".to_owned(), "µs", p99);
    let tokens = Spread::of(calls().map(|call| call.figures.tokens_generated as f64));
    row("tokens per answer".to_owned(), "tokens", tokens);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, runs: &[(u32, f64, bool)]) -> SideMetrics {
        let run = |&(run, gross, cold): &(u32, f64, bool)| {
            serde_json::json!({
                "run": run, "position": run, "cold": cold, "ingest_ms": 1.0, "analysis_ms": 1.0,
                "report_ms": 1.0, "gross_ms": gross, "tokens": 5,
            })
        };
        let system = serde_json::json!({"os": "", "arch": "", "hostname": "", "rust_version": ""});
        let side = serde_json::json!({
            "agent_type": name, "aggregate_metrics": {"total_tokens_generated": 0},
            "configuration": {}, "individual_runs": [], "model": "", "prompt": "", "runs": 3,
            "system_info": system, "timestamp": "2026-01-01T00:00:00Z",
            "agent_runs": runs.iter().map(run).collect::<Vec<_>>(),
        });
        serde_json::from_value(side).expect("a side without calls")
    }

    #[test]
    fn cold_and_warm_are_told_apart() {
        let baseline = [
            (1, 900.0, true),
            (2, 100.0, false),
            (3, 101.0, false),
            (4, 99.0, false),
        ];
        let chimera = [(1, 902.0, true), (2, 102.0, false), (3, 98.0, false)];
        let figures = figures(&side("baseline", &baseline), &side("chimera", &chimera));
        let gross = |name: &str| {
            let mut figures = figures.iter();
            figures.find(|figure| figure.name == name).cloned()
        };
        let warm = gross("gross, warm").expect("warm runs");
        assert_eq!((warm.baseline.n, warm.chimera.n), (3, 2));
        assert_eq!(
            (warm.baseline.mean, warm.baseline.sd),
            (Some(100.0), Some(1.0))
        );
        assert_eq!(
            (warm.baseline.least, warm.baseline.most),
            (Some(99.0), Some(101.0))
        );
        assert_eq!(warm.baseline.cv(), Some(0.01));
        let cold = gross("gross, cold").expect("cold runs");
        assert_eq!(
            (cold.baseline.n, cold.baseline.sd, cold.baseline.cv()),
            (1, None, None)
        );
        assert_eq!(gross("gross, load unstated"), None);
    }
}
