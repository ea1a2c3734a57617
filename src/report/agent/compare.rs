//! Chimera against baseline, figure by figure, in pairs.
//!
//! A pair is the two runs of one block, so that drift hits both alike. A figure that a model's load
//! is part of (TTFT, gross, net) is compared cold with cold and warm with warm only; a pair of one
//! cold and one warm run counts for neither.
//!
//! All intervals hold *together* at 95 %: each is made at 1 − 0.05 / k, k being their number
//! (Bonferroni). Were each made at 95 %, a report of eight figures could call a difference that
//! is none in one case of three.

use super::call::{CallMetrics, Load, RunMetrics, StageName};
use super::side_metrics::SideMetrics;
use crate::stats::{Interval, mean, paired_ratio, sample_sd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What all intervals may miss together.
const ALPHA: f64 = 0.05;

/// All figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What each interval may miss by itself; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha_each: Option<f64>,
    /// In the order of reports.
    pub figures: Vec<Figure>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// `eval_count / eval_duration`, tokens/s, mean of both calls.
    Throughput,
    /// Time per output token, ms, mean of both calls.
    Tpot,
    /// TTFT of the analysis call, ms.
    TtftAnalysis,
    /// TTFT of the report call, ms.
    TtftReport,
    /// Gross of a run, ms.
    Gross,
    /// Net of a run, ms.
    Net,
    /// Tare of a run, ms.
    Tare,
    /// Tokens of both answers.
    Tokens,
}

impl Quantity {
    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Throughput => "throughput (server's clock)",
            Quantity::Tpot => "TPOT",
            Quantity::TtftAnalysis => "TTFT, analysis call",
            Quantity::TtftReport => "TTFT, report call",
            Quantity::Gross => "gross",
            Quantity::Net => "net",
            Quantity::Tare => "tare",
            Quantity::Tokens => "tokens of both answers",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Quantity::Throughput => "tok/s",
            Quantity::Tokens => "tokens",
            _ => "ms",
        }
    }
}

/// One figure of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub quantity: Quantity,
    /// Which runs it is of; absent where a load is no part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// The baseline's values.
    pub baseline: Sample,
    /// Chimera's values.
    pub chimera: Sample,
    /// Blocks that have both.
    pub pairs: usize,
    /// Chimera / baseline: the ratio of geometric means over the pairs, with its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Interval>,
    /// What can be said.
    pub verdict: Verdict,
}

/// The values of one side, a value per run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// How many.
    pub n: usize,
    /// Their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Their sample standard deviation (n − 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
}

/// What can be said of chimera's figure against the baseline's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies above 1.
    Higher,
    /// The interval lies below 1.
    Lower,
    /// The interval includes 1.
    Undecided,
    /// The same value on both sides of each pair, of two pairs or more.
    Equal,
    /// Fewer than two pairs.
    TooFew,
    /// A value that is not positive, so that there is no ratio.
    NoRatio,
}

impl Sample {
    fn of(values: &[f64]) -> Self {
        Self {
            n: values.len(),
            mean: mean(values),
            sd: sample_sd(values),
        }
    }
}

impl Figure {
    /// Chimera's mean less the baseline's, in the figure's unit.
    pub fn difference(&self) -> Option<f64> {
        Some(self.chimera.mean? - self.baseline.mean?)
    }
}

/// A figure's values, by block.
type Values = BTreeMap<u32, f64>;

/// A figure before its interval, whose level depends on how many there are.
struct Row {
    quantity: Quantity,
    load: Option<Load>,
    baseline: Values,
    chimera: Values,
}

/// Compares the two sides.
pub(super) fn compare(baseline: &SideMetrics, chimera: &SideMetrics) -> Comparison {
    let rows = rows(baseline, chimera);
    let tests = rows
        .iter()
        .filter(|row| row.verdict(1.0).1.is_some())
        .count();
    let alpha_each = ALPHA / tests.max(1) as f64;
    Comparison {
        alpha_each: (tests > 0).then_some(alpha_each),
        figures: rows.iter().map(|row| row.figure(alpha_each)).collect(),
    }
}

fn rows(baseline: &SideMetrics, chimera: &SideMetrics) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |quantity, load, of: &dyn Fn(&SideMetrics) -> Values| {
        let (baseline, chimera) = (of(baseline), of(chimera));
        if !baseline.is_empty() || !chimera.is_empty() {
            rows.push(Row {
                quantity,
                load,
                baseline,
                chimera,
            });
        }
    };
    add(Quantity::Throughput, None, &|side| {
        mean_of_calls(side, |call| call.figures.throughput_tokens_per_sec)
    });
    add(Quantity::Tpot, None, &|side| {
        mean_of_calls(side, |call| call.tpot_ms)
    });
    for load in Load::ALL {
        let ttft = |stage| {
            move |side: &SideMetrics| {
                let calls = side.individual_runs.iter();
                let calls = calls.filter(|call| call.stage == stage && call.load() == load);
                calls
                    .filter_map(|call| Some((call.run, call.figures.ttft_ms?)))
                    .collect()
            }
        };
        let [analysis, report] = StageName::BOTH.map(ttft);
        add(Quantity::TtftAnalysis, Some(load), &analysis);
        add(Quantity::TtftReport, Some(load), &report);
        add(Quantity::Gross, Some(load), &|side| {
            of_runs(side, |run| (run.load() == load).then_some(run.gross_ms))
        });
        add(Quantity::Net, Some(load), &|side| {
            of_runs(side, |run| run.net_ms.filter(|_| run.load() == load))
        });
    }
    add(Quantity::Tare, None, &|side| {
        of_runs(side, |run| run.tare_ms)
    });
    add(Quantity::Tokens, None, &|side| {
        of_runs(side, |run| Some(run.tokens as f64))
    });
    rows
}

