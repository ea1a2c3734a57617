//! How much of one quantity another explains: a straight line by least squares, and R².
//!
//! R² is a share of the variation and says nothing about cause. Where one quantity is part of the
//! other's formula, it is near 1 whatever was measured, and that is then the finding.

use super::describe::all_finite;
use super::mean;
use super::student::TTest;
use serde::{Deserialize, Serialize};

/// The line through the points, `y = intercept + slope · x`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// How many points.
    pub n: usize,
    /// y's unit per x's.
    pub slope: f64,
    /// Where x is 0, in y's unit.
    pub intercept: f64,
    /// R²: the share of y's sum of squares that the line explains, 0 to 1.
    pub r_squared: f64,
    /// The chance of a slope at least as steep, were there none; two-sided, 0 to 1. 0 where all
    /// points lie on the line.
    pub p: f64,
}

/// Simple linear regression (as in Casella and Berger, *Statistical Inference*, 2002, § 11.3); `None`
/// of fewer than three points, of unequal lengths, where a value is not finite, or where x or y does
/// not vary.
pub fn regression(x: &[f64], y: &[f64]) -> Option<Line> {
    let (all_x, all_y) = (all_finite(x)?, all_finite(y)?);
    if all_x.len() != all_y.len() || all_x.len() < 3 {
        return None;
    }
    let (middle_x, middle_y) = (mean(x)?, mean(y)?);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (from_x, from_y) = (x - middle_x, y - middle_y);
        xx += from_x * from_x;
        xy += from_x * from_y;
        yy += from_y * from_y;
    }
    let slope = xy / xx;
    let r_squared = (xy / xx * xy / yy).clamp(0.0, 1.0);
    let intercept = middle_y - slope * middle_x;
    let usable = xx > 0.0 && yy > 0.0 && slope.is_finite() && intercept.is_finite();
    if !usable || !r_squared.is_finite() {
        return None;
    }
    let freedom = x.len() as f64 - 2.0;
    let error = ((1.0 - r_squared) / freedom).sqrt();
    let test = TTest::of(r_squared.sqrt(), error, freedom);
    Some(Line {
        n: x.len(),
        slope,
        intercept,
        r_squared,
        p: test.map_or(0.0, |test| test.p),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn points_on_a_line_are_explained_wholly() {
        let line = regression(&[1.0, 2.0, 3.0, 5.0], &[52.0, 54.0, 56.0, 60.0]).expect("a line");
        assert_eq!((line.slope, line.intercept, line.n), (2.0, 50.0, 4));
        assert_eq!((line.r_squared, line.p), (1.0, 0.0));
    }

    #[test]
    fn what_does_not_vary_explains_nothing_and_is_not_explained() {
        assert_eq!(regression(&[0.1; 3], &[1.0, 2.0, 3.0]), None);
        assert_eq!(regression(&[1.0, 2.0, 3.0], &[0.1; 3]), None);
        assert_eq!(regression(&[1.0, 2.0], &[1.0, 2.0]), None, "two points");
        assert_eq!(regression(&[1.0, 2.0, 3.0], &[1.0, 2.0]), None);
        assert_eq!(regression(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 4.0]), None);
    }

    proptest! {
        #[test]
        fn the_share_does_not_depend_on_units(
            points in prop::collection::vec((-1e3f64..1e3, -1e3f64..1e3), 3..30),
            by in 0.01f64..100.0, shift in -100.0f64..100.0,
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
            let scaled: Vec<f64> = x.iter().map(|x| by * x + shift).collect();
            if let (Some(line), Some(other)) = (regression(&x, &y), regression(&scaled, &y)) {
                prop_assert!((line.r_squared - other.r_squared).abs() < 1e-6);
                let turned = regression(&y, &x).unwrap();
                prop_assert!((line.r_squared - turned.r_squared).abs() < 1e-6);
            }
        }

        #[test]
        fn no_points_make_it_panic(
            x in prop::collection::vec(any::<f64>(), 0..6),
            y in prop::collection::vec(any::<f64>(), 0..6),
        ) {
            if let Some(line) = regression(&x, &y) {
                prop_assert!((0.0..=1.0).contains(&line.r_squared) && (0.0..=1.0).contains(&line.p));
            }
        }
    }
}
