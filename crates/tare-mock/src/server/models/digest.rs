//! SHA-256, as Ollama names files by it.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A digest in the making, of bytes that nobody keeps.
#[derive(Default)]
pub struct Digesting(Sha256);

impl Digesting {
    /// Goes on with these bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest, with `sha256:` in front.
    pub fn done(self) -> String {
        let mut text = "sha256:".to_owned();
        for byte in self.0.finalize() {
            // Writing to a text can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// The digest of these bytes, with `sha256:` in front.
pub fn of(bytes: &[u8]) -> String {
    let mut digesting = Digesting::default();
    digesting.take(bytes);
    digesting.done()
}

/// Whether a text has the form of a digest; between kind and number there may be a hyphen.
pub fn is_sound(text: &str) -> bool {
    let number = text.strip_prefix("sha256");
    let number = number.and_then(|rest| rest.strip_prefix([':', '-']));
    number.is_some_and(|number| {
        number.len() == 64 && number.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_all_bytes_however_they_come() {
        let mut digesting = Digesting::default();
        digesting.take(b"hel");
        digesting.take(b"lo");
        let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(digesting.done(), digest);
        assert_eq!(of(b"hello"), digest);
        assert!(is_sound(digest) && is_sound(&digest.replace(':', "-")));
    }

    #[test]
    fn a_path_is_no_digest() {
        for text in ["", "sha256:12", "../../../etc/passwd", "md5:0", "sha256"] {
            assert!(!is_sound(text), "{text}");
        }
        let slash = format!("sha256:{}/", "0".repeat(63));
        assert!(!is_sound(&slash));
    }
}
