//! A digest of a token sequence: the same for the same tokens in the same order, cut alike.
//!
//! FNV-1a over each token's length and bytes (<http://www.isthe.com/chongo/tech/comp/fnv/>). It is
//! to catch a lost, doubled, reordered or damaged token, not an attacker.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The digest of a sequence of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest(u64);

impl Digest {
    /// The digest of `tokens`.
    pub fn of<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let mut hash = fnv(0xcbf2_9ce4_8422_2325, b"");
        for token in tokens {
            let token = token.as_ref();
            hash = fnv(hash, &(token.len() as u64).to_le_bytes());
            hash = fnv(hash, token.as_bytes());
        }
        Self(hash)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // From the test vectors of the algorithm's authors.
        let start = 0xcbf2_9ce4_8422_2325;
        assert_eq!(fnv(start, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(start, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn order_cut_loss_and_damage_all_show() {
        let right = Digest::of(["ab", "c", "d"]);
        for wrong in [
            &["c", "ab", "d"][..],
            &["a", "bc", "d"],
            &["abc", "d"],
            &["ab", "c"],
            &["ab", "c", "d", "d"],
            &["ab", "c", "e"],
            &[],
        ] {
            assert_ne!(Digest::of(wrong), right, "{wrong:?}");
        }
        assert_eq!(Digest::of(vec!["ab", "c", "d"]), right);
    }
}
