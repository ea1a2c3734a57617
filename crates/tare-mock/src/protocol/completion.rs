//! The decoder of `/v1/chat/completions`: OpenAI's chunks, as llama.cpp, vLLM, LM Studio and Ollama
//! send them, or the whole reply in one object.
//!
//! What a chunk has beside its text is skipped, and its text is borrowed from it. The account of the
//! reply is put together from wherever a server states it: `finish_reason` and `usage`, which OpenAI
//! defines, and `timings`, which only llama.cpp has. A reply is complete with `[DONE]`, or with its
//! end after a `finish_reason`.

use super::decoder::{DecodeError, Decoder, Event, carry, read};
use super::failure::Failure;
use super::sse::{Events, Field};
use super::timings::Timings;
use super::wire::{Final, PassedOn, Truth};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A chunk, or a whole reply.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default, deserialize_with = "first")]
    choices: Option<Choice<'a>>,
    usage: Option<Usage>,
    timings: Option<Timings>,
    error: Option<Failure>,
    /// Where vLLM's older releases put the words of an error.
    #[serde(borrow, default)]
    message: Text<'a>,
    tare_truth: Option<Box<Truth>>,
    tare_proxy: Option<Box<PassedOn>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Said<'a>>,
    #[serde(borrow)]
    message: Option<Said<'a>>,
    #[serde(borrow, default)]
    finish_reason: Text<'a>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    content: Text<'a>,
    /// llama.cpp's name, vLLM's older one, and LM Studio's.
    #[serde(borrow, default)]
    reasoning_content: Text<'a>,
    /// vLLM's and Ollama's name.
    #[serde(borrow, default)]
    reasoning: Text<'a>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// A text that may be null. It is borrowed where nothing in it is escaped; serde would copy an
/// `Option<Cow<str>>`.
#[derive(Debug, Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;
        impl<'de> Visitor<'de> for AsText {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or null")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(AsText)
    }
}

/// The first of a list that may be null: nobody here asks for several choices.
fn first<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Choice<'de>>, D::Error> {
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = Option<Choice<'de>>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of choices or null")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let first = list.next_element()?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(First)
}

/// The decoder of one reply of `/v1/chat/completions`, streamed or not.
#[derive(Debug, Default)]
pub struct Completion {
    form: Form,
    events: Events,
    /// What there is of a reply in one object.
    object: Vec<u8>,
    account: Account,
}

/// The form of a reply, which its first byte tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Form {
    #[default]
    Untold,
    Events,
    Object,
}

impl Decoder for Completion {
    fn feed(
        &mut self,
        mut piece: &[u8],
        mut sink: impl FnMut(Event<'_>),
    ) -> Result<(), DecodeError> {
        if self.form == Form::Untold {
            let line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
            let Some(begin) = piece.iter().position(|byte| !line_end(byte)) else {
                return Ok(());
            };
            piece = &piece[begin..];
            self.form = match piece[0] {
                b'{' => Form::Object,
                _ => Form::Events,
            };
        }
        let Self {
            events, account, ..
        } = self;
        match self.form {
            Form::Object => carry(&mut self.object, piece),
            _ => events.feed(piece, |field| account.hear(field, &mut sink)),
        }
    }

    fn finish(&mut self, mut sink: impl FnMut(Event<'_>)) -> Result<(), DecodeError> {
        let Self {
            events, account, ..
        } = self;
        match self.form {
            Form::Untold => Ok(()),
            Form::Events => {
                events.finish(|field| account.hear(field, &mut sink))?;
                if account.progress == Progress::Finished {
                    account.end(&mut sink);
                }
                Ok(())
            }
            Form::Object => {
                let chunk: Chunk<'_> = read(&self.object)?;
                let choice = chunk.choices.as_ref();
                let whole = choice.is_some_and(|choice| choice.message.is_some());
                account.note(chunk, |choice| choice.message.take(), &mut sink);
                if whole && account.progress != Progress::Ended {
                    account.end(&mut sink);
                }
                Ok(())
            }
        }
    }
}

/// What a reply has stated so far.
#[derive(Debug, Default)]
struct Account {
    progress: Progress,
    done_reason: Option<String>,
    usage: Option<Usage>,
    timings: Option<Timings>,
    truth: Option<Box<Truth>>,
    passed_on: Option<Box<PassedOn>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Progress {
    #[default]
    Speaking,
    /// A reason was given; the account may follow.
    Finished,
    /// Whatever follows is ignored.
    Ended,
}

impl Account {
    fn hear(
        &mut self,
        field: Field<'_>,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DecodeError> {
        let data = match field {
            _ if self.progress == Progress::Ended => return Ok(()),
            Field::Error(words) => {
                self.fail(read(words)?, sink);
                return Ok(());
            }
            Field::Data(data) => data.trim_ascii(),
        };
        match data {
            b"" => {}
            b"[DONE]" => self.end(sink),
            _ => self.note(read(data)?, |choice| choice.delta.take(), sink),
        }
        Ok(())
    }

    /// Takes a chunk, in whose choice `part` finds what is said.
    fn note<'a>(
        &mut self,
        chunk: Chunk<'a>,
        part: impl Fn(&mut Choice<'a>) -> Option<Said<'a>>,
        sink: &mut impl FnMut(Event<'_>),
    ) {
        if let Some(failure) = chunk.error {
            return self.fail(failure, sink);
        }
        if let Some(mut choice) = chunk.choices {
            if let Some(said) = part(&mut choice) {
                // A server that goes over from one name to the other sends both.
                let thoughts = [&said.reasoning_content, &said.reasoning];
                if let Some(Text(text)) = thoughts.into_iter().find(|text| !text.0.is_empty()) {
                    sink(Event::Thinking(text));
                }
                if !said.content.0.is_empty() {
                    sink(Event::Token(&said.content.0));
                }
            }
            if !choice.finish_reason.0.is_empty() {
                self.done_reason = Some(choice.finish_reason.0.into_owned());
                self.progress = Progress::Finished;
            }
        } else if !chunk.message.0.is_empty() {
            return self.fail(Failure::Text(chunk.message.0.into_owned()), sink);
        }
        self.usage = chunk.usage.or(self.usage);
        self.timings = chunk.timings.or(self.timings);
        self.truth = chunk.tare_truth.or(self.truth.take());
        self.passed_on = chunk.tare_proxy.or(self.passed_on.take());
    }

    fn fail(&mut self, failure: Failure, sink: &mut impl FnMut(Event<'_>)) {
        self.progress = Progress::Ended;
        sink(Event::Error(&failure.words()));
    }

    fn end(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        self.progress = Progress::Ended;
        sink(Event::Done(Box::new(self.last())));
    }

    /// The account in Ollama's words: a figure that no one stated is zero, as there.
    fn last(&mut self) -> Final {
        let mut last = Final {
            done_reason: self.done_reason.take().map(Cow::Owned),
            timings: self.timings,
            tare_truth: self.truth.take().map(|truth| *truth),
            tare_proxy: self.passed_on.take().map(|times| *times),
            ..Final::default()
        };
        if let Some(timings) = self.timings {
            last.prompt_eval_count = timings.prompt_tokens();
            last.eval_count = timings.predicted_tokens();
            last.prompt_eval_duration = timings.prompt_ns().unwrap_or_default();
            last.eval_duration = timings.predicted_ns().unwrap_or_default();
            last.total_duration = timings.total_ns().unwrap_or_default();
        }
        if let Some(usage) = self.usage {
            last.prompt_eval_count = usage.prompt_tokens;
            last.eval_count = usage.completion_tokens;
        }
        last
    }
}

#[cfg(test)]
mod tests;
