//! The answer that a mock is to give: every measurement is also a test of it.

use super::inside::RunError;
use crate::meter::{Call, Digest};
use tare_mock::Text;

/// An answer that is known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    digest: Digest,
    tokens: u32,
}

impl Expected {
    /// So many tokens of the text of a seed, one by one.
    pub fn tokens(seed: u64, tokens: u32) -> Self {
        Self {
            digest: Digest::of(Text::new(seed).take(tokens as usize)),
            tokens,
        }
    }

    /// The same in one piece.
    pub fn whole(seed: u64, tokens: u32) -> Self {
        let whole: String = Text::new(seed).take(tokens as usize).collect();
        Self {
            digest: Digest::of([whole.as_str()]),
            tokens,
        }
    }

    /// Whether a call brought exactly this.
    ///
    /// # Errors
    /// When a token was lost, added, moved or damaged.
    pub fn check(&self, call: &Call) -> Result<(), RunError> {
        let found = call.digest();
        if found == self.digest {
            return Ok(());
        }
        Err(RunError::WrongTokens {
            found,
            count: call.token_count(),
            expected: self.digest,
            tokens: self.tokens,
        })
    }
}
