//! Replies as they go to hyper: objects, refusals and streams, and each of them with faults.

use super::fault::{Faulty, Plan};
use super::form::Dialect;
use super::json;
use super::log::Ending;
use super::messages;
use super::openai;
use super::routes::Error;
use super::socket::Ledger;
use super::stream::Stream;
use crate::engine::Refusal;
use crate::protocol::wire::ErrorBody;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::Frame;
use hyper::ext::ReasonPhrase;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::borrow::Cow;
use std::convert::Infallible;
use std::rc::Rc;

/// Ollama gives a length for what its web framework can hold back, and sends longer in chunks.
const LONGEST_SIZED: usize = 2048;
/// What Ollama says where its runner goes away in the middle of an answer.
const RUNNER_GONE: &str = "an error was encountered while running the model: unexpected EOF";

/// A stream as it is, a reply with faults, or anything else.
pub type Body = Either<Stream, Either<Box<Faulty<Stream>>, UnsyncBoxBody<Bytes, Infallible>>>;
pub type Reply = Response<Body>;

/// How a reply of this body ended, all of which is made; `None` where a stream will tell.
pub fn ending(body: &Body) -> Option<Ending> {
    match body {
        Either::Left(_) => None,
        Either::Right(Either::Left(faulty)) => faulty.ending(),
        Either::Right(Either::Right(_)) => Some(Ending::Complete),
    }
}

/// A value as JSON.
pub fn object(value: &impl Serialize) -> Reply {
    with_type(whole(json::bytes(value)), "application/json; charset=utf-8")
}

/// A value as JSON with a newline behind it, as OpenAI's API gives it.
pub fn line(value: &impl Serialize) -> Reply {
    let mut line = json::bytes(value);
    line.push(b'\n');
    with_type(whole(line), "application/json")
}

/// A body in one piece.
pub fn whole(text: Vec<u8>) -> Body {
    if text.len() > LONGEST_SIZED {
        return unsized_body(text);
    }
    Either::Right(Either::Right(Full::new(Bytes::from(text)).boxed_unsync()))
}

/// A body in one chunk, without its length.
fn unsized_body(text: Vec<u8>) -> Body {
    let frame = futures_util::stream::once(async { Ok(Frame::data(Bytes::from(text))) });
    Either::Right(Either::Right(BodyExt::boxed_unsync(StreamBody::new(frame))))
}

/// A body of several pieces, each a chunk.
pub fn in_chunks(pieces: Vec<Vec<u8>>) -> Body {
    let frames = pieces
        .into_iter()
        .map(|piece| Ok(Frame::data(Bytes::from(piece))));
    let frames = futures_util::stream::iter(frames);
    Either::Right(Either::Right(BodyExt::boxed_unsync(StreamBody::new(
        frames,
    ))))
}

/// Plain text.
pub fn text(status: StatusCode, text: &'static str) -> Reply {
    let body = Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync();
    let body = Either::Right(Either::Right(body));
    let mut reply = with_type(body, "text/plain; charset=utf-8");
    *reply.status_mut() = status;
    reply
}

/// Plain text, without a charset.
pub fn plain(status: StatusCode, text: &'static str) -> Reply {
    let mut reply = self::text(status, text);
    let plain = HeaderValue::from_static("text/plain");
    reply.headers_mut().insert(CONTENT_TYPE, plain);
    reply
}

/// A reply without a body.
pub fn empty(status: StatusCode) -> Reply {
    let body = Either::Right(Either::Right(Full::default().boxed_unsync()));
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply
}

/// What Go's server says to what it does not take for a request, with the reason in the status line
/// too.
pub fn no_request(reason: &'static str) -> Reply {
    let mut reply = text(StatusCode::BAD_REQUEST, reason);
    let words = reason.strip_prefix("400 ").unwrap_or(reason);
    reply
        .extensions_mut()
        .insert(ReasonPhrase::from_static(words.as_bytes()));
    let close = HeaderValue::from_static("close");
    reply.headers_mut().insert(CONNECTION, close);
    reply
}

