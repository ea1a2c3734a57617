//! `tare mock --self-test`: how well can a mock on this machine keep its schedule?
//!
//! Each exercise starts a mock as a process, on a processor of its own where there are two (the one
//! that stands still the least), and streams from it. How late a token was sent is read off the mock's own truth (when it was due,
//! when it was written); what it cost, from what the system says of its process.

mod processor;

use super::Failure;
use super::limits;
use crate::client::{Endpoint, Hyper, Options};
use crate::protocol::wire::{Options as ModelOptions, TRUTH_HEADER, Truth};
use crate::protocol::{GenerateRequest, Ollama, Sink};
use crate::run::{MockServer, Program};
use crate::runtime::{Runtime, TokioLocal};
use crate::stats::quantile;
use crate::trace::Trace;
use anyhow::{Context, Result, anyhow};
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use fastrand::Rng;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tare_mock::Profile;

/// What a mock is put through.
struct Exercise {
    name: &'static str,
    mock: Served,
    streams: usize,
    start: Start,
    /// One after the other over each connection.
    rounds: usize,
    tokens: i32,
    /// What a good machine reaches.
    goal: Goal,
}

/// What the mock serves.
enum Served {
    Profile(&'static str),
    Trace(&'static str),
}

/// When the streams begin.
enum Start {
    /// All at once.
    Together,
    /// Each at a random moment of so long a time.
    Over(Duration),
}

enum Goal {
    /// The 99th percentile of lateness is at most this.
    Late(Duration),
    /// The 99th percentile of what a gap between two tokens differs from what it was to be is at
    /// most this.
    Gaps(Duration),
    /// A token takes at most so much of the processor.
    Cpu(Duration),
    /// The process takes at most so much memory, MB.
    Memory(f64),
    /// Only to be seen.
    None,
}

const EXERCISES: [Exercise; 7] = [
    Exercise {
        name: "1 stream, a token per 10 ms",
        mock: Served::Profile("paced-10ms"),
        streams: 1,
        start: Start::Together,
        rounds: 1,
        tokens: 1000,
        goal: Goal::Late(Duration::from_micros(100)),
    },
    Exercise {
        name: "a trace, played",
        mock: Served::Trace("gemma3-270m-cpu"),
        streams: 1,
        start: Start::Together,
        rounds: 3,
        tokens: 1000,
        goal: Goal::Gaps(Duration::from_micros(200)),
    },
    Exercise {
        name: "1,000 streams at 20 tokens/s",
        mock: Served::Profile("paced-50ms"),
        streams: 1000,
        start: Start::Over(Duration::from_secs(1)),
        rounds: 1,
        tokens: 100,
        goal: Goal::Late(Duration::from_millis(1)),
    },
    Exercise {
        name: "1,000 streams at 20 tokens/s, begun at once",
        mock: Served::Profile("paced-50ms"),
        streams: 1000,
        start: Start::Together,
        rounds: 1,
        tokens: 100,
        goal: Goal::None,
    },
    Exercise {
        name: "1,000 streams at 100 tokens/s: 100,000 tokens/s",
        mock: Served::Profile("paced-10ms"),
        streams: 1000,
        start: Start::Together,
        rounds: 1,
        tokens: 400,
        goal: Goal::Late(Duration::from_millis(5)),
    },
    Exercise {
        name: "bursts of 512 tokens",
        mock: Served::Profile("instant"),
        streams: 1,
        start: Start::Together,
        rounds: 300,
        tokens: 512,
        goal: Goal::Cpu(Duration::from_micros(5)),
    },
    Exercise {
        name: "10,000 open streams, a token per second",
        mock: Served::Profile("paced-1s"),
        streams: 10_000,
        start: Start::Together,
        rounds: 1,
        tokens: 6,
        goal: Goal::Memory(500.0),
    },
];

/// Runs all exercises and prints a row for each.
pub fn run() -> Result<(), Failure> {
    limits::open_many_files();
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "exercise",
        "tokens/s",
        "late p50",
        "late p99",
        "late most",
        "CPU/token",
        "memory",
        "goal",
        "",
    ]);
    // The mock on one processor, whoever reads from it on the others.
    let pin = processor::quietest()?;
    if let Some(pin) = pin {
        processor::leave(pin)?;
    }
    for exercise in EXERCISES {
        eprintln!("{}...", exercise.name);
        let result = exercise.run(pin.map(|pin| pin.to_string()).as_deref());
        let result = result.with_context(|| format!("exercise `{}`", exercise.name))?;
        table.add_row(exercise.row(&result));
    }
    println!("{table}");
    if pin.is_none() {
        println!("With one processor, the mock and its reader wait for each other.");
    }
    println!("{}", processor::seen(pin)?);
    Ok(())
}

