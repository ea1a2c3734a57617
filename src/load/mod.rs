//! Load on a server: so many streams at once, or requests at a rate, and what came of them.
//!
//! It is what one run does whose work is [`Work::Load`](crate::run::Work). What came of it is part of
//! the run's outcome; comparing several is the experiment's business.
//!
//! | file | question |
//! |---|---|
//! | `setup` | what is fixed before the first request |
//! | `arrivals` | when requests are to start |
//! | `slo` | how long an answer may take |
//! | `drive` | how it begins and ends |
//! | `requests` | how a request is made, and what makes the next one start |
//! | `signal` | how tasks of any runtime wait for each other and for Ctrl-C |
//! | `ledger` | what is noted of each request |
//! | `failure` | what is noted of one that failed |
//! | `outcome` | what came of all of them, and of several loads together |
//!
//! **Closed loop**: each stream asks again when it is answered, so a slow server is asked less
//! often, and no latency tells how long somebody who comes at a time of his own would wait.
//! **Open loop**: requests start by a schedule that knows nothing of the answers. Time to first
//! token and end to end count from the moment a request was *to* start, so that what it waited for
//! a busy client is in them and not left out (coordinated omission).
//!
//! What counts is what was to start within the measuring window. A window that is over starts
//! nothing more, but lets what is under way come to its end, for a limited time: the slowest answers
//! are those that a cut would lose.

mod arrivals;
mod drive;
mod failure;
mod ledger;
mod outcome;
mod requests;
mod setup;
mod signal;
mod slo;

pub use arrivals::{Arrivals, Schedule};
pub use drive::{LoadError, Silent, Watch, run};
pub use failure::{ErrorKind, Errors};
pub use outcome::{
    Ending, Goodput, InFlight, Latencies, Latency, Outcome, Requests, ServerLateness, StartLateness,
};
pub use setup::{Extent, Mode, Prompt, Setup};
pub use signal::Signal;
pub use slo::{Slo, SloError};
