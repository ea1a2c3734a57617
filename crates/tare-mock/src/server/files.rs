//! `/api/blobs/:digest`: files that clients upload. They are counted, hashed and forgotten: a digest,
//! a size and whether it looks like weights is all that stays.

use super::go_json;
use super::models::Upload;
use super::models::digest::{Digesting, is_sound};
use super::reply::{self, Reply};
use super::routes::{Error, Server};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};

/// What weights in the format that Ollama takes begin with.
const GGUF: &[u8] = b"GGUF";

impl Server {
    /// Whether there is a file.
    pub fn has_file(&self, digest: &str) -> Result<Reply, Error> {
        check(digest)?;
        match self.models.file(digest) {
            Some(_) => Ok(reply::empty(StatusCode::OK)),
            None => {
                let words = format!("blob {} not found", go_json::quote(digest));
                Err(Error(StatusCode::NOT_FOUND, words.into()))
            }
        }
    }

    /// Takes a file in. One whose digest is another is taken in as well, under its own.
    pub async fn upload(&self, digest: &str, request: Request<Incoming>) -> Result<Reply, Error> {
        check(digest)?;
        if self.models.file(digest).is_some() {
            return Ok(reply::empty(StatusCode::OK));
        }
        let (found, upload) = read(request.into_body()).await?;
        self.models.upload(found.clone(), upload)?;
        if found == digest {
            return Ok(reply::empty(StatusCode::CREATED));
        }
        let [digest, found] = [digest, &found].map(go_json::quote);
        Err(Error::bad(format!(
            "digest mismatch, expected {digest}, got {found}"
        )))
    }
}

fn check(digest: &str) -> Result<(), Error> {
    match is_sound(digest) {
        true => Ok(()),
        false => Err(Error::bad("invalid digest format")),
    }
}

/// Reads a file to its end.
async fn read(mut body: Incoming) -> Result<(String, Upload), Error> {
    let mut digesting = Digesting::default();
    let mut start = Vec::with_capacity(GGUF.len());
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::internal(error.to_string()))?;
        let Ok(data) = frame.into_data() else {
            continue; // what comes behind the body
        };
        let wanted = GGUF.len() - start.len();
        start.extend_from_slice(&data[..wanted.min(data.len())]);
        digesting.take(&data);
        size += data.len() as u64;
    }
    let is_gguf = start == GGUF;
    Ok((digesting.done(), Upload { is_gguf, size }))
}
