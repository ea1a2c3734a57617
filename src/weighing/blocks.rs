//! In which order subjects run, and when it ends.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All blocks are done.
    Blocks,
    /// There was no time for another.
    Limit,
    /// Whoever looked at it had seen enough.
    Enough,
    /// It was interrupted, by a person or by an invocation that failed.
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
pub fn weigh<S>(
    parts: &[Vec<S>],
    until: Until,
    seed: u64,
    mut run: impl FnMut(Due) -> ControlFlow<()>,
    mut enough: impl FnMut(usize) -> bool,
) -> Ending {
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
            return Ending::Limit;
        }
        rng.shuffle(&mut order);
        for &(part, subject) in &order {
            let due = Due {
                part,
                subject,
                block,
                position,
            };
            if run(due).is_break() {
                return Ending::Interrupted;
            }
            position += 1;
        }
        if enough(block + 1) {
            return Ending::Enough;
        }
    }
    Ending::Blocks
}

#[cfg(test)]
mod tests {
    use super::super::canned::subjects;
    use super::super::subject::Subject;
    use super::*;
    use std::collections::HashSet;

    const THREE: Until = Until {
        blocks: 3,
        limit: None,
    };

    fn parts() -> Vec<Vec<Subject>> {
        vec![subjects(&["smol/hyper"]), subjects(&[])]
    }

    fn runs(
        until: Until,
        seed: u64,
        mut last: impl FnMut(&Due) -> bool,
        enough: impl FnMut(usize) -> bool,
    ) -> (Vec<Due>, Ending) {
        let mut runs = Vec::new();
        let run = |due: Due| {
            runs.push(due);
            match last(&due) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let ending = weigh(&parts(), until, seed, run, enough);
        (runs, ending)
    }

    #[test]
    fn each_block_holds_every_subject_of_every_part_once() {
        let (runs, ending) = runs(THREE, 1, |_| false, |_| false);
        assert_eq!(ending, Ending::Blocks);
        assert_eq!(runs.len(), 3 * 7);
        for (block, of) in runs.chunks(7).enumerate() {
            assert!(of.iter().all(|due| due.block == block));
            let each: HashSet<_> = of.iter().map(|due| (due.part, due.subject)).collect();
            assert_eq!(each.len(), 7, "{of:?}");
        }
        let positions: Vec<usize> = runs.iter().map(|due| due.position).collect();
        assert_eq!(positions, (0..21).collect::<Vec<_>>());
    }

    #[test]
    fn the_order_is_the_seeds_and_another_in_each_block() {
        let order = |seed| -> Vec<(usize, usize)> {
            let (runs, _) = runs(THREE, seed, |_| false, |_| false);
            runs.iter().map(|due| (due.part, due.subject)).collect()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        let order = order(1);
        assert_ne!(order[..7], order[7..14]);
    }

    #[test]
    fn no_block_begins_that_would_end_after_the_limit_but_the_second_does() {
        let until = Until {
            limit: Some(Duration::from_nanos(1)),
            ..THREE
        };
        let (runs, ending) = runs(until, 1, |_| false, |_| false);
        assert_eq!((runs.len(), ending), (2 * 7, Ending::Limit));
    }

    #[test]
    fn an_interruption_ends_it_within_a_block_and_enough_after_one() {
        let (cut, ending) = runs(THREE, 1, |due| due.position == 8, |_| false);
        assert_eq!((cut.len(), ending), (9, Ending::Interrupted));
        let mut asked = Vec::new();
        let enough = |blocks| {
            asked.push(blocks);
            blocks == 2
        };
        let (all, ending) = runs(THREE, 1, |_| false, enough);
        assert_eq!((all.len(), ending), (2 * 7, Ending::Enough));
        assert_eq!(asked, [1, 2]);
    }
}
