//! What can't be done is one line on stderr and an exit code, and leaves nothing behind.

use crate::place::Place;
use crate::support::mock;

/// Nothing listens on this port, and no test's own server is ever given it.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn flags_that_contradict_each_other_are_wrong_usage() {
    let place = Place::new();
    let with: [(&[&str], &str); 5] = [
        (&["--gpus", "2"], "a server has one GPU"),
        (
            &["--chimera2-num-ctx", "512"],
            "only --scenario chimera_hetero",
        ),
        (
            &["--stack", "smol/hyper/join", "--topology", "spawn"],
            "has a topology of its own",
        ),
        (
            &["--stack", "threads/raw", "--topology", "join"],
            "one after the other",
        ),
        (
            &["--api", "openai", "--chimera-num-ctx", "512"],
            "--chimera-num-ctx can't be had",
        ),
    ];
    for (flags, words) in with {
        place.fails(2, &[&place.mock()[..], flags].concat(), words);
    }
}

#[test]
fn what_the_command_line_does_not_know_is_wrong_usage() {
    let place = Place::new();
    let with: [(&[&str], &str); 6] = [
        (&["--scenario", "chimera"], "chimera_homo"),
        (&["--mock", "--speed", "0"], "expected a factor"),
        (&["--scenario", "chimera_homo", "--agents", "2"], "--agents"),
        (&["--agents", "4097"], "4096"),
        (&["--mock", "--base-url", NOWHERE], "--base-url"),
        (&["--servers", "2"], "--mock"),
    ];
    for (flags, words) in with {
        let left = place.team_command(flags);
        assert_eq!(left.code, Some(2), "{flags:?}: {}", left.stderr);
        assert!(left.stderr.contains(words), "{flags:?}: {}", left.stderr);
        assert!(!place.results().exists(), "{flags:?}");
    }
}

#[test]
fn a_dead_server_is_named_with_both_ways_out() {
    let place = Place::new();
    let there = mock("instant");
    let flags = [
        "--collector-ollama-url",
        there.base_url(),
        "--insight-ollama-url",
        NOWHERE,
    ];
    place.fails(
        1,
        &flags,
        "no Ollama answers: cannot connect to http://127.0.0.1:1",
    );
    place.fails(1, &flags, "or add `--mock`");
}

#[test]
fn a_model_that_is_not_there_is_named_with_what_to_do() {
    let place = Place::new();
    let there = mock("instant");
    let flags = ["--base-url", there.base_url(), "--model", "other"];
    place.fails(
        1,
        &flags,
        "model 'other' not found; get the model with `ollama pull other`",
    );
}

#[test]
fn no_corpus_is_said_before_any_server_is_asked() {
    let place = Place::new();
    let flags = ["--base-url", NOWHERE, "--corpus", "/nowhere"];
    place.fails(
        1,
        &flags,
        "cannot read corpus folder /nowhere: No such file or directory",
    );
}