/// Sends a client elsewhere. Only where it `links` does the reply have a body.
pub fn redirect(status: StatusCode, words: &str, location: &str, links: bool) -> Reply {
    let mut reply = empty(status);
    if links {
        let escaped = location.replace('&', "&amp;").replace('"', "&#34;");
        let escaped = escaped.replace('\'', "&#39;");
        let escaped = escaped.replace('<', "&lt;").replace('>', "&gt;");
        let body = format!("<a href=\"{escaped}\">{words}</a>.\n\n");
        reply = with_type(whole(body.into_bytes()), "text/html; charset=utf-8");
        *reply.status_mut() = status;
    }
    if let Ok(location) = HeaderValue::from_str(location) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

pub fn with_type(body: Body, content_type: &'static str) -> Reply {
    let mut reply = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// An error in Ollama's form.
pub fn refusal(Error(status, message): &Error) -> Reply {
    let error = Cow::Borrowed(&**message);
    let mut reply = object(&ErrorBody { error });
    *reply.status_mut() = *status;
    reply
}

/// An error that a translation finds by itself, in the form of what it translates from.
pub fn early_refusal(dialect: Dialect, error: &Error) -> Reply {
    let body = match dialect {
        Dialect::Ollama(_) => return refusal(error),
        Dialect::ChatCompletion | Dialect::Completion | Dialect::Response => {
            openai::early_error(error)
        }
        Dialect::Message => messages::error(error),
    };
    let mut reply = with_type(whole(body), "application/json; charset=utf-8");
    *reply.status_mut() = error.0;
    reply
}

/// An error of the API itself, in the form that the request is answered in.
pub fn refused(dialect: Dialect, error: &Error) -> Reply {
    if let Dialect::Ollama(_) = dialect {
        return refusal(error);
    }
    let mut reply = with_type(whole(error_body(dialect, error)), "application/json");
    *reply.status_mut() = error.0;
    reply
}

/// The same for an error that comes when a stream was to begin.
pub fn refused_stream(dialect: Dialect, error: &Error) -> Reply {
    let body = unsized_body(error_body(dialect, error));
    let mut reply = with_type(body, "application/json");
    *reply.status_mut() = error.0;
    reply
}

/// An error's body. Ollama's own has no newline at its end.
fn error_body(dialect: Dialect, error: &Error) -> Vec<u8> {
    match dialect {
        Dialect::Ollama(_) => json::bytes(&ErrorBody {
            error: Cow::Borrowed(&*error.1),
        }),
        Dialect::ChatCompletion | Dialect::Completion | Dialect::Response => openai::error(error),
        Dialect::Message => {
            let mut body = messages::error(error);
            body.push(b'\n');
            body
        }
    }
}

/// The reply with the further headers that a stream has, whatever came of it.
pub fn with_stream_headers(dialect: Dialect, streams: bool, mut reply: Reply) -> Reply {
    if streams && matches!(dialect, Dialect::Response | Dialect::Message) {
        let headers = reply.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    }
    reply
}

/// The error that a fault wants instead of a reply, in Ollama's words where it has some for this
/// status, and else in HTTP's.
pub fn struck(dialect: Dialect, status: StatusCode, model: &str) -> Reply {
    let error = match status.as_u16() {
        404 => Error(status, format!("model '{model}' not found").into()),
        499 => Error(status, "request canceled".into()),
        500 => Error(
            status,
            "llama runner process has terminated: exit status 2".into(),
        ),
        503 => Refusal::Busy.into(),
        _ => {
            let words = status.canonical_reason().unwrap_or("error");
            Error(status, words.to_lowercase().into())
        }
    };
    refused(dialect, &error)
}

/// A stream, with what a plan does to it.
pub fn streamed(
    dialect: Dialect,
    stream: Stream,
    plan: Option<&Plan>,
    ledger: Rc<Ledger>,
) -> Reply {
    let body = match plan.filter(|plan| !plan.spares_lines()) {
        None => Either::Left(stream),
        Some(plan) => {
            let message = plan.error().flatten().unwrap_or(RUNNER_GONE);
            let error = error_line(dialect, message);
            let faulty = Faulty::stream(stream, plan, error, ledger);
            Either::Right(Either::Left(Box::new(faulty)))
        }
    };
    with_type(body, dialect.stream_type())
}

/// A reply in one piece, with what a plan does to it.
pub fn in_one_piece(
    dialect: Dialect,
    mut object: Vec<u8>,
    plan: Option<&Plan>,
    ledger: Rc<Ledger>,
) -> Reply {
    let Some(plan) = plan else {
        return with_type(whole(object), dialect.whole_type());
    };
    if let Some(message) = plan.error() {
        let message = message.unwrap_or(RUNNER_GONE).to_owned().into();
        return refused(dialect, &Error(StatusCode::INTERNAL_SERVER_ERROR, message));
    }
    plan.lines.change_whole(&mut object);
    let body = if plan.breaks_off() {
        let faulty = Faulty::whole(object, plan, ledger);
        Either::Right(Either::Left(Box::new(faulty)))
    } else {
        whole(object)
    };
    with_type(body, dialect.whole_type())
}

/// The reply with the content type that a fault wants.
pub fn typed_by(plan: &Plan, mut reply: Reply) -> Reply {
    if let Some(content_type) = &plan.content_type {
        let headers = reply.headers_mut();
        headers.insert(CONTENT_TYPE, content_type.clone());
    }
    reply
}

/// An error as a stream says it.
fn error_line(dialect: Dialect, message: &str) -> Vec<u8> {
    let message = message.to_owned().into();
    let error = Error(StatusCode::INTERNAL_SERVER_ERROR, message);
    let body = error_body(dialect, &error);
    match dialect {
        Dialect::Ollama(_) => [&*body, b"\n"].concat(),
        // It ends its own line; an event ends with an empty one.
        Dialect::ChatCompletion | Dialect::Completion | Dialect::Response => {
            [b"data: ", &*body, b"\n"].concat()
        }
        Dialect::Message => [b"event: error\ndata: ", &*body, b"\n"].concat(),
    }
}
