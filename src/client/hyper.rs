//! hyper, native on every runtime, with its own adaptive read buffer or one of an exact size.
//!
//! A call owns its connection and drives it: the task that waits for the reply polls the
//! connection too, so no second task, wake-up or channel between threads stands between the socket
//! and the token. A connection whose reply was read to its end goes back to the idle ones.

use super::bare_content_type;
use super::gate::Gate;
use super::guard::within;
use super::idle::Idle;
use super::{
    Body, Client, ClientError, Endpoint, Io, Limits, Options, Phase, ReadBuffer, Reply, Timing,
};
use crate::clock::Moment;
use crate::runtime::{Runtime, Watched, Written};
use ::hyper::body::{Body as _, Incoming};
use ::hyper::client::conn::http1::{Builder, Connection, SendRequest};
use ::hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use ::hyper::{Method, Request};
use bytes::Bytes;
use futures::FutureExt;
use http_body_util::Full;
use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// `hyper` and `hyper-N`.
#[derive(Clone)]
pub struct Hyper<R: Runtime> {
    rt: R,
    shared: Arc<Shared<R>>,
}

struct Shared<R: Runtime> {
    to: Endpoint,
    limits: Limits,
    builder: Builder,
    headers: HeaderMap,
    idle: Idle<Link<R>>,
}

/// The handle that sends requests, and the connection they go over.
struct Link<R: Runtime> {
    sender: SendRequest<Full<Bytes>>,
    line: Line<R>,
    written: Written,
}

/// A connection that is driven by whoever waits for something to come over it.
struct Line<R: Runtime> {
    /// `None` once it has ended; that tells all who wait for something over it.
    connection: Option<Connection<R::Stream, Full<Bytes>>>,
    gate: Gate,
}

impl<R: Runtime> Line<R> {
    /// Drives the connection until `outcome` is ready or nothing more can be done now.
    fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut outcome: impl FnMut(&mut Context<'_>) -> Poll<Result<T, ::hyper::Error>>,
    ) -> Poll<Result<T, ::hyper::Error>> {
        let connection = &mut self.connection;
        self.gate.poll(cx, |cx| {
            let ended = connection.as_mut().map(|it| it.poll_unpin(cx));
            if let Some(Poll::Ready(ended)) = ended {
                *connection = None;
                ended?;
            }
            outcome(cx)
        })
    }

    /// As [`Line::drive`], for the pieces of a body: asks for one before it drives. To ask is to
    /// tell the connection that more is wanted. Told so afterwards, it would look at the empty
    /// socket a second time: a system call per token on a reactor that remembers no readiness, as
    /// `async-io` does not.
    fn ask_and_drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut piece: impl FnMut(&mut Context<'_>) -> Poll<Result<T, ::hyper::Error>>,
    ) -> Poll<Result<T, ::hyper::Error>> {
        match self.gate.poll(cx, &mut piece) {
            Poll::Pending => self.drive(cx, piece),
            ready => ready,
        }
    }
}

impl<R: Runtime> Client<R> for Hyper<R> {
    type Body = HyperBody<R>;

    fn new(rt: R, options: &Options) -> Result<Self, ClientError> {
        let mut builder = Builder::new();
        if let ReadBuffer::Exact(size) = options.read_buffer {
            if size < ReadBuffer::LEAST {
                return Err(ClientError::Unusable(format!(
                    "a read buffer of {size} B is too small for the head of a reply, which has to fit into it; take at least {}",
                    ReadBuffer::LEAST
                )));
            }
            builder.read_buf_exact_size(Some(size));
        }
        let mut headers = HeaderMap::new();
        let host = HeaderValue::from_str(options.endpoint.authority())
            .map_err(|error| ClientError::Unusable(format!("the server's name: {error}")))?;
        headers.insert(HOST, host);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for &(name, value) in &options.headers {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        Ok(Self {
            rt,
            shared: Arc::new(Shared {
                to: options.endpoint.clone(),
                limits: options.limits,
                builder,
                headers,
                idle: Idle::new(),
            }),
        })
    }

    fn io() -> Io {
        Io::Native
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Reply<HyperBody<R>>, ClientError> {
        let to = &self.shared.to;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = to
            .path(path)
            .parse()
            .map_err(|error| ClientError::broken(to, &error))?;
        request.headers_mut().clone_from(&self.shared.headers);

        let (mut link, connected) = match self.idle().await {
            Some(link) => (link, None),
            None => (self.connect().await?, Some(Moment::now())),
        };
        let mut reply = pin!(link.sender.send_request(request));
        let reply = poll_fn(|cx| link.line.drive(cx, |cx| reply.as_mut().poll(cx)))
            .await
            .map_err(|error| ClientError::broken(to, &error))?;
        let timing = Timing {
            connected,
            sent: link.written.last(),
            head: Moment::now(),
        };
        let (head, incoming) = reply.into_parts();
        Ok(Reply {
            timing,
            status: head.status.as_u16(),
            content_type: bare_content_type(
                head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes),
            ),
            body: HyperBody {
                link: Some(link),
                incoming,
                piece: Bytes::new(),
                shared: Arc::clone(&self.shared),
            },
        })
    }
}

impl<R: Runtime> Hyper<R> {
    /// An idle connection that is still open and ready, if there is one.
    async fn idle(&self) -> Option<Link<R>> {
        while let Some(mut link) = self.shared.idle.take() {
            let Link { sender, line, .. } = &mut link;
            // The server may have closed it meanwhile: then driving it says so.
            let ready = poll_fn(|cx| line.drive(cx, |cx| sender.poll_ready(cx))).await;
            if ready.is_ok() {
                return Some(link);
            }
        }
        None
    }

    async fn connect(&self) -> Result<Link<R>, ClientError> {
        let Shared {
            to,
            limits,
            builder,
            ..
        } = &*self.shared;
        let connected = async {
            let stream = self.rt.connect(to.address()).await;
            stream.map_err(|source| ClientError::Connect {
                to: to.clone(),
                source,
            })
        };
        let stream = within(&self.rt, to, Phase::Connect, limits.connect, connected).await?;
        let written = stream.written();
        let (sender, connection) = builder
            .handshake(stream)
            .await
            .map_err(|error| ClientError::broken(to, &error))?;
        Ok(Link {
            sender,
            line: Line {
                connection: Some(connection),
                gate: Gate::new(),
            },
            written,
        })
    }
}

/// The body of a reply, with the connection that brings it.
pub struct HyperBody<R: Runtime> {
    link: Option<Link<R>>,
    incoming: Incoming,
    piece: Bytes,
    shared: Arc<Shared<R>>,
}

impl<R: Runtime> Body for HyperBody<R> {
    async fn chunk(&mut self) -> Result<Option<&[u8]>, ClientError> {
        loop {
            let Some(link) = &mut self.link else {
                return Ok(None);
            };
            let incoming = &mut self.incoming;
            let mut frame = |cx: &mut Context<'_>| {
                Pin::new(&mut *incoming)
                    .poll_frame(cx)
                    .map(Option::transpose)
            };
            match poll_fn(|cx| link.line.ask_and_drive(cx, &mut frame)).await {
                Ok(Some(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        self.piece = piece;
                        return Ok(Some(&self.piece));
                    }
                }
                Ok(None) => {
                    if let Some(link) = self.link.take() {
                        self.shared.idle.put(link);
                    }
                    return Ok(None);
                }
                Err(error) => {
                    self.link = None;
                    return Err(ClientError::broken(&self.shared.to, &error));
                }
            }
        }
    }
}
