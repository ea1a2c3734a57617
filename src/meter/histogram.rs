//! Latencies of many tokens in little room: an HDR histogram with two digits that count, so that a
//! value in it is right within 0.8 %, from 1 ns to an hour.
//!
//! In JSON it is a list of pairs `[nanoseconds, count]`, rising, of the values that occurred; each
//! stands for its bucket, and reading them gives the same histogram again. A few hundred pairs hold
//! any number of tokens, and no program needs a library to read them. Histograms of several calls or
//! processes are merged, never their quantiles.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// How often each latency occurred: in JSON pairs `[nanoseconds, count]`, rising.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Histogram(
    #[cfg_attr(test, schemars(with = "Vec<(u64, u64)>"))] hdrhistogram::Histogram<u64>,
);

impl Histogram {
    /// Longer is taken as this: an hour, ns.
    const MOST: u64 = 3_600_000_000_000;
    const DIGITS: u8 = 2;
    /// How many values must lie beyond a quantile for it to be told.
    const BEYOND: f64 = 10.0;

    /// An empty one, with room for all that it can ever hold.
    pub fn new() -> Self {
        let new = hdrhistogram::Histogram::new_with_bounds(1, Self::MOST, Self::DIGITS);
        Self(new.expect("bounds and digits are within what it takes"))
    }

    /// Notes a latency. Allocates nothing.
    pub fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos);
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Histogram) {
        self.0
            .add(&other.0)
            .expect("all histograms have the same bounds");
    }

    /// Adds what another one holds, each value as the middle of its sixteenth of an octave: right
    /// within 3.9 % instead of 0.8 %, and an eighth of the pairs to be kept.
    pub fn merge_coarsely(&mut self, other: &Histogram) {
        for (nanos, count) in other.pairs() {
            // The leading bit and the four after it count.
            let open = nanos.max(1).ilog2().saturating_sub(4);
            let middle = (nanos >> open << open) + ((1 << open) >> 1);
            self.0.saturating_record_n(middle, count);
        }
    }

    /// How many values it holds.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value that a share `q` of all, from 0 to 1, does not exceed. `None` where too few lie
    /// beyond it to say so: above the median there must be ten, so that a 99th percentile takes
    /// 1,000 values and a 99.9th 10,000.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let count = self.count();
        // Rounded, or 1000 * (1 - 0.99) would be less than 10.
        let beyond = (count as f64 * (1.0 - q) * 1e6).round() / 1e6;
        let told = count > 0 && (q <= 0.5 || beyond >= Self::BEYOND);
        told.then(|| Duration::from_nanos(self.0.value_at_quantile(q)))
    }

    /// What occurred and how often, rising, ns.
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        let recorded = self.0.iter_recorded();
        recorded.map(|step| (step.value_iterated_to(), step.count_at_value()))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pairs())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut read = Self::new();
        for (nanos, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            read.0.record_n(nanos, count).map_err(D::Error::custom)?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(nanos: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        for nanos in nanos {
            histogram.record(Duration::from_nanos(nanos));
        }
        histogram
    }

    fn through_json(histogram: &Histogram) -> Histogram {
        let text = serde_json::to_string(histogram).expect("pairs are JSON");
        serde_json::from_str(&text).expect("pairs")
    }

    #[test]
    fn it_is_a_list_of_pairs() {
        let text = serde_json::to_string(&of([1, 1, 100])).expect("pairs are JSON");
        assert_eq!(text, "[[1,2],[100,1]]");
    }

    #[test]
    fn a_quantile_needs_ten_values_beyond_it() {
        let within = |q, count| of(1..=count).quantile(q).is_some();
        assert!(!within(0.5, 0) && within(0.5, 1));
        assert!(!within(0.99, 999) && within(0.99, 1000));
        assert!(!within(0.999, 9_999) && within(0.999, 10_000));
        let p99 = of(1..=1000).quantile(0.99).expect("enough values");
        assert!((990..=998).contains(&p99.as_nanos()), "{p99:?}");
    }

    #[test]
    fn what_is_too_long_counts_as_an_hour() {
        let histogram = of([u64::MAX]);
        assert_eq!(histogram, through_json(&histogram));
        let longest = histogram.quantile(0.5).expect("one value");
        assert!(longest >= Duration::from_secs(3600));
    }

    proptest! {
        #[test]
        fn json_gives_the_same_again(nanos in prop::collection::vec(0..10_000_000_000u64, 0..300)) {
            let histogram = of(nanos);
            prop_assert_eq!(&through_json(&histogram), &histogram);
        }

        #[test]
        fn what_is_coarse_is_near_and_stays_as_it_is(nanos in 1..10_000_000_000u64) {
            let [mut once, mut twice] = [Histogram::new(), Histogram::new()];
            once.merge_coarsely(&of([nanos]));
            twice.merge_coarsely(&once);
            let found = once.quantile(0.5).expect("one value").as_nanos() as f64;
            prop_assert!((found / nanos as f64 - 1.0).abs() < 5.0 / 128.0, "{nanos} {found}");
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn merged_is_as_if_recorded_together(
            a in prop::collection::vec(0..10_000_000_000u64, 0..100),
            b in prop::collection::vec(0..10_000_000_000u64, 0..100),
        ) {
            let mut merged = of(a.clone());
            merged.merge(&of(b.clone()));
            prop_assert_eq!(merged, of(a.into_iter().chain(b)));
        }
    }
}
