//! Tells the program what it was built from, for the provenance of its results.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    for path in [
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "fixtures/corpus",
        "fixtures/plans",
        "crates/tare-mock/fixtures",
        "crates/tare-mock/Cargo.toml",
        "crates/tare-mock/src",
        "src",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    set("TARE_RUSTC", output(&rustc, &["--version"]));
    set("TARE_PROFILE", env::var("PROFILE").ok());
    set("TARE_COMMIT", commit());
    set("TARE_DEPENDENCIES", dependencies());
}

/// The crates whose versions results carry: runtimes, their reactors and executors, clients, what
/// joins them, and what parses on the token path.
const DEPENDENCIES: [&str; 21] = [
    "async-compat",
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-net",
    "async-std",
    "async-task",
    "blocking",
    "bytes",
    "futures",
    "futures-util",
    "http-body-util",
    "httparse",
    "hyper",
    "hyper-util",
    "mio",
    "polling",
    "reqwest",
    "smol",
    "smol-hyper",
    "tokio",
];

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

/// Their versions as `Cargo.lock` has them, `name version,name version`; none where there is no such
/// file, or where the build does not go by it.
fn dependencies() -> Option<String> {
    if resolves_anew() {
        return None;
    }
    let lock = fs::read_to_string("Cargo.lock").ok()?;
    let mut found = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let mut fields = package.lines().filter_map(|line| line.split_once(" = "));
            let (_, value) = fields.find(|&(field, _)| field == name)?;
            Some(value.trim_matches('"'))
        };
        if let (Some(name), Some(version)) = (field("name"), field("version"))
            && DEPENDENCIES.contains(&name)
        {
            found.push(format!("{name} {version}"));
        }
    }
    (!found.is_empty()).then(|| found.join(","))
}

/// `cargo install` without `--locked` takes the newest versions and leaves the file as it is, and
/// Cargo does not tell the script that it does so. Our parent is Cargo. (Where an install finds the
/// release build of a checkout in the same target folder, Cargo takes over what this script said for
/// that one, and the versions may be older than what is installed: hence `--locked` in the README.)
#[cfg(unix)]
fn resolves_anew() -> bool {
    let parent = std::os::unix::process::parent_id().to_string();
    let line = fs::read_to_string(format!("/proc/{parent}/cmdline"))
        .map(|line| line.replace('\0', " "))
        .ok()
        .or_else(|| output("ps", &["-o", "args=", "-p", &parent]));
    line.is_some_and(|line| {
        let has = |words: &[&str]| line.split_whitespace().any(|word| words.contains(&word));
        has(&["install"]) && !has(&["--locked", "--frozen"])
    })
}

#[cfg(not(unix))]
fn resolves_anew() -> bool {
    false
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
