//! Where a reply's pieces begin and end, found while it comes: bytes and times in, pieces out.

use super::Piece;
use crate::protocol::Api;

/// The reply so far.
#[derive(Debug)]
pub struct Tape {
    ends: Ends,
    pieces: Vec<Piece>,
    /// Of a piece whose end has not come yet.
    begun: Vec<u8>,
}

/// What ends a piece.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// The end of a line.
    Line,
    /// An empty line.
    EmptyLine,
}

/// A reply that a text file can't hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply is not UTF-8")]
pub struct NotText;

impl Tape {
    /// Before the reply to a call of this API.
    pub fn new(api: Api) -> Self {
        Self {
            ends: match api {
                Api::Generate | Api::Raw | Api::Chat => Ends::Line,
                Api::OpenAi => Ends::EmptyLine,
            },
            pieces: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// More of the reply, read at this time, in nanoseconds from the start.
    ///
    /// # Errors
    /// When a piece is not UTF-8.
    pub fn feed(&mut self, at_ns: u64, bytes: &[u8]) -> Result<(), NotText> {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.begun.extend_from_slice(line);
            let ended = match self.ends {
                Ends::Line => self.begun.ends_with(b"\n"),
                Ends::EmptyLine => self.begun.ends_with(b"\n\n") || self.begun.ends_with(b"\n\r\n"),
            };
            if ended {
                self.cut(at_ns)?;
            }
        }
        Ok(())
    }

    /// The pieces, the last of which needs no end.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn finish(mut self, at_ns: u64) -> Result<Vec<Piece>, NotText> {
        if !self.begun.is_empty() {
            self.cut(at_ns)?;
        }
        Ok(self.pieces)
    }

    fn cut(&mut self, at_ns: u64) -> Result<(), NotText> {
        let data = String::from_utf8(std::mem::take(&mut self.begun)).map_err(|_| NotText)?;
        self.pieces.push(Piece { at_ns, data });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(api: Api, reads: &[&[u8]]) -> Vec<(u64, String)> {
        let mut tape = Tape::new(api);
        for (at, read) in (0..).zip(reads) {
            tape.feed(at, read).expect("text");
        }
        let pieces = tape.finish(99).expect("text");
        pieces
            .into_iter()
            .map(|piece| (piece.at_ns, piece.data))
            .collect()
    }

    fn piece(at: u64, data: &str) -> (u64, String) {
        (at, data.to_owned())
    }

    #[test]
    fn a_line_has_the_time_of_the_read_that_ended_it() {
        let reads: &[&[u8]] = &[b"{\"a\":", b"1}\n{}\n{", b"}\n", b"rest"];
        let expected = [
            piece(1, "{\"a\":1}\n"),
            piece(1, "{}\n"),
            piece(2, "{}\n"),
            piece(99, "rest"),
        ];
        assert_eq!(cut(Api::Generate, reads), expected);
    }

    #[test]
    fn an_event_ends_with_an_empty_line() {
        let reads: &[&[u8]] = &[b": ping\n\ndata: {}\n", b"\n", b"data: [DONE]\r\n\r\n"];
        let expected = [
            piece(0, ": ping\n\n"),
            piece(1, "data: {}\n\n"),
            piece(2, "data: [DONE]\r\n\r\n"),
        ];
        assert_eq!(cut(Api::OpenAi, reads), expected);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut tape = Tape::new(Api::Chat);
        assert_eq!(tape.feed(0, b"\xff\n"), Err(NotText));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_no_time_runs_back(reads in prop::collection::vec("[a\r\n]{0,6}", 0..12), sse: bool) {
            let api = if sse { Api::OpenAi } else { Api::Generate };
            let bytes: Vec<&[u8]> = reads.iter().map(String::as_bytes).collect();
            let pieces = cut(api, &bytes);
            let text: String = pieces.iter().map(|(_, data)| data.as_str()).collect();
            prop_assert_eq!(text, reads.concat());
            prop_assert!(pieces.is_sorted_by_key(|(at, _)| *at));
            let whole = &pieces[..pieces.len().saturating_sub(1)];
            let end = if sse { ["\n\n", "\n\r\n"] } else { ["\n", "\n"] };
            prop_assert!(whole.iter().all(|(_, data)| end.iter().any(|end| data.ends_with(end))));
        }
    }
}
