//! An answer that is made up as a whole before its first token is due, because it is more than
//! text of a known length: thoughts, JSON, a call of a tool, text up to a stop string, text with
//! log probabilities.
//!
//! The engine is told how many tokens it has, and paces them as those of any other answer. A token
//! that a server holds back (in a call that is not complete yet, or where a stop string may have
//! begun) sends nothing; what it held is sent with a later one.

use super::logprobs::{Logprob, Logprobs, Token};
use super::schema::Schema;
use super::tools::Call;
use crate::engine::text::Text;
use crate::engine::{KnownAnswer, StopReason};
use fastrand::Rng;
use std::borrow::Cow;

/// What an answer is to be.
pub struct Wish<'a> {
    pub seed: u64,
    /// Most tokens, all kinds together.
    pub limit: Option<u32>,
    /// Tokens of a text without a limit, at least 1.
    pub usual: u32,
    /// Whether thoughts come first.
    pub thinks: bool,
    pub content: Content<'a>,
    /// Texts before which it ends.
    pub stop: &'a [String],
    pub logprobs: Option<Logprobs>,
}

/// What it says, thoughts aside.
pub enum Content<'a> {
    Text,
    Json(&'a Schema),
    Call(Call),
}

/// An answer, of which so many tokens and pieces are out.
pub struct Composed {
    pieces: Vec<Piece>,
    known: KnownAnswer,
    logprobs: Option<Logprobs>,
    tokens: u32,
    next: usize,
}

/// What is sent at a time.
struct Piece {
    said: Said,
    /// Sent with this token, counted from 1.
    with: u32,
    /// The tokens that it has the log probabilities of; none where they are not asked for.
    tokens: Vec<Token>,
}

/// Something said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spoken<'a> {
    Text(&'a str),
    Thought(&'a str),
    Call(&'a Call),
    /// There are only log probabilities.
    Nothing,
}

enum Said {
    Text(Token),
    Thought(Token),
    Call(Call),
    Nothing,
}

impl Said {
    fn spoken(&self) -> Spoken<'_> {
        match self {
            Said::Text(text) => Spoken::Text(text),
            Said::Thought(text) => Spoken::Thought(text),
            Said::Call(call) => Spoken::Call(call),
            Said::Nothing => Spoken::Nothing,
        }
    }
}

impl Wish<'_> {
    /// Whether any text will do, as long as it is asked.
    pub fn is_plain(&self) -> bool {
        let plain = matches!(self.content, Content::Text);
        plain && !self.thinks && self.stop.is_empty() && self.logprobs.is_none()
    }

    /// The answer.
    pub fn composed(&self) -> Composed {
        let mut making = Making {
            wish: self,
            pieces: Vec::new(),
            tokens: 0,
            reason: StopReason::Stop,
        };
        if self.thinks {
            making.think();
        }
        match &self.content {
            Content::Text => making.text(),
            Content::Json(schema) => {
                let json = schema.value(self.seed).to_string();
                making.stopped(split(&json, self.seed));
            }
            Content::Call(call) => making.call(call.clone()),
        }
        Composed {
            pieces: making.pieces,
            known: KnownAnswer {
                tokens: making.tokens,
                reason: making.reason,
            },
            logprobs: self.logprobs,
            tokens: 0,
            next: 0,
        }
    }
}

/// An answer while it is made.
struct Making<'a> {
    wish: &'a Wish<'a>,
    pieces: Vec<Piece>,
    tokens: u32,
    reason: StopReason,
}

