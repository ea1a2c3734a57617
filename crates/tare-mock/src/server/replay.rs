//! A trace, served again: which answer a request gets, and how it is put into words.
//!
//! Requests get the trace's answers in their order, and after the last the first again, whatever
//! they ask. One that asks as the trace was recorded, over the same route and as a stream, gets the
//! recorded bytes; any other gets the recorded tokens at the recorded times in the form that it
//! asks for, cut off where it wants fewer. Played faster or with jitter, a reply's bytes are still
//! the recorded ones, but the durations that it states are stretched as the reply is, or a client
//! would take away more than there was.

use super::composed::Composed;
use super::form::Dialect;
use crate::engine::text::Text;
use crate::engine::{Recording, StopReason};
use crate::protocol::Api;
use crate::protocol::wire::Truth;
use crate::trace::{Answer, Exchange, Trace};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A trace that is being served.
pub struct Replay {
    api: Api,
    turns: Vec<Rc<Turn>>,
    next: Cell<usize>,
}

/// One answer of it.
pub struct Turn {
    /// Each piece of the reply.
    pieces: Vec<Piece>,
    /// When each but the last is due; the last is the end.
    as_recorded: Arc<Recording>,
    /// When each token is due.
    by_token: Arc<Recording>,
    tokens: Vec<String>,
}

struct Piece {
    at: Duration,
    data: Bytes,
    /// Tokens that it holds.
    tokens: usize,
}

/// How an answer is put into words.
pub enum Words {
    /// Made up, token by token.
    Made(Text),
    /// Made up as a whole.
    Composed(Box<Composed>),
    /// A recorded answer's tokens, of which so many were said, in lines of our own.
    Tokens(Rc<Turn>, usize),
    /// A recorded reply's bytes, of which so many pieces were sent.
    Bytes(Rc<Turn>, usize),
}

impl Words {
    /// The next token, for a line of our own; nothing if there is none.
    pub fn token(&mut self) -> &str {
        match self {
            Self::Made(text) => text.next().unwrap_or_default(),
            Self::Tokens(turn, said) => {
                *said += 1;
                turn.tokens.get(*said - 1).map_or("", String::as_str)
            }
            // These say more than a token's text, or less.
            Self::Composed(_) | Self::Bytes(..) => "",
        }
    }

    /// The next recorded piece, due at this time, and how many tokens it holds; `None` where the
    /// lines are our own.
    pub fn piece(&mut self, due: Duration) -> Option<(Bytes, usize)> {
        let Self::Bytes(turn, sent) = self else {
            return None;
        };
        *sent += 1;
        let piece = turn.pieces.get(*sent - 1)?;
        Some((piece.due(due), piece.tokens))
    }

    /// The last recorded piece, due at this time, with the truth where it was asked for; `None`
    /// where the lines are our own.
    pub fn last(&self, due: Duration, truth: Option<&Truth>) -> Option<Bytes> {
        let Self::Bytes(turn, _) = self else {
            return None;
        };
        let data = turn.pieces.last()?.due(due);
        Some(match truth {
            Some(truth) => with_truth(&data, truth),
            None => data,
        })
    }
}

/// An answer to be played: its words, and when they are due.
pub struct Played {
    pub words: Words,
    pub recording: Arc<Recording>,
}

impl Replay {
    /// Plays it `speed` times as fast as it was.
    pub fn new(trace: &Trace, speed: f64) -> Self {
        let turn = |exchange| Rc::new(Turn::new(exchange, speed));
        Self {
            api: trace.head.api,
            turns: trace.exchanges.iter().map(turn).collect(),
            next: Cell::new(0),
        }
    }

    /// The next answer, for a request of this form that wants so many tokens at most.
    pub fn play(&self, dialect: Dialect, streams: bool, limit: Option<u32>) -> Played {
        let number = self.next.get();
        self.next.set((number + 1) % self.turns.len());
        let turn = &self.turns[number];
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.filter(|&limit| limit < turn.tokens.len());
        let as_recorded = streams && limit.is_none() && dialect.api() == Some(self.api);
        if as_recorded {
            Played {
                words: Words::Bytes(Rc::clone(turn), 0),
                recording: Arc::clone(&turn.as_recorded),
            }
        } else {
            Played {
                words: Words::Tokens(Rc::clone(turn), 0),
                recording: match limit {
                    Some(limit) => Arc::new(turn.by_token.cut(limit)),
                    None => Arc::clone(&turn.by_token),
                },
            }
        }
    }
}

impl Turn {
    fn new(exchange: &Exchange, speed: f64) -> Self {
        let Answer { tokens, last } = exchange.answer();
        let mut pieces: Vec<Piece> = exchange
            .pieces()
            .iter()
            .map(|piece| Piece {
                at: Duration::from_nanos(piece.at_ns),
                data: Bytes::from(piece.data.clone()),
                tokens: 0,
            })
            .collect();
        let mut token_times = Vec::new();
        for token in tokens {
            if let Some(piece) = pieces.get_mut(token.piece) {
                piece.tokens += 1;
                token_times.push(piece.at);
            }
        }
        let mut times: Vec<Duration> = pieces.iter().map(|piece| piece.at).collect();
        let end = times.pop().unwrap_or_default();
        let recorded = |pieces| {
            let recording = Recording {
                pieces,
                end,
                load: Duration::from_nanos(last.load_duration),
                prompt_tokens: count(last.prompt_eval_count),
                output_tokens: match last.eval_count {
                    0 => count(tokens.len() as u64),
                    stated => count(stated),
                },
                reason: match last.done_reason.as_deref() {
                    Some("length") => StopReason::Length,
                    _ => StopReason::Stop,
                },
            };
            Arc::new(recording.faster(speed))
        };
        Self {
            as_recorded: recorded(times),
            by_token: recorded(token_times),
            pieces,
            tokens: tokens.iter().map(|token| token.text.clone()).collect(),
        }
    }
}

