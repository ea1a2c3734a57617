//! From the client to the server: every byte as it came, but for two lines of each head.
//!
//! The line that asks for the proxy's times is meant for the proxy and goes no further. `Host` is
//! corrected where it names the proxy, because some servers answer by it; any other is passed on as
//! it is, so that a server that refuses hosts which it does not know can do so. A base path that
//! the server has is put in front of what is asked for.

use super::http::{Body, HeadReader, NotHttp, RequestHead};
use crate::client::Endpoint;
use crate::clock::Moment;
use crate::protocol::Api;
use crate::protocol::wire::PROXY_HEADER;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// What is known of a request when its reply comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whether the reply has no body whatever its head says.
    pub head_only: bool,
    /// The API whose answer is to have the times, if they are asked for.
    pub times: Option<Api>,
    /// When the request's head was there.
    pub received: Moment,
}

/// What both directions of a connection share.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The requests that are not answered yet, oldest first.
    pub asked: RefCell<VecDeque<Asked>>,
    /// Whether what the client sends is read no longer, but passed on as it comes: it is not HTTP/1.
    pub unread: Cell<bool>,
}

/// The server, and what the proxy is called by clients.
#[derive(Clone, Debug)]
pub struct Route {
    /// The server.
    pub to: Endpoint,
    /// The names of the proxy in a `Host` line.
    own: [String; 2],
}

impl Route {
    /// From a proxy that listens on `own` to a server.
    pub fn new(own: SocketAddr, to: Endpoint) -> Self {
        Self {
            to,
            own: [own.to_string(), format!("localhost:{}", own.port())],
        }
    }

    fn is_own(&self, host: &[u8]) -> bool {
        self.own.iter().any(|own| own.as_bytes() == host)
    }
}

/// Where in the requests of a connection one is.
#[derive(Debug)]
enum Place {
    Head,
    Body(Body),
}

/// The requests of a connection.
#[derive(Debug)]
pub struct Requests {
    place: Place,
    reader: HeadReader,
    /// Where the last request asked, for an error in the form of its API.
    pub last_target: String,
}

impl Requests {
    /// Those of a new connection.
    pub fn new() -> Self {
        Self {
            place: Place::Head,
            reader: HeadReader::default(),
            last_target: String::new(),
        }
    }

    /// Whether the last request is here to its end.
    pub fn is_whole(&self) -> bool {
        !self.last_target.is_empty() && matches!(self.place, Place::Head)
    }

    /// Takes what came from the client at `now`, and adds to `out` what goes to the server.
    pub fn take(
        &mut self,
        mut bytes: &[u8],
        now: Moment,
        route: &Route,
        exchange: &Exchange,
        out: &mut Vec<u8>,
    ) {
        while !bytes.is_empty() {
            if exchange.unread.get() {
                return out.extend_from_slice(bytes);
            }
            if self.step(&mut bytes, now, route, exchange, out).is_err() {
                exchange.unread.set(true);
                out.append(&mut self.reader.gathered());
            }
        }
    }

    fn step(
        &mut self,
        bytes: &mut &[u8],
        now: Moment,
        route: &Route,
        exchange: &Exchange,
        out: &mut Vec<u8>,
    ) -> Result<(), NotHttp> {
        match &mut self.place {
            Place::Head => {
                let Some(head) = self.reader.take(bytes)? else {
                    return Ok(());
                };
                let understood = RequestHead::read(&head).and_then(|parsed| {
                    let body = parsed.body()?;
                    Ok((parsed, body))
                });
                let Ok((parsed, body)) = understood else {
                    out.extend_from_slice(&head);
                    return Err(NotHttp);
                };
                exchange.asked.borrow_mut().push_back(asked(&parsed, now));
                parsed.target.clone_into(&mut self.last_target);
                write_head(&parsed, route, out);
                self.place = match body {
                    Body::Ended => Place::Head,
                    body => Place::Body(body),
                };
            }
            Place::Body(body) => {
                let (taken, _) = body.next(bytes)?;
                let (taken, rest) = bytes.split_at(taken.end);
                out.extend_from_slice(taken);
                *bytes = rest;
                if *body == Body::Ended {
                    self.place = Place::Head;
                }
            }
        }
        Ok(())
    }
}

fn asked(head: &RequestHead<'_>, received: Moment) -> Asked {
    let (name, value) = PROXY_HEADER;
    let wanted = head.headers.iter().any(|line| {
        // A reply to HTTP/1.0 has no chunks, and a longer last line would not fit into its size.
        line.is(name) && line.value == value.as_bytes() && head.minor == 1
    });
    let path = head.target.split('?').next().unwrap_or_default();
    let api = Api::ALL.into_iter().find(|api| path.ends_with(api.path()));
    Asked {
        head_only: head.method == "HEAD",
        times: api.filter(|_| wanted && head.method == "POST"),
        received,
    }
}