/// What came of an exercise.
struct Outcome {
    /// Of each token, ascending, µs.
    late: Vec<f64>,
    /// What each gap differs from what it was to be, ascending, µs.
    off: Vec<f64>,
    /// Tokens per second in the middle half of all tokens, when every stream is there.
    rate: f64,
    cpu: Duration,
    memory_mb: f64,
}

/// Hears tokens and keeps nothing.
struct Deaf;

impl Sink for Deaf {
    fn token(&mut self, _: &str) {}
}

impl Exercise {
    fn run(&self, pin: Option<&str>) -> Result<Outcome> {
        let arguments: Vec<&str> = pin.into_iter().flat_map(|cpu| ["--pin", cpu]).collect();
        let program = Program::this()?;
        let (server, model) = match self.mock {
            Served::Profile(name) => (
                MockServer::start_with(&program, name, None, &arguments)?,
                Profile::find(name)?.model,
            ),
            Served::Trace(name) => (
                MockServer::replay(&program, name, &arguments)?,
                Trace::find(name)?.head.model,
            ),
        };
        let mut options = Options::new(Endpoint::resolve(server.base_url())?);
        options.headers.push(TRUTH_HEADER);
        let rt = TokioLocal::new(NonZeroUsize::MIN)?;
        let ollama = Ollama::<_, Hyper<_>>::new(rt.clone(), Arc::new(options))?;
        let request = Arc::new(GenerateRequest {
            model,
            prompt: "How late are you?".to_owned(),
            options: ModelOptions {
                num_predict: Some(self.tokens),
                ..ModelOptions::default()
            },
            ..GenerateRequest::default()
        });
        let mut starts = Rng::with_seed(1);
        let starts: Vec<Duration> = (0..self.streams)
            .map(|_| match self.start {
                Start::Together => Duration::ZERO,
                Start::Over(time) => time.mul_f64(starts.f64()),
            })
            .collect();
        let rounds = self.rounds;
        let truths: Vec<Truth> = rt.clone().run(async move {
            let tasks: Vec<_> = starts
                .into_iter()
                .map(|start| {
                    let (ollama, request) = (ollama.clone(), Arc::clone(&request));
                    rt.spawn(async move {
                        if !start.is_zero() {
                            ollama.runtime().sleep(start).await;
                        }
                        let mut truths = Vec::new();
                        for _ in 0..rounds {
                            let last = ollama.generate(&request, &mut Deaf).await?;
                            truths.extend(last.tare_truth);
                        }
                        anyhow::Ok(truths)
                    })
                })
                .collect();
            let mut truths = Vec::new();
            for task in tasks {
                truths.extend(task.await?);
            }
            anyhow::Ok(truths)
        })?;
        let (cpu, memory_mb) = used_by(server.id())?;
        let ascending = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        Ok(Outcome {
            late: ascending(truths.iter().flat_map(lateness).collect()),
            off: ascending(truths.iter().flat_map(gap_errors).collect()),
            rate: rate(&truths),
            cpu,
            memory_mb,
        })
    }

