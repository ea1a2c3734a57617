//! Which files there are: every `metrics.json` under a folder, at any depth, and files by name.

use super::Skipped;
use std::io;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// What results are called.
const NAME: &str = "metrics.json";

/// A file to read.
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// How it is called in the report.
    pub name: String,
    /// The folder that was named and the path below it, which may say on what it ran.
    pub components: Vec<String>,
}

/// Why nothing could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The path does not lead anywhere.
    #[error("cannot read {}: {source}; name a folder that has metrics.json somewhere in it, or such a file", path.display())]
    Missing {
        /// As it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such file at all.
    #[error("no metrics.json in {}: a result is a file of that name, at any depth; other files can be named one by one", paths.join(", "))]
    Nothing {
        /// Where it was looked for.
        paths: Vec<String>,
    },
}

/// All files in the order of their names, each once, and what could not be listed.
pub fn find(paths: &[PathBuf]) -> Result<(Vec<Found>, Vec<Skipped>), FindError> {
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for root in paths {
        let there = std::fs::metadata(root).map_err(|source| FindError::Missing {
            path: root.clone(),
            source,
        })?;
        if !there.is_dir() {
            found.push(named(root, root, false));
            continue;
        }
        let below = paths.len() == 1;
        for entry in WalkDir::new(root).follow_links(true) {
            match entry {
                Ok(entry) if !entry.file_type().is_dir() && entry.file_name() == NAME => {
                    found.push(named(root, entry.path(), below));
                }
                Ok(_) => {}
                Err(error) => {
                    let at = error.path().unwrap_or(root);
                    skipped.push(Skipped {
                        file: named(root, at, below).name,
                        reason: format!("cannot be listed: {error}").replace('\n', " "),
                    });
                }
            }
        }
    }
    found.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    match found.is_empty() && skipped.is_empty() {
        true => Err(FindError::Nothing {
            paths: paths
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
        }),
        false => Ok((found, skipped)),
    }
}

/// The name of a file is its path below the only folder that was named, else its whole path.
fn named(root: &Path, path: &Path, below_root: bool) -> Found {
    let below = path.strip_prefix(root).unwrap_or(path);
    let shown = if below_root { below } else { path };
    let last = root.file_name().filter(|_| path != root);
    let components = last.into_iter().chain(below.iter());
    Found {
        path: path.to_owned(),
        name: shown.display().to_string(),
        components: components
            .map(|part| part.to_string_lossy().into_owned())
            .collect(),
    }
}
