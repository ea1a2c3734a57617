//! Log probabilities of tokens, as a model would state them: made up, the same again for the same
//! seed, token and place.

use crate::engine::text::Text;
use fastrand::Rng;
use serde::Serialize;
use std::borrow::Cow;

/// A token's text.
pub type Token = Cow<'static, str>;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logprobs {
    /// Alternatives of each token, 0 to 20.
    pub top: usize,
    /// Seed of the answer.
    pub seed: u64,
}

/// A token, how likely it was, and what else was likely at its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Logprob {
    #[serde(flatten)]
    token: Likely,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    top_logprobs: Vec<Likely>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Likely {
    token: Token,
    logprob: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bytes: Vec<u8>,
}

impl Likely {
    fn new(token: Token, probability: f64) -> Self {
        Self {
            bytes: token.as_bytes().to_vec(),
            // Ollama computes in single precision, and writes double.
            logprob: f64::from(probability.ln() as f32),
            token,
        }
    }
}

impl Logprobs {
    /// Of a token, the `index`th of its answer.
    pub fn of(self, token: &Token, index: u32) -> Logprob {
        let mut rng = Rng::with_seed(self.seed.rotate_left(17) ^ u64::from(index));
        let likeliest = 0.4 + 0.5 * rng.f64();
        // Each further one has half of what is left.
        let probability = |rank: i32| match rank {
            0 => likeliest,
            rank => (1.0 - likeliest) * 0.5_f64.powi(rank),
        };
        let own_rank = i32::from(rng.u8(..4) == 0);
        let others = Text::new(rng.u64(..)).map(Cow::Borrowed);
        let mut others = distinct(others, token);
        let top_logprobs = (0..self.top as i32).map(|rank| {
            let name = match rank == own_rank {
                true => token.clone(),
                false => others.next().unwrap_or_default(),
            };
            Likely::new(name, probability(rank))
        });
        Logprob {
            top_logprobs: top_logprobs.collect(),
            token: Likely::new(token.clone(), probability(own_rank)),
        }
    }
}

/// Tokens other than `token`, none twice.
fn distinct(tokens: impl Iterator<Item = Token>, token: &Token) -> impl Iterator<Item = Token> {
    let mut seen = vec![token.clone()];
    tokens.filter(move |token| {
        let is_new = !seen.contains(token);
        if is_new {
            seen.push(token.clone());
        }
        is_new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_where_its_probability_puts_it() {
        for index in 0..200 {
            let logprobs = Logprobs { top: 5, seed: 7 };
            let token = Cow::Borrowed("µs");
            let made = logprobs.of(&token, index);
            assert_eq!(made, logprobs.of(&token, index), "the same again");
            assert_eq!(made.token.bytes, [0xc2, 0xb5, b's']);
            assert_eq!(made.top_logprobs.len(), 5);
            let falls = |pair: &[Likely]| pair[0].logprob >= pair[1].logprob;
            assert!(made.top_logprobs.windows(2).all(falls), "{made:?}");
            assert!(made.top_logprobs.contains(&made.token), "{made:?}");
            let sum: f64 = made.top_logprobs.iter().map(|one| one.logprob.exp()).sum();
            assert!(sum <= 1.0, "{sum}");
        }
    }

    #[test]
    fn without_alternatives_only_the_token_is_there() {
        let made = Logprobs { top: 0, seed: 1 }.of(&Cow::Borrowed("a"), 0);
        let written = serde_json::to_string(&made).expect("JSON");
        assert!(
            written.starts_with(r#"{"token":"a","logprob":-"#),
            "{written}"
        );
        assert!(written.ends_with(r#","bytes":[97]}"#), "{written}");
    }
}
