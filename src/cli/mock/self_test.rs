//! `tare mock --self-test`: how well can a mock on this machine keep its schedule?
//!
//! Each exercise starts a mock as a process, on a processor of its own where there are two, and
//! streams from it. How late a token was sent is read off the mock's own truth (when it was due,
//! when it was written); what it cost, from what the system says of its process.

use super::Failure;
use super::limits;
use crate::client::{Endpoint, Hyper, Options};
use crate::invocation::{MockServer, Program};
use crate::ollama::wire::{Options as ModelOptions, TRUTH_HEADER, Truth};
use crate::ollama::{GenerateRequest, Ollama, Sink};
use crate::runtime::{Runtime, TokioLocal};
use crate::stats::quantile;
use anyhow::{Context, Result, anyhow};
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a mock is put through.
struct Exercise {
    name: &'static str,
    profile: &'static str,
    streams: usize,
    /// One after the other over each connection.
    rounds: usize,
    tokens: i32,
    /// What a good machine reaches.
    goal: Goal,
}

enum Goal {
    /// The 99th percentile of lateness is at most this.
    Late(Duration),
    /// A token takes at most so much of the processor.
    Cpu(Duration),
    /// The process takes at most so much memory, MB.
    Memory(f64),
}

const EXERCISES: [Exercise; 5] = [
    Exercise {
        name: "1 stream, a token per 10 ms",
        profile: "paced-10ms",
        streams: 1,
        rounds: 1,
        tokens: 1000,
        goal: Goal::Late(Duration::from_micros(100)),
    },
    Exercise {
        name: "1,000 streams at 20 tokens/s",
        profile: "paced-50ms",
        streams: 1000,
        rounds: 1,
        tokens: 100,
        goal: Goal::Late(Duration::from_millis(1)),
    },
    Exercise {
        name: "1,000 streams at 100 tokens/s: 100,000 tokens/s",
        profile: "paced-10ms",
        streams: 1000,
        rounds: 1,
        tokens: 400,
        goal: Goal::Late(Duration::from_millis(5)),
    },
    Exercise {
        name: "bursts of 512 tokens",
        profile: "instant",
        streams: 1,
        rounds: 300,
        tokens: 512,
        goal: Goal::Cpu(Duration::from_micros(5)),
    },
    Exercise {
        name: "10,000 open streams, a token per second",
        profile: "paced-1s",
        streams: 10_000,
        rounds: 1,
        tokens: 6,
        goal: Goal::Memory(500.0),
    },
];

/// Runs all exercises and prints a row for each.
pub fn run() -> Result<(), Failure> {
    limits::open_many_files();
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
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
    for exercise in EXERCISES {
        eprintln!("{}...", exercise.name);
        // The mock on the last processor, whoever reads from it on the others.
        let pin = (processors > 1).then(|| (processors - 1).to_string());
        let result = exercise.run(pin.as_deref());
        let result = result.with_context(|| format!("exercise `{}`", exercise.name))?;
        table.add_row(exercise.row(&result));
    }
    println!("{table}");
    if processors == 1 {
        println!("With one processor, the mock and its reader wait for each other.");
    }
    Ok(())
}

/// What came of an exercise.
struct Outcome {
    /// Of each token, ascending, µs.
    late: Vec<f64>,
    elapsed: Duration,
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
        const MODEL: &str = "gemma3:latest";
        let arguments: Vec<&str> = pin.into_iter().flat_map(|cpu| ["--pin", cpu]).collect();
        let program = Program::this()?;
        let server = MockServer::start_with(&program, self.profile, Some(MODEL), &arguments)?;
        let mut options = Options::new(Endpoint::resolve(server.base_url())?);
        options.headers.push(TRUTH_HEADER);
        let rt = TokioLocal::new(NonZeroUsize::MIN)?;
        let ollama = Ollama::<_, Hyper<_>>::new(rt.clone(), Arc::new(options))?;
        let request = Arc::new(GenerateRequest {
            model: MODEL.to_owned(),
            prompt: "How late are you?".to_owned(),
            options: ModelOptions {
                num_predict: Some(self.tokens),
                ..ModelOptions::default()
            },
            ..GenerateRequest::default()
        });
        let (streams, rounds) = (self.streams, self.rounds);
        let started = Instant::now();
        let truths: Vec<Truth> = rt.clone().run(async move {
            let tasks: Vec<_> = (0..streams)
                .map(|_| {
                    let (ollama, request) = (ollama.clone(), Arc::clone(&request));
                    rt.spawn(async move {
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
        let elapsed = started.elapsed();
        let (cpu, memory_mb) = used_by(server.id())?;
        let mut late: Vec<f64> = truths.iter().flat_map(lateness).collect();
        late.sort_by(f64::total_cmp);
        Ok(Outcome {
            late,
            elapsed,
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
                (format!("late p99 ≤ {}", time(most)), late(0.99) <= most)
            }
            Goal::Cpu(most) => {
                let most = most.as_secs_f64() * 1e6;
                (format!("CPU/token ≤ {}", time(most)), cpu_us <= most)
            }
            Goal::Memory(most) => (format!("memory ≤ {most} MB"), outcome.memory_mb <= most),
        };
        [
            self.name.to_owned(),
            format!("{:.0}", tokens / outcome.elapsed.as_secs_f64()),
            time(late(0.5)),
            time(late(0.99)),
            time(late(1.0)),
            time(cpu_us),
            format!("{:.0} MB", outcome.memory_mb),
            goal,
            if reached { "reached" } else { "MISSED" }.to_owned(),
        ]
    }
}

/// How late each token of an answer was sent, µs.
fn lateness(truth: &Truth) -> impl Iterator<Item = f64> {
    let pairs = truth.sent.iter().zip(&truth.due);
    pairs.map(|(&sent, &due)| sent.saturating_sub(due) as f64 / 1e3)
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
