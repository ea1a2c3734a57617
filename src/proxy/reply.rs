//! From the server to the client: every byte as it came, unless the request asked for the proxy's
//! times. Then the content is the same but for the times in its last line, and the chunks are made
//! anew, one for each stretch of content that came at once, because the last one grows.
//!
//! Nothing here writes. [`Replies::take`] is told what came, and [`Replies::next`] gives what is to
//! be written, each time after a look at the clock, which is the time of the tokens in it.

use super::http::{Body, HeadReader, NotHttp, Part, ReplyHead};
use super::request::{Asked, Exchange};
use super::times::{Answer, LastLine, Step};
use crate::clock::Moment;
use crate::protocol::Api;
use crate::protocol::wire::PassedOn;
use std::collections::VecDeque;

/// The replies of a connection.
#[derive(Debug)]
pub struct Replies {
    place: Place,
    reader: HeadReader,
    waiting: Waiting,
    times: PassedOn,
}

/// Where in the replies of a connection one is.
#[derive(Debug)]
enum Place {
    Head,
    /// A reply that is passed on as it comes.
    Plain(Body),
    /// An answer that takes the times.
    Timed(Box<Timed>),
    /// Nobody knows: what comes is not HTTP/1, and is passed on as it comes.
    Lost,
}

/// An answer that takes the times.
#[derive(Debug)]
struct Timed {
    body: Body,
    answer: Answer,
    content: Content,
}

/// Whether an answer's content is here to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Coming,
    Whole,
}

/// What is to be written.
#[derive(Debug)]
enum Writing {
    /// Nothing: from here on the times are those of an answer to a request that was there then.
    Begin(Moment),
    /// Bytes, and how many tokens are complete with them.
    Bytes(Vec<u8>, usize),
    Last(LastLine),
}

impl Replies {
    /// Those of a new connection.
    pub fn new() -> Self {
        Self {
            place: Place::Head,
            reader: HeadReader::default(),
            waiting: Waiting::default(),
            times: PassedOn::default(),
        }
    }

    /// Takes what came from the server.
    pub fn take(&mut self, mut bytes: &[u8], exchange: &Exchange) {
        while !bytes.is_empty() {
            if let Place::Lost = self.place {
                return self.waiting.write(bytes.to_vec(), 0);
            }
            if self.step(&mut bytes, exchange).is_err() {
                self.let_go();
                self.place = Place::Lost;
                exchange.unread.set(true);
            }
        }
    }

    /// The server has closed its side.
    pub fn closed(&mut self) {
        if let Place::Timed(timed) = &mut self.place
            && timed.body == Body::UntilClose
        {
            timed.finish(&mut self.waiting);
            self.waiting.write(LAST_CHUNK.to_vec(), 0);
            self.place = Place::Head;
        }
        self.let_go();
    }

    /// What is to be written next, and written at once: `now` has just been looked at for it.
    pub fn next(&mut self, mut now: impl FnMut() -> Moment) -> Option<Vec<u8>> {
        loop {
            match self.waiting.0.pop_front()? {
                Writing::Begin(received) => {
                    self.times = PassedOn {
                        received: received.0,
                        ..PassedOn::default()
                    };
                }
                Writing::Bytes(bytes, tokens) => {
                    self.note(tokens, now());
                    return Some(bytes);
                }
                Writing::Last(last) => {
                    let at = now();
                    self.note(last.tokens, at);
                    self.times.done = self.since_received(at);
                    // Numbers in JSON can't fail; and if they did, the line would still be one.
                    let times = serde_json::to_vec(&self.times).unwrap_or_else(|_| b"null".into());
                    let mut bytes = chunk(&last.with(&times));
                    while let Some(Writing::Bytes(_, 0)) = self.waiting.0.front()
                        && let Some(Writing::Bytes(more, _)) = self.waiting.0.pop_front()
                    {
                        bytes.extend(more);
                    }
                    return Some(bytes);
                }
            }
        }
    }

    fn note(&mut self, tokens: usize, at: Moment) {
        if tokens > 0 {
            let at = self.since_received(at);
            self.times.sent.extend(std::iter::repeat_n(at, tokens));
        }
    }

    fn since_received(&self, at: Moment) -> u64 {
        at.0.saturating_sub(self.times.received)
    }

    fn step(&mut self, bytes: &mut &[u8], exchange: &Exchange) -> Result<(), NotHttp> {
        match &mut self.place {
            Place::Head => {
                if let Some(head) = self.reader.take(bytes)? {
                    let begun = self.begin(&head, exchange);
                    if begun.is_err() {
                        self.waiting.write(head, 0);
                    }
                    return begun;
                }
            }
            Place::Plain(body) => {
                let (taken, _) = body.next(bytes)?;
                self.waiting.write(bytes[taken.clone()].to_vec(), 0);
                *bytes = &bytes[taken.end..];
                if *body == Body::Ended {
                    self.place = Place::Head;
                }
            }
            Place::Timed(timed) => {
                timed.step(bytes, &mut self.waiting)?;
                if timed.body == Body::Ended {
                    self.place = Place::Head;
                }
            }
            Place::Lost => {}
        }
        Ok(())
    }

