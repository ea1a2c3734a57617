//! JSON as Go's encoder writes it: `<`, `>`, `&` and two line separators are escaped everywhere, and
//! a number has no fraction that it does not need, nor an exponent unless it is very small or large.

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
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        match is_plain(f64::from(value.abs()), f64::from(1e-6_f32)) {
            true => write!(writer, "{value}"),
            false => write_exponent(writer, format!("{value:e}")),
        }
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        match is_plain(value.abs(), 1e-6) {
            true => write!(writer, "{value}"),
            false => write_exponent(writer, format!("{value:e}")),
        }
    }

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

/// Whether a number of this size is written without an exponent.
fn is_plain(size: f64, least: f64) -> bool {
    size == 0.0 || (least..1e21).contains(&size)
}

/// A positive exponent has its sign.
fn write_exponent<W: ?Sized + Write>(writer: &mut W, text: String) -> io::Result<()> {
    match text.split_once('e') {
        Some((number, exponent)) if !exponent.starts_with('-') => {
            write!(writer, "{number}e+{exponent}")
        }
        _ => writer.write_all(text.as_bytes()),
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

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let numbers = [1.0, 0.5, 0.0, 1e-6, 1.5e-7, -2e-9, 1e20, 1e21, 2.5e30];
        let text = String::from_utf8(bytes(&numbers)).expect("UTF-8");
        let whole = "100000000000000000000";
        assert_eq!(
            text,
            format!("[1,0.5,0,0.000001,1.5e-7,-2e-9,{whole},1e+21,2.5e+30]")
        );
        let short = String::from_utf8(bytes(&[0.1_f32, 1e-6, 1e-8])).expect("UTF-8");
        assert_eq!(short, "[0.1,0.000001,1e-8]");
    }

    proptest! {
        #[test]
        fn any_number_reads_back(number in any::<f64>().prop_filter("JSON has it", |n| n.is_finite())) {
            let read: f64 = serde_json::from_slice(&bytes(&number)).expect("JSON");
            prop_assert_eq!(read, number);
        }

        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let written = bytes(&text);
            prop_assert!(!written.iter().any(|byte| b"<>&".contains(byte)));
            prop_assert_eq!(serde_json::from_slice::<String>(&written).expect("JSON"), text);
        }
    }
}
