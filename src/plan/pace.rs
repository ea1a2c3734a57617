//! How long a sweep will take yet, by how long its runs took so far.

use std::collections::HashMap;
use std::time::Duration;

/// Keeps how long runs took, by configuration.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    by_configuration: HashMap<usize, (Duration, u32)>,
}

impl Pace {
    /// A run of this configuration took so long, with its pause and its warm-up.
    pub fn note(&mut self, configuration: usize, took: Duration) {
        let (total, count) = self.by_configuration.entry(configuration).or_default();
        *total += took;
        *count += 1;
    }

    /// What runs of these configurations will take: each as the mean of its own so far, or where it
    /// has not run yet, as the mean of the others. `None` before the first.
    pub fn left(&self, configurations: impl IntoIterator<Item = usize>) -> Option<Duration> {
        let own = |&(total, count): &(Duration, u32)| total / count;
        let known = u32::try_from(self.by_configuration.len()).ok()?;
        let others: Duration = self.by_configuration.values().map(own).sum();
        let others = others.checked_div(known)?;
        let means = configurations.into_iter().map(|configuration| {
            let known = self.by_configuration.get(&configuration);
            known.map_or(others, own)
        });
        Some(means.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_before_the_first_run() {
        assert_eq!(Pace::default().left([0, 1]), None);
    }

    #[test]
    fn a_configuration_is_expected_as_it_was_and_a_new_one_as_the_others() {
        let s = Duration::from_secs;
        let mut pace = Pace::default();
        for (configuration, took) in [(0, s(1)), (0, s(3)), (1, s(10))] {
            pace.note(configuration, took);
        }
        assert_eq!(pace.left([]), Some(s(0)));
        assert_eq!(pace.left([0, 1, 1]), Some(s(22)));
        assert_eq!(pace.left([7]), Some(s(6)));
    }
}
