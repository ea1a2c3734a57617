//! Which files agents read: those of a folder, or the corpus inside the binary.
//!
//! Ingest measures how real files are read, so the built-in corpus is unpacked once, into a cache
//! folder that is named by its digest, before anything is measured. Processes that do so at once wait
//! for each other on a lock file. What lies there is held against its digest every time; files that
//! somebody changed are replaced.

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::convert::Infallible;
use std::env;
use std::fmt::{self, Write};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::LazyLock;
use walkdir::WalkDir;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/corpus");
/// Its digest, which does not change while the program runs.
static BUILT_IN_DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut found = Vec::new();
    built_in_files(&BUILT_IN, &mut found);
    let mut content = Content::default();
    found.sort_unstable_by_key(|(path, _)| *path);
    for (path, bytes) in found {
        content.add(path, bytes);
    }
    content.digest()
});

/// How the built-in corpus is named in arguments, plans and results.
const NAME: &str = "built-in";

/// Where agents find their files. As text, in arguments, plans and results, it is `built-in` or the
/// folder; a folder of that name is `./built-in`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// The 101 files inside the binary.
    #[default]
    BuiltIn,
    /// A folder.
    Folder(PathBuf),
}

/// A folder that agents can read, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The folder.
    pub folder: PathBuf,
    /// Its content.
    pub identity: CorpusIdentity,
}

/// The corpus of a result: results are comparable where the digests are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CorpusIdentity {
    /// `built-in`, or the folder as it was named.
    pub source: String,
    /// SHA-256 over path and content of each file that agents read, in hexadecimal digits; see
    /// [`corpus_digest`].
    pub digest: String,
    /// Files that agents read: CSV, JSON and Markdown.
    pub files: usize,
    /// Their size together, bytes.
    pub bytes: u64,
}

/// Why there is no corpus.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The folder can't be read.
    #[error("cannot read corpus folder {}: {error}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The built-in corpus can be written nowhere.
    #[error(
        "cannot unpack the built-in corpus below {}: {error}; name a folder with --corpus DIR, or a cache folder with XDG_CACHE_HOME",
        folder.display()
    )]
    Unpack {
        /// The last folder that was tried.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Source {
    /// How a run's spec names it: the folder, or the built-in corpus by its name, which is not the same
    /// folder on every machine.
    pub fn named(&self) -> PathBuf {
        self.to_string().into()
    }

    /// Finds the folder and says what is in it. The built-in corpus is unpacked where it is not yet.
    ///
    /// # Errors
    /// When the folder can't be read, or none can be written for the built-in corpus.
    pub fn open(&self) -> Result<Opened, CorpusError> {
        let folder = match self {
            Self::BuiltIn => unpack_somewhere(&caches())?,
            Self::Folder(folder) => folder.clone(),
        };
        let identity = corpus_digest(&folder)?;
        Ok(Opened {
            identity: CorpusIdentity {
                source: self.to_string(),
                ..identity
            },
            folder,
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.pad(NAME),
            Self::Folder(folder) => folder.display().fmt(f),
        }
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        match text == NAME {
            true => Self::BuiltIn,
            false => Self::Folder(text.into()),
        }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.to_owned().into())
    }
}

impl fmt::Display for CorpusIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            digest,
            files,
            bytes,
        } = self;
        let short = digest.get(..12).unwrap_or(digest);
        write!(f, "{source}: {files} files, {bytes} bytes, digest {short}")
    }
}

/// What the files below a folder are, named as the folder is. The digest is taken over the files that
/// agents read, sorted by their paths: of each its path from the folder with `/` between the names, a
/// zero byte, its length (8 bytes, lowest first) and its content. Files of other kinds, and those that
/// can't be read, do not change it.
///
/// # Errors
/// When the folder itself can't be read.
pub fn corpus_digest(folder: &Path) -> Result<CorpusIdentity, CorpusError> {
    fs::read_dir(folder).map_err(|error| CorpusError::Unreadable {
        folder: folder.to_owned(),
        error,
    })?;
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file()
            && is_read(entry.path())
            && let Ok(path) = entry.path().strip_prefix(folder)
        {
            let names = path.iter().map(|name| name.to_string_lossy());
            found.push((
                names.collect::<Vec<Cow<str>>>().join("/"),
                entry.into_path(),
            ));
        }
    }
    found.sort();
    let mut content = Content::default();
    for (name, path) in found {
        if let Ok(bytes) = fs::read(path) {
            content.add(&name, &bytes);
        }
    }
    Ok(CorpusIdentity {
        source: folder.display().to_string(),
        files: content.files,
        bytes: content.bytes,
        digest: content.digest(),
    })
}

fn is_read(path: &Path) -> bool {
    crate::workflow::Kind::of(path).is_some()
}

/// Files, as they are added in the order of their paths.
#[derive(Default)]
struct Content {
    hash: Sha256,
    files: usize,
    bytes: u64,
}

impl Content {
    fn add(&mut self, path: &str, bytes: &[u8]) {
        let length = bytes.len() as u64;
        self.hash.update(path);
        self.hash.update([0]);
        self.hash.update(length.to_le_bytes());
        self.hash.update(bytes);
        self.files += 1;
        self.bytes += length;
    }

