//! In which order subjects run, and when it ends.

use fastrand::Rng;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// When a weighing ends. A block that has begun is finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Until {
    /// After so many blocks.
    pub blocks: usize,
    /// Before a block that would end later than this after the start, by how long the ones before
    /// took; but not before the second.
    pub limit: Option<Duration>,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All blocks are done.
    Blocks,
    /// There was no time for another.
    Limit,
    /// Whoever looked at it had seen enough.
    Enough,
    /// It was interrupted.
    Interrupted,
}

/// One run that is due.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Which of the parts.
    pub part: usize,
    /// Which of its subjects.
    pub subject: usize,
    /// The block, from 0.
    pub block: usize,
    /// How many ran before.
    pub position: usize,
}

/// Runs each subject of each part once per block, in an order drawn from `seed`. `run` does one;
/// it breaks when it was interrupted. `enough` is asked after each block, with how many there were.
///
/// # Errors
/// The first that `run` gives.
pub fn weigh<S, E>(
    parts: &[Vec<S>],
    until: Until,
    seed: u64,
    mut run: impl FnMut(Due) -> Result<ControlFlow<()>, E>,
    mut enough: impl FnMut(usize) -> bool,
) -> Result<Ending, E> {
    let mut rng = Rng::with_seed(seed);
    let mut order: Vec<(usize, usize)> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, subjects)| (0..subjects.len()).map(move |subject| (part, subject)))
        .collect();
    let started = Instant::now();
    let mut position = 0;
    for block in 0..until.blocks {
        if let Some(limit) = until.limit
            && block >= 2
            && started.elapsed().mul_f64((block + 1) as f64 / block as f64) > limit
        {
            return Ok(Ending::Limit);
        }
        rng.shuffle(&mut order);
        for &(part, subject) in &order {
            let due = Due {
                part,
                subject,
                block,
                position,
            };
            if run(due)?.is_break() {
                return Ok(Ending::Interrupted);
            }
            position += 1;
        }
        if enough(block + 1) {
            return Ok(Ending::Enough);
        }
    }
    Ok(Ending::Blocks)
}
