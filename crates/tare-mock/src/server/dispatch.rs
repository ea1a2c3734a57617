//! From a request to its handler: what comes before, and which handler it is.
//!
//! The order is that of Ollama: Go's server wants a host and a clean path, the router redirects a
//! slash too many, and only then is asked who asks; a request that has no route is asked that too.

use super::account;
use super::form::Dialect;
use super::gate::{self, NoHost, Pass};
use super::images::Painting;
use super::realtime::Arrival;
use super::reply::{self, Reply, object, text};
use super::routes::Server;
use super::socket::Ledger;
use super::table::{self, Found, Handler};
use super::{completions, messages, openai, responses};
use crate::protocol::wire::Version;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, HeaderValue};
use hyper::{Method, Request, StatusCode};
use std::rc::Rc;

/// The Ollama version that the mock stands for.
const VERSION: &str = "0.17.4";
/// What a proxy may have taken off the front of a path.
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

impl Server {
    /// Answers one request, and notes it where there is a log.
    pub async fn answer(&self, mut request: Request<Incoming>, ledger: Rc<Ledger>) -> Reply {
        let Some(log) = &self.log else {
            return self.reply(request, ledger).await;
        };
        let note = log.begin(self.id.0, request.method(), request.uri().path());
        request.extensions_mut().insert(note.clone());
        let reply = self.reply(request, ledger).await;
        note.replied(reply.status(), reply::ending(reply.body()));
        reply
    }

    async fn reply(&self, request: Request<Incoming>, ledger: Rc<Ledger>) -> Reply {
        let arrival = Arrival::now();
        let host = match gate::host(&request) {
            Ok(host) => host,
            Err(NoHost(reason)) => return reply::no_request(reason),
        };
        let raw = request.uri().path();
        if raw == "*" {
            return whole_server(request.method());
        }
        let Some(path) = table::unescaped(raw) else {
            return reply::no_request("400 Bad Request");
        };
        let clean = table::clean(raw);
        if clean != raw {
            return redirected(&request, &clean.replace('%', "%25"), Status::Temporary);
        }
        let found = table::find(request.method().as_str(), &path);
        if let Found::Slash(_) = found {
            let shorter = raw.strip_suffix('/').unwrap_or(raw);
            let status = match *request.method() {
                Method::GET => Status::Permanent,
                _ => Status::Temporary,
            };
            return redirected(&request, &forwarded(&request, shorter), status);
        }
        let passed = gate::pass(&request, &host, self.address);
        let (pass, mut reply) = match (passed, found) {
            (Err(reply), Found::Method(allowed)) => (Pass::default(), allowing(*reply, &allowed)),
            (Err(reply), _) => (Pass::default(), *reply),
            (Ok(pass), Found::Route(handler, open)) => {
                let reply = self.handle(handler, open, request, arrival, ledger).await;
                (pass, reply)
            }
            (Ok(pass), Found::Method(allowed)) => {
                let refusal =
                    reply::plain(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed");
                (pass, allowing(refusal, &allowed))
            }
            (Ok(pass), Found::Slash(_) | Found::Nothing) => (
                pass,
                reply::plain(StatusCode::NOT_FOUND, "404 page not found"),
            ),
        };
        pass.mark(reply.headers_mut());
        reply
    }

    /// Answers a request by its handler; `open` is the part of the path that its route leaves open.
    async fn handle(
        &self,
        handler: Handler,
        open: &str,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Reply {
        let outcome = match handler {
            Handler::Root => Ok(text(StatusCode::OK, "Ollama is running")),
            Handler::Version => Ok(object(&Version {
                version: VERSION.to_owned(),
            })),
            Handler::Tags => Ok(object(&self.tags())),
            Handler::Running => Ok(object(&self.running())),
            Handler::Show => self.show(request).await,
            Handler::OpenAiModels => Ok(self.models()),
            Handler::OpenAiModel => Ok(self.model(open)),
            Handler::Generate => self.generate(request, arrival, ledger).await,
            Handler::Chat => self.chat(request, arrival, ledger).await,
            Handler::ChatCompletions => {
                let dialect = Dialect::ChatCompletion;
                let reply = self.translated(dialect, openai::read, request, arrival, ledger);
                Ok(reply.await)
            }
            Handler::Completions => {
                let dialect = Dialect::Completion;
                let reply = self.translated(dialect, completions::read, request, arrival, ledger);
                Ok(reply.await)
            }
            Handler::Responses => {
                let dialect = Dialect::Response;
                let reply = self.translated(dialect, responses::read, request, arrival, ledger);
                Ok(reply.await)
            }
            Handler::Messages => {
                let dialect = Dialect::Message;
                let reply = self.translated(dialect, messages::read, request, arrival, ledger);
                Ok(reply.await)
            }
            Handler::Embed => self.embed(request, arrival).await,
            Handler::Embeddings => self.embed_one(request, arrival).await,
            Handler::OpenAiEmbeddings => Ok(self.embed_for_openai(request, arrival).await),
            Handler::Images => Ok(self.paint(Painting::New, request).await),
            Handler::ImageEdits => Ok(self.paint(Painting::Edit, request).await),
            Handler::Create => self.create(request).await,
            Handler::Copy => self.copy(request).await,
            Handler::Delete => self.delete(request).await,
            Handler::Pull => self.pull(request).await,
            Handler::Push => self.push(request).await,
            Handler::Upload => self.upload(open, request).await,
            Handler::HasFile => self.has_file(open),
            Handler::Aliases => Ok(self.list_aliases()),
            Handler::SetAlias => self.set_alias(request).await,
            Handler::DeleteAlias => self.delete_alias(request).await,
            Handler::Status => Ok(account::status()),
            Handler::Me => Ok(account::who_am_i()),
            Handler::SignOut => Err(account::sign_out()),
        };
        outcome.unwrap_or_else(|error| reply::refusal(&error))
    }
}

/// What Go's server answers to a request that is for no path.
fn whole_server(method: &Method) -> Reply {
    if method == Method::OPTIONS {
        return reply::empty(StatusCode::OK);
    }
    let mut reply = reply::empty(StatusCode::BAD_REQUEST);
    let close = HeaderValue::from_static("close");
    reply.headers_mut().insert(CONNECTION, close);
    reply
}

fn allowing(mut reply: Reply, methods: &str) -> Reply {
    if let Ok(methods) = HeaderValue::from_str(methods) {
        reply.headers_mut().insert(ALLOW, methods);
    }
    reply
}

/// The path with what a proxy took off its front.
fn forwarded(request: &Request<Incoming>, path: &str) -> String {
    let prefix = request.headers().get(FORWARDED_PREFIX);
    let Some(prefix) = prefix.and_then(|prefix| prefix.to_str().ok()) else {
        return path.to_owned();
    };
    let safe = |character: &char| character.is_ascii_alphanumeric() || "/-".contains(*character);
    let prefix: String = prefix.chars().filter(safe).collect();
    table::clean(&format!("{prefix}/{path}"))
}

/// Whether a client may remember where it was sent.
#[derive(Clone, Copy)]
enum Status {
    Permanent,
    Temporary,
}

/// Sends a client to another path, with its query.
fn redirected(request: &Request<Incoming>, path: &str, status: Status) -> Reply {
    let query = request.uri().query();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let (status, words) = match status {
        Status::Permanent => (StatusCode::MOVED_PERMANENTLY, "Moved Permanently"),
        Status::Temporary => (StatusCode::TEMPORARY_REDIRECT, "Temporary Redirect"),
    };
    let links = matches!(*request.method(), Method::GET | Method::HEAD);
    reply::redirect(status, words, &format!("{path}{query}"), links)
}
