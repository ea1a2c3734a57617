//! Ingest: find the files of a folder tree, read several at a time by the runtime's own file API, parse
//! them.

use super::document::{Column, Document, Facts, Kind};
use crate::runtime::Runtime;
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::pin::pin;
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

/// How many files are read at once where nobody says: the usual bound of an agent that reads many.
pub const INGEST_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// Why there is no corpus at all.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The folder can't be read.
    #[error("cannot read corpus folder {}: {error}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Nothing to read in it.
    #[error(
        "corpus folder {} has no CSV, JSON or Markdown file that can be read ({skipped} skipped, {ignored} ignored)",
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

/// Reads the corpus in `folder`: every CSV, JSON and Markdown file below it. Other files are ignored,
/// and one that is broken is listed as skipped. Up to `concurrency` files are read at a time; the
/// result is the same whatever it is, in the order of the paths.
///
/// All of it happens in the present task, which parses a file when it is read while the runtime reads
/// the next ones. Blocking threads read one file after the other whatever `concurrency` is: files in
/// the page cache leave nothing to wait for, and 2 to 16 threads took half as long again as one for
/// the built-in corpus on 2 cores. The walk through the folders blocks the task under every runtime: it
/// is a few system calls per folder, fewer than handing each to another thread would take.
///
/// # Errors
/// When the folder can't be read, or nothing in it can be used.
pub async fn ingest<R: Runtime>(
    rt: &R,
    folder: &Path,
    concurrency: NonZeroUsize,
) -> Result<Corpus, IngestError> {
    let (entries, ignored) = walk(folder)?;
    let mut corpus = Corpus {
        ignored,
        ..Corpus::default()
    };
    let reads = entries.into_iter().map(|entry| read(rt, entry));
    let mut reads = pin!(stream::iter(reads).buffered(concurrency.get()));
    while let Some(outcome) = reads.next().await {
        match outcome {
            Ok(document) => corpus.documents.push(document),
            Err(skipped) => corpus.skipped.push(skipped),
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

/// A file to read.
struct Found {
    place: PathBuf,
    /// Relative to the corpus.
    path: PathBuf,
    kind: Kind,
}

/// All files to read and what can't be walked, and how many files are of no kind that is read.
fn walk(folder: &Path) -> Result<(Vec<Result<Found, Skipped>>, usize), IngestError> {
    fs::read_dir(folder).map_err(|error| IngestError::Unreadable {
        folder: folder.to_owned(),
        error,
    })?;
    let (mut entries, mut ignored) = (Vec::new(), 0);
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            Err(error) => entries.push(Err(Skipped {
                path: relative(error.path().unwrap_or(folder), folder),
                reason: error.to_string(),
            })),
            Ok(entry) if entry.file_type().is_file() => {
                let path = relative(entry.path(), folder);
                match Kind::of(&path) {
                    None => ignored += 1,
                    Some(kind) => entries.push(Ok(Found {
                        place: entry.into_path(),
                        path,
                        kind,
                    })),
                }
            }
            Ok(_) => {}
        }
    }
    Ok((entries, ignored))
}

/// Reads and parses a file.
async fn read<R: Runtime>(rt: &R, entry: Result<Found, Skipped>) -> Result<Document, Skipped> {
    let Found { place, path, kind } = entry?;
    let parsed = match rt.read_file(place).await {
        Ok(bytes) => Document::parse(path.clone(), kind, &bytes),
        Err(error) => Err(error.to_string()),
    };
    parsed.map_err(|reason| Skipped { path, reason })
}

impl Corpus {
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
    use crate::runtime::{AsyncStd, Smol, Threads, TokioLocal, TokioMt};

    fn read(folder: &Path) -> Result<Corpus, IngestError> {
        read_on_runtime::<Threads>(folder, INGEST_CONCURRENCY)
    }

    fn read_on_runtime<R: Runtime>(
        folder: &Path,
        concurrency: NonZeroUsize,
    ) -> Result<Corpus, IngestError> {
        let rt = R::new(NonZeroUsize::new(2).expect("2 is not 0")).expect("a runtime starts");
        let (inner, folder) = (rt.clone(), folder.to_owned());
        rt.run(async move { ingest(&inner, &folder, concurrency).await })
    }

    #[test]
    fn the_order_is_that_of_the_paths_on_any_runtime_at_any_concurrency() {
        fn same<R: Runtime>(folder: &Path, expected: &Corpus) {
            for concurrency in [1, 2, 16, 1000] {
                let concurrency = NonZeroUsize::new(concurrency).expect("not 0");
                let corpus = read_on_runtime::<R>(folder, concurrency).expect("a corpus");
                assert_eq!(corpus.documents, expected.documents, "{}", R::NAME);
                assert_eq!(corpus.skipped, expected.skipped, "{}", R::NAME);
                assert_eq!(corpus.ignored, expected.ignored, "{}", R::NAME);
            }
        }
        let names: Vec<String> = (0..60)
            .map(|it| format!("{}/{it:02}.json", it % 7))
            .collect();
        let mut files: Vec<(&str, &[u8])> = Vec::new();
        for (number, name) in names.iter().enumerate() {
            files.push((name, if number % 5 == 0 { b"{" } else { b"{\"x\": 1}" }));
        }
        files.push(("picture.png", b"\x89PNG"));
        let folder = tree(&files);
        let expected = read_on_runtime::<Threads>(folder.path(), NonZeroUsize::MIN);
        let expected = expected.expect("a corpus");
        assert!(expected.documents.is_sorted_by_key(|it| &it.path));
        assert!(expected.skipped.is_sorted_by_key(|it| &it.path));
        assert_eq!((expected.documents.len(), expected.skipped.len()), (48, 12));
        same::<TokioMt>(folder.path(), &expected);
        same::<TokioLocal>(folder.path(), &expected);
        same::<AsyncStd>(folder.path(), &expected);
        same::<Smol>(folder.path(), &expected);
        same::<Threads>(folder.path(), &expected);
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
        assert!(error.contains("cannot read corpus folder"), "{error}");
        assert!(error.contains("No such file or directory"), "{error}");
    }
}
