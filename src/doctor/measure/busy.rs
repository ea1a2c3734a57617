//! A busy second: a thread per core looks at the clock without a pause, and what it misses was
//! taken from it, by another process, by the hypervisor or by a quota.

use crate::doctor::readings::{Ticks, throttled};
use crate::machine::Files;
use std::thread;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// A gap between two looks at the clock that is more than an interrupt.
const GAP: Duration = Duration::from_micros(50);

/// More threads than this show nothing more, and only warm the machine.
const MOST: usize = 64;

/// What was taken from the threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Busy {
    /// Threads, one per core.
    pub threads: usize,
    /// Mean share of its time that a thread was off its core, 0 to 1.
    pub away: f64,
    /// The longest time without a break, µs.
    pub longest_us: f64,
    /// How often the kernel moved one to another core, where it says.
    pub moves: Option<u64>,
    /// Share of all CPU time that the hypervisor gave to others meanwhile, where it says.
    pub steal: Option<f64>,
    /// Throttlings because of heat meanwhile, where the system says.
    pub throttled: Option<u64>,
}

/// The same of one thread.
struct Spun {
    lasted: Duration,
    away: Duration,
    longest: Duration,
    moves: Option<u64>,
}

impl Busy {
    /// Keeps all cores busy for a second; none where no thread starts.
    pub fn second() -> Option<Self> {
        let files = Files::here();
        let cores = thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST);
        let ticks = || Ticks::parse(&files.text("proc/stat")?);
        let (ticks_before, heat_before) = (ticks(), throttled(&files));
        let start = || thread::Builder::new().spawn(|| spin(Instant::now())).ok();
        let threads: Vec<_> = (0..cores).filter_map(|_| start()).collect();
        let spun: Vec<Spun> = threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect();
        let steal = ticks()
            .zip(ticks_before)
            .map(|(now, before)| now.since(before).steal_share());
        let heat = throttled(&files).zip(heat_before);
        let away = |spun: &Spun| spun.away.as_secs_f64() / spun.lasted.as_secs_f64();
        Some(Self {
            threads: spun.len(),
            away: crate::stats::mean(&spun.iter().map(away).collect::<Vec<_>>())?,
            longest_us: super::micros(spun.iter().map(|spun| spun.longest).max()?),
            moves: spun.iter().map(|spun| spun.moves).sum(),
            steal,
            throttled: heat.map(|(now, before)| now.saturating_sub(before)),
        })
    }
}

fn spin(started: Instant) -> Spun {
    let (mut last, mut away, mut longest) = (started, Duration::ZERO, Duration::ZERO);
    while last.duration_since(started) < SECOND {
        let now = Instant::now();
        let gap = now.duration_since(last);
        if gap > GAP {
            away += gap;
            longest = longest.max(gap);
        }
        last = now;
    }
    let sched = Files::here().text("proc/thread-self/sched");
    Spun {
        lasted: last.duration_since(started),
        away,
        longest,
        moves: sched.as_deref().and_then(moves),
    }
}

/// How often the kernel moved a thread, from its `sched` file.
fn moves(sched: &str) -> Option<u64> {
    let mut fields = sched.lines().filter_map(|line| line.split_once(':'));
    let (_, count) = fields.find(|(name, _)| name.trim().ends_with("nr_migrations"))?;
    count.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_read_off_the_kernels_table() {
        let sched =
            "tare (7, #threads: 3)\n----\nse.nr_migrations      :        12\nnr_switches : 5\n";
        assert_eq!(moves(sched), Some(12));
        assert_eq!(moves("nothing of the kind"), None);
    }
}
