//! Traces as files: reading, with the line of whatever is wrong, and writing.

use super::{Exchange, Head, Piece, SCHEMA, Trace};
use crate::file::{FileError, Kind, Line as At};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Traces as files, and those that ship.
const FILES: Kind = Kind {
    what: "trace",
    shipped: &[(
        "gemma3-270m-cpu",
        include_str!("../../fixtures/traces/gemma3-270m-cpu.jsonl"),
    )],
};

/// A line of the file.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<T, P> {
    Trace(T),
    Request(Value),
    Piece(P),
    End(End),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct End {
    at_ns: u64,
}

impl Trace {
    /// The trace of a shipped name, or of a file.
    ///
    /// # Errors
    /// When there is none, or it is malformed: then with the line.
    pub fn find(name: &str) -> Result<Self, FileError> {
        Self::parse(name, &FILES.find(name)?)
    }

    /// The trace that is written in `text`; `name` is for the error.
    ///
    /// # Errors
    /// When it is malformed: then with the line.
    pub fn parse(name: &str, text: &str) -> Result<Self, FileError> {
        let mut reader = Reader::default();
        let mut last = 0;
        let invalid = |line, reason| FILES.invalid(name, Some(line), reason);
        for (number, line) in (1..).zip(text.lines()) {
            last = number;
            let read = serde_json::from_str(line).map_err(|error| error.to_string());
            let taken = read.and_then(|line| reader.take(line));
            taken.map_err(|reason| invalid(At::numbered(number), reason))?;
        }
        reader
            .finish()
            .map_err(|reason| invalid(At::numbered(last.max(1)), reason))
    }

    /// As a file holds it.
    ///
    /// # Errors
    /// Never, for the types here have nothing that JSON lacks; but the library can't know that.
    pub fn to_text(&self) -> serde_json::Result<String> {
        let mut text = String::new();
        let mut write = |line: &Line<&Head, &Piece>| -> serde_json::Result<()> {
            text += &serde_json::to_string(line)?;
            text.push('\n');
            Ok(())
        };
        write(&Line::Trace(&self.head))?;
        for exchange in &self.exchanges {
            write(&Line::Request(exchange.request().clone()))?;
            for piece in exchange.pieces() {
                write(&Line::Piece(piece))?;
            }
            write(&Line::End(End {
                at_ns: exchange.end_ns(),
            }))?;
        }
        Ok(text)
    }
}

/// A trace, as far as it was read.
#[derive(Default)]
struct Reader {
    head: Option<Head>,
    exchanges: Vec<Exchange>,
    /// Request and pieces of an exchange that has not ended.
    open: Option<(Value, Vec<Piece>)>,
}

