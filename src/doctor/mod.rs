//! Is this machine fit to measure on, and if not, what to do?
//!
//! Reading is apart from judging: [`Readings`] is what files say and [`Measured`] what some two
//! seconds of trying it out show, both plain values, and judging is pure functions of them, held
//! against made-up machines in tests. Limits that a verdict depends on are constants beside the
//! judgement. Nothing here fails: what the system does not tell is `unknown`.

mod check;
mod diagnosis;
mod judge;
mod measure;
mod readings;

pub use check::Check;
pub use diagnosis::Diagnosis;
pub use measure::{Busy, ClockCost, Measured, Spread};
pub use readings::{OpenFiles, Readings, Supply};

use crate::machine::Files;
use crate::provenance::{Build, Finding};

/// What can be told without measuring, in a few milliseconds, for a result's provenance.
pub fn quick() -> Vec<Finding> {
    let read = Readings::of(&Files::here(), Build::here());
    judge::reading(&read)
        .iter()
        .map(Diagnosis::finding)
        .collect()
}

/// All checks, in the order of [`Check::ALL`]. Takes one to four seconds, keeps every core busy for
/// one of them, and opens a connection to Ollama's port.
pub fn examine() -> Vec<Diagnosis> {
    let read = Readings::of(&Files::here(), Build::here());
    judge::all(&read, &Measured::here())
}
