//! Numbers in, numbers out: no I/O, no clock, and every random draw from a seed.
//!
//! | question | file |
//! |---|---|
//! | Is this stack faster, slower, equivalent, or is it undecided? | `verdict.rs` |
//! | At which level is each of a family judged? | `family.rs` |
//! | How sure is a mean, or a ratio of means within blocks? | `bootstrap.rs` |
//! | What if there are too few blocks to resample? | `student.rs` |
//! | Do two samples without common blocks differ? | `welch.rs` |
//! | How large is a difference, whatever the distribution? | `rank.rs` (Cliff's delta) |
//! | What is a p-value worth among many? | `holm.rs` |
//! | What could so many runs find? | `power.rs` |
//! | What of one pair of sides: both means, what could be found, runs needed? | `paired.rs` |
//! | What do several sittings say together? | `pooled.rs` |
//! | Does anything differ among many groups, and how much of it does the grouping explain? | `groups.rs` |
//! | How sure is a success rate? | `counts.rs` |
//! | Is the best of many more than chance makes of them? | `chance.rs` |
//! | How much of one quantity does another explain? | `regression.rs` |
//! | How evenly was something shared? | `fairness.rs` |
//! | What are the samples like: mean, spread, quartiles? | `describe.rs` |
//!
//! Where a question has no answer, of too few samples say, or of one that is not finite, the answer
//! is `None`, never a NaN. The tests hold every closed formula against SciPy and statsmodels:
//! `oracle/values.json` has their answers, and `oracle/scipy_values.py` wrote it.

mod bootstrap;
mod chance;
mod counts;
mod describe;
mod fairness;
mod family;
mod groups;
mod holm;
#[cfg(test)]
mod oracle;
mod paired;
mod pooled;
mod power;
mod rank;
mod regression;
mod student;
mod verdict;
mod welch;

pub use bootstrap::{Interval, mean_interval, ratio_interval};
pub use chance::{BestOf, Better, BetterThanBase, best_of, better_than_base};
pub use counts::Rate;
pub use describe::{Quartiles, mean, median, quantile, sample_sd, variation};
pub use fairness::jain_fairness;
pub(crate) use family::step_down;
pub use groups::{Anova, KruskalWallis, anova, kruskal_wallis};
pub use holm::holm;
pub use paired::{RunsNeeded, Sides};
pub use pooled::{Estimate, RandomEffects, random_effects, standard_error};
pub use rank::cliffs_delta;
pub use regression::{Line, regression};
pub use student::{TTest, mean_by_t, one_sample_t, paired_ratio};
pub use verdict::{Margin, Verdict};
pub use welch::{welch_interval, welch_t};
