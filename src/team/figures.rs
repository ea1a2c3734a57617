//! The formulas: the published ones, by their names, and the true ones.
//!
//! The published efficiency takes both agents' times *while both run*, over twice the wall-clock
//! time. Whatever slows both agents alike drops out of it, so that it measures how equal the two
//! times are: it is the [`balance_percent`]. The true one takes each agent's time *alone*.

use crate::report::published::{Contention, Member, Summary};

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
