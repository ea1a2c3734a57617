//! `tare load` as its users meet it: what it starts, what it counts, and what it says when it can't.

#[path = "../support/mod.rs"]
mod support;

mod apis;
mod closed;
mod endings;
mod faults;
mod open;
mod place;
mod refusals;
mod result;