    /// Begins the reply with this head.
    fn begin(&mut self, head: &[u8], exchange: &Exchange) -> Result<(), NotHttp> {
        let parsed = ReplyHead::read(head)?;
        let body = parsed.body()?;
        if parsed.is_interim() {
            self.waiting.write(head.to_vec(), 0);
            return Ok(());
        }
        if parsed.switches() {
            return Err(NotHttp);
        }
        let asked = exchange.asked.borrow_mut().pop_front();
        let head_only = asked.as_ref().is_some_and(|asked| asked.head_only);
        let timed = asked.as_ref().and_then(|asked| api_to_time(asked, &parsed));
        self.place = match (timed, asked, body) {
            _ if head_only => {
                self.waiting.write(head.to_vec(), 0);
                Place::Head
            }
            (_, _, Body::Ended) => {
                self.waiting.write(head.to_vec(), 0);
                Place::Head
            }
            (Some(api), Some(asked), body) => {
                self.waiting.0.push_back(Writing::Begin(asked.received));
                self.waiting.write(in_chunks(head, &body), 0);
                Place::Timed(Box::new(Timed {
                    body,
                    answer: Answer::new(api),
                    content: Content::Coming,
                }))
            }
            (_, _, body) => {
                self.waiting.write(head.to_vec(), 0);
                Place::Plain(body)
            }
        };
        Ok(())
    }

    /// Lets go of what was kept back: of a head or an answer that is not read any further.
    fn let_go(&mut self) {
        let gathered = self.reader.gathered();
        self.waiting.write(gathered, 0);
        if let Place::Timed(timed) = &mut self.place {
            let held = timed.answer.broken_off();
            self.waiting.write_chunk(&held, 0);
        }
    }
}

impl Timed {
    fn step(&mut self, bytes: &mut &[u8], waiting: &mut Waiting) -> Result<(), NotHttp> {
        let (taken, part) = self.body.next(bytes)?;
        let (taken, rest) = bytes.split_at(taken.end);
        *bytes = rest;
        match part {
            Part::Framing => {}
            Part::Content => {
                self.answer.take(taken, |step| waiting.step(step));
                if self.body == Body::Ended {
                    self.finish(waiting);
                    waiting.write(LAST_CHUNK.to_vec(), 0);
                }
            }
            Part::Trailer => {
                if self.content == Content::Coming {
                    self.finish(waiting);
                    waiting.write(b"0\r\n".to_vec(), 0);
                }
                waiting.write(taken.to_vec(), 0);
            }
        }
        Ok(())
    }

    fn finish(&mut self, waiting: &mut Waiting) {
        self.content = Content::Whole;
        self.answer.finish(|step| waiting.step(step));
    }
}

/// What is to be written, in order.
#[derive(Debug, Default)]
struct Waiting(VecDeque<Writing>);

impl Waiting {
    fn step(&mut self, step: Step) {
        match step {
            Step::Content(content, tokens) => self.write_chunk(&content, tokens),
            Step::Last(last) => self.0.push_back(Writing::Last(last)),
        }
    }

    fn write_chunk(&mut self, content: &[u8], tokens: usize) {
        let chunk = match content {
            [] => Vec::new(), // an empty one would end the body
            content => chunk(content),
        };
        self.write(chunk, tokens);
    }

    /// What came at once is written at once.
    fn write(&mut self, bytes: Vec<u8>, tokens: usize) {
        if bytes.is_empty() && tokens == 0 {
            return;
        }
        match self.0.back_mut() {
            Some(Writing::Bytes(before, count)) => {
                before.extend(bytes);
                *count += tokens;
            }
            _ => self.0.push_back(Writing::Bytes(bytes, tokens)),
        }
    }
}

/// What ends a body in chunks.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

fn chunk(content: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", content.len());
    [size.as_bytes(), content, b"\r\n"].concat()
}

/// The API of an answer that takes the times.
fn api_to_time(asked: &Asked, head: &ReplyHead<'_>) -> Option<Api> {
    let api = asked.times?;
    let content_type = head.header("content-type").unwrap_or_default();
    let bare = content_type.split(|&byte| byte == b';').next()?;
    let bare = std::str::from_utf8(bare).ok()?.trim().to_ascii_lowercase();
    let readable = head.minor == 1
        && head.status == 200
        && head.header("content-encoding").is_none()
        && api.answers_as(&bare);
    readable.then_some(api)
}

