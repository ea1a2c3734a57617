//! The system's files about itself: `/proc`, `/sys` and a few others.
//!
//! They are read below a folder that is named, so that a test can have a machine of its own. A file
//! that is not there, on another system or in a container, is a thing that is not known: none of
//! this fails.

use std::fs;
use std::path::{Path, PathBuf};

/// A file system with `proc` and `sys` in it, or a part of them, or nothing.
#[derive(Clone, Debug)]
pub struct Files(PathBuf);

impl Files {
    /// Those of the machine that this runs on.
    pub fn here() -> Self {
        Self::below("/")
    }

    /// Those below another folder.
    pub fn below(root: impl AsRef<Path>) -> Self {
        Self(root.as_ref().to_owned())
    }

    /// A whole file, such as `proc/stat`.
    pub fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok()
    }

    /// The first line of a file, trimmed; none of an empty one.
    pub fn line(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let line = text.lines().next()?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// The number that is all there is in the first line of a file.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.line(path)?.parse().ok()
    }

    /// The names in a folder, in order; none where there is no such folder.
    pub fn names(&self, path: &str) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.path(path)).ok()?.filter_map(Result::ok);
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        Some(names)
    }

    /// Whether something has this name.
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// An absolute path would leave the folder.
    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_known() {
        let files = Files::below("/no/such/folder");
        assert_eq!(files.line("proc/stat"), None);
        assert_eq!(files.number("proc/stat"), None);
        assert_eq!(files.names("sys"), None);
        assert!(!files.has("/"));
    }
}
