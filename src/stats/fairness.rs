//! How evenly something was shared: Jain's index.

use super::describe::all_finite;

/// Jain, Chiu and Hawe's index of fairness, (Σx)² / (n Σx²), 1/n to 1 (DEC-TR-301, 1984): 1 where
/// all shares are equal, k/n where k of n have all of it in equal parts; `None` of nothing, where a
/// share is negative or not finite, or where all are zero. No matter of the shares' unit.
pub fn jain_fairness(shares: &[f64]) -> Option<f64> {
    let most = all_finite(shares)?.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 || shares.iter().any(|&share| share < 0.0) {
        return None;
    }
    // In units of the greatest, so that no square overflows.
    let scaled = || shares.iter().map(|share| share / most);
    let squares: f64 = scaled().map(|share| share * share).sum();
    let index = scaled().sum::<f64>().powi(2) / (shares.len() as f64 * squares);
    Some(index.clamp(1.0 / shares.len() as f64, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_shares_are_fair_and_a_single_owner_is_not() {
        assert_eq!(jain_fairness(&[3.0; 7]), Some(1.0));
        assert_eq!(jain_fairness(&[5.0, 0.0, 0.0, 0.0]), Some(0.25));
        // (1 + 2 + 3)² / (3 × (1 + 4 + 9)).
        let index = jain_fairness(&[1.0, 2.0, 3.0]).expect("shares");
        assert!((index - 6.0 / 7.0).abs() < 1e-15, "{index}");
    }

    #[test]
    fn nothing_cannot_be_shared() {
        for shares in [&[][..], &[0.0, 0.0], &[1.0, -1.0], &[f64::NAN]] {
            assert_eq!(jain_fairness(shares), None, "{shares:?}");
        }
    }

    proptest! {
        #[test]
        fn the_index_is_a_share_that_no_unit_changes(
            mut shares in prop::collection::vec(0.0f64..1e9, 1..20), unit in 1e-3f64..1e3,
        ) {
            prop_assume!(shares.iter().any(|&share| share > 0.0));
            let index = jain_fairness(&shares).unwrap();
            prop_assert!(1.0 / shares.len() as f64 <= index && index <= 1.0);
            shares.reverse();
            shares.iter_mut().for_each(|share| *share *= unit);
            prop_assert!((jain_fairness(&shares).unwrap() - index).abs() < 1e-9);
        }
    }
}
