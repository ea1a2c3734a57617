//! Comparisons by rank, which need no distribution: Mann–Whitney's test and Cliff's delta.
//!
//! Both ask how often a value of one sample lies above one of the other; ties count half. Delta is
//! the size of that (Cliff, "Dominance Statistics", *Psychological Bulletin* 114, 1993), the test
//! its p-value (Mann and Whitney, *Annals of Mathematical Statistics* 18, 1947). The test is exact
//! where a sample has eight values or fewer and none are tied, and else the normal approximation
//! with the corrections for ties and continuity: as SciPy's `mannwhitneyu(method="auto")`, save
//! that beyond [`MOST_EXACT`] pairs this one always approximates.

use super::describe::all_finite;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Beyond this size of the smaller sample the test is approximate, as SciPy's.
const SMALL: usize = 8;
/// Beyond so many pairs of values it is approximate too: the exact count takes time in its square.
const MOST_EXACT: usize = 10_000;

/// What Mann and Whitney's test says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MannWhitney {
    /// Of all pairs, those in which the first sample's value is the greater; ties count half.
    pub u: f64,
    /// The chance of a U at least as far from the middle, were both samples of one distribution;
    /// two-sided, 0 to 1.
    pub p: f64,
}

/// Mann and Whitney's two-sided test; `None` where a sample is empty or holds what is not finite.
/// If all values of both are equal, p is 1.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<MannWhitney> {
    let (u, ties) = u_statistic(a, b)?;
    let (n, m) = (a.len(), b.len());
    let pairs = n * m;
    // Both are symmetric: the chance of a U so far above the middle is that of one so far below.
    let least = u.min(pairs as f64 - u);
    let p = if ties == 0.0 && n.min(m) <= SMALL && pairs <= MOST_EXACT {
        2.0 * exact_tail(least as usize, n, m)
    } else {
        let total = (n + m) as f64;
        let variance = pairs as f64 / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
        let z = (pairs as f64 / 2.0 - least - 0.5) / variance.sqrt();
        match variance > 0.0 {
            true => 2.0 * Normal::standard().sf(z),
            false => 1.0,
        }
    };
    Some(MannWhitney { u, p: p.min(1.0) })
}

/// Cliff's delta: the share of pairs in which `a`'s value is the greater less that in which `b`'s
/// is, −1 to 1; `None` where a sample is empty or holds what is not finite.
pub fn cliffs_delta(a: &[f64], b: &[f64]) -> Option<f64> {
    let (u, _) = u_statistic(a, b)?;
    let pairs = (a.len() * b.len()) as f64;
    Some((2.0 * u - pairs) / pairs)
}

/// U of the first sample, and Σ (t³ − t) over the groups of t tied values.
fn u_statistic(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (ranks, ties) = ranks([all_finite(a)?, all_finite(b)?].concat());
    let sum: f64 = ranks[..a.len()].iter().sum();
    let n = a.len() as f64;
    Some((sum - n * (n + 1.0) / 2.0, ties))
}

/// The rank of each value from 1, tied ones sharing the mean of theirs, and Σ (t³ − t) over the
/// groups of t tied values.
pub(super) fn ranks(values: Vec<f64>) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let (mut ties, mut below) = (0.0, 0);
    for group in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let size = group.len() as f64;
        for &i in group {
            ranks[i] = below as f64 + (size + 1.0) / 2.0;
        }
        below += group.len();
        ties += size.powi(3) - size;
    }
    (ranks, ties)
}

/// The chance of a U of `most` or less among samples of `n` and `m` without ties: of all orders of
/// the values, counted by which sample the greatest is of (Mann and Whitney, eq. 1).
fn exact_tail(most: usize, n: usize, m: usize) -> f64 {
    let (few, many) = (n.min(m), n.max(m));
    // ways[i][u]: orders of i values of the smaller sample and j of the greater with that U.
    let mut ways = vec![vec![0.0; most + 1]; few + 1];
    ways.iter_mut().for_each(|row| row[0] = 1.0);
    for j in 1..=many {
        for i in 1..=few {
            let (fewer, row) = ways.split_at_mut(i);
            for u in j..=most {
                row[0][u] += fewer[i - 1][u - j];
            }
        }
    }
    let orders: f64 = (1..=few).map(|i| (many + i) as f64 / i as f64).product();
    ways[few].iter().sum::<f64>() / orders
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_above_three_is_the_rarest_of_twenty_orders() {
        let found = mann_whitney(&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0]).expect("samples");
        assert_eq!(found.u, 9.0);
        assert!((found.p - 0.1).abs() < 1e-15, "{found:?}");
    }

    #[test]
    fn equal_values_differ_in_nothing() {
        let found = mann_whitney(&[2.0; 4], &[2.0; 7]).expect("samples");
        assert_eq!((found.u, found.p), (14.0, 1.0));
        assert_eq!(cliffs_delta(&[2.0; 4], &[2.0; 7]), Some(0.0));
        assert_eq!(mann_whitney(&[1.0], &[1.0]).map(|found| found.p), Some(1.0));
    }

    #[test]
    fn nothing_has_no_rank() {
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[f64::NAN], &[1.0]), None);
        assert_eq!(cliffs_delta(&[1.0], &[]), None);
    }

    fn sample() -> impl Strategy<Value = Vec<f64>> {
        // Of few values, so that some are tied; or of many.
        let tied = prop::collection::vec((0i32..6).prop_map(f64::from), 1..14);
        prop_oneof![tied, prop::collection::vec(-1e3f64..1e3, 1..14)]
    }

    proptest! {
        #[test]
        fn either_side_may_come_first(a in sample(), b in sample()) {
            let (forth, back) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
            prop_assert_eq!(forth.p, back.p);
            prop_assert_eq!(forth.u + back.u, (a.len() * b.len()) as f64);
            prop_assert!((0.0..=1.0).contains(&forth.p));
            let delta = cliffs_delta(&a, &b).unwrap();
            prop_assert!((-1.0..=1.0).contains(&delta));
            prop_assert_eq!(delta, -cliffs_delta(&b, &a).unwrap());
        }

        #[test]
        fn only_the_order_of_values_counts(mut a in sample(), mut b in sample()) {
            let before = (mann_whitney(&a, &b), cliffs_delta(&a, &b));
            a.reverse();
            b.iter_mut().chain(&mut a).for_each(|value| *value = 3.0 * *value + 7.0);
            prop_assert_eq!(before, (mann_whitney(&a, &b), cliffs_delta(&a, &b)));
        }

        #[test]
        fn delta_counts_the_pairs(a in sample(), b in sample()) {
            let pairs = a.iter().flat_map(|x| b.iter().map(move |y| x.partial_cmp(y).unwrap() as i32));
            let expected = f64::from(pairs.sum::<i32>()) / (a.len() * b.len()) as f64;
            prop_assert!((cliffs_delta(&a, &b).unwrap() - expected).abs() < 1e-12);
        }
    }
}
