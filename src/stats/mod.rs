//! Numbers in, numbers out: no I/O, no clock, and every random draw from a seed.

mod bootstrap;
mod student;

pub use bootstrap::{Interval, mean, mean_interval, ratio_interval};
pub use student::{paired_ratio, sample_sd};
