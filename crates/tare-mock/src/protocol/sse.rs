//! Server-sent events: bytes in, the data of each event out, without any I/O and whatever the data
//! is.
//!
//! As the HTML standard reads such a stream: a line ends with `\n`, `\r\n` or `\r`, an event with a
//! blank line; `data` fields of one event are joined by newlines; comments (`: ping`) and all other
//! fields are ignored. Two departures, which real servers ask for. The end of the stream ends an
//! event too, since llama.cpp leaves out the blank line after its last. And a field `error` is told:
//! llama.cpp's builds of 2025 put their complaints there.
//!
//! The data of an event that lies whole in the piece just read, and in one line, is lent as it lies.

use super::decoder::{DecodeError, carry};
use memchr::memchr2;

/// What an event holds.
#[derive(Debug, PartialEq)]
pub enum Field<'a> {
    /// The data of a whole event, its lines joined by `\n`.
    Data(&'a [u8]),
    /// A line of the field `error`, told at once.
    Error(&'a [u8]),
}

/// The reader of one stream of events.
#[derive(Debug, Default)]
pub struct Events {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The data so far of an event whose end has not come yet.
    data: Vec<u8>,
    held: Held,
    last: LastByte,
    place: Place,
}

/// Whether `data` counts: an empty line of data is one too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Held {
    #[default]
    Nothing,
    Lines,
}

/// Whether a newline that comes next belongs to a line end that has been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum LastByte {
    #[default]
    Other,
    CarriageReturn,
}

/// Where a byte order mark may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Place {
    #[default]
    FirstLine,
    Further,
}

