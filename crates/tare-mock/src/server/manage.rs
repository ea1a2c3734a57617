//! Routes that change what models there are: copy, delete, pull and push. No registry is ever asked;
//! pull and push end as they do on a machine without a network.

use super::go_json;
use super::models::{Model, Name};
use super::progress::{Progress, failure};
use super::reply::{self, Reply};
use super::routes::{self, Error, Server};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};

/// Where Ollama would have its manifests, for its words.
const MANIFESTS: &str = "/root/.ollama/models/manifests";

#[derive(Default, Deserialize)]
#[serde(default)]
struct CopyRequest {
    source: String,
    destination: String,
}

/// Of delete, pull and push.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedRequest {
    model: String,
    /// What older clients call it.
    name: String,
    insecure: bool,
    stream: Option<bool>,
}

impl NamedRequest {
    fn name(&self) -> &str {
        match self.model.as_str() {
            "" => &self.name,
            model => model,
        }
    }

    fn streams(&self) -> bool {
        self.stream.unwrap_or(true)
    }
}

impl Server {
    pub async fn copy(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: CopyRequest = routes::read(request, &go_json::COPY).await?;
        let valid = |what: &str, text: &str| {
            let name = Name::parse(text);
            match name.is_valid() {
                true => Ok(self.models.spelled(name)),
                false => Err(Error::bad(format!(
                    "{what} {} is invalid",
                    go_json::quote(text)
                ))),
            }
        };
        let source = valid("source", &asked.source)?;
        let destination = valid("destination", &asked.destination)?;
        if source == destination {
            return Ok(reply::empty(StatusCode::OK));
        }
        let Some(model) = self.models.get(&source) else {
            let quoted = go_json::quote(&asked.source);
            let words = format!("model {quoted} not found");
            return Err(Error(StatusCode::NOT_FOUND, words.into()));
        };
        self.models.put(Model {
            name: destination,
            modified: jiff::Timestamp::now(),
            ..Model::clone(&model)
        })?;
        Ok(reply::empty(StatusCode::OK))
    }

    pub async fn delete(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: NamedRequest = routes::read(request, &go_json::DELETE).await?;
        let name = Name::parse(asked.name());
        if !name.is_valid() {
            let quoted = go_json::quote(asked.name());
            return Err(Error::bad(format!("name {quoted} is invalid")));
        }
        match self.models.remove(&self.models.spelled(name)) {
            true => Ok(reply::empty(StatusCode::OK)),
            false => Err(routes::missing(asked.name())),
        }
    }

    pub async fn pull(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: NamedRequest = routes::read(request, &go_json::PULL).await?;
        let name = Name::parse(asked.name());
        if !name.is_valid() {
            return Err(Error::bad("invalid model name"));
        }
        let mut progress = Progress::default();
        let outcome = pull(&self.models.spelled(name), asked.insecure, &mut progress);
        Ok(progress.ended(outcome).reply(asked.streams()))
    }

    pub async fn push(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: NamedRequest = routes::read(request, &go_json::PUSH).await?;
        if asked.name().is_empty() {
            return Err(Error::bad("model is required"));
        }
        let name = self.models.spelled(Name::parse(asked.name()));
        let mut progress = Progress::default();
        progress.step("retrieving manifest");
        let outcome = match self.models.get(&name) {
            Some(model) => {
                let url = name.registry_url(asked.insecure);
                let url = format!("{url}/blobs/{}", model.weights.digest);
                Err(failure(unreachable("Head", &url, &name.host)))
            }
            None => {
                progress.step("couldn't retrieve manifest");
                Err(failure(no_manifest(&name)))
            }
        };
        Ok(progress.ended(outcome).reply(asked.streams()))
    }
}

/// As far as a pull comes.
///
/// # Errors
/// Always.
pub fn pull(name: &Name, insecure: bool, progress: &mut Progress) -> Result<(), Error> {
    progress.step("pulling manifest");
    let url = name.registry_url(insecure);
    let url = format!("{url}/manifests/{}", name.tag);
    let words = unreachable("Get", &url, &name.host);
    Err(failure(format!("pull model manifest: {words}")))
}

fn no_manifest(name: &Name) -> String {
    if !name.is_valid() {
        return format!("unqualified name: {name}");
    }
    let Name {
        host,
        namespace,
        model,
        tag,
    } = name;
    format!("open {MANIFESTS}/{host}/{namespace}/{model}/{tag}: no such file or directory")
}

/// What Go says of a host that it can't reach: a name is not found, and an address refuses.
fn unreachable(method: &str, url: &str, host: &str) -> String {
    let is_address = host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok();
    let why = match is_address {
        true => format!("dial tcp {host}: connect: connection refused"),
        false => {
            let name = host.split(':').next().unwrap_or(host);
            format!("dial tcp: lookup {name}: no such host")
        }
    };
    format!("{method} \"{url}\": {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_reached() {
        let words = |name, insecure| {
            let mut progress = Progress::default();
            let pulled = pull(&Name::parse(name), insecure, &mut progress);
            pulled.expect_err("no registry").1.into_owned()
        };
        assert_eq!(
            words("gemma3", false),
            "pull model manifest: Get \"https://registry.ollama.ai/v2/library/gemma3/manifests/latest\": \
             dial tcp: lookup registry.ollama.ai: no such host"
        );
        assert_eq!(
            words("127.0.0.1:9/x/y:z", true),
            "pull model manifest: Get \"http://127.0.0.1:9/v2/x/y/manifests/z\": \
             dial tcp 127.0.0.1:9: connect: connection refused"
        );
    }
}
