//! Result files: each is whole or not there.
//!
//! [`write_all`] writes every file beside its place under a temporary name, and only when all are
//! written renames them, so that a full disk or Ctrl-C leaves what was there before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A result folder can't be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Writes texts into `folder`, each at its path below it. Folders are made where they are missing,
/// and files that exist are replaced.
///
/// # Errors
/// When a folder or a file can't be written; unless it is the renaming itself that fails, every
/// file is then as it was.
pub fn write_all(folder: &Path, files: &[(&str, &str)]) -> Result<(), WriteError> {
    let mut staged = Vec::with_capacity(files.len());
    for (name, text) in files {
        staged.push(Staged::write(folder.join(name), text)?);
    }
    staged.into_iter().try_for_each(Staged::keep)
}

/// A file under its temporary name; dropped, it goes away.
struct Staged {
    temporary: PathBuf,
    place: PathBuf,
}

impl Staged {
    fn write(place: PathBuf, text: &str) -> Result<Self, WriteError> {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        let mut temporary = place.clone().into_os_string();
        temporary.push(format!(".{}.tmp", std::process::id()));
        let staged = Self {
            temporary: temporary.into(),
            place,
        };
        fs::write(&staged.temporary, text).map_err(failed(&staged.place))?;
        Ok(staged)
    }

    fn keep(self) -> Result<(), WriteError> {
        fs::rename(&self.temporary, &self.place).map_err(failed(&self.place))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After `keep` there is nothing left under this name.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_and_files_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("a/b");
        for text in ["old", "new"] {
            write_all(&out, &[("data/x.json", text), ("y.md", text)]).expect("a place to write");
        }
        for name in ["data/x.json", "y.md"] {
            assert_eq!(fs::read_to_string(out.join(name)).expect("a file"), "new");
        }
        let left = fs::read_dir(&out).expect("the folder").count();
        assert_eq!(left, 2, "a temporary file is left");
    }

    #[test]
    fn a_failure_leaves_every_file_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path();
        fs::write(out.join("first"), "old").expect("a file");
        fs::write(out.join("blocked"), "a file where a folder should be").expect("a file");
        let error = write_all(out, &[("first", "new"), ("blocked/second", "new")])
            .expect_err("the second has no folder");
        assert!(error.to_string().contains("blocked"), "{error}");
        assert_eq!(
            fs::read_to_string(out.join("first")).expect("a file"),
            "old"
        );
        assert_eq!(fs::read_dir(out).expect("the folder").count(), 2);
    }
}