impl Making<'_> {
    /// Counts a token; none where the limit is reached.
    fn count(&mut self) -> Option<()> {
        if self.wish.limit.is_some_and(|limit| self.tokens >= limit) {
            self.reason = StopReason::Length;
            return None;
        }
        self.tokens += 1;
        Some(())
    }

    fn say(&mut self, said: Said, tokens: Vec<Token>) {
        self.pieces.push(Piece {
            said,
            with: self.tokens,
            tokens,
        });
    }

    /// A token for its log probability, where those are asked for.
    fn noted(&self, token: &Token) -> Vec<Token> {
        let asked = self.wish.logprobs.iter();
        asked.map(|_| token.clone()).collect()
    }

    fn think(&mut self) {
        /// Thoughts do not belong to the text that a seed stands for.
        const THOUGHTS: u64 = 0x7468_6f75_6768_7473;
        let mut rng = Rng::with_seed(self.wish.seed ^ THOUGHTS);
        let length = rng.usize(8..32);
        for token in Text::new(rng.u64(..)).take(length) {
            let token = Cow::Borrowed(token);
            if self.count().is_none() {
                return;
            }
            let tokens = self.noted(&token);
            self.say(Said::Thought(token), tokens);
        }
    }

    fn text(&mut self) {
        let text = Text::new(self.wish.seed).map(Cow::Borrowed);
        match self.wish.limit {
            // It ends by the limit.
            Some(_) => self.stopped(text),
            None => self.stopped(text.take(self.wish.usual as usize)),
        }
    }

    /// Text, up to the limit or before a stop string. A server holds back what may be the beginning
    /// of one.
    fn stopped(&mut self, text: impl IntoIterator<Item = Token>) {
        let mut held = Held::default();
        for token in text {
            if self.count().is_none() {
                break;
            }
            held.tokens.extend(self.noted(&token));
            held.push(token);
            if let Some(at) = first(&held.text, self.wish.stop) {
                let text = held.text[..at].to_owned();
                self.reason = StopReason::Stop;
                return self.release(Cow::Owned(text), held.tokens);
            }
            if may_begin(&held.text, self.wish.stop) {
                continue;
            }
            let Held { text, tokens } = std::mem::take(&mut held);
            self.release(text, tokens);
        }
        self.release(held.text, held.tokens);
    }

    fn release(&mut self, text: Token, tokens: Vec<Token>) {
        if !text.is_empty() {
            self.say(Said::Text(text), tokens);
        }
    }

    fn call(&mut self, call: Call) {
        let written = split(&call.written(), self.wish.seed);
        let last = written.len().saturating_sub(1);
        let mut before = String::new();
        let mut call = Some(call);
        for (at, token) in written.into_iter().enumerate() {
            if self.count().is_none() {
                // What no call could be made of is text.
                self.say(Said::Text(Cow::Owned(before)), Vec::new());
                return;
            }
            before.push_str(&token);
            let tokens = self.noted(&token);
            match call.take_if(|_| at == last) {
                Some(call) => self.say(Said::Call(call), tokens),
                None if tokens.is_empty() => {}
                None => self.say(Said::Nothing, tokens),
            }
        }
    }
}

/// Text that is held back.
#[derive(Default)]
struct Held {
    text: Token,
    tokens: Vec<Token>,
}

impl Held {
    fn push(&mut self, token: Token) {
        if self.text.is_empty() {
            self.text = token;
        } else {
            self.text.to_mut().push_str(&token);
        }
    }
}

/// Where the first of the stop strings begins.
fn first(text: &str, stop: &[String]) -> Option<usize> {
    let found = stop.iter().filter(|stop| !stop.is_empty());
    found.filter_map(|stop| text.find(stop.as_str())).min()
}

/// Whether a text ends as a stop string begins.
fn may_begin(text: &str, stop: &[String]) -> bool {
    stop.iter().any(|stop| {
        let mut ends = stop.char_indices().skip(1).map(|(at, _)| at);
        ends.any(|at| text.ends_with(&stop[..at]))
    })
}

/// A text in tokens of about four bytes.
fn split(text: &str, seed: u64) -> Vec<Token> {
    let mut rng = Rng::with_seed(seed);
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let wanted = rng.usize(2..7);
        let ends = rest.char_indices().map(|(at, one)| at + one.len_utf8());
        let end = ends.take_while(|&end| end <= wanted).last();
        let end = end.unwrap_or_else(|| rest.chars().next().map_or(0, char::len_utf8));
        let (token, after) = rest.split_at(end);
        tokens.push(Cow::Owned(token.to_owned()));
        rest = after;
    }
    tokens
}

impl Composed {
    /// Its length, and why it ends.
    pub fn known(&self) -> KnownAnswer {
        self.known
    }

    /// With which token the first piece is sent; `None` where nothing is.
    pub fn first_piece(&self) -> Option<u32> {
        self.pieces.first().map(|piece| piece.with)
    }

