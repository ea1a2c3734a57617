//! `tare compare` as its users meet it: what it finds, what it writes, how it ends before its time and
//! goes on, and what it says when it can't.

#[path = "../support/mod.rs"]
mod support;

mod controls;
mod endings;
mod refusals;
mod runs;

/// A small comparison of streams.
const SMALL: [&str; 9] = [
    "compare",
    "--workload",
    "stream",
    "--tokens",
    "8",
    "--iterations",
    "4",
    "--runs",
    "2",
];
const FOLDER: &str = "tare-results/compare";