/// What a line says.
enum Line<'a> {
    Blank,
    Data(&'a [u8]),
    Error(&'a [u8]),
    Ignored,
}

impl Events {
    /// Takes the next piece of the stream and tells `sink` what is complete with it, in order.
    ///
    /// # Errors
    /// When a line or an event is too long, or `sink` gives an error: that one.
    pub fn feed(
        &mut self,
        mut piece: &[u8],
        mut sink: impl FnMut(Field<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if let [first, rest @ ..] = piece
            && std::mem::take(&mut self.last) == LastByte::CarriageReturn
            && *first == b'\n'
        {
            piece = rest;
        }
        // The data of an event whose only line lies in this piece.
        let mut here = None;
        while let Some(end) = memchr2(b'\n', b'\r', piece) {
            let head = &piece[..end];
            piece = match (piece[end], &piece[end + 1..]) {
                (b'\r', []) => {
                    self.last = LastByte::CarriageReturn;
                    &[]
                }
                (b'\r', [b'\n', rest @ ..]) | (_, rest) => rest,
            };
            if !self.line.is_empty() {
                carry(&mut self.line, head)?;
                let line = std::mem::take(&mut self.line);
                self.take(&line, &mut sink)?;
                self.line = emptied(line);
                continue;
            }
            match (self.read(head), here.take()) {
                (Line::Blank, Some(data)) => sink(Field::Data(data))?,
                (Line::Blank, None) => self.dispatch(&mut sink)?,
                (Line::Data(data), None) if self.held == Held::Nothing => here = Some(data),
                (Line::Data(data), before) => {
                    before.map_or(Ok(()), |before| self.hold(before))?;
                    self.hold(data)?;
                }
                (line, before) => {
                    here = before;
                    if let Line::Error(words) = line {
                        sink(Field::Error(words))?;
                    }
                }
            }
        }
        here.map_or(Ok(()), |data| self.hold(data))?;
        carry(&mut self.line, piece)
    }

    /// Ends the stream: the last line and the last event need no end.
    ///
    /// # Errors
    /// As [`Events::feed`].
    pub fn finish(
        &mut self,
        mut sink: impl FnMut(Field<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let line = std::mem::take(&mut self.line);
        self.take(&line, &mut sink)?;
        self.dispatch(&mut sink)
    }

    /// Takes a line that does not live as long as the piece it came with.
    fn take(
        &mut self,
        line: &[u8],
        sink: &mut impl FnMut(Field<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match self.read(line) {
            Line::Blank => self.dispatch(sink),
            Line::Data(data) => self.hold(data),
            Line::Error(words) => sink(Field::Error(words)),
            Line::Ignored => Ok(()),
        }
    }

    fn hold(&mut self, data: &[u8]) -> Result<(), DecodeError> {
        if self.held == Held::Lines {
            carry(&mut self.data, b"\n")?;
        }
        self.held = Held::Lines;
        carry(&mut self.data, data)
    }

    fn dispatch(
        &mut self,
        sink: &mut impl FnMut(Field<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if std::mem::take(&mut self.held) == Held::Nothing {
            return Ok(());
        }
        let data = std::mem::take(&mut self.data);
        sink(Field::Data(&data))?;
        self.data = emptied(data);
        Ok(())
    }

    fn read<'a>(&mut self, mut line: &'a [u8]) -> Line<'a> {
        const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
        if std::mem::replace(&mut self.place, Place::Further) == Place::FirstLine {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return Line::Blank;
        }
        if let Some(data) = value_of(b"data", line) {
            return Line::Data(data);
        }
        value_of(b"error", line).map_or(Line::Ignored, Line::Error)
    }
}

/// The value of the field `name`, if the line is one of it, without the space after the colon.
fn value_of<'a>(name: &[u8], line: &'a [u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

/// The same memory, to be filled again.
fn emptied(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.clear();
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::decoder::hearing::{cut, cuts};
    use super::*;
    use proptest::prelude::*;

    fn told(pieces: &[&[u8]]) -> Vec<(char, Vec<u8>)> {
        let mut told = Vec::new();
        let mut note = |field: Field<'_>| {
            told.push(match field {
                Field::Data(data) => ('d', data.to_vec()),
                Field::Error(words) => ('e', words.to_vec()),
            });
            Ok(())
        };
        let mut events = Events::default();
        for piece in pieces {
            events.feed(piece, &mut note).expect("no long line");
        }
        events.finish(&mut note).expect("no long line");
        told
    }

    /// The same from the whole text at once, as simply as it can be said.
    fn oracle(text: &str) -> Vec<(char, Vec<u8>)> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n") + "\n\n";
        let mut told = Vec::new();
        let mut data: Vec<&str> = Vec::new();
        for line in text.split('\n') {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "data" => data.push(value),
                "error" => told.push(('e', value.into())),
                _ if line.is_empty() && !data.is_empty() => {
                    told.push(('d', data.join("\n").into()));
                    data.clear();
                }
                _ => {}
            }
        }
        told
    }

    /// Texts of what matters to the format, in any order.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            3 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\n\r\n"]),
            3 => prop::sample::select(vec!["data: a", "data:b", "data: ", "data:", "data", "data:  µ🦙"]),
            2 => prop::sample::select(vec![
                ": ping", ":", "event: x", "id: 1", "datax: y", " data: z", "\u{feff}", "error: no", "errors",
                "{\"a\": 1}", "[DONE]", "x",
            ]),
        ];
        prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_text_in_any_pieces_is_what_the_oracle_says(text in texts(), cuts in cuts()) {
            let expected = oracle(&text);
            prop_assert_eq!(&told(&[text.as_bytes()]), &expected);
            prop_assert_eq!(&told(&cut(text.as_bytes(), &cuts)), &expected);
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            prop_assert_eq!(&told(&bytes), &expected);
        }

        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            told(&[&bytes]);
        }
    }

    #[test]
    fn the_standards_examples_are_read_as_it_says() {
        let data = |text: &str| ('d', text.as_bytes().to_vec());
        assert_eq!(
            told(&[b"data: YHOO\ndata: +2\ndata: 10\n\n"]),
            [data("YHOO\n+2\n10")]
        );
        assert_eq!(
            told(&[b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event"]),
            [data("first event"), data("second event"), data(" third event")]
        );
        assert_eq!(
            told(&[b"data\n\ndata\ndata\n\ndata:"]),
            [data(""), data("\n"), data("")]
        );
    }

    #[test]
    fn data_that_lies_whole_in_a_piece_is_lent_as_it_lies() {
        let piece = b"event: x\r\ndata: here\r\n\r\n";
        let mut events = Events::default();
        let mut lent = None;
        let fed = events.feed(piece, |field| {
            if let Field::Data(data) = field {
                lent = Some(data.as_ptr());
            }
            Ok(())
        });
        fed.expect("no long line");
        assert_eq!(lent, Some(piece[16..].as_ptr()));
    }

    #[test]
    fn a_line_or_an_event_without_an_end_is_too_long() {
        let piece = vec![b'x'; super::super::decoder::LONGEST_LINE / 2 + 1];
        let mut events = Events::default();
        events.feed(&piece, |_| Ok(())).expect("half of it");
        let fed = events.feed(&piece, |_| Ok(()));
        assert!(matches!(fed, Err(DecodeError::TooLong)));

        let mut events = Events::default();
        let line = [b"data: ", &piece[..], b"\n"].concat();
        events.feed(&line, |_| Ok(())).expect("half of it");
        let fed = events.feed(&line, |_| Ok(()));
        assert!(matches!(fed, Err(DecodeError::TooLong)));
    }
}