    /// The next token comes: what is sent with it.
    pub fn token(&mut self) -> Option<(Spoken<'_>, Vec<Logprob>)> {
        self.tokens += 1;
        let piece = self.pieces.get(self.next)?;
        if piece.with > self.tokens {
            return None;
        }
        self.next += 1;
        let first = self.tokens + 1 - (piece.tokens.len() as u32).min(self.tokens);
        let logprobs = self.logprobs.iter().flat_map(|logprobs| {
            let tokens = piece.tokens.iter().zip(first..);
            tokens.map(|(token, index)| logprobs.of(token, index))
        });
        Some((piece.said.spoken(), logprobs.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tools::Tool;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const PLAIN: Wish<'_> = Wish {
        seed: 5,
        limit: None,
        usual: 50,
        thinks: false,
        content: Content::Text,
        stop: &[],
        logprobs: None,
    };

    /// What is sent with each token.
    fn said(mut composed: Composed) -> Vec<Option<String>> {
        let tokens = 0..composed.known().tokens;
        tokens
            .map(|_| {
                composed.token().map(|(spoken, _)| match spoken {
                    Spoken::Text(text) => text.to_owned(),
                    Spoken::Thought(text) => format!("({text})"),
                    Spoken::Call(call) => call.name.clone(),
                    Spoken::Nothing => String::new(),
                })
            })
            .collect()
    }

    #[test]
    fn text_is_that_of_the_seed() {
        let text = said(PLAIN.composed())
            .into_iter()
            .flatten()
            .collect::<String>();
        assert_eq!(text, Text::new(5).take(50).collect::<String>());
        assert_eq!(PLAIN.composed().known().reason, StopReason::Stop);
        let limit = Some(50);
        let limited = Wish { limit, ..PLAIN }.composed();
        assert_eq!(limited.known().reason, StopReason::Length);
        assert_eq!(limited.known().tokens, 50);
    }

    #[test]
    fn thoughts_come_first_and_count() {
        let thinks = Wish {
            thinks: true,
            ..PLAIN
        };
        let all: Vec<_> = said(thinks.composed()).into_iter().flatten().collect();
        let thoughts = all.iter().take_while(|said| said.starts_with('(')).count();
        assert!((8..32).contains(&thoughts), "{thoughts}");
        assert_eq!(
            all[thoughts..].concat(),
            Text::new(5).take(50).collect::<String>()
        );
        let short = Wish {
            limit: Some(4),
            ..thinks
        };
        assert_eq!(short.composed().known().tokens, 4);
        assert_eq!(short.composed().known().reason, StopReason::Length);
    }

    #[test]
    fn json_is_whole_unless_it_is_cut_off() {
        let schema = Schema::new(json!({"type": "object", "properties": {"a": {"type": "string", "minLength": 30}}, "required": ["a"]})).expect("sound");
        let wish = Wish {
            content: Content::Json(&schema),
            ..PLAIN
        };
        let whole: String = said(wish.composed()).into_iter().flatten().collect();
        let read: Value = serde_json::from_str(&whole).expect("JSON");
        assert!(read["a"].is_string());
        assert_eq!(wish.composed().known().reason, StopReason::Stop);
        let limit = Some(3);
        let cut = Wish { limit, ..wish }.composed();
        assert_eq!(
            cut.known(),
            KnownAnswer {
                tokens: 3,
                reason: StopReason::Length
            }
        );
        let cut: String = said(cut).into_iter().flatten().collect();
        assert!(whole.starts_with(&cut) && cut.len() < whole.len());
    }

    #[test]
    fn a_call_is_sent_when_it_is_complete() {
        let tool = Tool::new("weather".to_owned(), json!({"type": "object"}));
        let wish = Wish {
            content: Content::Call(tool.call(PLAIN.seed, 1)),
            ..PLAIN
        };
        let composed = wish.composed();
        let tokens = composed.known().tokens;
        assert_eq!(composed.first_piece(), Some(tokens));
        let all = said(composed);
        assert_eq!(all.last(), Some(&Some("weather".to_owned())));
        assert!(all[..all.len() - 1].iter().all(Option::is_none));
        let with_logprobs = Wish {
            logprobs: Some(Logprobs { top: 0, seed: 5 }),
            ..wish
        };
        assert!(said(with_logprobs.composed()).iter().all(Option::is_some));
    }

    proptest! {
        #[test]
        fn a_stop_string_is_never_said(
            seed: u64,
            at in 0usize..60,
            length in 1usize..6,
            limit in proptest::option::of(1u32..80),
        ) {
            let text: String = Text::new(seed).take(80).collect();
            let stop: String = text.chars().skip(at).take(length).collect();
            let stop = [stop];
            let wish = Wish { seed, limit, stop: &stop, ..PLAIN };
            let composed = wish.composed();
            let known = composed.known();
            let said: String = said(composed).into_iter().flatten().collect();
            prop_assert!(!said.contains(&stop[0]), "{said:?} {stop:?}");
            prop_assert!(text.starts_with(&said));
            match text.find(&stop[0]) {
                Some(found) if known.reason == StopReason::Stop && known.tokens < 50 => {
                    prop_assert_eq!(said.len(), found);
                }
                _ => {
                    let whole: String = Text::new(seed).take(known.tokens as usize).collect();
                    let end = whole.find(&stop[0]).unwrap_or(whole.len());
                    prop_assert_eq!(said.len(), end);
                }
            }
        }
    }
}
