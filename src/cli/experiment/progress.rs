//! How far an experiment is, on stderr: a bar where someone watches, a line per block or per slow run
//! elsewhere. It writes between runs only, so that it is never on the scale. And whether somebody
//! pressed Ctrl-C.

use crate::experiment::{Arm, Due, Experiment, Record, RunResult, Watch};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    time_limit: Option<Duration>,
    block: Option<(usize, bool)>,
    blocks: usize,
    runs: usize,
    interrupted: Arc<AtomicBool>,
}

/// A run that took so long gets a line of its own where nobody watches a bar.
const SLOW: Duration = Duration::from_secs(2);

impl Progress {
    /// Before the first run. From here on the first Ctrl-C, or a SIGTERM, ends the experiment and the
    /// second one the program.
    pub fn start(
        experiment: &Experiment,
        runs: usize,
        left: usize,
        time_limit: Option<Duration>,
    ) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let pressed = Arc::clone(&interrupted);
        ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("\ninterrupted: what is finished will be reported");
        })
        .context("cannot listen for Ctrl-C")?;
        let arms = experiment.arms().count();
        let limit = time_limit.map_or_else(String::new, |limit| {
            format!(", as many as fit into {}", words(limit))
        });
        let finished = match runs - left {
            0 => String::new(),
            finished => format!("; {finished} runs are finished already"),
        };
        eprintln!(
            "{}: {arms} arms, at most {} blocks{limit}{finished}",
            experiment.name, experiment.blocks
        );
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(runs as u64);
            bar.set_position((runs - left) as u64);
            match ProgressStyle::with_template("{bar:30} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Ok(Self {
            bar,
            started: Instant::now(),
            time_limit,
            block: None,
            blocks: experiment.blocks,
            runs,
            interrupted,
        })
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        eprintln!("ended after {}", words(self.started.elapsed()));
    }

    fn left(&self, expected: Option<Duration>) -> String {
        let by_limit = self
            .time_limit
            .map(|limit| limit.saturating_sub(self.started.elapsed()));
        let left = match (expected, by_limit) {
            (Some(runs), Some(limit)) => Some(runs.min(limit)),
            (some, other) => some.or(other),
        };
        left.map_or_else(String::new, |left| format!(", about {} left", words(left)))
    }
}

/// `95 s`, `12 min`, `3 h 20 min`.
fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

impl Watch for Progress {
    fn begins(&mut self, due: &Due, arm: &Arm, left: Option<Duration>) {
        let what = match due.profiled {
            true => "profile runs, block",
            false => "block",
        };
        let block = format!(
            "{what} {} of {}{}",
            due.block + 1,
            self.blocks,
            self.left(left)
        );
        match &self.bar {
            Some(bar) => bar.set_message(format!("{block}: {}", arm.name)),
            None if self.block != Some((due.block, due.profiled)) => eprintln!("{block}"),
            None => {}
        }
        self.block = Some((due.block, due.profiled));
    }

    fn ended(&mut self, due: &Due, record: &Record, left: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position((self.runs - left) as u64);
        }
        let line = match &record.result {
            RunResult::Failure(why) => {
                format!("failed: {}, block {}: {why}", record.arm, due.block + 1)
            }
            RunResult::Run(_) if self.bar.is_none() && record.took_ns > SLOW.as_nanos() as u64 => {
                let took = Duration::from_nanos(record.took_ns);
                format!("  {} took {:.1} s", record.arm, took.as_secs_f64())
            }
            RunResult::Run(_) => return,
        };
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn pause(&mut self, time: Duration) -> ControlFlow<()> {
        const STEP: Duration = Duration::from_millis(50);
        let until = Instant::now() + time;
        loop {
            if self.interrupted() {
                return ControlFlow::Break(());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return ControlFlow::Continue(());
            }
            thread::sleep(left.min(STEP));
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}
