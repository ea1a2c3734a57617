//! The times of one answer: which bytes complete which token, and where the times themselves go.
//!
//! The answer's content comes in stretches of any size; it leaves as [`Step`]s. A decoder says how
//! many tokens are complete with a step, and whoever writes it notes the time. The last line is a
//! step of its own, so that all tokens before it are written, and their times known, when the times
//! are put into it: as a field of Ollama's last line or of an answer in one object, and as an event
//! of its own before `[DONE]`. For that the bytes that may turn out to be the end of the last line,
//! a closing brace or the beginning of `data: [DONE]`, are kept back until the next byte tells. No
//! token is ever complete with them alone, unless the answer ends there.

use crate::protocol::{Api, Completion, DecodeError, Decoder, Event, Ndjson};

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Content as it came, and how many tokens are complete with it.
    Content(Vec<u8>, usize),
    /// The last line.
    Last(LastLine),
}

/// The last line, which takes the times.
#[derive(Debug, PartialEq, Eq)]
pub struct LastLine {
    before: Vec<u8>,
    after: Vec<u8>,
    form: Form,
    /// How many tokens are complete with it.
    pub tokens: usize,
}

/// Where the times are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Into an object, after another field.
    Field,
    /// Between events.
    Event,
}

impl LastLine {
    /// The line with the times, which are JSON, in their place.
    pub fn with(self, times: &[u8]) -> Vec<u8> {
        let (open, close): (&[u8], &[u8]) = match self.form {
            Form::Field => (b",\"tare_proxy\":", b""),
            Form::Event => (b"data: {\"choices\":[],\"tare_proxy\":", b"}\n\n"),
        };
        [&self.before, open, times, close, &self.after].concat()
    }
}

/// The decoder of an answer.
#[derive(Debug)]
enum Reader {
    Lines(Ndjson),
    Completion(Box<Completion>),
}

/// What a decoder said of some bytes.
#[derive(Debug, Default)]
struct TranscriptEntry {
    tokens: usize,
    done: bool,
}

impl Reader {
    fn feed(&mut self, bytes: &[u8]) -> Result<TranscriptEntry, DecodeError> {
        let mut said = TranscriptEntry::default();
        let fed = match self {
            Reader::Lines(lines) => lines.feed(bytes, |event| said.note(&event)),
            Reader::Completion(completion) => completion.feed(bytes, |event| said.note(&event)),
        };
        fed.map(|()| said)
    }

    fn finish(&mut self) -> Result<TranscriptEntry, DecodeError> {
        let mut said = TranscriptEntry::default();
        let ended = match self {
            Reader::Lines(lines) => lines.finish(|event| said.note(&event)),
            Reader::Completion(completion) => completion.finish(|event| said.note(&event)),
        };
        ended.map(|()| said)
    }
}

impl TranscriptEntry {
    fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Token(_) => self.tokens += 1,
            Event::Done(_) => self.done = true,
            Event::Thinking(_) | Event::Error(_) => {}
        }
    }
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A JSON object a line.
    Lines,
    /// One object, which may have several lines.
    Object,
    /// Server-sent events.
    Events,
}

/// How far an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Speaking,
    /// The times have their place, or there is none: all else is passed on.
    Told,
}

/// The content of one answer.
#[derive(Debug)]
pub struct Answer {
    reader: Reader,
    /// `None` until the first byte tells.
    shape: Option<Shape>,
    progress: Progress,
    /// The end of what has come: it was decoded, but is kept back.
    held: Vec<u8>,
    /// Whether a part of the line that is under way has been passed on.
    line_begun: bool,
}

impl Answer {
    /// An answer over this API.
    pub fn new(api: Api) -> Self {
        let (reader, shape) = match api {
            Api::Generate | Api::Raw | Api::Chat => {
                (Reader::Lines(Ndjson::default()), Some(Shape::Lines))
            }
            Api::OpenAi => (Reader::Completion(Box::default()), None),
        };
        Self {
            reader,
            shape,
            progress: Progress::Speaking,
            held: Vec::new(),
            line_begun: false,
        }
    }

