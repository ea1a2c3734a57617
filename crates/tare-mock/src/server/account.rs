//! Routes about the account at ollama.com and the cloud. The mock is a server on a machine without
//! a network, started with `OLLAMA_NO_CLOUD=1`: nobody is signed in, and nobody can sign out.

use super::reply::{self, Reply};
use super::routes::Error;
use serde::Serialize;

#[derive(Serialize)]
struct Status {
    cloud: Cloud,
}

#[derive(Serialize)]
struct Cloud {
    disabled: bool,
    /// What disabled it.
    source: &'static str,
}

/// `GET /api/status`
pub fn status() -> Reply {
    reply::object(&Status {
        cloud: Cloud {
            disabled: true,
            source: "env",
        },
    })
}

/// `POST /api/me`
pub fn who_am_i() -> Reply {
    reply::object(&())
}

/// `POST /api/signout`, and its older form.
pub fn sign_out() -> Error {
    Error::internal("there was an error signing out")
}
