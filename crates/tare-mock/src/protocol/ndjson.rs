//! Bytes in, tokens out: the decoder of Ollama's stream, without any I/O.
//!
//! The network splits lines anywhere and joins several in one read. A line that lies whole in the
//! piece just read is parsed where it lies; only one that was split is copied together first. The
//! types borrow from the line, and the dozen fields that a token does not need are skipped.

use super::decoder::{DecodeError, Decoder, Event, carry, read};
use serde::Deserialize;
use std::borrow::Cow;

/// The part of a line that a token needs.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    response: Cow<'a, str>,
    #[serde(borrow, default)]
    thinking: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Message<'a>,
    #[serde(borrow, default)]
    error: Cow<'a, str>,
    #[serde(default)]
    done: bool,
}

#[derive(Default, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Cow<'a, str>,
    #[serde(borrow, default)]
    thinking: Cow<'a, str>,
}

/// The decoder of one reply, of `/api/generate` or `/api/chat`, streamed or not.
#[derive(Debug, Default)]
pub struct Ndjson {
    /// The beginning of a line whose end has not come yet.
    carry: Vec<u8>,
}

impl Decoder for Ndjson {
    fn feed(
        &mut self,
        mut piece: &[u8],
        mut sink: impl FnMut(Event<'_>),
    ) -> Result<(), DecodeError> {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (head, tail) = (&piece[..end], &piece[end + 1..]);
            if self.carry.is_empty() {
                parse(head, &mut sink)?;
            } else {
                carry(&mut self.carry, head)?;
                parse(&self.carry, &mut sink)?;
                self.carry.clear();
            }
            piece = tail;
        }
        carry(&mut self.carry, piece)
    }

    fn finish(&mut self, mut sink: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        let line = std::mem::take(&mut self.carry);
        parse(&line, &mut sink)
    }
}

fn parse(line: &[u8], sink: &mut impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let parsed: Line<'_> = read(line)?;
    if !parsed.error.is_empty() {
        sink(Event::Error(&parsed.error));
        return Ok(());
    }
    for text in [&parsed.thinking, &parsed.message.thinking] {
        if !text.is_empty() {
            sink(Event::Thinking(text));
        }
    }
    for text in [&parsed.response, &parsed.message.content] {
        if !text.is_empty() {
            sink(Event::Token(text));
        }
    }
    if parsed.done {
        sink(Event::Done(Box::new(read(line)?)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::decoder::hearing::{self, Heard, cut, cuts};
    use super::*;
    use proptest::prelude::*;

    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Heard>, DecodeError> {
        hearing::decode::<Ndjson>(pieces)
    }

    /// A stream as a server writes it: escapes, a character of several bytes, an empty token, a
    /// field that nobody knows, a long last line.
    fn recorded() -> String {
        let context: Vec<u32> = (0..1500).map(|id| 100_000 + id).collect();
        let mut stream = String::new();
        for text in [
            r"\u003cb\u003e",
            "µs",
            r#"\"a\\b\n"#,
            "",
            " plain",
            "🦙",
            r"\ud83e\udd99",
        ] {
            stream.push_str(&format!(
                r#"{{"model":"m","created_at":"2026-11-22T08:00:00.1Z","response":"{text}","new":[{{"x":null}}],"done":false}}"#
            ));
            stream.push('\n');
        }
        stream.push_str(
            r#"{"model":"m","created_at":"2026-11-22T08:00:00Z","message":{"role":"assistant","content":"chat","thinking":"hm"},"done":false}"#,
        );
        stream.push_str("\n\n");
        stream.push_str(&format!(
            r#"{{"model":"m","created_at":"2026-11-22T08:00:00Z","response":"","done":true,"done_reason":"stop","context":{context:?},"total_duration":9,"eval_count":8,"eval_duration":7}}"#
        ));
        stream.push('\n');
        stream
    }

    #[test]
    fn a_recorded_stream_decodes_to_its_tokens() {
        let said = decode([recorded().as_bytes()]).expect("a sound stream");
        let token = |text: &str| Heard::Token(text.to_owned());
        assert_eq!(
            said[..8],
            [
                token("<b>"),
                token("µs"),
                token("\"a\\b\n"),
                token(" plain"),
                token("🦙"),
                token("🦙"),
                Heard::Thinking("hm".to_owned()),
                token("chat"),
            ]
        );
        let Heard::Done(last) = &said[8] else {
            panic!("no last line: {:?}", said[8]);
        };
        assert_eq!(last.context.len(), 1500);
        assert_eq!(last.done_reason.as_deref(), Some("stop"));
        assert_eq!(
            (last.total_duration, last.eval_count, last.eval_duration),
            (9, 8, 7)
        );
        assert_eq!(said.len(), 9);
    }

    #[test]
    fn every_cut_into_two_gives_the_same() {
        let stream = recorded();
        let whole = decode([stream.as_bytes()]).expect("a sound stream");
        for at in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            assert_eq!(
                decode([head, tail]).expect("a sound stream"),
                whole,
                "cut at {at}"
            );
        }
    }

    #[test]
    fn single_bytes_give_the_same() {
        let stream = recorded();
        let whole = decode([stream.as_bytes()]).expect("a sound stream");
        assert_eq!(
            decode(stream.as_bytes().chunks(1)).expect("a sound stream"),
            whole
        );
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(cuts in cuts()) {
            let stream = recorded();
            let split = decode(cut(stream.as_bytes(), &cuts)).expect("a sound stream");
            prop_assert_eq!(split, decode([stream.as_bytes()]).expect("a sound stream"));
        }

        #[test]
        fn any_text_survives_the_encoding(texts in prop::collection::vec(".{1,20}", 1..20), size in 1usize..40) {
            let stream: String = texts
                .iter()
                .map(|text| format!("{}\n", serde_json::json!({"response": text, "done": false})))
                .collect();
            let said = decode(stream.as_bytes().chunks(size)).expect("a sound stream");
            prop_assert_eq!(said, texts.into_iter().map(Heard::Token).collect::<Vec<_>>());
        }

        #[test]
        fn garbage_is_an_error_or_nothing_but_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode([&bytes[..]]);
        }
    }

    #[test]
    fn an_error_line_is_told_as_such() {
        let said =
            decode([&b"{\"response\":\"a\",\"done\":false}\n{\"error\":\"out of memory\"}\n"[..]]);
        assert_eq!(
            said.expect("a sound stream"),
            [
                Heard::Token("a".to_owned()),
                Heard::Error("out of memory".to_owned())
            ]
        );
    }

    #[test]
    fn a_line_cut_off_is_malformed_and_shown() {
        let error = decode([&b"{\"response\":\"a\",\"do"[..]]).expect_err("half a line");
        assert!(
            error.to_string().contains(r#"{"response":"a","do"#),
            "{error}"
        );
    }

    #[test]
    fn bad_utf8_is_malformed() {
        assert!(decode([&b"{\"response\":\"\xff\"}\n"[..]]).is_err());
    }

    #[test]
    fn what_needs_no_unescaping_is_borrowed() {
        let line = br#"{"response":"plain","message":{"content":"text"},"done":false}"#;
        let parsed: Line<'_> = serde_json::from_slice(line).expect("a sound line");
        assert!(matches!(parsed.response, Cow::Borrowed("plain")));
        assert!(matches!(parsed.message.content, Cow::Borrowed("text")));
    }
}
