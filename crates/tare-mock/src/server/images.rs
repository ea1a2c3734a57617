//! `/v1/images/generations` and `/v1/images/edits`: no model of the mock paints, so what is sound is
//! refused as Ollama refuses it for a model that does not.

use super::form::Dialect;
use super::go_json::{self, Struct};
use super::reply::{self, Reply};
use super::routes::{self, Error, Server};
use hyper::Request;
use hyper::body::Incoming;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct ImageRequest {
    model: String,
    prompt: String,
    /// To be edited.
    image: String,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Painting {
    New,
    Edit,
}

impl Server {
    pub async fn paint(&self, painting: Painting, request: Request<Incoming>) -> Reply {
        let shape = match painting {
            Painting::New => &go_json::IMAGE_GENERATION,
            Painting::Edit => &go_json::IMAGE_EDIT,
        };
        let asked = match read(painting, shape, request).await {
            Ok(asked) => asked,
            Err(error) => return reply::early_refusal(Dialect::ChatCompletion, &error),
        };
        let error = match self.known(&asked.model) {
            Ok(model) => {
                let quoted = go_json::quote(&model.name.shortest());
                Error::bad(format!("{quoted} does not support image generation"))
            }
            Err(error) => error,
        };
        reply::refused(Dialect::ChatCompletion, &error)
    }
}

async fn read(
    painting: Painting,
    shape: &Struct,
    request: Request<Incoming>,
) -> Result<ImageRequest, Error> {
    let asked: ImageRequest = routes::read_translated(request, shape).await?;
    let required = [
        ("prompt", asked.prompt.is_empty()),
        ("model", asked.model.is_empty()),
        (
            "image",
            painting == Painting::Edit && asked.image.is_empty(),
        ),
    ];
    match required.iter().find(|(_, is_missing)| *is_missing) {
        Some((what, _)) => Err(Error::bad(format!("{what} is required"))),
        None => Ok(asked),
    }
}
