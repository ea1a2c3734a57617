//! What a recorded reply says, and when each token of it came.

use super::Piece;
use crate::protocol::{Api, Completion, DecodeError, Decoder, Event, Final, Ndjson};

/// A recorded answer, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its tokens, in their order.
    pub tokens: Vec<Token>,
    /// What the server stated at the end.
    pub last: Final,
}

/// A token of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The piece that says it, counted from 0.
    pub piece: usize,
    /// Its text.
    pub text: String,
}

/// Why a recorded reply is not an answer.
#[derive(Debug, thiserror::Error)]
pub enum UnsoundError {
    /// Not decodable.
    #[error("its reply can't be decoded: {0}")]
    Malformed(#[from] DecodeError),
    /// The server gave up.
    #[error("the server gave up: {0}")]
    GaveUp(String),
    /// No end.
    #[error("its reply ends without saying that it is done")]
    Truncated,
}

impl Answer {
    /// What a reply of this API says.
    pub(super) fn of(api: Api, pieces: &[Piece]) -> Result<Self, UnsoundError> {
        match api {
            Api::Generate | Api::Raw | Api::Chat => decode::<Ndjson>(pieces),
            Api::OpenAi => decode::<Completion>(pieces),
        }
    }
}

fn decode<D: Decoder>(pieces: &[Piece]) -> Result<Answer, UnsoundError> {
    let mut decoder = D::default();
    let mut tokens = Vec::new();
    let mut ended = None;
    let mut hear = |piece: usize, event: Event<'_>| match event {
        Event::Token(text) => tokens.push(Token {
            piece,
            text: text.to_owned(),
        }),
        Event::Thinking(_) => {}
        Event::Error(words) => ended = Some(Err(words.to_owned())),
        Event::Done(last) => ended = Some(Ok(last)),
    };
    for (index, piece) in pieces.iter().enumerate() {
        decoder.feed(piece.data.as_bytes(), |event| hear(index, event))?;
    }
    decoder.finish(|event| hear(pieces.len().saturating_sub(1), event))?;
    match ended {
        Some(Ok(last)) => Ok(Answer {
            tokens,
            last: *last,
        }),
        Some(Err(words)) => Err(UnsoundError::GaveUp(words)),
        None => Err(UnsoundError::Truncated),
    }
}
