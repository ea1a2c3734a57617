//! One reply, planned: which tokens, and when each is due.

use super::prompt_cache::count_tokens;
use super::text::Text;
use super::{Profile, StopReason};
use crate::ollama::Options;
use std::time::Duration;

/// What a request asks of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The whole prompt.
    pub prompt: &'a str,
    /// Its options.
    pub options: &'a Options,
}

/// A reply that has yet to happen. All times count from the request's arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Until a runner is granted.
    pub load: Duration,
    /// From there to the first token.
    pub prefill: Duration,
    /// Between tokens.
    pub gap: Duration,
    /// How many tokens.
    pub tokens: u32,
    /// How many the prompt has.
    pub prompt_tokens: u32,
    /// The seed of the text.
    pub seed: u64,
    /// Why it ends.
    pub reason: StopReason,
}

impl Plan {
    /// The reply to a request under a profile.
    pub fn new(profile: &Profile, asked: Asked<'_>) -> Self {
        let prompt_tokens = count_tokens(asked.prompt);
        let limit = asked.options.num_predict;
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let (tokens, reason) = match limit {
            _ if asked.prompt.is_empty() => (0, StopReason::Load),
            Some(limit) => (limit, StopReason::Length),
            None => (profile.tokens, StopReason::Stop),
        };
        Self {
            load: profile.load,
            prefill: match reason {
                StopReason::Load => Duration::ZERO,
                _ => profile.prefill.fixed + profile.prefill.per_token * prompt_tokens,
            },
            gap: profile.gap,
            tokens,
            prompt_tokens,
            seed: asked.options.seed.unwrap_or(profile.seed),
            reason,
        }
    }

    /// When token `index` is due: never later because another was late.
    pub fn due(&self, index: u32) -> Duration {
        self.load + self.prefill + self.gap * index
    }

    /// When the last line is due: with the last token.
    pub fn end(&self) -> Duration {
        self.due(self.tokens.saturating_sub(1))
    }

    /// The answer.
    pub fn text(&self) -> impl Iterator<Item = &'static str> + Send + use<> {
        Text::new(self.seed).take(self.tokens as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(prompt: &str, options: Options) -> Plan {
        let profile = Profile::find("paced-10ms").expect("a shipped profile");
        Plan::new(
            &profile,
            Asked {
                prompt,
                options: &options,
            },
        )
    }

    #[test]
    fn tokens_are_due_at_fixed_times_from_the_arrival() {
        let plan = plan("why?", Options::default());
        let first = plan.load + plan.prefill;
        assert_eq!(plan.due(0), first);
        assert_eq!(plan.due(700), first + Duration::from_secs(7));
        assert_eq!(plan.end(), plan.due(plan.tokens - 1));
    }

    #[test]
    fn a_longer_prompt_takes_longer_to_read() {
        let short = plan("why?", Options::default());
        let long = plan(&"why? ".repeat(100), Options::default());
        assert!(long.prefill > short.prefill);
    }

    #[test]
    fn num_predict_limits_and_a_negative_one_does_not() {
        let ask = |n| {
            plan(
                "why?",
                Options {
                    num_predict: Some(n),
                    ..Options::default()
                },
            )
        };
        assert_eq!((ask(3).tokens, ask(3).reason), (3, StopReason::Length));
        assert_eq!(ask(3).text().count(), 3);
        assert_eq!(ask(-1).reason, StopReason::Stop);
    }

    #[test]
    fn an_empty_prompt_only_loads() {
        let plan = plan("", Options::default());
        assert_eq!((plan.tokens, plan.reason), (0, StopReason::Load));
        assert_eq!(plan.end(), plan.load);
    }

    #[test]
    fn the_seed_decides_the_text() {
        let text = |seed| {
            let options = Options {
                seed,
                ..Options::default()
            };
            plan("why?", options).text().collect::<String>()
        };
        assert_eq!(text(Some(7)), text(Some(7)));
        assert_ne!(text(Some(7)), text(Some(8)));
    }
}
