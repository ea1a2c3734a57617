//! Outside a checkout agents read the corpus inside the program, and results say so.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tare::corpus::corpus_digest;

/// Two agents at once, and the JSON of the result.
fn team(folder: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tare"))
        .args([
            "team",
            "--mock",
            "--runs",
            "1",
            "--fixed-length",
            "4",
            "--format",
            "json",
        ])
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The corpus that a result states, wherever its format has it.
fn stated(result: &Value) -> Option<&Value> {
    match result {
        Value::Object(fields) => fields
            .get("corpus")
            .filter(|corpus| corpus["digest"].is_string())
            .or_else(|| fields.values().find_map(stated)),
        Value::Array(items) => items.iter().find_map(stated),
        _ => None,
    }
}

#[test]
fn without_a_folder_the_built_in_corpus_is_read_and_stated_with_its_digest() {
    let place = tempfile::tempdir().expect("a folder");
    let result = team(place.path(), &[]);
    let corpus = stated(&result).expect("a corpus");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
    let shipped = corpus_digest(&shipped).expect("the corpus of the repository");
    assert_eq!(corpus["source"], "built-in");
    assert_eq!(corpus["digest"], shipped.digest.as_str());
    assert_eq!(corpus["files"], 101);
    assert_eq!(corpus["bytes"], shipped.bytes);
}

#[test]
fn a_folder_is_stated_as_it_was_named_with_the_digest_of_its_content() {
    let place = tempfile::tempdir().expect("a folder");
    fs::create_dir(place.path().join("mine")).expect("a folder");
    fs::write(place.path().join("mine/a.json"), r#"{"ttft_ms": 580.1}"#).expect("a file");
    let result = team(
        place.path(),
        &["--corpus", "mine", "--ingest-concurrency", "1"],
    );
    let corpus = stated(&result).expect("a corpus");
    let here = corpus_digest(&place.path().join("mine")).expect("a corpus");
    assert_eq!(corpus["source"], "mine");
    assert_eq!(corpus["digest"], here.digest.as_str());
    assert_eq!(corpus["files"], 1);
    // Nothing was unpacked that nobody reads.
    assert!(!place.path().join("cache").exists());
}

#[test]
fn several_programs_that_unpack_it_at_once_all_read_it_whole() {
    let place = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for out in ["one", "two", "three"] {
            let folder = place.path();
            scope.spawn(move || {
                let result = team(folder, &["--out", out]);
                assert_eq!(stated(&result).expect("a corpus")["files"], 101);
            });
        }
    });
}
