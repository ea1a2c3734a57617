//! The corpus that the agents read is complete, well-formed and reproducible.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

#[allow(dead_code)]
#[path = "../examples/make_corpus.rs"]
mod make_corpus;

/// Every file under `folder` by its path inside it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("the folder can be listed"))
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let name = entry
                .path()
                .strip_prefix(folder)
                .expect("inside the folder");
            let bytes = fs::read(entry.path()).expect("the file can be read");
            (name.to_owned(), bytes)
        })
        .collect()
}

fn committed() -> BTreeMap<PathBuf, Vec<u8>> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus"))
}

fn of_format(extension: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = committed();
    files.retain(|name, _| name.extension().is_some_and(|its| its == extension));
    files
}

#[test]
fn the_corpus_is_34_csv_34_json_and_33_markdown_files_and_nothing_else() {
    let counts = ["csv", "json", "md"].map(|extension| of_format(extension).len());
    assert_eq!(counts, [34, 34, 33]);
    assert_eq!(committed().len(), 101);
}

#[test]
fn every_csv_has_rows_as_long_as_its_header() {
    for (name, bytes) in of_format("csv") {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(bytes.as_slice());
        let width = reader.headers().expect("a header").len();
        let rows: Vec<_> = reader.records().collect();
        assert!(!rows.is_empty(), "{} has no rows", name.display());
        for row in rows {
            let row = row.unwrap_or_else(|error| panic!("{}: {error}", name.display()));
            assert_eq!(row.len(), width, "{}: {row:?}", name.display());
        }
    }
}

#[test]
fn every_json_is_an_object_that_names_its_source_and_holds_rows() {
    for (name, bytes) in of_format("json") {
        let sheet: serde_json::Value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", name.display()));
        assert!(
            sheet["source"].is_string(),
            "{} names no source",
            name.display()
        );
        let rows = sheet["rows"].as_array().map_or(0, Vec::len);
        assert_ne!(rows, 0, "{} has no rows", name.display());
    }
}

#[test]
fn every_markdown_starts_with_a_title() {
    for (name, bytes) in of_format("md") {
        assert!(
            bytes.starts_with(b"# "),
            "{} starts otherwise",
            name.display()
        );
    }
}

#[test]
fn the_generator_gives_the_committed_corpus_to_the_byte_and_gives_it_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for _ in 0..2 {
        make_corpus::write(folder.path()).expect("the corpus is written");
        let (made, committed) = (files(folder.path()), committed());
        assert!(made.keys().eq(committed.keys()), "the names differ");
        for (name, bytes) in committed {
            assert!(made[&name] == bytes, "{} differs", name.display());
        }
    }
}

#[test]
fn a_folder_that_is_missing_is_created() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("a/b");
    make_corpus::write(&missing).expect("the corpus is written");
    assert_eq!(files(&missing).len(), 101);
}

#[test]
fn a_folder_with_a_foreign_file_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let foreign = folder.path().join("claims").join("mine.md");
    fs::create_dir(folder.path().join("claims")).expect("a folder");
    fs::write(&foreign, "mine").expect("a file");

    let refused = make_corpus::write(folder.path()).expect_err("it holds a foreign file");

    assert!(
        refused.to_string().contains(&foreign.display().to_string()),
        "{refused}"
    );
    let left = BTreeMap::from([(PathBuf::from("claims/mine.md"), b"mine".to_vec())]);
    assert_eq!(files(folder.path()), left);
}
