//! Ingest: find the files of a folder tree, read them by the runtime's own file API, parse them.

use super::document::{Column, Document, Facts, Kind};
use crate::runtime::Runtime;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// What a folder held.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// The files that were read, by path.
    pub documents: Vec<Document>,
    /// The files that should have been, and why they were not.
    pub skipped: Vec<Skipped>,
    /// How many files are of no kind that is read.
    pub ignored: usize,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file, relative to the corpus.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Why there is no corpus at all.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// No such folder.
    #[error("no corpus at {}: it is no folder that can be read; name another with --corpus DIR", .0.display())]
    NoFolder(PathBuf),
    /// Nothing to read in it.
    #[error(
        "the corpus at {} is empty: no CSV, JSON or Markdown file that can be used was found in it ({skipped} skipped, {ignored} ignored)",
        folder.display()
    )]
    Empty {
        /// The folder.
        folder: PathBuf,
        /// Files that were broken.
        skipped: usize,
        /// Files of another kind.
        ignored: usize,
    },
}

/// Reads the corpus in `folder`: every CSV, JSON and Markdown file below it, in the order of their
/// paths. Other files are ignored, and one that is broken is listed as skipped.
///
/// # Errors
/// When there is no such folder, or nothing in it can be used.
pub async fn ingest<R: Runtime>(rt: &R, folder: &Path) -> Result<Corpus, IngestError> {
    if !folder.is_dir() {
        return Err(IngestError::NoFolder(folder.to_owned()));
    }
    let mut corpus = Corpus::default();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(folder);
                let reason = error.to_string();
                corpus.skip(relative(path, folder), reason);
                continue;
            }
        };
        if !entry.file_type().is_file() {
            continue;
        }
        let path = relative(entry.path(), folder);
        let Some(kind) = Kind::of(&path) else {
            corpus.ignored += 1;
            continue;
        };
        let read = rt.read_file(entry.into_path()).await;
        let parsed = read
            .map_err(|error| error.to_string())
            .and_then(|bytes| Document::parse(path.clone(), kind, &bytes));
        match parsed {
            Ok(document) => corpus.documents.push(document),
            Err(reason) => corpus.skip(path, reason),
        }
    }
    if corpus.documents.is_empty() {
        return Err(IngestError::Empty {
            folder: folder.to_owned(),
            skipped: corpus.skipped.len(),
            ignored: corpus.ignored,
        });
    }
    Ok(corpus)
}

impl Corpus {
    fn skip(&mut self, path: PathBuf, reason: String) {
        self.skipped.push(Skipped { path, reason });
    }

    /// How many documents are of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        let of_kind = self.documents.iter().filter(|d| d.kind == kind);
        of_kind.count()
    }

    /// Every named set of numbers, of all documents that have it together, by name.
    pub fn figures(&self) -> BTreeMap<&str, Column> {
        let mut figures = BTreeMap::<&str, Column>::new();
        for document in &self.documents {
            let (Facts::Table { columns, .. } | Facts::Values { fields: columns }) =
                &document.facts
            else {
                continue;
            };
            for column in columns {
                let known = figures.entry(&column.name);
                known
                    .and_modify(|known| known.merge(column))
                    .or_insert_with(|| column.clone());
            }
        }
        figures
    }

    /// Bytes of all documents together.
    pub fn bytes(&self) -> usize {
        self.documents.iter().map(|document| document.bytes).sum()
    }
}

fn relative(path: &Path, folder: &Path) -> PathBuf {
    path.strip_prefix(folder).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Threads;
    use std::fs;
    use std::num::NonZeroUsize;

    fn read(folder: &Path) -> Result<Corpus, IngestError> {
        let rt = Threads::new(NonZeroUsize::MIN).expect("threads need nothing");
        futures::executor::block_on(ingest(&rt, folder))
    }

    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, content).expect("a file");
        }
        folder
    }

    #[test]
    fn files_are_found_at_any_depth_and_others_ignored() {
        let folder = tree(&[
            ("b/deep/er/x.csv", b"a,b\n1,2\n"),
            ("a.json", b"{\"x\": 1}"),
            ("b/NOTES.MD", b"# Title\n"),
            ("b/picture.png", b"\x89PNG"),
            ("README", b"none"),
        ]);
        let corpus = read(folder.path()).expect("a corpus");
        let paths: Vec<_> = corpus.documents.iter().map(|d| d.path.clone()).collect();
        assert_eq!(
            paths,
            ["a.json", "b/NOTES.MD", "b/deep/er/x.csv"].map(PathBuf::from)
        );
        assert_eq!(corpus.ignored, 2);
        assert!(corpus.skipped.is_empty());
    }

    #[test]
    fn a_broken_file_is_skipped_with_its_reason_and_the_rest_is_read() {
        let folder = tree(&[
            ("bad.csv", b"a,b\n1,2,3\n"),
            ("bad.json", b"{\"x\": "),
            ("bad.md", b"# \xff\xfe"),
            ("empty.csv", b""),
            ("good.csv", b"a\n1\n"),
        ]);
        let corpus = read(folder.path()).expect("a corpus");
        assert_eq!(corpus.documents.len(), 1);
        let skipped: Vec<_> = corpus.skipped.iter().map(|s| s.path.clone()).collect();
        assert_eq!(
            skipped,
            ["bad.csv", "bad.json", "bad.md", "empty.csv"].map(PathBuf::from)
        );
        assert!(corpus.skipped.iter().all(|s| !s.reason.is_empty()));
    }

    #[test]
    fn no_folder_and_nothing_to_read_are_different_errors() {
        let folder = tree(&[("x.txt", b"text"), ("bad.json", b"{")]);
        let error = read(folder.path()).expect_err("nothing of use").to_string();
        assert!(error.contains("1 skipped, 1 ignored"), "{error}");
        let error = read(&folder.path().join("none"))
            .expect_err("no folder")
            .to_string();
        assert!(error.contains("no corpus at"), "{error}");
    }
}