    fn row(&self, outcome: &Outcome) -> [String; 9] {
        let late = |q| quantile(&outcome.late, q).unwrap_or(f64::NAN);
        let tokens = outcome.late.len() as f64;
        let cpu_us = outcome.cpu.as_secs_f64() * 1e6 / tokens;
        let (goal, reached) = match self.goal {
            Goal::Late(most) => {
                let most = most.as_secs_f64() * 1e6;
                (
                    format!("late p99 ≤ {}", time(most)),
                    Some(late(0.99) <= most),
                )
            }
            Goal::Gaps(most) => {
                let most = most.as_secs_f64() * 1e6;
                let off = quantile(&outcome.off, 0.99).unwrap_or(f64::NAN);
                let goal = format!("gaps p99 {} off, ≤ {}", time(off), time(most));
                (goal, Some(off <= most))
            }
            Goal::None => ("–".to_owned(), None),
            Goal::Cpu(most) => {
                let most = most.as_secs_f64() * 1e6;
                (format!("CPU/token ≤ {}", time(most)), Some(cpu_us <= most))
            }
            Goal::Memory(most) => (
                format!("memory ≤ {most} MB"),
                Some(outcome.memory_mb <= most),
            ),
        };
        [
            self.name.to_owned(),
            format!("{:.0}", outcome.rate),
            time(late(0.5)),
            time(late(0.99)),
            time(late(1.0)),
            time(cpu_us),
            format!("{:.0} MB", outcome.memory_mb),
            goal,
            match reached {
                Some(true) => "reached",
                Some(false) => "MISSED",
                None => "",
            }
            .to_owned(),
        ]
    }
}

/// Tokens per second from the end of the first quarter of them to the end of the third.
fn rate(truths: &[Truth]) -> f64 {
    let of = |truth: &Truth| -> Vec<u64> {
        let sent = truth.sent.iter();
        sent.map(|sent| truth.received + sent).collect()
    };
    let mut sent: Vec<u64> = truths.iter().flat_map(of).collect();
    sent.sort_unstable();
    let (from, to) = (sent.len() / 4, sent.len() * 3 / 4);
    match (sent.get(from), sent.get(to)) {
        (Some(first), Some(last)) => (to - from) as f64 / ((last - first) as f64 / 1e9),
        _ => f64::NAN,
    }
}

/// How late each token of an answer was sent, µs.
fn lateness(truth: &Truth) -> impl Iterator<Item = f64> {
    let pairs = truth.sent.iter().zip(&truth.due);
    pairs.map(|(&sent, &due)| sent.saturating_sub(due) as f64 / 1e3)
}

/// What the time between each token's sending and the next one's differs from the time between
/// their being due, µs.
fn gap_errors(truth: &Truth) -> impl Iterator<Item = f64> {
    let gaps = |times: &[u64]| -> Vec<f64> {
        let gaps = times.windows(2);
        gaps.map(|pair| pair[1] as f64 - pair[0] as f64).collect()
    };
    let pairs = gaps(&truth.sent).into_iter().zip(gaps(&truth.due));
    pairs.map(|(sent, due)| (sent - due).abs() / 1e3)
}

/// Microseconds, or milliseconds where that reads better.
fn time(micros: f64) -> String {
    if micros >= 1000.0 {
        format!("{:.1} ms", micros / 1e3)
    } else if micros >= 10.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{micros:.1} µs")
    }
}

/// CPU time and peak memory (MB) of another process, where `/proc` tells.
fn used_by(process: u32) -> Result<(Duration, f64)> {
    let read = |file: &str| {
        let path = format!("/proc/{process}/{file}");
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    };
    let unreadable = || anyhow!("/proc/{process} is not as expected");
    // Time on a processor in nanoseconds, the first of three figures, of each thread.
    let mut cpu = Duration::ZERO;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let task = task?.file_name();
        let schedstat = read(&format!("task/{}/schedstat", task.to_string_lossy()))?;
        let nanos = schedstat.split(' ').next().and_then(|n| n.parse().ok());
        cpu += Duration::from_nanos(nanos.ok_or_else(unreadable)?);
    }
    let status = read("status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    let peak: f64 = peak.and_then(|kb| kb.parse().ok()).ok_or_else(unreadable)?;
    Ok((cpu, peak / 1024.0))
}
