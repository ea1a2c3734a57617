//! `tare invoke`: one run, told on standard input and told of on standard output (docs/run-protocol.md).
//! For the benches and for commands that compare, not for people, so `--help` does not list it.

use super::Failure;
use super::mock::limits::open_many_files;
use crate::load::{Extent, Setup, Signal, Silent, Watch};
use crate::run::{Spec, Work, run as run_here};
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;

/// Run one stack once: a spec as JSON on standard input, its outcome on standard output
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Arguments {}

pub fn run(Arguments {}: Arguments) -> Result<(), Failure> {
    end_with_parent();
    let spec: Spec = serde_json::from_reader(std::io::stdin().lock())
        .context("standard input holds no run spec")
        .map_err(Failure::Usage)?;
    // A connection per agent or stream, and there may be thousands of them.
    open_many_files();
    let stop = Arc::<Signal>::default();
    let watch: Box<dyn Watch> = match &spec.work {
        Work::Load(setup) => Box::new(heed(setup, &stop)?),
        _ => Box::new(Silent),
    };
    let outcome = run_here(spec, stop, watch)?;
    serde_json::to_writer(std::io::stdout().lock(), &outcome)?;
    Ok(())
}

/// Lets Ctrl-C end a load early, and says how far it is. The signal may come twice, from the terminal and
/// from whoever started this.
fn heed(setup: &Setup, stop: &Arc<Signal>) -> anyhow::Result<Told> {
    let pressed = Arc::clone(stop);
    ctrlc::set_handler(move || {
        pressed.raise();
    })
    .context("cannot listen for Ctrl-C")?;
    if setup.warm_up_ns > 0 {
        eprintln!("warming up for {:?}", setup.warm_up());
    }
    Ok(Told(match setup.extent {
        Extent::Window { measure_ns, .. } => {
            format!("measuring for {:?}", Duration::from_nanos(measure_ns))
        }
        Extent::Requests { requests } => format!("measuring {requests} requests"),
    }))
}

/// Says on stderr how far a load is: what it says when it measures.
struct Told(String);

impl Watch for Told {
    fn measuring(&self) {
        eprintln!("{}", self.0);
    }

    fn draining(&self, in_flight: usize) {
        if in_flight > 0 {
            eprintln!("waiting for {in_flight} requests that are under way");
        }
    }
}

/// Whoever started this waits for it; if that ends first, nobody wants the outcome, and a server must
/// not be kept busy for it. Where the system has no such signal, the work is done to its end.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
