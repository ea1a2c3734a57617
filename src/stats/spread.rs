//! Whether groups vary equally: Levene's test and Brown and Forsythe's.
//!
//! A runtime that is as fast on average but less steady is worse. Both tests are the analysis of
//! variance of each value's distance from its group's centre: the mean (Levene, 1960), which suits
//! normal samples, or the median (Brown and Forsythe, *Journal of the American Statistical
//! Association* 69, 1974), which holds its level for skewed ones, as times are.

use super::groups::{Anova, anova};
use super::{mean, median};

/// Whether the groups have one spread, by the distance from the median: the test to use for times.
/// `None` where [`anova`] of the distances is, so where each group's values all lie equally far
/// from its median.
pub fn brown_forsythe<G: AsRef<[f64]>>(groups: &[G]) -> Option<Anova> {
    by_distance(groups, median)
}

/// Whether the groups have one spread, by the distance from the mean; `None` as for
/// [`brown_forsythe`].
pub fn levene<G: AsRef<[f64]>>(groups: &[G]) -> Option<Anova> {
    by_distance(groups, mean)
}

fn by_distance<G: AsRef<[f64]>>(
    groups: &[G],
    centre: impl Fn(&[f64]) -> Option<f64>,
) -> Option<Anova> {
    let distances: Option<Vec<Vec<f64>>> = groups
        .iter()
        .map(|group| {
            let group = group.as_ref();
            let centre = centre(group)?;
            Some(group.iter().map(|value| (value - centre).abs()).collect())
        })
        .collect();
    anova(&distances?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_vary_cannot_be_compared() {
        assert_eq!(brown_forsythe(&[[2.0; 4], [3.0; 4]]), None);
        assert_eq!(levene(&[vec![], vec![1.0, 2.0]]), None);
        assert_eq!(brown_forsythe(&[[1.0, f64::NAN], [1.0, 2.0]]), None);
    }

    #[test]
    fn a_shift_is_no_spread() {
        let steady = [9.0, 10.0, 10.5, 11.0, 9.5];
        let shifted = steady.map(|value| value + 100.0);
        let wild = steady.map(|value| 20.0 * (value - 10.0) + 10.0);
        let p = |groups: &[[f64; 5]]| brown_forsythe(groups).expect("groups").p;
        assert!(p(&[steady, shifted]) > 0.99);
        assert!(p(&[steady, wild]) < 0.05);
    }

    proptest! {
        #[test]
        fn no_samples_make_it_panic(
            groups in prop::collection::vec(prop::collection::vec(any::<f64>(), 0..5), 0..4),
        ) {
            for found in [levene(&groups), brown_forsythe(&groups)].into_iter().flatten() {
                prop_assert!(found.f.is_finite() && (0.0..=1.0).contains(&found.p), "{found:?}");
            }
        }
    }
}
