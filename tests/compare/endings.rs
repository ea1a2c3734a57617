//! How it ends before its time, by Ctrl-C, by SIGKILL or because the mock is gone, and goes on.

use crate::FOLDER;
use crate::support::place::Place;
use nix::sys::signal::{Signal, kill};
use std::collections::HashMap;
use tare::experiment::{Ending, Stored};

const MANY: [&str; 13] = [
    "compare",
    "--workload",
    "stream",
    "--stacks",
    "tokio-mt/hyper",
    "--tokens",
    "8",
    "--iterations",
    "2",
    "--order-seed",
    "3",
    "--runs",
    "300",
];

/// The same with fewer blocks, to be ended in a test's time.
fn few(blocks: &str) -> Vec<&str> {
    [&MANY[..12], &[blocks]].concat()
}

/// Every run once, however often it was gone on with.
fn is_whole(stored: &Stored) {
    let experiment = &stored.manifest.experiment;
    assert_eq!(stored.finished().len(), experiment.order(None).len());
    let mut seen: HashMap<(&str, usize, bool), usize> = HashMap::new();
    for record in &stored.records {
        *seen
            .entry((&record.arm, record.block, record.profiled))
            .or_default() += 1;
    }
    assert!(seen.values().all(|&count| count == 1), "{seen:?}");
}

#[test]
fn ctrl_c_keeps_what_is_finished_and_reports_on_it() {
    let place = Place::new();
    let running = place.start(&MANY).until_it_says("block 2");
    let ended = running.signal_all(Signal::SIGINT).end();
    let said = &ended.said;
    assert!(
        said.contains("interrupted: what is finished will be reported"),
        "{said}"
    );
    assert!(
        said.contains("--resume") && !said.contains("error"),
        "{said}"
    );
    let stored = place.stored(FOLDER);
    assert!((3..600).contains(&stored.records.len()));
    assert_eq!(
        stored.manifest.sittings[0].ending,
        Some(Ending::Interrupted)
    );
    assert!(ended.stdout.contains("tokio-mt/hyper"), "{}", ended.stdout);
    assert_eq!(ended.code, Some(130), "{said}");
}

#[test]
fn a_termination_is_as_good_as_ctrl_c() {
    let place = Place::new();
    let running = place.start(&MANY).until_it_says("block 2");
    let ended = running.signal(Signal::SIGTERM).end();
    assert_eq!(ended.code, Some(130), "{}", ended.said);
    assert!(!place.stored(FOLDER).records.is_empty());
}

#[test]
fn whoever_is_killed_goes_on_with_what_is_missing() {
    let place = Place::new();
    let flags = few("12");
    let running = place.start(&flags).until_it_says("block 3");
    running.signal(Signal::SIGKILL).end();
    let before = place.read(&format!("{FOLDER}/runs.jsonl"));
    assert!(before.lines().count() >= 6, "{before}");
    place.refuses(2, &flags, &["holds experiment compare already", "--resume"]);
    place.does(&[&flags[..], &["--resume"]].concat());
    let after = place.read(&format!("{FOLDER}/runs.jsonl"));
    let whole = before.rsplit_once('\n').map_or("", |(whole, _)| whole);
    assert!(after.starts_with(whole), "finished lines stay as they were");
    let stored = place.stored(FOLDER);
    is_whole(&stored);
    assert_eq!(stored.manifest.sittings.len(), 2);
    assert_eq!(stored.manifest.sittings[0].ending, None);
}

#[test]
fn a_second_process_on_the_folder_is_refused() {
    let place = Place::new();
    let running = place.start(&MANY).until_it_says("block 2");
    let second = place.run(&[&MANY[..], &["--resume"]].concat());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(
        said.contains("another process (") && said.contains("is at work in"),
        "{said}"
    );
    running.signal_all(Signal::SIGINT).end();
}

#[test]
fn another_experiment_does_not_go_on_there() {
    let place = Place::new();
    place.does(&few("2"));
    for (flags, told) in [
        (few("3"), "blocks: 3 here, 2 there"),
        ([&few("2")[..], &["--threads", "1"]].concat(), "threads"),
        (
            [&few("2")[..], &["--partition", "1/2"]].concat(),
            "part 1/2",
        ),
    ] {
        place.refuses(2, &[&flags[..], &["--resume"]].concat(), &["holds", told]);
    }
    let nothing = ["--resume", "--out", "elsewhere"];
    place.refuses(
        2,
        &[&few("2")[..], &nothing].concat(),
        &["cannot go on in elsewhere"],
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_mock_that_dies_is_an_error_that_names_the_arm_and_what_is_finished_is_kept() {
    let place = Place::new();
    let running = place.start(&MANY).until_it_says("block 2");
    let children = running.children();
    let mock = children.iter().find(|(_, line)| line.contains(" mock "));
    let (mock, _) = mock.expect("its mock");
    kill(*mock, Signal::SIGKILL).expect("it runs");
    let ended = running.end();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.stdout.contains("tokio-mt/hyper"), "{}", ended.stdout);
    let error = ended.said.lines().last().expect("an error");
    assert!(
        error.starts_with("error: ") && error.contains("--resume"),
        "{error}"
    );
    let named = ["threads/raw", "tokio-mt/hyper"];
    assert!(named.iter().any(|name| error.contains(name)), "{error}");
    let stored = place.stored(FOLDER);
    assert_eq!(stored.manifest.sittings[0].ending, Some(Ending::GivenUp));
    assert!(
        stored
            .records
            .iter()
            .filter(|it| it.run().is_some())
            .count()
            >= 3
    );
}
