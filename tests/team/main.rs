//! Teams of agents as real processes against mocks: what a run says of them, and `tare team`.

#[path = "../support/mod.rs"]
mod support;

mod command;
mod endings;
mod place;
mod refusals;
mod truth;
