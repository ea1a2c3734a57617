//! What all routes share: the server, its errors, and how a request is read.

use super::fault::Faults;
use super::go_json;
use super::log::{Log, Note};
use super::models::{Full, Model, Store};
use super::realtime::Realtime;
use super::replay::Replay;
use crate::engine::{Ask, KeepAlive, Profile, Refusal, RunnerOptions, ServerId};
use crate::protocol::Options;
use crate::protocol::wire::KeepAlive as AskedKeepAlive;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// The longest request that is read.
const LONGEST_REQUEST: usize = 64 << 20;

/// One server, as all of its connections share it.
pub struct Server {
    pub id: ServerId,
    /// Where it listens.
    pub address: SocketAddr,
    pub profile: Rc<Profile>,
    pub realtime: Rc<Realtime>,
    /// What it answers instead of what the profile says.
    pub replay: Option<Rc<Replay>>,
    pub faults: Rc<Faults>,
    /// Where it notes what it was asked, if anyone wants to know.
    pub log: Option<Log>,
    pub models: Store,
    /// As which model each file of weights was loaded, by digest.
    pub loaded_as: RefCell<HashMap<String, Rc<Model>>>,
}

/// An error reply.
pub struct Error(pub StatusCode, pub Cow<'static, str>);

impl Error {
    pub fn bad(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.into())
    }

    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, reason.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy => Self(
                StatusCode::SERVICE_UNAVAILABLE,
                // Two spaces, as Ollama writes it.
                Cow::Borrowed("server busy, please try again.  maximum pending requests exceeded"),
            ),
            Refusal::NoSuchServer => Self(
                StatusCode::INTERNAL_SERVER_ERROR,
                Cow::Borrowed("no such server"),
            ),
        }
    }
}

impl From<Full> for Error {
    fn from(Full: Full) -> Self {
        Self::internal("no space left on device")
    }
}

impl Server {
    /// The model of a name.
    pub fn known(&self, name: &str) -> Result<Rc<Model>, Error> {
        self.models.find(name).ok_or_else(|| missing(name))
    }

    /// Remembers under which name a model is loaded, where a request loads one.
    pub fn note_load(&self, model: &Rc<Model>, ask: &Ask<'_>) {
        let mut is_loaded = false;
        self.realtime.loaded(self.id, |loaded, _| {
            is_loaded |= loaded.model == ask.model && loaded.options == ask.runner;
        });
        if !is_loaded {
            let mut loaded_as = self.loaded_as.borrow_mut();
            loaded_as.insert(ask.model.to_owned(), Rc::clone(model));
        }
    }
}

/// The refusal of an unknown model.
pub fn missing(name: &str) -> Error {
    Error(
        StatusCode::NOT_FOUND,
        Cow::Owned(format!("model '{name}' not found")),
    )
}

/// The options that a runner is started with, Ollama's defaults where the request has none.
pub fn runner_options(options: &Options) -> RunnerOptions {
    let default = RunnerOptions::default();
    RunnerOptions {
        num_ctx: options.num_ctx.unwrap_or(default.num_ctx),
        num_batch: options.num_batch.unwrap_or(default.num_batch),
        num_gpu: options.num_gpu.unwrap_or(default.num_gpu),
        main_gpu: options.main_gpu.unwrap_or(default.main_gpu),
        use_mmap: options.use_mmap.or(default.use_mmap),
        num_thread: options.num_thread.unwrap_or(default.num_thread),
    }
}

/// Seconds, or Go's notation such as `5m` or `1h30m`.
pub fn keep_alive(asked: &AskedKeepAlive) -> Result<KeepAlive, Error> {
    let duration = match asked {
        AskedKeepAlive::Seconds(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        AskedKeepAlive::Text(text) => go_json::parse_duration(text).map_err(Error::bad)?,
    };
    // A negative one, or one that is longer than time, can't be converted: it means for good.
    Ok(duration.map_or(KeepAlive::Forever, KeepAlive::For))
}

/// A request's body.
pub async fn body(request: Request<Incoming>) -> Result<Bytes, Error> {
    let note = request.extensions().get::<Note>().cloned();
    let body = Limited::new(request.into_body(), LONGEST_REQUEST).collect();
    let body = body.await.map_err(|error| Error::bad(error.to_string()))?;
    let body = body.to_bytes();
    if let Some(note) = note {
        note.heard(&body);
    }
    Ok(body)
}

/// A request that is a `shape` in Ollama.
pub async fn read<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<T, Error> {
    let body = body(request).await?;
    go_json::read(&body, shape).map_err(|refusal| refusal.into_error("missing request body"))
}

/// The same for an API that Ollama translates, which says otherwise that there is none.
pub async fn read_translated<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<T, Error> {
    let body = body(request).await?;
    go_json::read(&body, shape).map_err(|refusal| refusal.into_error("EOF"))
}

/// The same, with what is to be said of an option of the wrong type.
pub async fn read_leniently<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<(T, Option<String>), Error> {
    let body = body(request).await?;
    let request = go_json::read_leniently(&body, shape);
    request.map_err(|refusal| refusal.into_error("missing request body"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_is_seconds_or_gos_notation_and_negative_for_good() {
        let of = |asked| keep_alive(&asked).ok();
        let text = |text: &str| AskedKeepAlive::Text(text.to_owned());
        let secs = |secs| Some(KeepAlive::For(Duration::from_secs(secs)));
        assert_eq!(of(AskedKeepAlive::Seconds(0.0)), secs(0));
        assert_eq!(of(AskedKeepAlive::Seconds(90.0)), secs(90));
        assert_eq!(of(AskedKeepAlive::Seconds(-1.0)), Some(KeepAlive::Forever));
        assert_eq!(of(text("5m")), secs(300));
        assert_eq!(of(text("1h30m")), secs(5400));
        assert_eq!(of(text("-1s")), Some(KeepAlive::Forever));
        assert_eq!(of(text("soon")), None);
    }
}
