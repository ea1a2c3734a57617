//! How far a team is, on stderr, and whether somebody pressed Ctrl-C.

use crate::report::markdown::{maybe, number};
use crate::report::published::TeamRun;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    runs: u32,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    /// Before the first run. From here on the first Ctrl-C ends it after the run that is finished, and
    /// the second one the program.
    pub fn start(runs: u32) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let pressed = Arc::clone(&interrupted);
        ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("\ninterrupted: finished runs will be reported");
        })
        .context("cannot listen for Ctrl-C")?;
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(runs.into());
            match ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Ok(Self {
            bar,
            started: Instant::now(),
            runs,
            interrupted,
        })
    }

    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    pub fn begin(&self, run: u32) {
        let done = run - 1;
        let left = (done > 0).then(|| {
            let each = self.started.elapsed().as_secs_f64() / f64::from(done);
            format!(", about {:.0} s left", each * f64::from(self.runs - done))
        });
        let left = left.unwrap_or_default();
        match &self.bar {
            Some(bar) => {
                bar.set_message(format!("run {run}{left}"));
                bar.tick();
            }
            None => eprintln!("run {run} of {}{left}", self.runs),
        }
    }

    pub fn end(&self, run: &TeamRun) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        if let Some(truth) = &run.tare {
            let late = match truth.mock_late {
                Some(true) => "; the mock was late",
                _ => "",
            };
            eprintln!(
                "  makespan {} s, published efficiency {} %, true efficiency {} %, tare per agent {} ms{late}",
                number(truth.makespan_s),
                number(truth.balance_percent),
                maybe(truth.efficiency_percent),
                maybe(truth.tare_per_agent_ms),
            );
        }
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
