//! The formulas: the published ones, by their names, and the true ones.
//!
//! The published efficiency takes both agents' times *while both run*, over twice the wall-clock
//! time. Whatever slows both agents alike drops out of it, so that it measures how equal the two
//! times are: it is the [`balance_percent`]. The true one takes each agent's time *alone*.

use crate::published::{Contention, Member, Summary};

/// A speed-up below this was called contention in the older reports' code.
pub const LEAST_SPEEDUP: f64 = 1.5;

/// A TTFT so many ms above that of the agent alone was called contention in their text.
pub const MOST_TTFT_OVER_BASELINE_MS: f64 = 3_000.0;

/// Waiting for more than this share of the makespan is called contention here.
pub const LEAST_WAIT: f64 = 0.01;

/// `numerator / denominator`, and 0 where there is nothing to divide by.
fn over(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 {
        numerator / denominator
    } else {
        0.0
    }
}

/// The agents' times while all ran, over their number and the makespan, in percent: 100/n to 100,
/// where all took equally long. For two agents this is the published `efficiency_percent`.
pub fn balance_percent(times_s: &[f64], makespan_s: f64) -> f64 {
    let all: f64 = times_s.iter().sum();
    100.0 * over(all, times_s.len() as f64 * makespan_s)
}

/// How many times as fast as one after the other: what the agents took alone, all together, over
/// the makespan.
pub fn speedup(isolated_total_s: f64, makespan_s: f64) -> f64 {
    over(isolated_total_s, makespan_s)
}

/// A speed-up over the number of agents, in percent: 100 where nobody slowed anybody, and 100/n where
/// they might as well have run one after the other.
pub fn efficiency_percent(speedup: f64, agents: usize) -> f64 {
    100.0 * over(speedup, agents as f64)
}

/// An agent's time while all ran over its time alone: 1 where nobody slowed it.
pub fn slowdown(together_s: f64, alone_s: f64) -> f64 {
    over(together_s, alone_s)
}

/// The published figures of two agents.
pub fn summary(collector: &Member, insight: &Member, makespan_s: f64) -> Summary {
    let [first, second] = [collector, insight].map(|member| &member.result.aggregate_metrics);
    let throughput = [first, second].map(|it| it.average_tokens_per_second);
    let ttft = [first, second].map(|it| it.average_ttft_ms);
    let delta = |of: [Option<f64>; 2]| Some(of[1]? - of[0]?);
    let times = [collector.execution_time_s, insight.execution_time_s];
    let sequential: f64 = times.iter().sum();
    let concurrency_speedup = over(sequential, makespan_s);
    Summary {
        throughput_delta: delta(throughput),
        ttft_delta_ms: delta(ttft),
        concurrency_speedup,
        efficiency_percent: balance_percent(&times, makespan_s),
        sequential_estimated_s: sequential,
        concurrent_wall_time_s: makespan_s,
        resource_contention_detected: concurrency_speedup < LEAST_SPEEDUP,
        collector_throughput: throughput[0],
        collector_ttft_ms: ttft[0],
        insight_throughput: throughput[1],
        insight_ttft_ms: ttft[1],
    }
}

/// What the three rules for contention look at.
#[derive(Clone, Debug, Default)]
pub struct Seen<'a> {
    /// The agents' times while all ran, s.
    pub times_s: &'a [f64],
    /// From the start of the first to the end of the last, s.
    pub makespan_s: f64,
    /// Mean TTFT of each agent while all ran and alone, ms; `None` where one of them is not known.
    pub ttft_ms: Option<&'a [(f64, f64)]>,
    /// What all calls waited at the servers, s.
    pub waited_s: Option<f64>,
}

