//! What several tests need: a mock in their own process, and HTTP by hand.
#![allow(dead_code, unused_imports)] // each test takes a part

mod raw;
mod servers;

pub use raw::{Reply, Served, Wire, ask, first_of, wire};
pub use servers::{Answer, Servers, term};

use std::net::SocketAddr;
use tare_mock::{Builder, Mock, Profile};

impl Served for Mock {
    fn host(&self) -> String {
        self.address().to_string()
    }
}

/// A mock of a shipped profile.
pub fn mock(profile: &str) -> Mock {
    start(Mock::builder().profile(profile))
}

/// A mock of the test's own profile, in TOML.
pub fn own(profile: &str) -> Mock {
    start(Mock::builder().profile(profile_of(profile)))
}

pub fn profile_of(text: &str) -> Profile {
    Profile::parse("the test's own", text).expect("a profile")
}

pub fn start(builder: Builder) -> Mock {
    builder.start().expect("the mock starts")
}

/// A mock whose model takes minutes to load, and where nothing may wait for that but the request
/// that it is loaded for.
pub fn loading_for_minutes() -> Mock {
    own(r#"
description = "loads for minutes"
model = "gemma3:latest"
load = "0s"
tokens = 8
gap = "0s"
seed = 1
max_queue = 0
prefill = { fixed = "0s", per_token = "0s" }
reload = { vram_min = "0s", vram_max = "0s", start = "0s", weights = "5m", poll = "250ms" }
"#)
}
