//! What can't be done is one line on stderr and an exit code, and leaves nothing behind.

use crate::place::{BURST, Place};

/// Nothing listens on this port, and no test's own server is ever given it.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn flags_that_mean_nothing_are_wrong_usage() {
    let place = Place::new();
    for (flags, told) in [
        (&["--rate", "0"][..], "requests per second, from 0.001"),
        (&["--rate", "-1"], "requests per second"),
        (&["--rate", "many"], "requests per second"),
        (&["--streams", "0"], "'0' for '--streams"),
        (&["--rate", "1", "--arrivals", "uniform"], "'uniform'"),
        (&["--measure", "0s"], "longer than nothing"),
        (&["--measure", "10"], "expected a time"),
        (&["--warm-up=-1s"], "expected a time"),
        (&["--requests", "0"], "'0' for '--requests"),
        (&["--tokens", "0"], "'0' for '--tokens"),
        (&["--slo", "ttft"], "`ttft` is no objective"),
        (&["--slo", "itl=5ms"], "no figure `itl`"),
        (&["--slo", "ttft=0s"], "`0s` is no limit for ttft"),
        (&["--slo", "e2e=1s,e2e=2s"], "e2e has two limits"),
        (&["--stack", "smol/curl"], "no client `curl`"),
        (
            &["--stack", "smol/hyper/join"],
            "every stream is a task of its own",
        ),
        (&["--base-url", "ftp://x"], "ftp://x"),
    ] {
        place.refuses(2, flags, &[told]);
    }
    place.refuses(2, &["--mock", "nope"], &["no profile `nope`"]);
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    let place = Place::new();
    for (flags, told) in [
        (
            &["--streams", "2", "--rate", "2"][..],
            "cannot be used with",
        ),
        (
            &["--requests", "2", "--measure", "2s"],
            "cannot be used with",
        ),
        (&["--requests", "2", "--drain", "2s"], "cannot be used with"),
        (
            &["--prompt", "a", "--prompt-tokens", "2"],
            "cannot be used with",
        ),
        (&["--base-url", NOWHERE, "--mock"], "cannot be used with"),
        (&["--arrivals", "poisson"], "not provided"),
        (&["--seed", "1"], "not provided"),
        (&["--max-in-flight", "1"], "not provided"),
        (&["--fault", "status=503"], "not provided"),
    ] {
        place.refuses(2, flags, &[told]);
    }
}

#[test]
fn a_fault_that_is_none_is_told_in_the_mocks_words() {
    let flags = ["--requests", "2", "--fault", "nonsense"];
    Place::new().fails(1, &[&BURST[..], &flags].concat(), &["nonsense"]);
}

#[test]
fn a_server_that_is_not_there_is_one_clear_line() {
    for api in ["generate", "openai"] {
        let flags = ["--base-url", NOWHERE, "--api", api];
        Place::new().fails(1, &flags, &["answers: cannot connect to", "--mock"]);
    }
}

#[test]
fn a_result_that_can_not_be_written_is_told_before_anything_is_measured() {
    let place = Place::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/load");
    let flags = ["--requests", "2", "--out", folder];
    place.refuses(
        1,
        &[&BURST[..], &flags].concat(),
        &["Cargo.toml is no folder"],
    );
}
