//! The tables of a profile, and the bounds of their figures.
//!
//! A figure out of bounds is refused while it is read, so that the error can name its line.

use crate::engine::pace::Factor;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Time to read the prompt: `fixed` + its tokens × `per_token`, those in the slot's cache left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prefill {
    /// Once per request.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub fixed: Duration,
    /// For each token of the prompt.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub per_token: Duration,
}

/// The streams of one runner decode in lockstep: each step gives every one of them a token. A
/// stream that has its first token joins with the next step that begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// What the second, third, … stream adds to the gap, as a share of a single stream's gap, 0 to
    /// 100; the last figure holds for all further ones. Default: none adds anything.
    #[serde(default, deserialize_with = "growth")]
    pub growth: Vec<f64>,
}

/// Chance in a gap: a narrow body around `gap`, which is its median, and a rare tail above.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Jitter {
    /// Width of the body: 5 % of it are longer than the median by more than this share, and as many
    /// shorter; 0 to 0.4.
    #[serde(deserialize_with = "spread")]
    pub spread: f64,
    /// Share of the gaps that are in the tail, 0 to 1. Default 0.
    #[serde(default, deserialize_with = "share")]
    pub tail: f64,
    /// A gap in the tail is at least so many times `gap`, 1 to 100. Half of them exceed `gap` by
    /// 1.4 times what the least of them does, one in a hundred by ten times, none by more (a Pareto
    /// distribution with exponent 2, cut off). Default 2.
    #[serde(default = "double", deserialize_with = "factor")]
    pub stretch: f64,
}

/// A slot keeps the prompt that it read last; what a new one shares with it from the start is not
/// read again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PromptCache {
    /// Prompts are compared by blocks of so many tokens, at least 1; the rest is read in any case.
    pub block: NonZeroU32,
    /// The model's sliding window, in tokens, at least 1: of a prompt that was longer than this
    /// together with its answer nothing is re-used. Default: none, the model sees all of a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<NonZeroU32>,
}

/// What becomes of a prefill whose client goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Cancelled {
    /// It stops, and its slot is free at once.
    #[default]
    Stops,
    /// The prompt is read to its end, as Ollama's runner does, which notices that nobody listens
    /// when it has the first token to say; its slot is free then.
    ReadsOn,
}

/// What starting and stopping a runner takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// A stopped runner's memory is free again after a time evenly distributed between this …
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub vram_min: Duration,
    /// … and this, not less.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub vram_max: Duration,
    /// So long the server waits for it at most. Default 5 s, as Ollama.
    #[serde(
        default = "five_seconds",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub vram_timeout: Duration,
    /// Start of a runner, until it begins to load.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub start: Duration,
    /// Loading of the weights.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub weights: Duration,
    /// How often the server looks whether memory is free or a runner ready: both are noticed at a
    /// multiple of this. Zero: at once. Default 250 ms, as Ollama.
    #[serde(
        default = "quarter_second",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub poll: Duration,
}

impl Prefill {
    pub(super) fn scaled(&self, factor: Factor) -> Self {
        Self {
            fixed: factor.of(self.fixed),
            per_token: factor.of(self.per_token),
        }
    }
}

impl Reload {
    pub(super) fn scaled(&self, factor: Factor) -> Self {
        Self {
            vram_min: factor.of(self.vram_min),
            vram_max: factor.of(self.vram_max),
            vram_timeout: factor.of(self.vram_timeout),
            start: factor.of(self.start),
            weights: factor.of(self.weights),
            poll: factor.of(self.poll),
        }
    }

    /// When something that takes so long is noticed.
    pub(in crate::engine) fn noticed(&self, after: Duration) -> Duration {
        let (after_ns, poll) = (after.as_nanos(), self.poll.as_nanos());
        if poll == 0 {
            return after;
        }
        let polls = after_ns.div_ceil(poll);
        u64::try_from(polls.saturating_mul(poll)).map_or(Duration::MAX, Duration::from_nanos)
    }
}

fn double() -> f64 {
    2.0
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn quarter_second() -> Duration {
    Duration::from_millis(250)
}

fn within<E: Error>(value: f64, bounds: RangeInclusive<f64>, name: impl Display) -> Result<f64, E> {
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (low, high) = bounds.into_inner();
    Err(E::custom(format_args!(
        "{name} must be from {low} to {high}, not {value}"
    )))
}

fn growth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let growth = Vec::<f64>::deserialize(deserializer)?;
    for &value in &growth {
        within(value, 0.0..=100.0, "each figure of `growth`")?;
    }
    Ok(growth)
}

fn spread<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    within(f64::deserialize(deserializer)?, 0.0..=0.4, "`spread`")
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    within(f64::deserialize(deserializer)?, 0.0..=1.0, "`tail`")
}

fn factor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    within(f64::deserialize(deserializer)?, 1.0..=100.0, "`stretch`")
}

pub(super) fn shared_gpu<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    within(f64::deserialize(deserializer)?, 1.0..=100.0, "`shared_gpu`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_notices_at_its_next_multiple() {
        let reload = |poll| Reload {
            vram_min: Duration::ZERO,
            vram_max: Duration::ZERO,
            vram_timeout: five_seconds(),
            start: Duration::ZERO,
            weights: Duration::ZERO,
            poll: Duration::from_millis(poll),
        };
        let ms = Duration::from_millis;
        for (after, noticed) in [(0, 0), (1, 250), (250, 250), (251, 500)] {
            assert_eq!(reload(250).noticed(ms(after)), ms(noticed));
            assert_eq!(reload(0).noticed(ms(after)), ms(after));
        }
        assert_eq!(reload(250).noticed(Duration::MAX), Duration::MAX);
    }
}
