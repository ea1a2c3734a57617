//! Randomised blocks: each runs everything once, in an order of its own, so that whatever drifts
//! meanwhile hits all alike and can be taken out by comparing within blocks.

use fastrand::Rng;

/// Runs each of `subjects` once per block and returns what came of it: per subject, in their
/// order, one result per block. The order within a block is drawn from `seed`.
///
/// # Errors
/// The first that `run` gives; what came before it is dropped.
pub fn in_blocks<S: Copy, T, E>(
    subjects: &[S],
    blocks: usize,
    seed: u64,
    mut run: impl FnMut(S) -> Result<T, E>,
) -> Result<Vec<Vec<T>>, E> {
    let mut rng = Rng::with_seed(seed);
    let mut results: Vec<Vec<T>> = subjects.iter().map(|_| Vec::new()).collect();
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    for _ in 0..blocks {
        rng.shuffle(&mut order);
        for &index in &order {
            results[index].push(run(subjects[index])?);
        }
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seed: u64) -> Vec<char> {
        let mut order = Vec::new();
        let done = in_blocks(&['a', 'b', 'c', 'd'], 20, seed, |subject| {
            order.push(subject);
            Ok::<_, ()>(subject)
        });
        let done = done.expect("nothing fails");
        assert_eq!(done.len(), 4);
        assert!(done[2].len() == 20 && done[2].iter().all(|&s| s == 'c'));
        order
    }

    #[test]
    fn each_block_holds_each_subject_once_in_an_order_of_its_own() {
        let order = order(1);
        let blocks: Vec<_> = order.chunks(4).collect();
        for block in &blocks {
            let mut sorted = block.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, ['a', 'b', 'c', 'd']);
        }
        assert!(blocks.iter().any(|block| block != &blocks[0]));
    }

    #[test]
    fn the_seed_decides_the_order() {
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn the_first_failure_ends_it() {
        let mut ran = 0;
        let failed = in_blocks(&[1, 2, 3], 5, 1, |_| {
            ran += 1;
            if ran == 4 { Err("four") } else { Ok(()) }
        });
        assert_eq!((failed.map(|_| ()), ran), (Err("four"), 4));
    }
}