/// Whether there was contention, by each rule.
pub fn contention(seen: &Seen<'_>) -> Contention {
    let speedup = over(seen.times_s.iter().sum(), seen.makespan_s);
    let late = |pair: &(f64, f64)| pair.0 - pair.1 > MOST_TTFT_OVER_BASELINE_MS;
    Contention {
        speedup_below_1_5: speedup < LEAST_SPEEDUP,
        ttft_3s_over_baseline: seen.ttft_ms.map(|pairs| pairs.iter().any(late)),
        waited: seen
            .waited_s
            .map(|waited| waited > LEAST_WAIT * seen.makespan_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::{AgentResult, Aggregate};
    use proptest::prelude::*;

    fn member(time_s: f64, throughput: Option<f64>, ttft_ms: f64) -> Member {
        Member {
            execution_time_s: time_s,
            result: AgentResult {
                aggregate_metrics: Aggregate {
                    average_tokens_per_second: throughput,
                    average_ttft_ms: Some(ttft_ms),
                    ..Aggregate::default()
                },
                ..AgentResult::default()
            },
            ..Member::default()
        }
    }

    #[test]
    fn the_published_figures_are_the_published_formulas() {
        let (collector, insight) = (
            member(6.0, Some(100.0), 500.0),
            member(10.0, Some(90.0), 900.0),
        );
        let of = summary(&collector, &insight, 10.0);
        assert_eq!(
            (of.throughput_delta, of.ttft_delta_ms),
            (Some(-10.0), Some(400.0))
        );
        assert_eq!(
            (of.sequential_estimated_s, of.concurrent_wall_time_s),
            (16.0, 10.0)
        );
        assert_eq!((of.concurrency_speedup, of.efficiency_percent), (1.6, 80.0));
        assert!(!of.resource_contention_detected);
        let of = summary(&member(4.0, None, 1.0), &insight, 10.0);
        assert!(of.resource_contention_detected);
        assert_eq!((of.throughput_delta, of.collector_throughput), (None, None));
    }

    /// Two equal agents of so many calls each that alternate on one slot: the first ends one call
    /// before the second.
    #[test]
    fn one_after_the_other_is_seven_eighths_by_the_published_formula_and_half_by_the_true_one() {
        for (calls, published) in [(1.0, 75.0), (2.0, 87.5), (10.0, 97.5)] {
            let (times, makespan) = ([2.0 * calls - 1.0, 2.0 * calls], 2.0 * calls);
            assert_eq!(balance_percent(&times, makespan), published);
            let alone = 2.0 * calls;
            assert_eq!(efficiency_percent(speedup(alone, makespan), 2), 50.0);
        }
    }

    #[test]
    fn each_rule_for_contention_has_its_own_bound() {
        let seen = |times_s, ttft_ms, waited_s| {
            contention(&Seen {
                times_s,
                makespan_s: 10.0,
                ttft_ms,
                waited_s,
            })
        };
        let none = seen(&[5.0, 10.0], Some(&[(3_500.0, 500.0)]), Some(0.1));
        assert_eq!(
            none,
            Contention {
                speedup_below_1_5: false,
                ttft_3s_over_baseline: Some(false),
                waited: Some(false),
            }
        );
        let all = seen(
            &[4.9, 10.0],
            Some(&[(1.0, 1.0), (3_501.0, 500.0)]),
            Some(0.11),
        );
        assert_eq!(
            all,
            Contention {
                speedup_below_1_5: true,
                ttft_3s_over_baseline: Some(true),
                waited: Some(true),
            }
        );
        let unknown = seen(&[10.0, 10.0], None, None);
        assert_eq!(
            (unknown.ttft_3s_over_baseline, unknown.waited),
            (None, None)
        );
    }

    proptest! {
        #[test]
        fn what_slows_all_alike_leaves_the_balance_and_lowers_the_efficiency(
            alone in prop::collection::vec(0.1_f64..100.0, 1..9),
            slower in 1.01_f64..10.0,
        ) {
            let makespan = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
            let slowed: Vec<f64> = alone.iter().map(|time| time * slower).collect();
            let balances = [&alone, &slowed].map(|times| balance_percent(times, makespan(times)));
            prop_assert!((balances[0] - balances[1]).abs() < 1e-9);
            let total: f64 = alone.iter().sum();
            let efficiencies = [&alone, &slowed]
                .map(|times| efficiency_percent(speedup(total, makespan(times)), alone.len()));
            prop_assert!((efficiencies[0] / efficiencies[1] - slower).abs() < 1e-9);
            let least = 100.0 / alone.len() as f64;
            prop_assert!((least - 1e-9..=100.0 + 1e-9).contains(&balances[0]));
        }
    }
}
