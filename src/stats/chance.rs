//! What chance alone makes of many groups: how high the best of k comes out, and how many of k lie
//! above a base that was itself measured.
//!
//! Both are found by exchanging labels (Fisher, *The Design of Experiments*, 1935; Phipson and Smyth,
//! *Statistical Applications in Genetics and Molecular Biology* 9, 2010, for the p): if the groups
//! do not differ, each value could as well have stood in any of them. The best of 18 means is above
//! their average even then, and a base that happened to come out low has most of 18 groups above
//! it: with as many values in each, 13 or more of 18 in six cases of nineteen, where the sign test,
//! which takes the base for known, says one of twenty.

use super::describe::{all_finite, quantile};
use super::mean;
use fastrand::Rng;
use serde::{Deserialize, Serialize};

/// How many draws, of so many values that this takes no more than a second or two.
const MOST_DRAWS: usize = 10_000;
/// At least so many, however many values there are.
const LEAST_DRAWS: usize = 1_000;
/// So many values are drawn in all, if that leaves enough draws.
const MOST_WORK: usize = 10_000_000;

/// Which end of a figure is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Such as of throughput.
    Higher,
    /// Such as of a time.
    Lower,
}

impl Better {
    /// Turns a value so that higher is better; twice gives it back.
    fn turned(self, value: f64) -> f64 {
        match self {
            Better::Higher => value,
            Better::Lower => -value,
        }
    }
}

/// The best of several groups, and what it would be by chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestOf {
    /// Its place among the groups, from 0.
    pub at: usize,
    /// Among how many.
    pub groups: usize,
    /// Its mean, in the values' unit.
    pub best: f64,
    /// The mean of all values.
    pub overall: f64,
    /// What the best mean is on average if the groups do not differ.
    pub expected_by_chance: f64,
    /// What it exceeds (is below, where lower is better) in one case of twenty if they do not.
    pub one_in_twenty: f64,
    /// The chance of a best at least as good if they do not, above 0 and at most 1.
    pub p: f64,
    /// How many draws that rests on.
    pub draws: usize,
}

/// The best of these groups by its mean; `None` of fewer than two groups, where one is empty, where
/// a value is not finite, or where no group has two values, so that exchanging them changes nothing.
pub fn best_of<G: AsRef<[f64]>>(groups: &[G], better: Better, seed: u64) -> Option<BestOf> {
    let mut drawn = Exchange::of(groups, seed)?;
    let means: Option<Vec<f64>> = groups.iter().map(|group| mean(group.as_ref())).collect();
    let means: Vec<f64> = means?.into_iter().map(|mean| better.turned(mean)).collect();
    let best = greatest(&means);
    let at = means.iter().position(|&mean| mean == best)?;
    let mut bests = Vec::with_capacity(drawn.draws);
    for _ in 0..drawn.draws {
        let means = drawn.means().map(|mean| better.turned(mean));
        bests.push(means.fold(f64::NEG_INFINITY, f64::max));
    }
    let as_good = bests.iter().filter(|&&one| one >= least_equal(best));
    let p = (as_good.count() + 1) as f64 / (bests.len() + 1) as f64;
    bests.sort_unstable_by(f64::total_cmp);
    let found = BestOf {
        at,
        groups: groups.len(),
        best: better.turned(best),
        overall: mean(&drawn.values)?,
        expected_by_chance: better.turned(mean(&bests)?),
        one_in_twenty: better.turned(quantile(&bests, 0.95)?),
        p,
        draws: bests.len(),
    };
    found.expected_by_chance.is_finite().then_some(found)
}

/// How many groups are better than a base, and how often that many or a count as lopsided comes
/// about if none differs, the base neither.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BetterThanBase {
    /// Groups whose mean is better than the base's.
    pub better: usize,
    /// Of so many, without the base.
    pub groups: usize,
    /// The chance of a count at least as far from half of the groups, above 0 and at most 1.
    pub p: f64,
    /// How many draws that rests on.
    pub draws: usize,
}

