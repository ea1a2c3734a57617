//! How far it is, on stderr: a bar where someone watches, a line per run elsewhere.
//!
//! It writes between runs only, so that it is never on the scale.

use crate::report::agent::Side;
use crate::report::markdown::number;
use crate::workflow::AgentRun;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

pub struct Progress {
    bar: Option<ProgressBar>,
    blocks: u32,
}

impl Progress {
    /// Of so many runs in so many blocks.
    pub fn new(runs: usize, blocks: u32) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(runs as u64);
            match ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self { bar, blocks }
    }

    pub fn begin(&self, block: u32, side: Side) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("run {block}, {side}"));
            bar.tick();
        }
    }

    pub fn end(&self, block: u32, side: Side, run: &AgentRun) {
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => eprintln!("run {block} of {}, {side}: {}", self.blocks, account(run)),
        }
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn account(run: &AgentRun) -> String {
    let ms = |duration: Duration| number(duration.as_secs_f64() * 1e3);
    let mut text = format!("{} tokens, gross {} ms", run.tokens(), ms(run.gross));
    if let (Some(net), Some(tare)) = (run.net(), run.tare_ns()) {
        let tare = number(tare as f64 / 1e6);
        text += &format!(", net {} ms, tare {tare} ms", ms(net));
    }
    let mut calls = run.stages().into_iter().map(|stage| &stage.call);
    if calls.any(|call| {
        call.lateness()
            .is_some_and(|lateness| lateness.off_schedule)
    }) {
        text += "; the mock was late";
    }
    text
}
