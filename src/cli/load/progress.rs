//! How far a load is, on stderr, and whether somebody pressed Ctrl-C. On a terminal a thread of its
//! own draws a bar twice a second; elsewhere there are three lines.

use crate::load::{Extent, Mode, Setup, Signal, Watch};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::Duration;

pub struct Progress {
    bar: Option<ProgressBar>,
    measuring: String,
}

impl Progress {
    /// Before the first request. From here on the first Ctrl-C ends the load and the second one the
    /// program.
    pub fn start(setup: &Setup, stop: &Arc<Signal>) -> anyhow::Result<Self> {
        let pressed = Arc::clone(stop);
        ctrlc::set_handler(move || {
            if pressed.raise() {
                std::process::exit(130);
            }
            eprintln!("\ninterrupted: what is finished will be reported");
        })
        .context("cannot listen for Ctrl-C")?;
        let load = match setup.mode {
            Mode::Closed { streams } => format!("{streams} streams"),
            Mode::Open { rate_per_s, .. } => format!("{rate_per_s} requests/s"),
        };
        let measuring = match setup.extent {
            Extent::Window { measure_ns, .. } => {
                format!("measuring for {:?}", Duration::from_nanos(measure_ns))
            }
            Extent::Requests { requests } => format!("measuring {requests} requests"),
        };
        let warm_up = setup.warm_up();
        let first = format!("{load}: warming up for {warm_up:?}");
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_message(first.clone());
            bar.enable_steady_tick(Duration::from_millis(500));
            match ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        if bar.is_none() && !warm_up.is_zero() {
            eprintln!("{first}");
        }
        Ok(Self {
            bar,
            measuring: format!("{load}: {measuring}"),
        })
    }

    /// What the driver tells.
    pub fn watch(&self) -> impl Watch {
        Told {
            bar: self.bar.clone(),
            measuring: self.measuring.clone(),
        }
    }

    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

struct Told {
    bar: Option<ProgressBar>,
    measuring: String,
}

impl Told {
    fn say(&self, line: String) {
        match &self.bar {
            Some(bar) => bar.set_message(line),
            None => eprintln!("{line}"),
        }
    }
}

impl Watch for Told {
    fn measuring(&self) {
        self.say(self.measuring.clone());
    }

    fn draining(&self, in_flight: usize) {
        if in_flight > 0 {
            self.say(format!("waiting for {in_flight} that are under way"));
        }
    }
}
