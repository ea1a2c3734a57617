//! Numbers in, numbers out: no I/O, no clock, and every random draw from a seed.

mod bootstrap;
mod describe;
mod student;

pub use bootstrap::{Interval, mean_interval, ratio_interval};
pub use describe::{mean, quantile, sample_sd};
pub use student::paired_ratio;
