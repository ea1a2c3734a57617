//! What the program was built from. `build.rs` at the root found it out.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The build, as results describe it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Build {
    /// Version of the crate.
    pub tare_version: String,
    /// Git commit that it was built from, `-dirty` if tracked files differed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The compiler, as `rustc --version` says it.
    pub rust_version: String,
    /// `debug` or `release`.
    pub profile: String,
    /// The crates that runtimes and clients are made of, with their versions as `Cargo.lock` has
    /// them; empty where the build did not go by it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<String, String>,
}

impl Build {
    /// That of this program.
    pub fn here() -> Self {
        Self {
            tare_version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("TARE_COMMIT").map(str::to_owned),
            rust_version: option_env!("TARE_RUSTC").unwrap_or("unknown").to_owned(),
            profile: option_env!("TARE_PROFILE").unwrap_or("unknown").to_owned(),
            dependencies: dependencies(option_env!("TARE_DEPENDENCIES").unwrap_or_default()),
        }
    }

    /// Whether the build left out the optimiser, so that no time of its own means much.
    pub fn is_debug(&self) -> bool {
        self.profile == "debug"
    }
}

/// Reads `name version,name version`. Of a crate that is there in several versions, all.
fn dependencies(list: &str) -> BTreeMap<String, String> {
    let mut dependencies = BTreeMap::<String, String>::new();
    for (name, version) in list.split(',').filter_map(|entry| entry.split_once(' ')) {
        let versions = dependencies.entry(name.to_owned()).or_default();
        let link = if versions.is_empty() { "" } else { ", " };
        *versions += &format!("{link}{version}");
    }
    dependencies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_knows_what_it_is() {
        let here = Build::here();
        assert!(here.rust_version.starts_with("rustc "), "{here:?}");
        assert!(["debug", "release"].contains(&here.profile.as_str()));
        for name in [
            "tokio",
            "async-std",
            "smol",
            "async-io",
            "hyper",
            "reqwest",
            "async-compat",
        ] {
            let version = here.dependencies.get(name).expect(name);
            assert!(
                version.starts_with(|c: char| c.is_ascii_digit()),
                "{name} {version}"
            );
        }
    }

    #[test]
    fn several_versions_of_a_crate_are_all_kept() {
        let read = dependencies("hyper 1.12.0,mio 0.8.1,mio 1.2.4");
        assert_eq!(read["hyper"], "1.12.0");
        assert_eq!(read["mio"], "0.8.1, 1.2.4");
        assert!(dependencies("").is_empty());
    }
}