fn count(stated: u64) -> u32 {
    u32::try_from(stated).unwrap_or(u32::MAX)
}

impl Piece {
    fn due(&self, due: Duration) -> Bytes {
        if due == self.at || self.at.is_zero() {
            return self.data.clone();
        }
        let factor = due.as_secs_f64() / self.at.as_secs_f64();
        stretched(&self.data, factor).map_or_else(|| self.data.clone(), Bytes::from)
    }
}

/// What begins a server-sent event that holds data.
const DATA: &[u8] = b"data: ";

/// A line or event whose durations are `factor` times as long; `None` if it states none.
fn stretched(data: &[u8], factor: f64) -> Option<Vec<u8>> {
    let (before, rest) = match data.strip_prefix(DATA) {
        Some(rest) => (DATA, rest),
        None => (&b""[..], data),
    };
    let json = rest.trim_ascii_end();
    let mut value: Map<String, Value> = serde_json::from_slice(json).ok()?;
    if !stretch(&mut value, factor) {
        return None;
    }
    let mut stretched = before.to_vec();
    serde_json::to_writer(&mut stretched, &value).ok()?;
    stretched.extend_from_slice(&rest[json.len()..]);
    Some(stretched)
}

/// Stretches the durations in an object, by the names that Ollama and llama.cpp give them, and says
/// whether there were any.
fn stretch(object: &mut Map<String, Value>, factor: f64) -> bool {
    let mut any = false;
    for (name, value) in object {
        match value {
            Value::Object(inner) => any |= stretch(inner, factor),
            Value::Number(number) => {
                let Some(stated) = number.as_f64() else {
                    continue;
                };
                *value = if name.ends_with("_duration") {
                    ((stated * factor).round() as u64).into()
                } else if name.ends_with("_ms") {
                    (stated * factor).into()
                } else if name.ends_with("_per_second") {
                    (stated / factor).into()
                } else {
                    continue;
                };
                any = true;
            }
            _ => {}
        }
    }
    any
}

/// The last line with the truth as a further field, or the last event with one before it that has
/// nothing else.
fn with_truth(last: &[u8], truth: &Truth) -> Bytes {
    let Ok(truth) = serde_json::to_vec(truth) else {
        return Bytes::copy_from_slice(last);
    };
    let object = last.trim_ascii_end().strip_suffix(b"}");
    let told = match object {
        Some(object) if !last.starts_with(DATA) => {
            [object, b",\"tare_truth\":", &truth, b"}\n"].concat()
        }
        _ => [
            DATA,
            b"{\"choices\":[],\"tare_truth\":",
            &truth,
            b"}\n\n",
            last,
        ]
        .concat(),
    };
    told.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_durations_are_stretched_and_nothing_else() {
        let line =
            b"{\"done\":true,\"eval_count\":5,\"total_duration\":900,\"eval_duration\":301}\n";
        let half = stretched(line, 0.5).expect("it states durations");
        let half: Value = serde_json::from_slice(&half).expect("JSON");
        assert_eq!(
            half,
            serde_json::json!({"done": true, "eval_count": 5, "total_duration": 450, "eval_duration": 151})
        );
    }

    #[test]
    fn an_event_stays_an_event() {
        let event = b"data: {\"choices\":[],\"timings\":{\"predicted_n\":4,\"predicted_ms\":10.5,\"predicted_per_second\":8}}\n\n";
        let twice = String::from_utf8(stretched(event, 2.0).expect("durations")).expect("text");
        let json = twice
            .strip_prefix("data: ")
            .and_then(|rest| rest.strip_suffix("\n\n"));
        let json: Value = serde_json::from_str(json.expect("an event")).expect("JSON");
        assert_eq!(
            json["timings"],
            serde_json::json!({"predicted_n": 4, "predicted_ms": 21.0, "predicted_per_second": 4.0})
        );
    }

    #[test]
    fn what_states_no_durations_is_left_alone() {
        for data in [
            "data: [DONE]\n\n",
            "{\"response\":\"a\"}\n",
            "\n",
            ": ping\n\n",
        ] {
            assert_eq!(stretched(data.as_bytes(), 2.0), None, "{data}");
        }
    }

    #[test]
    fn the_truth_is_a_field_of_the_last_line_or_an_event_before_the_last() {
        let truth = Truth::default();
        let line = with_truth(b"{\"done\":true}\n", &truth);
        let line: Value = serde_json::from_slice(&line).expect("JSON");
        assert!(line["tare_truth"].is_object() && line["done"] == true);
        let events = with_truth(b"data: [DONE]\n\n", &truth);
        let events = String::from_utf8(events.to_vec()).expect("text");
        assert!(events.ends_with("}\n\ndata: [DONE]\n\n"), "{events}");
    }
}
