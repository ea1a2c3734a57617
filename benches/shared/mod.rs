//! What the first bench of a `cargo bench` leaves to the last one.

use std::fmt::Display;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::exit;

/// The folder of the experiment that the first one does: another one for each `cargo bench`.
pub fn folder() -> PathBuf {
    let cargo = format!("bench-{}", parent_id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(cargo)
}

/// A failed run is no measurement: say why, and end.
pub fn or_exit<T, E: Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        exit(1)
    })
}
