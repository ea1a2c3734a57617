//! Numbers as sentences and stacks have them.

use super::super::analysis::{Differ, GroupTest, Summary};
use crate::report::markdown::{NONE, number};
use crate::stats::Interval;

/// `1 run`, `2 runs`
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// `p = 0.096`, `p < 0.0001`
pub fn p(p: f64) -> String {
    match p {
        p if p < 1e-4 => "p < 0.0001".to_owned(),
        p if p < 0.01 => format!("p = {p:.4}"),
        p => format!("p = {p:.3}"),
    }
}

/// `12.3 %`, and without a unit the number alone.
pub fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

/// `[1.2, 1.3]`
pub fn ends(interval: &Interval) -> String {
    format!("[{}, {}]", number(interval.low), number(interval.high))
}

/// The mean with its interval, where there is one.
pub fn mean(summary: &Summary, unit: &str) -> String {
    let mean = with_unit(summary.mean, unit);
    match &summary.interval {
        Some(interval) => format!("{mean} {}", ends(interval)),
        None => mean,
    }
}

/// A share as percentage, or the sign for none.
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(
        || NONE.to_owned(),
        |share| format!("{} %", number(100.0 * share)),
    )
}

/// `differ`, `undecided`
pub fn verdict(verdict: Differ) -> &'static str {
    match verdict {
        Differ::Differ => "differ",
        Differ::Undecided => "undecided",
    }
}

/// The tests in brackets: `Kruskal–Wallis H(3) = 1.2, p = 0.41, …; ANOVA F(3, 116) = …; n = 120`.
pub fn tests(test: &GroupTest) -> String {
    let mut parts = Vec::new();
    if let Some(found) = &test.kruskal_wallis {
        let adjusted = test.p_adjusted.map_or_else(String::new, |adjusted| {
            format!(", adjusted {}", p(adjusted))
        });
        parts.push(format!(
            "Kruskal–Wallis H({}) = {}, {}{adjusted}, η² = {:.3}",
            found.freedom,
            number(found.h),
            p(found.p),
            found.eta_squared
        ));
    }
    if let Some(found) = &test.anova {
        parts.push(format!(
            "ANOVA F({}, {}) = {}, {}, η² = {:.3}",
            found.freedom.0,
            found.freedom.1,
            number(found.f),
            p(found.p),
            found.eta_squared
        ));
    }
    parts.push(format!("n = {} in {} groups", test.n, test.groups));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p_has_the_digits_that_count() {
        assert_eq!(p(0.09625), "p = 0.096");
        assert_eq!(p(0.00123), "p = 0.0012");
        assert_eq!(p(1e-9), "p < 0.0001");
    }
}
