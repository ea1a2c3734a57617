//! Counters that every thread of the process adds to and none waits for.
//!
//! A counter that threads share costs some 5 ns each time, and ten times that when two threads add
//! to it by turns: more than what is counted here costs. So a thread gets a row of counters of its
//! own, on a cache line of its own, to which it adds by a plain load and store; whoever wants a sum
//! adds the rows up. Threads beyond `ROWS` share the last row and pay the full price. A row is
//! never given back, so the sums keep what ended threads did.
//!
//! The counting allocator adds here too, so nothing in this file may allocate.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Blocks that the allocator gave.
    Allocations,
    /// Blocks whose size it changed.
    Reallocations,
    /// Blocks that it took back.
    Frees,
    /// Bytes asked of it; of a reallocation what it added.
    AllocatedBytes,
    /// Reads of a socket that brought something, or its end.
    SocketReads,
    /// The bytes they brought.
    SocketReadBytes,
    /// Time in a decoder, ns, where a call was told to take it.
    DecodingNanos,
}

/// How many counters there are.
const COUNTS: usize = Count::DecodingNanos as usize + 1;
/// Threads that have a row of their own.
const ROWS: usize = 256;
/// The mark of a thread that has no row yet.
const NONE: usize = usize::MAX;

/// Two cache lines, because processors fetch them in pairs.
#[repr(align(128))]
struct Row([AtomicU64; COUNTS]);

static TABLE: [Row; ROWS + 1] = [const { Row([const { AtomicU64::new(0) }; COUNTS]) }; ROWS + 1];
static TAKEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Has no destructor, so that it can be had as long as a thread lives, and without allocating.
    static MINE: Cell<usize> = const { Cell::new(NONE) };
}

/// Adds to each of these counters of the present thread.
#[inline]
pub fn add<const N: usize>(counts: [(Count, u64); N]) {
    let mine = MINE.get();
    let mine = if mine == NONE { take_row() } else { mine };
    let row = &TABLE[mine.min(ROWS)].0;
    for (count, more) in counts {
        let counter = &row[count as usize];
        if mine < ROWS {
            // No other thread writes here.
            counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
        } else {
            counter.fetch_add(more, Relaxed);
        }
    }
}

#[cold]
fn take_row() -> usize {
    let mine = TAKEN.fetch_add(1, Relaxed).min(ROWS);
    MINE.set(mine);
    mine
}

/// The sum over all threads since the process began.
pub fn total(count: Count) -> u64 {
    let rows = TAKEN.load(Relaxed).min(ROWS);
    let counters = TABLE[..rows].iter().chain(&TABLE[ROWS..]);
    counters
        .map(|row| row.0[count as usize].load(Relaxed))
        .fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn what_each_of_more_threads_than_rows_counts_is_in_the_sum() {
        // No other test of the library installs the counting allocator.
        let before = total(Count::Frees);
        for _ in 0..40 {
            let threads: Vec<_> = (0..8)
                .map(|_| thread::spawn(|| (0..1000).for_each(|_| add([(Count::Frees, 2)]))))
                .collect();
            for thread in threads {
                thread.join().expect("counting does not panic");
            }
        }
        assert!(TAKEN.load(Relaxed) > ROWS);
        assert_eq!(total(Count::Frees) - before, 40 * 8 * 1000 * 2);
    }
}
