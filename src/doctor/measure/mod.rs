//! What only shows when it is tried: some two seconds of small experiments, one after the other.
//!
//! Each has a limit of time of its own, so that a machine that is too busy for any of them is told
//! so, and not waited for.

mod busy;
mod clock;
mod loopback;
mod timer;

pub use busy::Busy;
pub use clock::ClockCost;

use crate::stats::quantile;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// What came of the experiments. What could not be tried is `None`.
#[derive(Clone, Debug)]
pub struct Measured {
    /// A busy second on all cores.
    pub busy: Option<Busy>,
    /// How late sleeps ended.
    pub timer: Option<Spread>,
    /// What the clock costs.
    pub clock: ClockCost,
    /// A byte there and back over TCP.
    pub loopback: Option<Spread>,
    /// Whether someone answers where Ollama listens, 127.0.0.1:11434.
    pub answered: bool,
}

/// Where Ollama listens.
const OLLAMA: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 11434);

impl Measured {
    /// Does the experiments.
    pub fn here() -> Self {
        Self {
            timer: timer::lateness(),
            clock: ClockCost::here(),
            loopback: loopback::round_trips(),
            answered: TcpStream::connect_timeout(&OLLAMA, Duration::from_millis(200)).is_ok(),
            // The last, because it warms the cores and raises the load.
            busy: Busy::second(),
        }
    }
}

/// How times are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median, µs.
    pub median_us: f64,
    /// What all but a few are below, µs.
    pub tail_us: f64,
    /// Which quantile that is: 0.99 of a thousand samples or more, 0.9 of fewer.
    pub tail: f64,
}

impl Spread {
    /// Of samples in µs; none of fewer than a hundred, whose 90th percentile means nothing.
    pub fn of(mut samples_us: Vec<f64>) -> Option<Self> {
        samples_us.sort_by(f64::total_cmp);
        let tail = match samples_us.len() {
            1_000.. => 0.99,
            100.. => 0.9,
            _ => return None,
        };
        Some(Self {
            median_us: quantile(&samples_us, 0.5)?,
            tail_us: quantile(&samples_us, tail)?,
            tail,
        })
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_told_as_far_as_samples_go() {
        let spread = |n: u32| Spread::of((0..n).map(f64::from).collect());
        assert_eq!(spread(99), None);
        assert_eq!(
            spread(101).map(|s| (s.median_us, s.tail, s.tail_us)),
            Some((50.0, 0.9, 90.0))
        );
        assert_eq!(
            spread(1001).map(|s| (s.tail, s.tail_us)),
            Some((0.99, 990.0))
        );
    }

    #[test]
    fn every_experiment_ends_in_its_time() {
        let started = std::time::Instant::now();
        let measured = Measured::here();
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(measured.clock.read_ns > 0.0);
        // On a machine that is too busy there are too few samples to tell of.
        assert!(measured.timer.is_none_or(|spread| spread.median_us > 0.0));
        assert!(
            measured
                .loopback
                .is_none_or(|spread| spread.tail_us >= spread.median_us)
        );
        let busy = measured.busy.expect("threads start");
        assert!((0.0..=1.0).contains(&busy.away), "{busy:?}");
    }
}