    fn digest(self) -> String {
        let bytes = self.hash.finalize();
        bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

fn built_in_files(dir: &Dir<'static>, found: &mut Vec<(&'static str, &'static [u8])>) {
    for file in dir.files() {
        if let Some(path) = file.path().to_str()
            && is_read(file.path())
        {
            found.push((path, file.contents()));
        }
    }
    for dir in dir.dirs() {
        built_in_files(dir, found);
    }
}

/// The cache folders to try: the user's, then the system's for what is temporary.
fn caches() -> Vec<PathBuf> {
    let named = |name| env::var_os(name).map(PathBuf::from);
    let absolute = |path: &PathBuf| path.is_absolute();
    let usual = match cfg!(target_os = "macos") {
        true => "Library/Caches",
        false => ".cache",
    };
    let of_user = named("XDG_CACHE_HOME").filter(absolute).or_else(|| {
        let home = named("HOME").filter(absolute)?;
        Some(home.join(usual))
    });
    of_user.into_iter().chain([env::temp_dir()]).collect()
}

/// Unpacks the built-in corpus into the first cache folder that takes it, if it is not there.
fn unpack_somewhere(caches: &[PathBuf]) -> Result<PathBuf, CorpusError> {
    let mut last = CorpusError::Unpack {
        folder: PathBuf::new(),
        error: io::ErrorKind::NotFound.into(),
    };
    for cache in caches {
        let folder = cache.join("tare");
        match unpack(&folder) {
            Ok(corpus) => return Ok(corpus),
            Err(error) => last = CorpusError::Unpack { folder, error },
        }
    }
    Err(last)
}

fn unpack(folder: &Path) -> io::Result<PathBuf> {
    // Sixteen digits tell versions apart; the whole digest is compared.
    let corpus = folder.join(format!("corpus-{}", &BUILT_IN_DIGEST[..16]));
    if is_built_in(&corpus) {
        return Ok(corpus);
    }
    fs::create_dir_all(folder)?;
    // Until it is dropped; the system also ends it with the process.
    let lock = File::create(folder.join("corpus.lock"))?;
    lock.lock()?;
    if is_built_in(&corpus) {
        return Ok(corpus);
    }
    let fresh = tempfile::Builder::new()
        .prefix("unpacking-")
        .tempdir_in(folder)?;
    let unpacked = fresh.path().join("corpus");
    fs::create_dir(&unpacked)?;
    BUILT_IN.extract(&unpacked)?;
    if fs::symlink_metadata(&corpus).is_ok() {
        // What was changed goes when `fresh` is dropped.
        fs::rename(&corpus, fresh.path().join("changed"))?;
    }
    fs::rename(&unpacked, &corpus)?;
    Ok(corpus)
}

fn is_built_in(corpus: &Path) -> bool {
    corpus_digest(corpus).is_ok_and(|found| found.digest == *BUILT_IN_DIGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn the_built_in_corpus_is_that_of_the_repository() {
        let cache = folder();
        let unpacked = unpack(cache.path()).expect("a place to write");
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
        let (there, here) = (corpus_digest(&there), corpus_digest(&unpacked));
        let (there, here) = (there.expect("a corpus"), here.expect("a corpus"));
        assert_eq!(
            (there.digest, there.files, there.bytes),
            (here.digest, here.files, here.bytes)
        );
        assert_eq!(here.files, 101);
    }

    #[test]
    fn what_somebody_changed_is_replaced_and_what_nobody_reads_is_left() {
        let cache = folder();
        let first = unpack(cache.path()).expect("a place to write");
        fs::write(first.join(".DS_Store"), "").expect("a file");
        assert_eq!(unpack(cache.path()).expect("the same"), first);
        assert!(first.join(".DS_Store").exists());
        fs::write(first.join("more.json"), "{}").expect("a file");
        assert_eq!(unpack(cache.path()).expect("the same"), first);
        assert!(!first.join("more.json").exists());
        assert!(is_built_in(&first));
        // Nothing is left but the corpus and the lock.
        let left = fs::read_dir(cache.path()).expect("a folder").count();
        assert_eq!(left, 2);
    }

    #[test]
    fn several_unpack_at_once_and_all_find_it_whole() {
        let cache = folder();
        thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| unpack(cache.path()).map(|corpus| is_built_in(&corpus))))
                .collect();
            for one in all {
                let whole = one.join().expect("no panic").expect("a place to write");
                assert!(whole);
            }
        });
    }

    #[test]
    fn a_cache_that_cannot_be_written_gives_way_to_the_next() {
        let place = folder();
        let file = place.path().join("file");
        fs::write(&file, "").expect("a file");
        let next = place.path().join("next");
        let found = unpack_somewhere(&[file.clone(), next.clone()]).expect("the next");
        assert!(found.starts_with(next));
        let error = unpack_somewhere(&[file])
            .expect_err("no folder")
            .to_string();
        assert!(error.starts_with("cannot unpack the built-in corpus below"));
    }

    #[test]
    fn the_digest_follows_names_and_content_of_what_is_read_and_nothing_else() {
        let place = folder();
        let write = |path: &str, text: &str| {
            let path = place.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        let digest = || corpus_digest(place.path()).expect("a folder").digest;
        write("a/b.json", "1");
        let first = digest();
        write("picture.png", "1");
        assert_eq!(digest(), first);
        write("a/b.json", "2");
        let second = digest();
        assert_ne!(first, second);
        write("a/c.json", "");
        assert_ne!(second, digest());
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_in_the_systems_words() {
        let source: Source = "/no/such".parse().expect("infallible");
        let error = source.open().expect_err("no folder").to_string();
        assert!(
            error.starts_with("cannot read corpus folder /no/such: No such file or directory"),
            "{error}"
        );
    }

    #[test]
    fn as_text_it_is_built_in_or_a_folder() {
        for text in ["built-in", "./built-in", "fixtures/corpus"] {
            let source = Source::from(text.to_owned());
            assert_eq!(source == Source::BuiltIn, text == "built-in");
            assert_eq!(source.to_string(), text);
        }
    }
}
