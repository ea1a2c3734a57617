//! Recordings of real servers: what they answered, byte by byte, and when.
//!
//! The format, its reader and its writer are the mock's, [`tare_mock::trace`], which plays a trace
//! again. Here one is made: a call as any other, whose bytes go onto a tape on their way to the
//! decoder.

use crate::client::Client;
use crate::meter::Moment;
use crate::protocol::{Api, CallError, Ollama, Question, Sink};
use crate::runtime::Runtime;
pub use tare_mock::trace::{
    Answer, Exchange, Head, Machine, NotText, Piece, SCHEMA, Tape, Token, Trace, UnsoundError,
};

/// Why a call was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A trace is a text file.
    #[error("{0}, so a trace can't hold it")]
    NotText(#[from] NotText),
    /// The decoder of the call took it for an answer, and the trace's does not.
    #[error("what was recorded is no answer: {0}")]
    Unsound(#[from] UnsoundError),
    /// The request is no JSON.
    #[error("cannot note the request: {0}")]
    Request(#[from] serde_json::Error),
}

/// Asks a server and records its answer; `sink` hears the tokens. The connection should be open
/// already, or it is part of the time to the first piece.
///
/// # Errors
/// When the call fails: then there is nothing of it.
pub async fn record<R: Runtime, C: Client<R>>(
    ollama: &Ollama<R, C>,
    api: Api,
    question: &Question<'_>,
    sink: &mut impl Sink,
) -> Result<Exchange, RecordError> {
    let request = serde_json::from_slice(&question.body(api)?)?;
    let mut tape = Tape::new(api);
    let mut fed = Ok(());
    let started = Moment::now();
    let since = || u64::try_from(Moment::now().since(started).as_nanos()).unwrap_or(u64::MAX);
    ollama
        .ask_and_tap(api, question, sink, |bytes| {
            let at_ns = since();
            if fed.is_ok() {
                fed = tape.feed(at_ns, bytes);
            }
        })
        .await?;
    let end_ns = since();
    fed?;
    Ok(Exchange::new(api, request, tape.finish(end_ns)?, end_ns)?)
}