impl Reader {
    fn take(&mut self, line: Line<Head, Piece>) -> Result<(), String> {
        match (line, &self.head, &mut self.open) {
            (Line::Trace(head), None, _) if head.schema == SCHEMA => self.head = Some(head),
            (Line::Trace(head), None, _) => {
                let schema = head.schema;
                return Err(format!(
                    "its schema is `{schema}`, and this reads `{SCHEMA}`"
                ));
            }
            (_, None, _) => return Err("a trace begins with its head, `trace`".to_owned()),
            (Line::Trace(_), Some(_), _) => return Err("a trace has one head".to_owned()),
            (Line::Request(request), Some(_), None) => self.open = Some((request, Vec::new())),
            (Line::Request(_), Some(_), Some(_)) => {
                return Err("a request before the `end` of the one ahead of it".to_owned());
            }
            (Line::Piece(piece), Some(_), Some((_, pieces))) => {
                in_order(pieces, piece.at_ns)?;
                pieces.push(piece);
            }
            (Line::End(End { at_ns }), Some(head), Some((request, pieces))) => {
                in_order(pieces, at_ns)?;
                let (request, pieces) = (std::mem::take(request), std::mem::take(pieces));
                let exchange = Exchange::new(head.api, request, pieces, at_ns);
                self.exchanges
                    .push(exchange.map_err(|error| error.to_string())?);
                self.open = None;
            }
            (Line::Piece(_) | Line::End(_), Some(_), None) => {
                return Err("a reply without its `request`".to_owned());
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Trace, String> {
        match (self.head, self.open) {
            (None, _) => Err("there is nothing in it".to_owned()),
            (Some(_), Some(_)) => Err("it ends within a reply, without its `end`".to_owned()),
            (Some(_), None) if self.exchanges.is_empty() => {
                Err("there is no `request` in it".to_owned())
            }
            (Some(head), None) => Ok(Trace {
                head,
                exchanges: self.exchanges,
            }),
        }
    }
}

/// Time does not run backwards.
fn in_order(pieces: &[Piece], at_ns: u64) -> Result<(), String> {
    match pieces.last() {
        Some(last) if last.at_ns > at_ns => Err(format!(
            "`at_ns` is {at_ns}, before the piece ahead of it at {}",
            last.at_ns
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"trace":{"schema":"tare.trace/1","recorded":"2026-11-22T10:00:00Z","recorder":"tare 0.1.0","server":"ollama","version":"0.12.11","model":"gemma3","api":"generate","machine":{"os":"linux","arch":"x86_64"}}}"#;
    const REQUEST: &str = r#"{"request":{"model":"gemma3","prompt":"Why?"}}"#;
    const TOKEN: &str =
        r#"{"piece":{"at_ns":100,"data":"{\"response\":\"Because\",\"done\":false}\n"}}"#;
    const LAST: &str =
        r#"{"piece":{"at_ns":250,"data":"{\"response\":\"\",\"done\":true,\"eval_count\":1}\n"}}"#;
    const END: &str = r#"{"end":{"at_ns":260}}"#;

    fn parsed(lines: &[&str]) -> Result<Trace, FileError> {
        Trace::parse("it", &lines.join("\n"))
    }

    #[test]
    fn what_was_written_reads_the_same() {
        let lines = [HEAD, REQUEST, TOKEN, LAST, END, REQUEST, LAST, END];
        let trace = parsed(&lines).expect("a sound trace");
        assert_eq!(trace.exchanges.len(), 2);
        let first = &trace.exchanges[0];
        assert_eq!((first.pieces().len(), first.end_ns()), (2, 260));
        assert_eq!(first.answer().tokens[0].text, "Because");
        assert_eq!(first.answer().last.eval_count, 1);
        let text = trace.to_text().expect("JSON");
        assert_eq!(Trace::parse("it", &text).expect("a sound trace"), trace);
        assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn what_is_no_trace_is_refused_with_the_line() {
        let of_other = HEAD.replace("trace/1", "trace/9");
        let earlier = TOKEN.replace("100", "300");
        let broken = TOKEN.replace("Because", "");
        let failed = LAST.replace(r#"\"response\":\"\""#, r#"\"error\":\"no memory\""#);
        for (lines, line, reason) in [
            (&[][..], 1, "nothing in it"),
            (&["hello"], 1, "expected"),
            (&[REQUEST], 1, "begins with its head"),
            (&[&of_other], 1, "schema is `tare.trace/9`"),
            (&[HEAD], 1, "no `request`"),
            (&[HEAD, HEAD], 2, "one head"),
            (&[HEAD, TOKEN], 2, "without its `request`"),
            (&[HEAD, REQUEST, REQUEST], 3, "before the `end`"),
            (&[HEAD, REQUEST, TOKEN], 3, "without its `end`"),
            (&[HEAD, REQUEST, &earlier, LAST, END], 4, "before the piece"),
            (
                &[HEAD, REQUEST, TOKEN, END],
                4,
                "without saying that it is done",
            ),
            (&[HEAD, REQUEST, &broken, END], 4, "without saying"),
            (&[HEAD, REQUEST, &failed, END], 4, "no memory"),
            (&[HEAD, "{\"pause\":{}}"], 2, "pause"),
        ] {
            let said = parsed(lines).expect_err(reason).to_string();
            assert!(said.contains(&format!("trace it, line {line}: ")), "{said}");
            assert!(said.contains(reason), "{said}");
        }
    }

    #[test]
    fn every_shipped_trace_is_sound_and_of_a_real_server() {
        for (name, _) in FILES.shipped {
            let trace = Trace::find(name).expect(name);
            assert!(trace.head.note.is_some(), "{name} says where it is from");
            for exchange in &trace.exchanges {
                assert!(exchange.answer().tokens.len() > 100, "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_name_is_no_trace() {
        let said = Trace::find("nowhere")
            .expect_err("no such file")
            .to_string();
        assert!(said.contains("no trace `nowhere`"), "{said}");
    }
}
