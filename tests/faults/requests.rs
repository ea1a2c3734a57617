//! Which requests a fault strikes, and what is said where one is written wrong.

use crate::support::{ask, mock, program, wire};
use crate::{BODY, CHAT, GENERATE, OPENAI, with};
use assert_cmd::Command;
use tare::run::MockServer;

/// Which of so many requests end early.
fn truncated(server: &MockServer, requests: usize) -> Vec<bool> {
    let ask = |_| wire(server, GENERATE, BODY).chunks().len() < 7;
    (0..requests).map(ask).collect()
}

#[test]
fn a_fault_strikes_the_requests_that_it_is_told_to() {
    let server = with(&["truncate=1@2", "truncate=1@4..5"]);
    // Neither routes that do not speak nor refusals are in the way, but refused requests count.
    ask(&server, "GET /api/tags", "");
    let first = truncated(&server, 2);
    assert_eq!(first, [false, true]);
    ask(&server, CHAT, "{");
    assert_eq!(truncated(&server, 3), [true, true, false]);
}

#[test]
fn chance_repeats_by_its_seed() {
    let of = |seed: &str| {
        let flags = ["--fault", "truncate=1@50%", "--fault-seed", seed];
        let server = MockServer::start_with(&program(), "instant", None, &flags);
        truncated(&server.expect("the mock starts"), 64)
    };
    let first = of("1");
    assert_eq!(first, of("1"));
    assert_ne!(first, of("2"));
    assert!(first.contains(&true) && first.contains(&false));
}

#[test]
fn a_header_that_is_no_fault_is_refused_with_what_there_is() {
    let server = mock("instant");
    for route in [GENERATE, CHAT, OPENAI] {
        let head = format!("{route}\nx-tare-fault: extra-fields, truncat=3");
        let reply = ask(&server, &head, BODY);
        assert_eq!(reply.status, "400 Bad Request");
        let error = &reply.json()["error"];
        let said = if route == OPENAI {
            &error["message"]
        } else {
            error
        };
        let said = said.as_str().expect("words");
        assert!(
            said.starts_with("no fault `truncat`: there are truncate=N, "),
            "{said}"
        );
    }
    let route = "GET /api/tags\nx-tare-fault: nonsense";
    assert_eq!(
        ask(&server, route, "").status,
        "200 OK",
        "not a route that speaks"
    );
}

#[test]
fn a_flag_that_is_no_fault_is_wrong_usage() {
    for (spec, named) in [
        (
            "truncat=3",
            "error: no fault `truncat`: there are truncate=N, ",
        ),
        (
            "truncate=x",
            "error: fault `truncate=x`: `x` is not a number of tokens; write truncate=N",
        ),
        (
            "truncate=3@x",
            "error: fault `truncate=3@x`: `@x` does not say when; write @3, ",
        ),
    ] {
        let output = Command::new(program().path())
            .args(["mock", "--listen", "127.0.0.1:0", "--fault", spec])
            .output()
            .expect("the program runs");
        assert_eq!(output.status.code(), Some(2), "{spec}");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(
            said.starts_with(named) && said.matches('\n').count() == 1,
            "{said}"
        );
    }
}

#[test]
fn help_lists_every_kind() {
    let output = Command::new(program().path())
        .args(["mock", "--help"])
        .output()
        .expect("the program runs");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    for (form, meaning) in tare_mock::FAULT_KINDS.iter().chain(&tare_mock::FAULT_TIMES) {
        assert!(help.contains(form), "{form} in {help}");
        assert!(help.contains(&meaning[..20]), "{meaning} in {help}");
    }
}
