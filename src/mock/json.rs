//! JSON as Go's encoder writes it: `<`, `>`, `&` and two line separators are escaped everywhere.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Appends `value` to `out`.
pub fn write(out: &mut Vec<u8>, value: &impl Serialize) {
    value
        .serialize(&mut Serializer::with_formatter(out, Go))
        .expect("our own types have string keys, and memory takes every write");
}

/// `value` as text.
pub fn bytes(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, value);
    out
}

struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, escape)) = next_escape(rest) {
            writer.write_all(&rest.as_bytes()[..at])?;
            writer.write_all(escape)?;
            let escaped = rest[at..].chars().next().map_or(0, char::len_utf8);
            rest = &rest[at + escaped..];
        }
        writer.write_all(rest.as_bytes())
    }
}

fn next_escape(text: &str) -> Option<(usize, &'static [u8])> {
    text.char_indices().find_map(|(at, character)| {
        let escape: &[u8] = match character {
            '<' => br"\u003c",
            '>' => br"\u003e",
            '&' => br"\u0026",
            '\u{2028}' => br"\u2028",
            '\u{2029}' => br"\u2029",
            _ => return None,
        };
        Some((at, escape))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_is_escaped_as_go_does_it() {
        let text = String::from_utf8(bytes(&"<a href=\"x\">µ & 🦙\n\u{2028}")).expect("UTF-8");
        assert_eq!(text, r#""\u003ca href=\"x\"\u003eµ \u0026 🦙\n\u2028""#);
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let written = bytes(&text);
            prop_assert!(!written.iter().any(|byte| b"<>&".contains(byte)));
            prop_assert_eq!(serde_json::from_slice::<String>(&written).expect("JSON"), text);
        }
    }
}
