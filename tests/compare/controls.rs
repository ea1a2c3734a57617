//! Mistakes built in on purpose are found, each with real processes.

use crate::place::{CORPUS, Place, control};
use std::fs;
use tare::stats::Verdict;
use tare::weighing::{Figure, Role};

#[test]
fn agents_that_take_turns_are_found_slower() {
    let flags = [
        "--workload",
        "team",
        "--agents",
        "2",
        "--stacks",
        "tokio-mt/hyper/spawn",
    ];
    let with = [
        "--inject",
        "mutex",
        "--invocations",
        "5",
        "--tokens",
        "48",
        "--corpus",
        CORPUS,
    ];
    let compared = Place::new().compares(&[&flags[..], &with].concat());
    compared.is_whole();
    let record = compared.record();
    // Its two agents take turns for nearly all of their time, so it takes nearly twice as long.
    let judged = control(
        &record.parts[0],
        Figure::Gross,
        "tokio-mt/hyper/spawn + mutex",
    );
    assert_eq!(judged.verdict, Verdict::Slower, "{judged}");
    compared.line("Positive control, tokio-mt/hyper/spawn + mutex: found: gross slower × ");
}

#[test]
fn a_delay_is_found_with_its_size() {
    let place = Place::new();
    // So large that what a busy machine adds is small beside it, and over before the next piece.
    let profile = "description = \"slow enough\"\nmodel = \"m\"\nload = \"0s\"\ntokens = 8\ngap = \"20ms\"\nseed = 1\nprefill = { fixed = \"0s\", per_token = \"0s\" }\n";
    fs::write(place.path().join("slow.toml"), profile).expect("a profile");
    let flags = [
        "--workload",
        "stream",
        "--mock",
        "slow.toml",
        "--stacks",
        "tokio-mt/hyper",
    ];
    let with = [
        "--inject",
        "delay=10ms/chunk",
        "--invocations",
        "5",
        "--tokens",
        "6",
    ];
    let compared = place.compares(&[&flags[..], &with].concat());
    let record = compared.record();
    let part = &record.parts[0];
    let judged = control(
        part,
        Figure::Delivery,
        "tokio-mt/hyper + delay=10000us/chunk",
    );
    assert_eq!(judged.verdict, Verdict::Slower, "{judged}");
    // Of the invocation that the machine disturbed least.
    let delivery = |role| {
        let one = part.weighed.iter().find(|one| one.subject.role == role);
        let values = one.expect("it was run").values(|it| it.delivery_ns);
        values.into_iter().reduce(f64::min).expect("a mock tells")
    };
    let added = delivery(Role::Control) - delivery(Role::Base);
    assert!((8e6..12e6).contains(&added), "{added} ns");
    let said = compared.line("Positive control, ");
    assert!(said.contains("10000 µs per piece were built in"), "{said}");
}

#[test]
fn other_mistakes_run_under_their_names() {
    let flags = [
        "--workload",
        "stream",
        "--stacks",
        "tokio-mt/hyper",
        "--invocations",
        "3",
    ];
    let with = [
        "--inject",
        "accumulate=1024",
        "--inject",
        "block-on-root",
        "--tokens",
        "64",
    ];
    let compared = Place::new().compares(&[&flags[..], &with].concat());
    compared.is_whole();
    for name in ["accumulate=1024", "block-on-root"] {
        compared.line(&format!("| tokio-mt/hyper + {name}"));
        compared.line(&format!("Positive control, tokio-mt/hyper + {name}: "));
    }
    // Ten pieces at a time, 1 ms apart: on average a token is read 5 ms late.
    let record = compared.record();
    let judged = control(
        &record.parts[0],
        Figure::Delivery,
        "tokio-mt/hyper + accumulate=1024",
    );
    assert!(
        judged.ratio.expect("three blocks").estimate > 1.0,
        "{judged}"
    );
}

/// With nothing beside it, as CI runs it: `cargo test --test compare -- --ignored`.
#[test]
#[ignore = "takes minutes, and nothing may run beside it"]
fn twenty_comparisons_of_a_cell_with_itself_raise_no_false_alarm() {
    for seed in 1..=20 {
        let seed = seed.to_string();
        let flags = ["--stacks", "tokio-mt/hyper", "--invocations", "6"];
        let with = ["--corpus", CORPUS, "--seed", &seed];
        let compared = Place::new().compares(&[&flags[..], &with].concat());
        let said = &compared.report;
        assert!(!said.contains("Verdicts are withheld"), "{said}");
    }
}
