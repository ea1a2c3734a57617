//! `tare invoke`: one invocation, told on standard input and told of on standard output. For the
//! benches and for commands that compare, not for people, so `--help` does not list it.

use super::Failure;
use super::mock::limits::open_many_files;
use crate::run::{Spec, run as run_here};
use anyhow::Context;

/// Run one stack once: a spec as JSON on standard input, its outcome on standard output
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Arguments {}

pub fn run(Arguments {}: Arguments) -> Result<(), Failure> {
    end_with_parent();
    let spec: Spec = serde_json::from_reader(std::io::stdin().lock())
        .context("standard input holds no invocation spec")
        .map_err(Failure::Usage)?;
    // A connection per agent, and there may be thousands of them.
    open_many_files();
    let outcome = run_here(spec)?;
    serde_json::to_writer(std::io::stdout().lock(), &outcome)?;
    Ok(())
}

/// Whoever started this waits for it; if that ends first, nobody wants the outcome, and a server must
/// not be kept busy for it. Where the system has no such signal, the work is done to its end.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
}
