//! `/api/experimental/aliases`: further names for models.

use super::go_json;
use super::models::{Alias, AliasError, Name, shown};
use super::reply::{self, Reply};
use super::routes::{self, Error, Server};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct List {
    aliases: Vec<Alias>,
}

#[derive(Serialize)]
struct Deleted {
    deleted: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeleteRequest {
    alias: String,
}

impl Server {
    pub fn list_aliases(&self) -> Reply {
        reply::object(&List {
            aliases: self.models.aliases().all(),
        })
    }

    pub async fn set_alias(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: Alias = routes::read(request, &go_json::ALIAS).await?;
        let (given, target) = (asked.alias.trim(), asked.target.trim());
        if given.is_empty() || target.is_empty() {
            return Err(Error::bad("alias and target are required"));
        }
        let (name, target_name) = (Name::parse(given), Name::parse(target));
        let invalid = |what, text| {
            let quoted = go_json::quote(text);
            Err(Error::bad(format!("{what} {quoted} is invalid")))
        };
        if !target_name.is_valid() {
            return invalid("target", target);
        }
        if !asked.prefix_matching {
            if !name.is_valid() {
                return invalid("alias", given);
            }
            if shown(&name).eq_ignore_ascii_case(&shown(&target_name)) {
                return Err(Error::bad("alias cannot point to itself"));
            }
            if self.models.find(given).is_some() {
                let quoted = go_json::quote(given);
                let words = format!("alias {quoted} conflicts with existing model");
                return Err(Error::bad(words));
            }
        }
        let alias = Alias {
            alias: match name.is_valid() {
                true => shown(&name),
                false => given.to_owned(),
            },
            target: shown(&target_name),
            prefix_matching: asked.prefix_matching,
        };
        let set = self.models.aliases_mut().set(alias.clone());
        match set {
            Ok(()) => Ok(reply::object(&alias)),
            Err(AliasError::Cycle) => Err(Error::bad("alias cycle detected")),
            Err(AliasError::Full) => Err(Error::internal("no space left on device")),
        }
    }

    pub async fn delete_alias(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: DeleteRequest = routes::read(request, &go_json::DELETE_ALIAS).await?;
        let given = asked.alias.trim();
        if given.is_empty() {
            return Err(Error::bad("alias is required"));
        }
        let name = Name::parse(given);
        let known = match name.is_valid() {
            true => shown(&name),
            false => given.to_owned(),
        };
        if self.models.aliases_mut().remove(&known) {
            return Ok(reply::object(&Deleted { deleted: true }));
        }
        let words = format!("alias {} not found", go_json::quote(given));
        Err(Error(StatusCode::NOT_FOUND, words.into()))
    }
}
