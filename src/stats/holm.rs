//! Many questions, one error: Holm's step-down adjustment.
//!
//! Of twenty comparisons at 5 % one comes out by chance. Holm ("A Simple Sequentially Rejective
//! Multiple Test Procedure", *Scandinavian Journal of Statistics* 6, 1979) takes the p-values in
//! ascending order, the first times k, the second times k − 1 and so on, each at least the one
//! before: those that stay below 5 % hold a false one in at most 5 % of families, however the
//! comparisons hang together.

/// The adjusted p-values, in the order given; `None` if one is not within 0 to 1.
pub fn holm(p_values: &[f64]) -> Option<Vec<f64>> {
    if !p_values.iter().all(|p| (0.0..=1.0).contains(p)) {
        return None;
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (before, &i) in order.iter().enumerate() {
        least = least.max(p_values[i] * (p_values.len() - before) as f64);
        adjusted[i] = least.min(1.0);
    }
    Some(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_family_of_one_is_left_alone() {
        assert_eq!(holm(&[0.03]), Some(vec![0.03]));
        assert_eq!(holm(&[]), Some(vec![]));
    }

    #[test]
    fn what_is_no_probability_has_no_adjustment() {
        assert_eq!(holm(&[0.5, f64::NAN]), None);
        assert_eq!(holm(&[1.5]), None);
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_their_order_and_are_never_smaller(
            mut p_values in prop::collection::vec(0.0f64..=1.0, 1..20),
        ) {
            let mut adjusted = holm(&p_values).unwrap();
            for (i, &p) in p_values.iter().enumerate() {
                prop_assert!(p <= adjusted[i] && adjusted[i] <= 1.0);
                prop_assert!(adjusted[i] <= (p * p_values.len() as f64).min(1.0), "Bonferroni's");
                for (j, &other) in p_values.iter().enumerate() {
                    prop_assert!(p > other || adjusted[i] <= adjusted[j]);
                }
            }
            p_values.reverse();
            adjusted.reverse();
            prop_assert_eq!(holm(&p_values).unwrap(), adjusted);
        }
    }
}
