//! reqwest: native under Tokio, and bridged under async-std and smol, where `async-compat` lends
//! it a Tokio reactor on a thread of its own.

use super::{
    Body, Client, ClientError, Endpoint, Io, Options, ReadBuffer, Reply, SocketReads, Timing,
};
use super::{bare_content_type, with_causes};
use crate::clock::Moment;
use crate::runtime::{Reactor, Runtime};
use ::hyper::Method;
use ::reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use ::reqwest::redirect::Policy;
use async_compat::Compat;
use bytes::Bytes;
use std::future::Future;
use std::io;
use std::marker::PhantomData;

/// `reqwest`.
pub struct Reqwest<R> {
    client: ::reqwest::Client,
    to: Endpoint,
    runtime: PhantomData<R>,
}

impl<R> Clone for Reqwest<R> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            to: self.to.clone(),
            runtime: PhantomData,
        }
    }
}

impl<R: Runtime> Client<R> for Reqwest<R> {
    type Body = ReqwestBody<R>;

    fn new(_: R, options: &Options) -> Result<Self, ClientError> {
        if options.read_buffer != ReadBuffer::Adaptive {
            return Err(ClientError::Unusable(
                "reqwest does not let its read buffer be set; take hyper-N".to_owned(),
            ));
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for &(name, value) in &options.headers {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        // Every limit but the connection's is the guard's.
        let client = ::reqwest::Client::builder()
            .connect_timeout(options.limits.connect)
            .default_headers(headers)
            .tcp_nodelay(true)
            .pool_idle_timeout(None)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| ClientError::Unusable(with_causes(&error)))?;
        Ok(Self {
            client,
            to: options.endpoint.clone(),
            runtime: PhantomData,
        })
    }

    fn io() -> Io {
        match R::REACTOR {
            Reactor::Tokio => Io::Native,
            Reactor::AsyncIo | Reactor::Blocking => Io::Bridged,
        }
    }

    fn socket_reads() -> SocketReads {
        SocketReads::Unseen
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Reply<ReqwestBody<R>>, ClientError> {
        let request = self.client.request(method, self.to.url(path)).body(body);
        let response = on_tokio::<R, _>(request.send())
            .await
            .map_err(|error| self.failed(&error))?;
        let timing = Timing {
            connected: None,
            sent: None,
            head: Moment::now(),
        };
        Ok(Reply {
            timing,
            status: response.status().as_u16(),
            content_type: bare_content_type(
                response
                    .headers()
                    .get(CONTENT_TYPE)
                    .map(HeaderValue::as_bytes),
            ),
            body: ReqwestBody {
                response,
                piece: Bytes::new(),
                to: self.to.clone(),
                runtime: PhantomData,
            },
        })
    }
}

impl<R> Reqwest<R> {
    fn failed(&self, error: &::reqwest::Error) -> ClientError {
        if error.is_connect() {
            ClientError::Connect {
                to: self.to.clone(),
                source: io::Error::other(innermost(error)),
            }
        } else {
            ClientError::broken(&self.to, error)
        }
    }
}

/// The cause of all causes: for a connection that failed, what the system said.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// Runs `work` where it finds a Tokio reactor: as it is under Tokio, bridged elsewhere.
async fn on_tokio<R: Runtime, F: Future>(work: F) -> F::Output {
    if R::REACTOR == Reactor::Tokio {
        work.await
    } else {
        Compat::new(work).await
    }
}

/// The body of a reply.
pub struct ReqwestBody<R> {
    response: ::reqwest::Response,
    piece: Bytes,
    to: Endpoint,
    runtime: PhantomData<R>,
}

impl<R: Runtime> Body for ReqwestBody<R> {
    async fn chunk(&mut self) -> Result<Option<&[u8]>, ClientError> {
        match on_tokio::<R, _>(self.response.chunk()).await {
            Ok(Some(piece)) => {
                self.piece = piece;
                Ok(Some(&self.piece))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(ClientError::broken(&self.to, &error)),
        }
    }
}
