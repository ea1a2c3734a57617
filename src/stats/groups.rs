//! Several groups at once: whether their means (ANOVA) or their ranks (Kruskal–Wallis) differ, and
//! what share of the variation the grouping explains.
//!
//! A p-value says that some group differs, not which and not by how much: that is `verdict.rs`.
//! The share, η², is the answer to "how much of it is the runtime?".

use super::describe::all_finite;
use super::mean;
use super::rank::ranks;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::beta::checked_beta_reg;

/// What an analysis of variance says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anova {
    /// Variance between the groups over that within them.
    pub f: f64,
    /// Degrees of freedom between the groups and within them.
    pub freedom: (f64, f64),
    /// The chance of an F at least as great, had all groups one mean; 0 to 1.
    pub p: f64,
    /// η²: the share of the sum of squares that lies between the groups, 0 to 1.
    pub eta_squared: f64,
}

/// One-way analysis of variance (Fisher, *Statistical Methods for Research Workers*, 1925); `None`
/// of fewer than two groups, where a group is empty, where there are no more values than groups,
/// where a value is not finite, or where nothing varies within a group.
pub fn anova<G: AsRef<[f64]>>(groups: &[G]) -> Option<Anova> {
    let all = together(groups)?;
    let grand = mean(&all)?;
    let (mut between, mut within) = (0.0, 0.0);
    for group in groups.iter().map(AsRef::as_ref) {
        let own = mean(group)?;
        between += group.len() as f64 * (own - grand).powi(2);
        within += group.iter().map(|value| (value - own).powi(2)).sum::<f64>();
    }
    let freedom = (
        groups.len() as f64 - 1.0,
        all.len() as f64 - groups.len() as f64,
    );
    let f = (between / freedom.0) / (within / freedom.1);
    (f.is_finite() && within > 0.0 && (between + within).is_finite()).then_some(Anova {
        f,
        freedom,
        p: f_upper_tail(f, freedom)?,
        eta_squared: between / (between + within),
    })
}

/// What Kruskal and Wallis's test says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KruskalWallis {
    /// H, corrected for ties.
    pub h: f64,
    /// Degrees of freedom: the groups less one.
    pub freedom: f64,
    /// The chance of an H at least as great, had all groups one distribution; by χ², 0 to 1.
    pub p: f64,
    /// η² of the ranks, (H − k + 1) / (n − k), 0 to 1, a negative one as 0 (Tomczak and Tomczak,
    /// *Trends in Sport Sciences* 1, 2014).
    pub eta_squared: f64,
}

/// Kruskal and Wallis's test (*Journal of the American Statistical Association* 47, 1952); `None`
/// of fewer than two groups, where a group is empty, where there are no more values than groups,
/// where a value is not finite, or where all values are equal.
pub fn kruskal_wallis<G: AsRef<[f64]>>(groups: &[G]) -> Option<KruskalWallis> {
    let all = together(groups)?;
    let n = all.len() as f64;
    let (ranks, ties) = ranks(all);
    let (mut from, mut squares) = (0, 0.0);
    for group in groups.iter().map(|group| group.as_ref().len()) {
        squares += ranks[from..from + group].iter().sum::<f64>().powi(2) / group as f64;
        from += group;
    }
    let untied = 1.0 - ties / (n * n * n - n);
    let h = (12.0 / (n * (n + 1.0)) * squares - 3.0 * (n + 1.0)) / untied;
    let (h, freedom) = (h.max(0.0), groups.len() as f64 - 1.0);
    (untied > 0.0).then_some(KruskalWallis {
        h,
        freedom,
        p: ChiSquared::new(freedom).ok()?.sf(h),
        eta_squared: ((h - freedom) / (n - freedom - 1.0)).clamp(0.0, 1.0),
    })
}

/// All values, group by group; `None` where there is nothing to compare.
fn together<G: AsRef<[f64]>>(groups: &[G]) -> Option<Vec<f64>> {
    let mut all = Vec::new();
    for group in groups.iter().map(AsRef::as_ref) {
        all.extend_from_slice((!group.is_empty()).then_some(all_finite(group)?)?);
    }
    (groups.len() >= 2 && all.len() > groups.len()).then_some(all)
}

/// The chance of an F above `f`: the regularised incomplete beta function, which keeps its digits
/// where one less the distribution function would lose them.
fn f_upper_tail(f: f64, (between, within): (f64, f64)) -> Option<f64> {
    checked_beta_reg(within / 2.0, between / 2.0, within / (within + between * f)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_compared_has_no_p() {
        let none: [&[&[f64]]; 5] = [
            &[],
            &[&[1.0, 2.0]],
            &[&[1.0, 2.0], &[]],
            &[&[1.0], &[2.0]],
            &[&[1.0, f64::NAN], &[2.0]],
        ];
        for groups in none {
            assert_eq!(anova(groups), None, "{groups:?}");
            assert_eq!(kruskal_wallis(groups), None, "{groups:?}");
        }
        assert_eq!(anova(&[[0.1; 3], [0.3; 3]]), None, "nothing varies within");
        assert_eq!(kruskal_wallis(&[[0.1; 3], [0.1; 3]]), None, "all tied");
    }

    proptest! {
        #[test]
        fn groups_may_come_in_any_order(
            mut groups in prop::collection::vec(prop::collection::vec(-1e3f64..1e3, 2..8), 2..5),
        ) {
            let before = (anova(&groups).unwrap(), kruskal_wallis(&groups).unwrap());
            groups.reverse();
            groups.iter_mut().for_each(|group| group.reverse());
            let after = (anova(&groups).unwrap(), kruskal_wallis(&groups).unwrap());
            prop_assert!((before.0.p - after.0.p).abs() < 1e-9);
            prop_assert!((before.1.p - after.1.p).abs() < 1e-9);
            for share in [before.0.eta_squared, before.1.eta_squared, before.0.p, before.1.p] {
                prop_assert!((0.0..=1.0).contains(&share));
            }
        }
    }
}