fn of_runs(side: &SideMetrics, figure: impl Fn(&RunMetrics) -> Option<f64>) -> Values {
    let runs = side.agent_runs.iter();
    runs.filter_map(|run| Some((run.run, figure(run)?)))
        .collect()
}

/// A run's value is the mean of its calls', so that both stages weigh alike.
fn mean_of_calls(side: &SideMetrics, figure: impl Fn(&CallMetrics) -> Option<f64>) -> Values {
    of_runs(side, |run| {
        let calls = side.individual_runs.iter();
        let calls = calls.filter(|call| call.run == run.run);
        let values: Option<Vec<f64>> = calls.map(&figure).collect();
        mean(&values?)
    })
}

impl Row {
    fn figure(&self, alpha: f64) -> Figure {
        let values = |values: &Values| values.values().copied().collect::<Vec<_>>();
        let (verdict, ratio) = self.verdict(alpha);
        Figure {
            quantity: self.quantity,
            load: self.load,
            baseline: Sample::of(&values(&self.baseline)),
            chimera: Sample::of(&values(&self.chimera)),
            pairs: self.pairs().0.len(),
            ratio,
            verdict,
        }
    }

    /// The values of the blocks that have both, the baseline's first.
    fn pairs(&self) -> (Vec<f64>, Vec<f64>) {
        let pairs = self.baseline.iter();
        pairs
            .filter_map(|(block, &base)| Some((base, *self.chimera.get(block)?)))
            .unzip()
    }

    fn verdict(&self, alpha: f64) -> (Verdict, Option<Interval>) {
        let (baseline, chimera) = self.pairs();
        if baseline.len() < 2 {
            return (Verdict::TooFew, None);
        }
        if baseline == chimera {
            return (Verdict::Equal, None);
        }
        match paired_ratio(&chimera, &baseline, alpha) {
            None => (Verdict::NoRatio, None),
            Some(ratio) if ratio.low > 1.0 => (Verdict::Higher, Some(ratio)),
            Some(ratio) if ratio.high < 1.0 => (Verdict::Lower, Some(ratio)),
            Some(ratio) => (Verdict::Undecided, Some(ratio)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(baseline: &[(u32, f64)], chimera: &[(u32, f64)]) -> Row {
        Row {
            quantity: Quantity::Gross,
            load: None,
            baseline: baseline.iter().copied().collect(),
            chimera: chimera.iter().copied().collect(),
        }
    }

    #[test]
    fn a_difference_is_called_only_when_the_interval_excludes_1() {
        let base = [(1, 100.0), (2, 101.0), (3, 99.0), (4, 100.5)];
        let scaled = |by: [f64; 4]| {
            let pairs = base.iter().zip(by);
            pairs
                .map(|(&(block, value), by)| (block, value * by))
                .collect::<Vec<_>>()
        };
        for (by, verdict) in [
            ([1.5, 1.51, 1.49, 1.5], Verdict::Higher),
            ([0.5, 0.51, 0.49, 0.5], Verdict::Lower),
            ([1.01, 0.98, 1.03, 1.01], Verdict::Undecided),
            ([1.0; 4], Verdict::Equal),
        ] {
            assert_eq!(row(&base, &scaled(by)).verdict(0.05).0, verdict, "{by:?}");
        }
    }

    #[test]
    fn only_blocks_that_have_both_are_pairs() {
        let row = row(&[(1, 1.0), (2, 2.0)], &[(2, 4.0), (3, 8.0)]);
        assert_eq!(row.pairs(), (vec![2.0], vec![4.0]));
        let figure = row.figure(0.05);
        assert_eq!((figure.pairs, figure.verdict), (1, Verdict::TooFew));
        assert_eq!(figure.difference(), Some(4.5));
    }

    #[test]
    fn what_is_not_positive_has_no_ratio() {
        let row = row(&[(1, -1.0), (2, 2.0)], &[(1, 4.0), (2, 8.0)]);
        assert_eq!(row.verdict(0.05), (Verdict::NoRatio, None));
    }

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
    fn cold_is_compared_with_cold_and_warm_with_warm() {
        let baseline = [
            (1, 900.0, true),
            (2, 100.0, false),
            (3, 101.0, false),
            (4, 99.0, false),
        ];
        let chimera = [
            (1, 902.0, true),
            (2, 905.0, true),
            (3, 102.0, false),
            (4, 98.0, false),
        ];
        let comparison = compare(&side("baseline", &baseline), &side("chimera", &chimera));
        let gross = |load| {
            let mut figures = comparison.figures.iter();
            figures.find(|f| f.quantity == Quantity::Gross && f.load == Some(load))
        };
        let warm = gross(Load::Warm).expect("warm runs");
        assert_eq!((warm.baseline.n, warm.chimera.n, warm.pairs), (3, 2, 2));
        assert_eq!(warm.baseline.mean, Some(100.0));
        let cold = gross(Load::Cold).expect("cold runs");
        assert_eq!((cold.pairs, cold.verdict), (1, Verdict::TooFew));
        assert_eq!(gross(Load::Unstated), None);
        assert_eq!(
            comparison.alpha_each,
            Some(ALPHA),
            "warm gross is the one interval"
        );
    }
}