/// The head of an answer whose body comes in chunks, whatever it came in.
fn in_chunks(head: &[u8], body: &Body) -> Vec<u8> {
    if let Body::Chunked(_) = body {
        return head.to_vec();
    }
    const SIZE: &[u8] = b"content-length:";
    let is_size = |line: &[u8]| {
        let name = line.get(..SIZE.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(SIZE))
    };
    let lines = head.split_inclusive(|&byte| byte == b'\n');
    let kept = lines.filter(|line| !is_size(line) && !line.trim_ascii().is_empty());
    let mut head = kept.collect::<Vec<_>>().concat();
    head.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: Moment = Moment(1_000);

    fn asked(times: Option<Api>) -> Asked {
        Asked {
            head_only: false,
            times,
            received: RECEIVED,
        }
    }

    /// What the client receives of these pieces, a write each, where the clock advances by 10 with
    /// each look at it.
    fn writes(asked: Vec<Asked>, pieces: &[&[u8]]) -> (Vec<String>, Exchange) {
        let (mut replies, exchange) = (Replies::new(), Exchange::default());
        exchange.asked.replace(asked.into());
        let mut writes = Vec::new();
        let mut time = RECEIVED.0;
        let mut write = |replies: &mut Replies| {
            while let Some(bytes) = replies.next(|| {
                time += 10;
                Moment(time)
            }) {
                writes.push(String::from_utf8(bytes).expect("text"));
            }
        };
        for piece in pieces {
            replies.take(piece, &exchange);
            write(&mut replies);
        }
        replies.closed();
        write(&mut replies);
        (writes, exchange)
    }

    const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    const FIRST: &str = "21\r\n{\"response\":\"a\",\"done\":false   }\n\r\n";
    const LAST: &str = "e\r\n{\"done\":true}\n\r\n";

    #[test]
    fn an_answer_takes_the_times_of_its_tokens() {
        let first = format!("{STREAM}{FIRST}");
        let last = format!("{FIRST}{LAST}0\r\n\r\n");
        let (writes, _) = writes(
            vec![asked(Some(Api::Generate))],
            &[first.as_bytes(), last.as_bytes()],
        );
        let told = r#"{"done":true,"tare_proxy":{"received":1000,"sent":[10,20],"done":30}}"#;
        assert_eq!(
            writes,
            [
                first.clone(),
                FIRST.to_owned(),
                format!("{:x}\r\n{told}\n\r\n0\r\n\r\n", told.len() + 1)
            ]
        );
    }

    #[test]
    fn an_answer_of_known_size_comes_in_chunks_when_it_takes_the_times() {
        let body = r#"{"response":"a","done":true}"#;
        for size in [format!("Content-Length: {}\r\n", body.len()), String::new()] {
            let head = format!(
                "HTTP/1.1 200 OK\r\n{size}Content-Type: application/json; charset=utf-8\r\n\r\n"
            );
            let whole = format!("{head}{body}");
            let (writes, _) = writes(vec![asked(Some(Api::Generate))], &[whole.as_bytes()]);
            let text = writes.concat();
            let expected = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\n";
            assert!(text.starts_with(expected), "{text}");
            assert!(
                text.contains(r#""done":true"#)
                    && text.contains(r#","tare_proxy":{"received":1000,"sent":[20],"done":20}}"#),
                "{text}"
            );
            assert!(text.ends_with("}\r\n0\r\n\r\n"), "{text}");
        }
    }

    #[test]
    fn every_other_reply_is_passed_on_byte_by_byte() {
        let stream = format!("{STREAM}{FIRST}{LAST}0\r\nX: y\r\n\r\n");
        let not_found = "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        let odd = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nuntil the end";
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let garbage = "SSH-2.0\r\n\r\nx";
        for (times, text) in [
            (None, stream.as_str()),
            (Some(Api::Generate), not_found),
            (Some(Api::Generate), odd),
            (Some(Api::Generate), interim),
            (Some(Api::Generate), garbage),
        ] {
            for at in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(at);
                let (writes, _) = writes(vec![asked(times)], &[head, tail]);
                assert_eq!(writes.concat(), text, "cut at {at}");
            }
        }
    }

    #[test]
    fn replies_that_follow_each_other_take_their_own_times() {
        let timed = format!("{STREAM}{FIRST}{LAST}0\r\n\r\n");
        let text = [
            timed.as_str(),
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
            &timed,
        ]
        .concat();
        let head = Asked {
            head_only: true,
            times: None,
            received: RECEIVED,
        };
        let requests = vec![asked(Some(Api::Generate)), head, asked(Some(Api::Generate))];
        let (writes, exchange) = writes(requests, &[text.as_bytes()]);
        let text = writes.concat();
        assert_eq!(text.matches("\"tare_proxy\"").count(), 2, "{text}");
        assert_eq!(text.matches(r#""sent":["#).count(), 2);
        assert!(text.contains(r#""sent":[10],"done":20}"#), "{text}");
        assert!(exchange.asked.borrow().is_empty());
    }

    #[test]
    fn an_answer_that_breaks_off_has_no_end_and_no_times() {
        let begun = format!("{STREAM}{FIRST}e\r\n{{\"done\":true}}");
        let (writes, _) = writes(vec![asked(Some(Api::Generate))], &[begun.as_bytes()]);
        let text = writes.concat();
        assert!(
            text.ends_with("c\r\n{\"done\":true\r\n1\r\n}\r\n"),
            "{text}"
        );
    }
}
