//! Cliff's delta, a size of a difference that needs no distribution: how often a value of one sample
//! lies above one of the other (Cliff, "Dominance Statistics", *Psychological Bulletin* 114, 1993).
//! Ties count half. The ranks that it takes serve Kruskal and Wallis's test too.

use super::describe::all_finite;

/// Cliff's delta: the share of pairs in which `a`'s value is the greater less that in which `b`'s
/// is, −1 to 1; `None` where a sample is empty or holds what is not finite.
pub fn cliffs_delta(a: &[f64], b: &[f64]) -> Option<f64> {
    let u = u_statistic(a, b)?;
    let pairs = (a.len() * b.len()) as f64;
    Some((2.0 * u - pairs) / pairs)
}

/// Of all pairs, those in which the first sample's value is the greater; ties count half.
fn u_statistic(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (ranks, _) = ranks([all_finite(a)?, all_finite(b)?].concat());
    let sum: f64 = ranks[..a.len()].iter().sum();
    let n = a.len() as f64;
    Some(sum - n * (n + 1.0) / 2.0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_values_differ_in_nothing() {
        assert_eq!(cliffs_delta(&[2.0; 4], &[2.0; 7]), Some(0.0));
    }

    #[test]
    fn nothing_has_no_rank() {
        assert_eq!(cliffs_delta(&[], &[1.0]), None);
        assert_eq!(cliffs_delta(&[f64::NAN], &[1.0]), None);
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
            let delta = cliffs_delta(&a, &b).unwrap();
            prop_assert!((-1.0..=1.0).contains(&delta));
            prop_assert_eq!(delta, -cliffs_delta(&b, &a).unwrap());
        }

        #[test]
        fn only_the_order_of_values_counts(mut a in sample(), mut b in sample()) {
            let before = cliffs_delta(&a, &b);
            a.reverse();
            b.iter_mut().chain(&mut a).for_each(|value| *value = 3.0 * *value + 7.0);
            prop_assert_eq!(before, cliffs_delta(&a, &b));
        }

        #[test]
        fn delta_counts_the_pairs(a in sample(), b in sample()) {
            let pairs = a.iter().flat_map(|x| b.iter().map(move |y| x.partial_cmp(y).unwrap() as i32));
            let expected = f64::from(pairs.sum::<i32>()) / (a.len() * b.len()) as f64;
            prop_assert!((cliffs_delta(&a, &b).unwrap() - expected).abs() < 1e-12);
        }
    }
}
