//! How far a comparison is, on stderr, and whether somebody pressed Ctrl-C.

use crate::weighing::{Done, Due, Ending, Plan, Role, Subject, Watch};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    plan_limit_s: Option<u64>,
    runs: usize,
    per_block: usize,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    /// Before the first run. From here on the first Ctrl-C ends the comparison and the second one
    /// the program.
    pub fn start(plan: &Plan) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let pressed = Arc::clone(&interrupted);
        ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("\ninterrupted: what is finished will be reported");
        })
        .context("cannot listen for Ctrl-C")?;
        let per_block: usize = plan.parts.iter().map(|part| part.subjects.len()).sum();
        let limit = plan.until.limit.map(|limit| limit.as_secs());
        eprintln!(
            "comparing: {per_block} processes per block, at most {} blocks{}",
            plan.until.blocks,
            limit.map_or_else(String::new, |limit| format!(
                ", as many as fit into {limit} s"
            ))
        );
        let runs = per_block * plan.until.blocks;
        let bar = stderr().is_terminal().then(|| {
            // By time where that is the limit: how many blocks fit is not known beforehand.
            let bar = ProgressBar::new(limit.unwrap_or(runs as u64));
            match ProgressStyle::with_template("{bar:30} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Ok(Self {
            bar,
            started: Instant::now(),
            plan_limit_s: limit,
            runs,
            per_block,
            interrupted,
        })
    }

    pub fn finish(self, done: &Done) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        let why = match done.ending {
            Ending::Blocks => "all blocks are done",
            Ending::Limit => "there was no time for another block",
            Ending::Enough => "all is decided",
            Ending::Interrupted if done.failure.is_some() => "an invocation failed",
            Ending::Interrupted => "interrupted",
        };
        eprintln!("{why}, after {:.0} s", self.started.elapsed().as_secs_f64());
    }

    /// Seconds that it will take yet.
    fn left_s(&self, position: usize) -> Option<f64> {
        let elapsed = self.started.elapsed().as_secs_f64();
        let by_runs = (position >= self.per_block)
            .then(|| elapsed / position as f64 * (self.runs - position) as f64);
        let by_limit = self.plan_limit_s.map(|limit| limit as f64 - elapsed);
        match (by_runs, by_limit) {
            (Some(runs), Some(limit)) => Some(runs.min(limit)),
            (some, other) => some.or(other),
        }
    }
}

impl Watch for Progress {
    fn begins(&mut self, due: Due, subject: &Subject) {
        let left = self.left_s(due.position).map_or_else(String::new, |left| {
            format!(", about {:.0} s left", left.max(0.0))
        });
        match &self.bar {
            Some(bar) => {
                let done = match self.plan_limit_s {
                    Some(_) => self.started.elapsed().as_secs(),
                    None => due.position as u64,
                };
                bar.set_position(done);
                bar.set_message(format!("block {}{left}: {subject}", due.block + 1));
            }
            None if due.position.is_multiple_of(self.per_block) => {
                eprintln!("block {}{left}", due.block + 1);
            }
            None => {}
        }
    }

    fn looks_closer(&mut self, subject: &Subject) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("looking closer: {subject}")),
            None if subject.role == Role::Floor => eprintln!("looking closer"),
            None => {}
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}
