//! What a decoder is: bytes in, [`Event`]s out, without any I/O.
//!
//! There is one per form of reply, [`Ndjson`](super::Ndjson) and [`Completion`](super::Completion).
//! They are generic parameters, so that no token passes a dynamic call, and they need no server: a
//! recorded reply is decoded by feeding its bytes, in pieces of any size.

use super::wire::Final;
use serde::Deserialize;

/// No line and no event is longer than this, or the other side is not an inference server: bytes.
pub const LONGEST_LINE: usize = 64 << 20;

/// The decoder of one reply, which splits anywhere and joins anything.
pub trait Decoder: Default + Send {
    /// Takes the next piece of the reply and tells `sink` what is complete with it, in order.
    ///
    /// # Errors
    /// On what is malformed or too long. What came before it has been told.
    fn feed(&mut self, piece: &[u8], sink: impl FnMut(Event<'_>)) -> Result<(), DecodeError>;

    /// Ends the reply: what comes last needs no line end. A reply that was cut off is told no
    /// [`Event::Done`].
    ///
    /// # Errors
    /// When the rest is malformed, as it is when it was cut off within a line.
    fn finish(&mut self, sink: impl FnMut(Event<'_>)) -> Result<(), DecodeError>;
}

/// What a reply says. An empty token says nothing and is left out.
#[derive(Debug, PartialEq)]
pub enum Event<'a> {
    /// A piece of the answer, which may be escaped text's copy or a borrowed slice.
    Token(&'a str),
    /// A piece of the model's thinking.
    Thinking(&'a str),
    /// The server gave up; nothing follows.
    Error(&'a str),
    /// The answer is complete.
    Done(Box<Final>),
}

/// Why a reply can't be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A line that is not the JSON it should be.
    #[error("a line of the reply is not the JSON that it should be ({reason}): {excerpt}")]
    Malformed {
        /// The parser's words.
        reason: String,
        /// The beginning of the line.
        excerpt: String,
    },
    /// A line without an end.
    #[error("a line of the reply is longer than {LONGEST_LINE} bytes")]
    TooLong,
}

/// Appends to what waits for its end, as long as that may be.
pub(super) fn carry(waiting: &mut Vec<u8>, more: &[u8]) -> Result<(), DecodeError> {
    if waiting.len() + more.len() > LONGEST_LINE {
        return Err(DecodeError::TooLong);
    }
    waiting.extend_from_slice(more);
    Ok(())
}

/// One line's JSON.
pub(super) fn read<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, DecodeError> {
    const EXCERPT: usize = 80;
    serde_json::from_slice(line).map_err(|error| DecodeError::Malformed {
        reason: error.to_string(),
        excerpt: String::from_utf8_lossy(&line[..line.len().min(EXCERPT)]).into_owned(),
    })
}

/// For the decoders' tests: a reply's pieces, and what they say.
#[cfg(test)]
pub(super) mod hearing {
    use super::*;
    use proptest::prelude::*;

    /// An event that was heard.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Heard {
        Token(String),
        Thinking(String),
        Error(String),
        Done(Box<Final>),
    }

    impl From<Event<'_>> for Heard {
        fn from(event: Event<'_>) -> Self {
            match event {
                Event::Token(text) => Heard::Token(text.to_owned()),
                Event::Thinking(text) => Heard::Thinking(text.to_owned()),
                Event::Error(text) => Heard::Error(text.to_owned()),
                Event::Done(last) => Heard::Done(last),
            }
        }
    }

    /// What a reply says whose pieces these are.
    pub fn decode<'a, D: Decoder>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Heard>, DecodeError> {
        let mut decoder = D::default();
        let mut said = Vec::new();
        for piece in pieces {
            decoder.feed(piece, |event| said.push(event.into()))?;
        }
        decoder.finish(|event| said.push(event.into()))?;
        Ok(said)
    }

    /// Places to cut at.
    pub fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
        prop::collection::vec(any::<prop::sample::Index>(), 0..60)
    }

    /// `reply`, cut there.
    pub fn cut<'a>(reply: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(reply.len() + 1)).collect();
        at.sort_unstable();
        let mut from = 0;
        let ends = at.into_iter().chain([reply.len()]);
        ends.map(|to| &reply[std::mem::replace(&mut from, to)..to])
            .collect()
    }
}
