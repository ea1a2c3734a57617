//! Which server is there: a few cheap questions that it answers at once, whatever it is busy with.

use super::call::{CallError, Ollama, read_short};
use super::wire::Version;
use super::{Api, Software};
use crate::client::{Client, ClientError};
use crate::runtime::Runtime;
use bytes::Bytes;
use hyper::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a server says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its software.
    pub software: Software,
    /// Such as `0.12.11` or `b6881-8b11deea4`; `None` if it does not say.
    pub version: Option<String>,
}

/// A server as results tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Described {
    /// What it says that it is.
    pub software: Software,
    /// Its version, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The model that is asked, as it lists it; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelIdentity>,
    /// Its `OLLAMA_NUM_PARALLEL`; absent where that can't be known: see
    /// [`variable_of_listener`](crate::machine::variable_of_listener).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<String>,
}

impl fmt::Display for Described {
    /// All but its address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.software)?;
        match &self.version {
            Some(version) => write!(f, "version {version}")?,
            None => f.write_str("version not stated")?,
        }
        if let Some(model) = &self.model {
            const SHORT: usize = 12;
            let digest: String = model.digest.chars().take(SHORT).collect();
            let quantization = model.quantization.as_deref();
            let quantization = quantization.unwrap_or("quantisation not stated");
            write!(f, ", model {digest} ({quantization})")?;
        }
        match &self.parallel {
            Some(parallel) => write!(f, ", OLLAMA_NUM_PARALLEL {parallel}"),
            None => Ok(()),
        }
    }
}

/// A model as Ollama's list has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ModelIdentity {
    /// Digest of its manifest, hexadecimal: the same weights, template and defaults have the same.
    pub digest: String,
    /// Such as `Q4_K_M`; absent where the list does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<String>,
}

/// `/api/tags`
#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    digest: String,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    quantization_level: Option<String>,
}

/// llama.cpp's `/props`.
#[derive(Deserialize)]
struct Props {
    build_info: Option<String>,
    /// What its builds without `build_info` are known by.
    default_generation_settings: Option<IgnoredAny>,
}

/// `/v1/models`
#[derive(Deserialize)]
struct Models {
    #[serde(rename = "data")]
    _data: Vec<IgnoredAny>,
}

/// A reply that was read.
struct Page {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

/// Who a page's body is from, if it is from whom it may be.
type Known = fn(&[u8]) -> Option<Identity>;

impl<R: Runtime, C: Client<R>> Ollama<R, C> {
    /// Who is there. For Ollama's own APIs `/api/version` must tell; for OpenAI's the first that
    /// answers as its software does of `/api/version` (Ollama), `/props` (llama.cpp), `/version`
    /// (vLLM), and if none does, a list of `/v1/models` is enough.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::NotOllama`] if what answers does not have the API.
    pub async fn identify(&self, api: Api) -> Result<Identity, CallError> {
        match api {
            Api::Generate | Api::Raw | Api::Chat => {
                self.must_know(api, "/api/version", ollama).await
            }
            Api::OpenAi => match self.software_of_openai().await? {
                Some(identity) => Ok(identity),
                None => self.must_know(api, "/v1/models", unstated).await,
            },
        }
    }

    /// What the server says of a model; `None` where it has no list of Ollama's kind, or not this model
    /// in it, or does not answer: it is only told in results, and nothing fails for the want of it.
    pub async fn find_model(&self, name: &str) -> Option<ModelIdentity> {
        let page = self.page("/api/tags").await.ok()?;
        tagged(&page.body, name).filter(|_| page.status == 200)
    }

    async fn software_of_openai(&self) -> Result<Option<Identity>, CallError> {
        let places: [(_, Known); 3] = [
            ("/api/version", ollama),
            ("/props", llama_cpp),
            ("/version", vllm),
        ];
        for (path, known) in places {
            let identity = match self.page(path).await {
                // Some servers close the connection on what they do not know.
                Err(ClientError::Broken { .. }) => None,
                page => page?.known(known),
            };
            if identity.is_some() {
                return Ok(identity);
            }
        }
        Ok(None)
    }

    async fn must_know(&self, api: Api, path: &str, known: Known) -> Result<Identity, CallError> {
        let page = self.page(path).await?;
        page.known(known).ok_or_else(|| {
            // A server that does not have the path has not refused anything, whatever it says.
            let words: &[u8] = match page.status {
                200 | 404 => b"",
                _ => &page.body,
            };
            self.refused(api, page.status, &page.content_type, words)
        })
    }

    async fn page(&self, path: &str) -> Result<Page, ClientError> {
        let reply = self.send(Method::GET, path, Bytes::new()).await?;
        Ok(Page {
            status: reply.status,
            content_type: reply.content_type,
            body: read_short(reply.body).await?,
        })
    }
}

impl Page {
    fn known(&self, known: Known) -> Option<Identity> {
        known(&self.body).filter(|_| self.status == 200)
    }
}

/// The model of this name in a list. A name without a tag means `latest`, in any case of letters.
fn tagged(body: &[u8], name: &str) -> Option<ModelIdentity> {
    let tags: Tags = serde_json::from_slice(body).ok()?;
    let bare = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.strip_suffix(":latest").unwrap_or(&name).to_owned()
    };
    let tag = tags
        .models
        .into_iter()
        .find(|tag| bare(&tag.name) == bare(name))?;
    Some(ModelIdentity {
        digest: tag.digest,
        quantization: tag.details.and_then(|details| details.quantization_level),
    })
}

fn ollama(body: &[u8]) -> Option<Identity> {
    version(Software::Ollama, body)
}

fn vllm(body: &[u8]) -> Option<Identity> {
    version(Software::Vllm, body)
}

fn version(software: Software, body: &[u8]) -> Option<Identity> {
    let Version { version } = serde_json::from_slice(body).ok()?;
    Some(Identity {
        software,
        version: Some(version),
    })
}

fn llama_cpp(body: &[u8]) -> Option<Identity> {
    let props: Props = serde_json::from_slice(body).ok()?;
    let known = props.build_info.is_some() || props.default_generation_settings.is_some();
    known.then_some(Identity {
        software: Software::LlamaCpp,
        version: props.build_info,
    })
}

fn unstated(body: &[u8]) -> Option<Identity> {
    let _: Models = serde_json::from_slice(body).ok()?;
    Some(Identity {
        software: Software::Unstated,
        version: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_in_a_list_by_any_way_to_write_its_name() {
        let list = br#"{"models":[{"name":"other:latest","digest":"00"},
            {"name":"gemma3:latest","digest":"a2","details":{"quantization_level":"Q4_K_M"}}]}"#;
        let expected = ModelIdentity {
            digest: "a2".to_owned(),
            quantization: Some("Q4_K_M".to_owned()),
        };
        for name in ["gemma3", "gemma3:latest", "Gemma3"] {
            assert_eq!(tagged(list, name).as_ref(), Some(&expected), "{name}");
        }
        assert_eq!(tagged(list, "gemma3:1b"), None);
        assert_eq!(tagged(b"no list", "gemma3"), None);
        let unquantized = tagged(list, "other").and_then(|model| model.quantization);
        assert_eq!(unquantized, None);
    }
}
