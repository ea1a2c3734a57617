//! `tare agent` as its users meet it: what it writes, and what it says when it can't.

mod apis;
mod metrics;
mod place;
mod proxy;
mod refusals;
mod reports;