    /// Takes the next stretch of content and tells `sink` what is to be written, in order.
    pub fn take(&mut self, content: &[u8], mut sink: impl FnMut(Step)) {
        let shape = match self.shape {
            Some(shape) if self.progress == Progress::Speaking => shape,
            None if let Some(shape) = shape_of(content) => *self.shape.insert(shape),
            _ => return sink(Step::Content(content.to_vec(), 0)),
        };
        let decoded = self.held.len();
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(content);
        let taken = match shape {
            Shape::Object => self.object(&text, decoded, &mut sink),
            Shape::Lines | Shape::Events => self.lines(shape, &text, decoded, &mut sink),
        };
        // What can't be decoded has no times, but is passed on all the same.
        if taken.is_err() {
            self.progress = Progress::Told;
            sink(Step::Content(text, 0));
        }
    }

    /// Takes more of one object. `text` was decoded up to `decoded`, as in [`Answer::lines`].
    fn object(
        &mut self,
        text: &[u8],
        decoded: usize,
        sink: &mut impl FnMut(Step),
    ) -> Result<(), DecodeError> {
        let tokens = self.reader.feed(&text[decoded..])?.tokens;
        let (now, later) = text.split_at(text.len() - closing(text));
        self.held = later.to_vec();
        pass(now, tokens, sink);
        Ok(())
    }

    /// Takes more lines. Nothing is told to `sink` before an error.
    fn lines(
        &mut self,
        shape: Shape,
        text: &[u8],
        decoded: usize,
        sink: &mut impl FnMut(Step),
    ) -> Result<(), DecodeError> {
        let (mut line, mut tokens) = (0, 0);
        while let Some(length) = memchr::memchr(b'\n', &text[line..]) {
            let end = line + length + 1;
            if shape == Shape::Events && !self.line_begun && is_done(&text[line..end]) {
                self.tell(text, tokens, (line, line), Form::Event, 0, sink);
                return Ok(());
            }
            let said = self.reader.feed(&text[decoded.max(line)..end])?;
            if said.done
                && shape == Shape::Lines
                && let Some(brace) = memchr::memrchr(b'}', &text[line..end])
            {
                let place = (line, line + brace);
                self.tell(text, tokens, place, Form::Field, said.tokens, sink);
                return Ok(());
            }
            tokens += said.tokens;
            line = end;
            self.line_begun = false;
        }
        tokens += self.reader.feed(&text[decoded.max(line)..])?.tokens;
        let under_way = &text[line..];
        let kept = match shape {
            Shape::Events if self.line_begun || !may_be_done(under_way) => 0,
            Shape::Events => under_way.len(),
            Shape::Lines | Shape::Object => closing(under_way),
        };
        let (now, later) = text.split_at(text.len() - kept);
        self.line_begun |= now.len() > line;
        self.held = later.to_vec();
        pass(now, tokens, sink);
        Ok(())
    }

    /// Passes on what comes before the last line, and then that, which begins at the first place and
    /// takes the times at the second.
    fn tell(
        &mut self,
        text: &[u8],
        tokens: usize,
        (line, place): (usize, usize),
        form: Form,
        tokens_of_last: usize,
        sink: &mut impl FnMut(Step),
    ) {
        self.progress = Progress::Told;
        pass(&text[..line], tokens, sink);
        sink(Step::Last(LastLine {
            before: text[line..place].to_vec(),
            after: text[place..].to_vec(),
            form,
            tokens: tokens_of_last,
        }));
    }

