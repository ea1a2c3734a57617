//! What is fixed before the first request, beside what every run is told: the stack, the server, the
//! model, and the tokens and seed of an answer.

use super::arrivals::Arrivals;
use super::slo::Slo;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;
use tare_mock::Text;

/// What is fixed before the first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// What the server is asked.
    pub prompt: Prompt,
    /// What makes a request start.
    pub mode: Mode,
    /// Time before the first request that counts, under the same load, ns.
    pub warm_up_ns: u64,
    /// What counts.
    pub extent: Extent,
    /// What makes an answer one of use; absent where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<Slo>,
}

/// What makes a request start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mode {
    /// The end of the one before it: a closed loop.
    Closed {
        /// How many streams there are, each of which asks again when it is answered.
        streams: NonZeroUsize,
    },
    /// A schedule, whatever became of those before it: an open loop.
    Open {
        /// Requests per second, more than 0.
        rate_per_s: f64,
        /// How they follow each other.
        arrivals: Arrivals,
        /// Seed of their times; constant ones need none.
        seed: u64,
        /// The most requests at a time; one that comes when there are so many is not started, and
        /// counts as failed.
        most_in_flight: NonZeroUsize,
    },
}

/// What counts, once the warm-up is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Extent {
    /// Whatever is to start within so long.
    Window {
        /// Its length, ns.
        measure_ns: u64,
        /// How long what was started within it may go on after it, ns.
        drain_ns: u64,
    },
    /// So many requests, however long they take.
    Requests {
        /// How many.
        requests: NonZeroU64,
    },
}

/// What the server is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Prompt {
    /// The same each time.
    Same {
        /// The words.
        text: String,
    },
    /// Another one each time, so that no server has read its beginning before.
    Drawn {
        /// Its length in the mock's tokens, of about four bytes each; a model counts a little
        /// otherwise.
        tokens: u32,
    },
}

impl Prompt {
    /// What is asked where nobody says otherwise.
    pub fn usual() -> Self {
        Self::Same {
            text: Self::USUAL.to_owned(),
        }
    }

    /// The words of that.
    pub const USUAL: &str = "Explain at length how a server of language models is measured.";

    /// The prompt of the request of this number.
    pub fn of(&self, request: u64) -> Cow<'_, str> {
        match self {
            Self::Same { text } => Cow::Borrowed(text),
            Self::Drawn { tokens } => {
                let mut text = request.to_string();
                let rest = usize::try_from(*tokens).unwrap_or(usize::MAX) - 1;
                text.extend(Text::new(request).take(rest));
                Cow::Owned(text)
            }
        }
    }
}

impl Setup {
    /// So many streams that make so many requests, all of which count.
    pub fn counted(streams: NonZeroUsize, requests: NonZeroU64) -> Self {
        Self {
            prompt: Prompt::usual(),
            mode: Mode::Closed { streams },
            warm_up_ns: 0,
            extent: Extent::Requests { requests },
            slo: None,
        }
    }

    /// The warm-up.
    pub fn warm_up(&self) -> Duration {
        Duration::from_nanos(self.warm_up_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_prompts_differ_and_are_the_same_again() {
        let drawn = Prompt::Drawn { tokens: 200 };
        assert_eq!(drawn.of(7), drawn.of(7));
        let (one, other) = (drawn.of(7), drawn.of(8));
        assert_ne!(one.as_bytes()[0], other.as_bytes()[0]);
        assert!((600..1200).contains(&one.len()), "{}", one.len());
        assert_eq!(Prompt::Drawn { tokens: 1 }.of(3), "3");
    }
}
