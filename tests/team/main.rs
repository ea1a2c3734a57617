//! Teams of agents as real processes against mocks: what a run says of them, and `tare team`.

#[path = "../support/mod.rs"]
mod support;

mod place;
mod truth;