    /// Ends the content, which the server ended well.
    pub fn finish(&mut self, mut sink: impl FnMut(Step)) {
        if self.progress == Progress::Told {
            return;
        }
        let held = std::mem::take(&mut self.held);
        let said = self.reader.finish().unwrap_or_default();
        let last = |before: Vec<u8>, form, after| {
            Step::Last(LastLine {
                before,
                after,
                form,
                tokens: said.tokens,
            })
        };
        self.progress = Progress::Told;
        match self.shape {
            Some(Shape::Events) if is_done(&held) => sink(last(Vec::new(), Form::Event, held)),
            Some(Shape::Events) if said.done => {
                // Without `[DONE]`; the event before it may lack its end.
                sink(last([&held[..], b"\n\n"].concat(), Form::Event, Vec::new()));
            }
            Some(Shape::Lines | Shape::Object) if said.done && !held.is_empty() => {
                sink(last(Vec::new(), Form::Field, held));
            }
            _ => pass(&held, said.tokens, &mut sink),
        }
    }

    /// What is kept back of content that broke off.
    pub fn broken_off(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn pass(content: &[u8], tokens: usize, sink: &mut impl FnMut(Step)) {
    if !content.is_empty() || tokens > 0 {
        sink(Step::Content(content.to_vec(), tokens));
    }
}

/// What an answer over OpenAI's API is, by its first byte.
fn shape_of(content: &[u8]) -> Option<Shape> {
    let line_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let first = content.iter().find(|byte| !line_end(byte))?;
    Some(match first {
        b'{' => Shape::Object,
        _ => Shape::Events,
    })
}

/// How many bytes from the last closing brace on, if only blanks follow it.
fn closing(text: &[u8]) -> usize {
    let written = text.trim_ascii_end();
    match written.last() {
        Some(b'}') => text.len() - written.len() + 1,
        _ => 0,
    }
}

/// The line that ends a stream of events.
const DONE: [&[u8]; 2] = [b"data: [DONE]", b"data:[DONE]"];

fn is_done(line: &[u8]) -> bool {
    DONE.contains(&line.trim_ascii_end())
}

/// Whether this may become that line.
fn may_be_done(beginning: &[u8]) -> bool {
    !beginning.is_empty()
        && DONE
            .iter()
            .any(|done| done.starts_with(beginning.trim_ascii_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the client receives of an answer in these pieces, with `T` for the times, and how many
    /// tokens were complete with each step.
    fn received<'a>(
        api: Api,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (String, Vec<usize>, bool) {
        let mut answer = Answer::new(api);
        let (mut text, mut tokens, mut told) = (Vec::new(), Vec::new(), false);
        let mut hear = |step| match step {
            Step::Content(content, count) => {
                text.extend(content);
                tokens.push(count);
            }
            Step::Last(last) => {
                assert!(!told, "once");
                told = true;
                tokens.push(last.tokens);
                text.extend(last.with(b"\"T\""));
            }
        };
        for piece in pieces {
            answer.take(piece, &mut hear);
        }
        answer.finish(&mut hear);
        (String::from_utf8(text).expect("text"), tokens, told)
    }

    /// Each answer over its API: as it comes, as it is passed on, and its tokens.
    const ANSWERS: [(Api, &str, &str, usize); 7] = [
        (
            Api::Chat,
            "{\"message\":{\"content\":\"a}\"},\"done\":false}\n{\"message\":{\"content\":\"b\"}}\n{\"done\":true,\"done_reason\":\"stop\"}\n",
            "{\"message\":{\"content\":\"a}\"},\"done\":false}\n{\"message\":{\"content\":\"b\"}}\n{\"done\":true,\"done_reason\":\"stop\",\"tare_proxy\":\"T\"}\n",
            2,
        ),
        (
            Api::Generate,
            "{\"response\":\"all of it\",\"done\":true,\"x\":{}}",
            "{\"response\":\"all of it\",\"done\":true,\"x\":{},\"tare_proxy\":\"T\"}",
            1,
        ),
        (
            Api::OpenAi,
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"tare_proxy\":\"T\"}\n\ndata: [DONE]\n\n",
            1,
        ),
        (
            Api::OpenAi,
            "data:{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata:[DONE]",
            "data:{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata: {\"choices\":[],\"tare_proxy\":\"T\"}\n\ndata:[DONE]",
            1,
        ),
        (
            Api::OpenAi,
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n\ndata: {\"choices\":[],\"tare_proxy\":\"T\"}\n\n",
            1,
        ),
        (
            Api::OpenAi,
            "{\n \"choices\":[\n{\"message\":{\"content\":\"a\"}\n}\n]\n}\n",
            "{\n \"choices\":[\n{\"message\":{\"content\":\"a\"}\n}\n]\n,\"tare_proxy\":\"T\"}\n",
            1,
        ),
        // Nothing that ends an answer: nowhere to put the times.
        (
            Api::Chat,
            "{\"message\":{\"content\":\"a\"}}\n{\"error\":\"no memory\"}\n",
            "{\"message\":{\"content\":\"a\"}}\n{\"error\":\"no memory\"}\n",
            1,
        ),
    ];

    #[test]
    fn the_times_go_into_the_last_line_whatever_the_cut() {
        for (api, text, expected, count) in ANSWERS {
            for at in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(at);
                let (passed, tokens, _) = received(api, [head, tail]);
                assert_eq!(passed, expected, "cut at {at}");
                assert_eq!(tokens.iter().sum::<usize>(), count, "cut at {at}: {text}");
            }
            let (passed, tokens, _) = received(api, text.as_bytes().chunks(1));
            assert_eq!(passed, expected);
            assert_eq!(tokens.iter().sum::<usize>(), count);
        }
    }

    #[test]
    fn tokens_before_the_last_line_are_a_step_before_it() {
        let (api, text, ..) = ANSWERS[0];
        assert_eq!(received(api, [text.as_bytes()]).1, [2, 0]);
        let lines = text.as_bytes().split_inclusive(|&byte| byte == b'\n');
        assert_eq!(received(api, lines).1, [1, 1, 0]);
    }

    #[test]
    fn a_token_is_told_with_the_byte_that_completes_it() {
        let text = ANSWERS[0].1.as_bytes();
        let first = text.iter().position(|&byte| byte == b'\n').expect("a line");
        let mut answer = Answer::new(Api::Chat);
        let mut steps = Vec::new();
        answer.take(&text[..first], |step| steps.push(step));
        // The brace may be the last line's, and waits.
        assert_eq!(steps, [Step::Content(text[..first - 1].to_vec(), 0)]);
        answer.take(b"\n", |step| steps.push(step));
        assert_eq!(steps[1], Step::Content(b"}\n".to_vec(), 1));
    }

    #[test]
    fn what_can_not_be_decoded_is_passed_on_without_times() {
        for (api, text) in [
            (
                Api::Chat,
                "{\"message\":{\"content\":\"a\"}}\n<html>}\nmore }\n",
            ),
            (Api::OpenAi, "data: <html>\n\ndata: [DONE]\n\n"),
            (Api::OpenAi, "\n\n"),
        ] {
            for at in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(at);
                let (passed, _, told) = received(api, [head, tail]);
                assert_eq!((passed.as_str(), told), (text, false), "cut at {at}");
            }
        }
    }

    #[test]
    fn what_is_kept_back_of_an_answer_that_breaks_off_is_not_lost() {
        let mut answer = Answer::new(Api::Chat);
        let mut text = Vec::new();
        answer.take(b"{\"message\":{\"content\":\"a\"}}", |step| match step {
            Step::Content(content, _) => text.extend(content),
            Step::Last(_) => panic!("no last line"),
        });
        text.extend(answer.broken_off());
        assert_eq!(text, b"{\"message\":{\"content\":\"a\"}}");
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_passed_on_in_order(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..40) {
            for api in [Api::Chat, Api::OpenAi] {
                let mut answer = Answer::new(api);
                let mut out = Vec::new();
                let mut hear = |step| match step {
                    Step::Content(content, _) => out.extend(content),
                    Step::Last(last) => out.extend([last.before, last.after].concat()),
                };
                for piece in bytes.chunks(size) {
                    answer.take(piece, &mut hear);
                }
                answer.finish(&mut hear);
                prop_assert_eq!(&out, &bytes);
            }
        }
    }
}
