//! Two processes on one folder: one works, the other says so.

use crate::place::{ALL, PLAN, Place, Swept};
use std::process::Stdio;

const MOCK: [&str; 4] = ["--plan", "small.toml", "--mock", "instant"];

#[test]
fn while_one_is_at_work_another_is_refused_and_afterwards_not() {
    let place = Place::new();
    place.write(
        "small.toml",
        &PLAN.replace("warm_up", "cool_down = \"1h\"\nwarm_up"),
    );
    let mut running = place.start(&MOCK);
    running.until("block 1 of 3");
    place.wait_for_runs(1);
    let holder = format!("another process ({}) is at work", running.child.id());
    let again = [&MOCK[..], &["--resume"]].concat();
    place.refuses(&again, 1, &[&holder, "wait for it to end"]);
    place.refuses(&MOCK, 1, &[&holder]);
    assert_eq!(Swept::read(&place.out()).runs.len(), 1);

    running.child.kill().expect("it runs");
    running.end();
    let mut next = place.start(&again);
    next.until("small: 2 arms, at most 3 blocks; 1 runs are finished already");
    next.child.kill().expect("it runs");
    next.end();
}

#[test]
fn of_two_that_begin_at_once_one_does_all_of_it() {
    let place = Place::new();
    let start = || {
        let mut command = place.command(&MOCK);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the program runs")
    };
    let both = [start(), start()];
    let codes = both.map(|child| {
        let output = child.wait_with_output().expect("it ends");
        let said = crate::place::text(&output.stderr);
        let code = output.status.code().expect("a code");
        let refused =
            said.contains("is at work") || said.contains("holds experiment small already");
        assert_eq!(code != 0, refused, "{said}");
        code
    });
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert_eq!(Swept::read(&place.out()).names(), ALL);
}
