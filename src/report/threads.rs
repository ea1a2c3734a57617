//! The tables of worker threads: what a thread more than needed costs each runtime, and at which
//! pace of the server the cost sets in.
//!
//! Context switches stand first, because they hardly depend on how busy the machine is; processor
//! time does, and is compared within blocks.

use super::figures::{interval, number, table};
use crate::run::Outcome;
use crate::stack::Stack;
use crate::stats::{mean_interval, median, ratio_interval};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Seed of the resampling.
const SEED: u64 = 1;

/// A stack with so many worker threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which stack.
    pub stack: Stack,
    /// Worker threads of its runtime.
    pub threads: NonZeroUsize,
}

/// What was measured of a setting: an outcome per block, of streams at one pace.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Which setting.
    pub setting: Setting,
    /// Time between two tokens.
    pub gap: Duration,
    /// One per block.
    pub outcomes: Vec<Outcome>,
}

impl Measured {
    fn per_token(&self, figure: impl Fn(&Outcome) -> u128) -> Vec<f64> {
        let per_token = |o: &Outcome| figure(o) as f64 / o.tokens().max(1) as f64;
        self.outcomes.iter().map(per_token).collect()
    }

    fn switches(&self) -> Vec<f64> {
        self.per_token(|o| (o.usage.voluntary_switches + o.usage.involuntary_switches).into())
    }

    fn cpu_ns(&self) -> Vec<f64> {
        self.per_token(|o| o.usage.cpu().as_nanos())
    }
}

/// Every setting at one pace, as Markdown. `base`, which processor time is compared with, must be
/// of the same blocks as `settings`.
pub fn at_one_pace(base: &Measured, settings: &[Measured]) -> String {
    let versus = format!("CPU × {}", base.setting.stack);
    let mut table = table([
        "stack",
        "threads",
        "context switches/token",
        "CPU µs/token",
        &versus,
    ]);
    for measured in settings {
        let ratio = match measured.setting == base.setting {
            true => "1".to_owned(),
            false => interval(
                ratio_interval(&measured.cpu_ns(), &base.cpu_ns(), SEED),
                1.0,
            ),
        };
        table.add_row([
            measured.setting.stack.to_string(),
            measured.setting.threads.to_string(),
            interval(mean_interval(&measured.switches(), SEED), 1.0),
            interval(mean_interval(&measured.cpu_ns(), SEED), 1e3),
            ratio,
        ]);
    }
    format!("{table}\n")
}

/// In how many runs the mock was late, in a sentence; `None` if in none.
pub fn lateness<'a>(measured: impl IntoIterator<Item = &'a Measured>) -> Option<String> {
    let all: Vec<&Outcome> = measured.into_iter().flat_map(|one| &one.outcomes).collect();
    let late = all.iter().filter(|outcome| outcome.mock_was_late()).count();
    (late > 0).then(|| {
        format!(
            "In {late} of {} runs the mock was late, because the machine was too busy: tokens came together that should have come one by one, which makes every figure per token too small.",
            all.len()
        )
    })
}

/// Context switches per token, medians over the blocks: a row per setting, a column per pace, both
/// in the order in which they first come.
pub fn by_pace(measured: &[Measured]) -> String {
    let mut settings: Vec<Setting> = Vec::new();
    let mut gaps: Vec<Duration> = Vec::new();
    for one in measured {
        if !settings.contains(&one.setting) {
            settings.push(one.setting);
        }
        if !gaps.contains(&one.gap) {
            gaps.push(one.gap);
        }
    }
    let titles: Vec<String> = gaps.iter().map(|gap| format!("every {gap:?}")).collect();
    let mut table = table(
        ["stack", "threads"]
            .into_iter()
            .chain(titles.iter().map(String::as_str)),
    );
    for setting in settings {
        let mut row = vec![setting.stack.to_string(), setting.threads.to_string()];
        row.extend(gaps.iter().map(|&gap| {
            let mut all = measured.iter();
            let one = all.find(|one| one.setting == setting && one.gap == gap);
            number(one.and_then(|one| median(&one.switches())), 1.0)
        }));
        table.add_row(row);
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Histogram, Usage};
    use crate::run::Iteration;

    fn measured(stack: &str, threads: usize, gap_us: u64, switches: u64, cpu_us: u64) -> Measured {
        let stack = stack.parse().expect("a stack");
        let threads = NonZeroUsize::new(threads).expect("a thread");
        let outcome = Outcome {
            stack,
            io: "native".to_owned(),
            threads,
            workers_seen: None,
            iterations: vec![Iteration {
                tokens: 100,
                ..Iteration::default()
            }],
            usage: Usage {
                user_ns: cpu_us * 1_000 * 100,
                voluntary_switches: switches * 100,
                involuntary_switches: 50,
                ..Usage::default()
            },
            profile_run: None,
            process: None,
            threads_most: None,
            agents: Vec::new(),
            calls: Vec::new(),
            texts: Vec::new(),
            corpus: None,
            delivery_histogram_ns: Histogram::new(),
            itl_histogram_ns: Histogram::new(),
            load: None,
        };
        Measured {
            setting: Setting { stack, threads },
            gap: Duration::from_micros(gap_us),
            outcomes: vec![outcome; 3],
        }
    }

    fn fields(text: &str, row: usize) -> Vec<&str> {
        let line = text.lines().nth(row).expect("a row");
        let fields = line.split('|').map(str::trim);
        fields.filter(|field| !field.is_empty()).collect()
    }

    #[test]
    fn a_setting_is_compared_with_the_base_per_token() {
        let base = measured("tokio-local/hyper", 1, 1000, 1, 10);
        let other = measured("smol/hyper", 2, 1000, 4, 60);
        let text = at_one_pace(&base, &[base.clone(), other]);
        assert!(text.contains("CPU × tokio-local/hyper"), "{text}");
        assert_eq!(fields(&text, 2)[4], "1");
        assert_eq!(
            fields(&text, 3),
            [
                "smol/hyper",
                "2",
                "4.50 [4.50, 4.50]",
                "60.0 [60.0, 60.0]",
                "6.00 [6.00, 6.00]"
            ]
        );
    }

    #[test]
    fn a_late_mock_is_told_of() {
        let mut one = measured("smol/hyper", 2, 400, 2, 10);
        assert_eq!(lateness([&one]), None);
        one.outcomes[1].iterations[0].late_calls = 1;
        let told = lateness([&one]).expect("it was late");
        assert!(told.contains("In 1 of 3 runs"), "{told}");
    }

    #[test]
    fn a_pace_is_a_column_and_what_was_not_measured_is_left_open() {
        let text = by_pace(&[
            measured("smol/hyper", 2, 400, 2, 10),
            measured("smol/hyper", 2, 600, 4, 10),
            measured("async-std/hyper", 2, 400, 3, 10),
        ]);
        assert_eq!(
            fields(&text, 0),
            ["stack", "threads", "every 400µs", "every 600µs"]
        );
        assert_eq!(fields(&text, 2), ["smol/hyper", "2", "2.50", "4.50"]);
        assert_eq!(fields(&text, 3), ["async-std/hyper", "2", "3.50", "-"]);
    }
}
