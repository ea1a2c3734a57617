//! Tells the program what it was built from, for the provenance of its results.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    for path in [
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "fixtures/profiles",
        "src",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    set("TARE_RUSTC", output(&rustc, &["--version"]));
    set("TARE_PROFILE", env::var("PROFILE").ok());
    set("TARE_COMMIT", commit());
}

fn set(name: &str, value: Option<String>) {
    if let Some(value) = value {
        println!("cargo:rustc-env={name}={value}");
    }
}

/// The commit, with `-dirty` where tracked files differ from it; none outside a checkout of tare
/// itself, such as in a package or inside another project's repository.
fn commit() -> Option<String> {
    let top = output("git", &["rev-parse", "--show-toplevel"])?;
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    if let Some(log) = output("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    output(
        "git",
        &[
            "describe",
            "--always",
            "--abbrev=40",
            "--exclude=*",
            "--dirty",
        ],
    )
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
