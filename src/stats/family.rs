//! A family of comparisons judged together.
//!
//! Ten comparisons at 5 % each hold a false verdict in up to two families of five. Holm's
//! procedure is run on the intervals themselves, so that a verdict and the interval beside it
//! cannot contradict each other: of k comparisons, intervals are made at 1 − α/k. Those that lie
//! in one region are decided; the r that are left get intervals at 1 − α/r; and so on until a round
//! decides none. Each comparison shows the interval of its last round. That is `holm.rs` with the
//! p-value of a comparison being the least α at which its interval decides, and a test says so.
//!
//! **What the level means.** A false verdict needs an interval that misses the truth, so one
//! comparison is judged falsely in at most α of cases. For the family Holm's proof wants hypotheses
//! that are true or false whatever comes out; but here every comparison can be judged falsely,
//! whatever the truth is, for two of its three verdicts are false. That its levels hold all the same
//! is proven for the two verdicts faster and slower of independent comparisons (Shaffer, "Control of
//! Directional Errors with Stagewise Multiple Test Procedures", *Annals of Statistics* 8, 1980;
//! Finner, "Stepwise Multiple Test Procedures and Control of Directional Errors", 27, 1999); beyond
//! that only the first round's, Bonferroni's, is. The judge's tests count false verdicts of whole families by simulation.
//! The intervals do *not* all hold together at 1 − α, each does at the level that it states: α is the verdicts'.

/// The level at which each of `count` comparisons is judged last. What is decided at one level
/// must be so at any higher one.
pub(crate) fn step_down(
    count: usize,
    alpha: f64,
    decided: impl Fn(usize, f64) -> bool,
) -> Vec<f64> {
    let mut levels = vec![alpha; count];
    let mut left: Vec<usize> = (0..count).collect();
    while !left.is_empty() {
        let level = alpha / left.len() as f64;
        left.iter().for_each(|&i| levels[i] = level);
        let before = left.len();
        left.retain(|&i| !decided(i, level));
        if left.len() == before {
            break;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::super::holm::holm;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn steps_are_holms(p_values in prop::collection::vec(0.0f64..0.2, 1..12)) {
            let levels = step_down(p_values.len(), 0.05, |i, level| p_values[i] <= level);
            let adjusted = holm(&p_values).unwrap();
            for (i, &p) in p_values.iter().enumerate() {
                // But for the last bit of a level that is just met.
                prop_assume!((adjusted[i] - 0.05).abs() > 1e-12);
                prop_assert_eq!(p <= levels[i], adjusted[i] <= 0.05);
            }
        }
    }
}
