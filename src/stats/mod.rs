//! Numbers in, numbers out: no I/O, no clock, and every random draw from a seed.

mod bootstrap;

pub use bootstrap::{Interval, mean, mean_interval, ratio_interval};
