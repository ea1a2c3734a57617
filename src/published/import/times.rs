//! Figures of the agents' times, and whether what a summary states follows from them.

use super::account::{Book, ROUNDING};
use crate::published::{Member, Summary, Truth};
use crate::report::sweep::Figure;

impl Book {
    /// Figures of the agents' times, with what a summary states of them.
    pub(super) fn times(&mut self, members: &[&Member], summary: &Summary, truth: Option<&Truth>) {
        let positive = |value: f64| Some(value).filter(|value| *value > 0.0);
        let wall = positive(summary.concurrent_wall_time_s);
        let makespan = truth.and_then(|truth| positive(truth.makespan_s));
        let wall = self.check("summary.concurrent_wall_time_s", wall, makespan, 0.0);
        self.keep(Figure::Makespan, wall);
        for (place, member) in members.iter().enumerate() {
            if member.execution_time_s < 0.0 {
                let what = format!("execution_time_s of agent {}", place + 1);
                self.object(&what, member.execution_time_s, "a time is not negative");
            }
        }
        let tokens = self.one.figure(Figure::Tokens);
        let rate = tokens.zip(wall).map(|(tokens, wall)| tokens / wall);
        self.keep(Figure::TokensPerSecond, rate);
        let times = all_times(members);
        let n = members.len() as f64;
        let sum = times.as_ref().map(|times| times.iter().sum::<f64>());
        self.keep(Figure::Gross, sum.map(|sum| 1e3 * sum / n));
        if members.len() < 2 {
            return;
        }
        let stated = positive(summary.sequential_estimated_s);
        let sum = self.check("summary.sequential_estimated_s", stated, sum, 0.0);
        let speedup = sum.zip(wall).map(|(sum, wall)| sum / wall);
        let stated = positive(summary.concurrency_speedup);
        let speedup = self.check("summary.concurrency_speedup", stated, speedup, 0.0);
        let balance_percent = speedup.map(|speedup| 100.0 * speedup / n);
        let stated = positive(summary.efficiency_percent);
        let published = self.check("summary.efficiency_percent", stated, balance_percent, 0.0);
        self.keep(Figure::Balance, published);
        let low = speedup.map(|speedup| speedup < 1.5);
        if summary.concurrent_wall_time_s > 0.0
            && low == Some(!summary.resource_contention_detected)
        {
            let stated = summary.resource_contention_detected;
            let found = format!("speed-up {:.3}", speedup.unwrap_or_default());
            self.object("summary.resource_contention_detected", stated, found);
        }
        self.one
            .contention
            .get_or_insert_default()
            .speedup_below_1_5 = low;
        let Some(times) = times else { return };
        self.keep(Figure::DurationBalance, balance(&times));
        let Some(wall) = wall else { return };
        let longest = times.iter().copied().fold(0.0, f64::max);
        let shortest = times.iter().copied().fold(f64::INFINITY, f64::min);
        self.keep(Figure::BeyondLonger, Some(1e3 * (wall - longest)));
        if wall < longest * (1.0 - ROUNDING) {
            let found = format!("an agent took {longest:.6} s, longer than the whole run");
            self.object("summary.concurrent_wall_time_s", wall, found);
        }
        if let [a, b] = times[..] {
            self.keep(Figure::Overlap, Some(100.0 * (a + b - wall) / shortest));
        }
    }

    pub(super) fn deltas(&mut self, a: &Member, b: &Member, summary: &Summary) {
        let (a, b) = (&a.result.aggregate_metrics, &b.result.aggregate_metrics);
        for (what, stated, first, second) in [
            (
                "summary.throughput_delta",
                summary.throughput_delta,
                a.average_tokens_per_second,
                b.average_tokens_per_second,
            ),
            (
                "summary.ttft_delta_ms",
                summary.ttft_delta_ms,
                a.average_ttft_ms,
                b.average_ttft_ms,
            ),
        ] {
            if let (Some(first), Some(second)) = (first, second) {
                let size = first.abs().max(second.abs());
                self.check(what, stated, Some(second - first), size);
            }
        }
    }
}

/// The agents' times, s; `None` unless all are known.
pub(super) fn all_times(members: &[&Member]) -> Option<Vec<f64>> {
    let times: Vec<f64> = members.iter().map(|one| one.execution_time_s).collect();
    let known = times.iter().all(|time| *time > 0.0 && time.is_finite());
    (known && !times.is_empty()).then_some(times)
}

/// The least over the greatest, %.
pub(super) fn balance(values: &[f64]) -> Option<f64> {
    let most = values.iter().copied().fold(0.0, f64::max);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (most > 0.0).then(|| 100.0 * (least / most))
}
