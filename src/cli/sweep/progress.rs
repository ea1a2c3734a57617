//! How far a sweep is, on stderr: a bar where someone watches, a line per run elsewhere. It writes
//! between runs only, so that it is never on the scale.

use crate::plan::{Configuration, Run, Took, Watch};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub struct Progress {
    bar: Option<ProgressBar>,
    /// Finished before this sitting.
    before: usize,
    runs: usize,
    position: usize,
    interrupted: Arc<AtomicBool>,
    pressed: Receiver<()>,
}

impl Progress {
    /// Before the first run, with so many of all runs finished. From here on the first Ctrl-C ends
    /// the sweep and the second one the program.
    pub fn start(before: usize, runs: usize) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let (press, pressed) = channel();
        let seen = Arc::clone(&interrupted);
        ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            // Whoever pauses is told; the end of the sweep is no one's loss.
            let _ = press.send(());
            eprintln!("\ninterrupted: finished runs are kept");
        })
        .context("cannot listen for Ctrl-C")?;
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(runs as u64).with_position(before as u64);
            match ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Ok(Self {
            bar,
            before,
            runs,
            position: 0,
            interrupted,
            pressed,
        })
    }

    /// Whether somebody pressed Ctrl-C.
    pub fn interrupted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    /// For a line: the run and its place among all.
    fn which(&self, one: &Configuration, run: Run) -> String {
        let (place, runs) = (self.before + self.position + 1, self.runs);
        format!(
            "run {place} of {runs}: {}, {} of {}",
            one.name, run.number, one.repetitions
        )
    }
}

impl Watch for Progress {
    fn begins(&mut self, position: usize, one: &Configuration, left: Option<Duration>) {
        self.position = position;
        if let Some(bar) = &self.bar {
            let left =
                left.map_or_else(String::new, |left| format!("about {} left: ", words(left)));
            bar.set_position((self.before + position) as u64);
            bar.set_message(format!("{left}{}", one.name));
            bar.tick();
        }
    }

    fn finished(&mut self, one: &Configuration, run: Run, took: Took) {
        if self.bar.is_none() {
            let left = match took.left.is_zero() {
                true => String::new(),
                false => format!("; about {} left", words(took.left)),
            };
            eprintln!("{}: {}{left}", self.which(one, run), words(took.this));
        }
    }

    fn failed(&mut self, one: &Configuration, run: Run, why: &str) {
        let line = format!("{}: failed: {why}", self.which(one, run));
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    fn pause(&mut self, time: Duration) -> ControlFlow<()> {
        let told = !time.is_zero() && self.pressed.recv_timeout(time).is_ok();
        match told || self.interrupted.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// A time as people say it.
pub fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_exactly_as_they_matter() {
        for (seconds, said) in [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1 min 0 s"),
            (3599.0, "59 min 59 s"),
            (7260.0, "2 h 1 min"),
        ] {
            assert_eq!(words(Duration::from_secs_f64(seconds)), said);
        }
    }
}