/// How many of these groups have a better mean than `base`; `None` where the base or a group is
/// empty, where there is no group, where a value is not finite, or where none has two values.
pub fn better_than_base<G: AsRef<[f64]>>(
    base: &[f64],
    groups: &[G],
    better: Better,
    seed: u64,
) -> Option<BetterThanBase> {
    let all: Vec<&[f64]> = std::iter::once(base)
        .chain(groups.iter().map(AsRef::as_ref))
        .collect();
    let mut drawn = Exchange::of(&all, seed)?;
    let count = |means: &mut dyn Iterator<Item = f64>| {
        let base = better.turned(means.next().unwrap_or(f64::NAN));
        means.filter(|&mean| better.turned(mean) > base).count()
    };
    let seen = count(&mut all.iter().filter_map(|group| mean(group)));
    let lopsided = |count: usize| (2 * count).abs_diff(groups.len());
    let as_far = (0..drawn.draws)
        .filter(|_| lopsided(count(&mut drawn.means())) >= lopsided(seen))
        .count();
    Some(BetterThanBase {
        better: seen,
        groups: groups.len(),
        p: (as_far + 1) as f64 / (drawn.draws + 1) as f64,
        draws: drawn.draws,
    })
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Below which a mean counts as less than this one: the same values summed in another order may
/// differ in the last bits.
fn least_equal(value: f64) -> f64 {
    value - 1e-12 * value.abs()
}

/// Values dealt out anew to groups of the same sizes.
struct Exchange {
    values: Vec<f64>,
    sizes: Vec<usize>,
    draws: usize,
    rng: Rng,
}

impl Exchange {
    fn of<G: AsRef<[f64]>>(groups: &[G], seed: u64) -> Option<Self> {
        let sizes: Vec<usize> = groups.iter().map(|group| group.as_ref().len()).collect();
        let mut values = Vec::new();
        for group in groups {
            values.extend_from_slice(all_finite(group.as_ref())?);
        }
        // In ascending order, so that the order of groups and values decides nothing.
        values.sort_unstable_by(f64::total_cmp);
        let possible = sizes.len() >= 2 && sizes.iter().all(|&size| size > 0);
        let draws = (MOST_WORK / values.len().max(1)).clamp(LEAST_DRAWS, MOST_DRAWS);
        (possible && values.len() > sizes.len()).then(|| Self {
            values,
            sizes,
            draws,
            rng: Rng::with_seed(seed),
        })
    }

    /// The means of the groups, dealt out anew.
    fn means(&mut self) -> impl Iterator<Item = f64> {
        self.rng.shuffle(&mut self.values);
        let mut rest = &self.values[..];
        self.sizes.iter().map(move |&size| {
            let (group, after) = rest.split_at(size);
            rest = after;
            group.iter().sum::<f64>() / size as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;
    use proptest::prelude::*;

    fn normal(rng: &mut Rng) -> f64 {
        (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
    }

    /// So many groups of three that do not differ.
    fn alike(rng: &mut Rng, groups: usize) -> Vec<Vec<f64>> {
        let three = |rng: &mut Rng| (0..3).map(|_| 100.0 + normal(rng)).collect();
        (0..groups).map(|_| three(rng)).collect()
    }

    #[test]
    fn the_best_of_eighteen_is_above_the_average_by_chance() {
        let mut rng = Rng::with_seed(7);
        let found = best_of(&alike(&mut rng, 18), Better::Higher, 1).expect("groups");
        // The greatest of 18 standard normals is 1.82 on average (Harter, *Biometrika* 48, 1961),
        // and a mean of three has an sd of 0.577.
        let excess = found.expected_by_chance - found.overall;
        assert!((excess - 1.82 * 0.577).abs() < 0.15, "{found:?}");
        assert!(found.one_in_twenty > found.expected_by_chance);
    }

    #[test]
    fn a_best_of_groups_that_do_not_differ_is_called_unlikely_as_often_as_the_p_says() {
        let mut rng = Rng::with_seed(11);
        let low = (0..100).filter(|_| {
            let found = best_of(&alike(&mut rng, 6), Better::Lower, 1).expect("groups");
            found.p <= 0.2
        });
        let low = low.count();
        // Three standard errors of 20 % of 100 are 12.
        assert!((8..=32).contains(&low), "{low}");
    }

    #[test]
    fn a_group_that_is_better_is_found() {
        let mut groups = alike(&mut Rng::with_seed(3), 18);
        groups[4].iter_mut().for_each(|value| *value += 5.0);
        let found = best_of(&groups, Better::Higher, 1).expect("groups");
        assert_eq!((found.at, found.groups), (4, 18));
        assert!(found.p < 0.01, "{found:?}");
        let lowest = best_of(&groups, Better::Lower, 1).expect("groups");
        assert_ne!(lowest.at, 4);
        assert!(lowest.expected_by_chance < lowest.overall);
    }

    #[test]
    fn thirteen_of_eighteen_above_a_measured_base_are_common() {
        // Groups whose means are 1 to 18 apart in tiny steps, all of one spread, and a base with 13
        // above it: its rank among the 19 is as likely as any other.
        let group = |middle: f64| vec![middle - 40.0, middle + 3.0, middle + 37.0];
        let groups: Vec<Vec<f64>> = (1..=18).map(|step| group(f64::from(step) * 0.01)).collect();
        let found = better_than_base(&group(0.055), &groups, Better::Higher, 1).expect("groups");
        assert_eq!((found.better, found.groups), (13, 18));
        // Counts of 13 to 18 and of 0 to 5: 12 of 19.
        assert!((found.p - 12.0 / 19.0).abs() < 0.05, "{found:?}");
        let below = better_than_base(&group(0.055), &groups, Better::Lower, 1).expect("groups");
        assert_eq!(below.better, 5);
    }

    #[test]
    fn what_cannot_be_exchanged_has_no_answer() {
        let singles = [[1.0], [2.0], [3.0]];
        assert_eq!(best_of(&singles, Better::Higher, 1), None);
        assert_eq!(best_of(&[vec![1.0, 2.0]], Better::Higher, 1), None);
        assert_eq!(best_of(&[vec![1.0, 2.0], vec![]], Better::Higher, 1), None);
        assert_eq!(
            best_of(&[[1.0, f64::NAN], [1.0, 2.0]], Better::Lower, 1),
            None
        );
        assert_eq!(better_than_base(&[1.0], &[[2.0]], Better::Higher, 1), None);
        assert_eq!(
            better_than_base::<[f64; 1]>(&[1.0, 2.0], &[], Better::Higher, 1),
            None
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn the_order_of_groups_and_values_does_not_matter(
            mut groups in prop::collection::vec(prop::collection::vec(-1e3f64..1e3, 2..6), 2..6),
        ) {
            let before = best_of(&groups, Better::Higher, 5).unwrap();
            prop_assert!(before.p > 0.0 && before.p <= 1.0);
            let base = groups[0].clone();
            let above = better_than_base(&base, &groups[1..], Better::Higher, 5).unwrap();
            groups.iter_mut().for_each(|group| group.reverse());
            let reversed = better_than_base(&groups[0], &groups[1..], Better::Higher, 5).unwrap();
            prop_assert_eq!(above.better, reversed.better);
            groups.reverse();
            let after = best_of(&groups, Better::Higher, 5).unwrap();
            prop_assert!((before.best - after.best).abs() < 1e-9);
            // Groups of other sizes are dealt other values, but from the same distribution.
            prop_assert!((before.p - after.p).abs() < 0.05);
        }
    }
}