fn write_head(head: &RequestHead<'_>, route: &Route, out: &mut Vec<u8>) {
    let target = match head.target.starts_with('/') {
        true => &route.to.path(head.target),
        false => head.target,
    };
    out.extend_from_slice(format!("{} {target} HTTP/1.{}\r\n", head.method, head.minor).as_bytes());
    for line in &head.headers {
        let value = match line {
            line if line.is(PROXY_HEADER.0) => continue,
            line if line.is("host") && route.is_own(line.value) => route.to.authority().as_bytes(),
            line => line.value,
        };
        out.extend_from_slice(line.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(to: &str) -> Route {
        let own = "127.0.0.1:7000".parse().expect("an address");
        Route::new(own, Endpoint::resolve(to).expect("a URL"))
    }

    /// What goes to the server of these pieces, and what is remembered.
    fn passed(pieces: &[&[u8]], to: &str) -> (String, Vec<Asked>) {
        let (mut requests, exchange) = (Requests::new(), Exchange::default());
        let mut out = Vec::new();
        for (at, piece) in (1..).zip(pieces) {
            requests.take(piece, Moment(at), &route(to), &exchange, &mut out);
        }
        let asked = exchange.asked.take().into();
        (String::from_utf8(out).expect("text"), asked)
    }

    const CHAT: &str = "POST /api/chat?x=1 HTTP/1.1\r\nHost: localhost:7000\r\nX-Tare-Proxy: 1\r\nx-tare-truth: 1\r\nCONTENT-Length:  4\r\n\r\nbody";

    #[test]
    fn a_head_loses_the_proxys_line_and_its_name_and_nothing_else() {
        let (out, asked) = passed(&[CHAT.as_bytes()], "http://127.0.0.1:9/base/");
        assert_eq!(
            out,
            "POST /base/api/chat?x=1 HTTP/1.1\r\nHost: 127.0.0.1:9\r\nx-tare-truth: 1\r\nCONTENT-Length: 4\r\n\r\nbody"
        );
        let expected = Asked {
            head_only: false,
            times: Some(Api::Chat),
            received: Moment(1),
        };
        assert_eq!(asked, [expected]);
    }

    #[test]
    fn a_host_that_is_not_the_proxys_is_passed_on() {
        let (out, _) = passed(
            &[b"GET / HTTP/1.1\r\nhost: evil.example:7000\r\n\r\n"],
            "http://127.0.0.1:9",
        );
        assert!(out.contains("host: evil.example:7000\r\n"), "{out}");
    }

    #[test]
    fn requests_that_follow_each_other_are_each_read_whatever_the_cut() {
        let second = "POST /v1/chat/completions HTTP/1.1\r\nx-tare-proxy: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHEAD / HTTP/1.1\r\n\r\n";
        let text = [CHAT, second].concat();
        let (whole, _) = passed(&[text.as_bytes()], "http://127.0.0.1:9");
        for at in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            let (out, asked) = passed(&[head, tail], "http://127.0.0.1:9");
            assert_eq!(out, whole, "cut at {at}");
            let apis: Vec<_> = asked.iter().map(|asked| asked.times).collect();
            assert_eq!(apis, [Some(Api::Chat), Some(Api::OpenAi), None]);
            assert!(asked[2].head_only);
        }
    }

    #[test]
    fn times_are_for_answers_over_http_1_1_that_ask_for_them() {
        for head in [
            "GET /api/chat HTTP/1.1\r\nx-tare-proxy: 1\r\n\r\n",
            "POST /api/chat HTTP/1.0\r\nx-tare-proxy: 1\r\n\r\n",
            "POST /api/chat HTTP/1.1\r\nx-tare-proxy: 0\r\n\r\n",
            "POST /api/embed HTTP/1.1\r\nx-tare-proxy: 1\r\n\r\n",
        ] {
            let (_, asked) = passed(&[head.as_bytes()], "http://127.0.0.1:9");
            assert_eq!(asked[0].times, None, "{head}");
        }
    }

    #[test]
    fn what_is_no_http_is_passed_on_as_it_is() {
        let text = "\u{1}\u{2}no http\r\n\r\nmore";
        let (out, asked) = passed(
            &[&text.as_bytes()[..4], &text.as_bytes()[4..]],
            "http://127.0.0.1:9",
        );
        assert_eq!((out.as_str(), asked.len()), (text, 0));
    }
}
