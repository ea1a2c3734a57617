//! What it takes to make a text into tokens.

use crate::engine::pace::Factor;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Time to tokenize a text: `fixed` + its tokens × `per_token` + its pairs of breaks × `per_pair`.
///
/// A break is a run of line breaks, of tabs, or of two spaces and more. To Gemma's tokenizer each
/// run is a token of its own, and Ollama cuts a text at those before it looks at what lies between:
/// once for each of some thousand such tokens it goes over all pieces that there are so far, so that
/// a text of short lines takes far longer than one of the same length without any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tokenize {
    /// Once per text, with what else the server does beside it.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub fixed: Duration,
    /// For each token.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub per_token: Duration,
    /// For each pair of breaks: with *b* of them there are b (b − 1) / 2. Default `0s`.
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub per_pair: Duration,
}

impl Tokenize {
    /// What a text of so many tokens and breaks takes.
    pub(in crate::engine) fn takes(&self, tokens: u32, breaks: u32) -> Duration {
        let breaks = u64::from(breaks);
        let pairs = breaks * breaks.saturating_sub(1) / 2;
        let pairs = u32::try_from(pairs).unwrap_or(u32::MAX);
        self.fixed
            .saturating_add(self.per_token.saturating_mul(tokens))
            .saturating_add(self.per_pair.saturating_mul(pairs))
    }

    pub(super) fn scaled(&self, factor: Factor) -> Self {
        Self {
            fixed: factor.of(self.fixed),
            per_token: factor.of(self.per_token),
            per_pair: factor.of(self.per_pair),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_a_constant_a_time_for_each_token_and_one_for_each_pair_of_breaks() {
        let tokenize = Tokenize {
            fixed: Duration::from_millis(1000),
            per_token: Duration::from_millis(100),
            per_pair: Duration::from_millis(1),
        };
        for (tokens, breaks, takes) in [(0, 0, 1000), (3, 1, 1300), (3, 2, 1301), (3, 10, 1345)] {
            let expected = Duration::from_millis(takes);
            assert_eq!(tokenize.takes(tokens, breaks), expected, "{breaks}");
        }
        let absurd = Tokenize {
            per_pair: Duration::MAX,
            ..tokenize
        };
        assert_eq!(absurd.takes(u32::MAX, u32::MAX), Duration::MAX);
    }
}
