//! The answer, first: `tare compare` over the stacks that the filter names, in randomised blocks. The
//! bench `workloads`, which comes last, prints it again, because that is where a terminal ends.

mod shared;

use regex::Regex;
use shared::{folder, or_exit};
use std::process::{Command, Stdio, exit};
use tare::stack::Stack;

/// The stack that the others are compared with, where it is among them.
const BASE: &str = "tokio-mt/hyper";

/// Says what `tare compare` says, unless nothing is being measured (`--test`, `--list`, ...). All are
/// compared with the usual base, if it is among them, else with their first.
fn main() {
    let stacks = wanted();
    let (Some(blocks), Some(first)) = (blocks_wanted(), stacks.first()) else {
        return;
    };
    let base = match stacks.iter().any(|stack| stack == BASE) {
        true => BASE,
        false => first,
    };
    let compared = Command::new(env!("CARGO_BIN_EXE_tare"))
        .args(["compare", "--replace", "--order-seed", "1", "--base", base])
        .args(["--stacks", &stacks.join(",")])
        .args(["--runs", blocks, "--out"])
        .arg(folder())
        .stderr(Stdio::inherit())
        .output();
    let compared = or_exit(compared);
    if !compared.status.success() {
        exit(compared.status.code().unwrap_or(1));
    }
    print!("{}", String::from_utf8_lossy(&compared.stdout));
}

/// The stacks of the benchmarks that Criterion's filter names.
fn wanted() -> Vec<String> {
    let groups = [
        "workflow/burst",
        "workflow/tare",
        "stream/burst",
        "stream/paced",
        "ttft/cold",
        "ttft/warm",
        "agents/2",
        "agents/16",
    ];
    let filter = filter().map(|filter| or_exit(Regex::new(&filter)));
    let matches = |stack: &Stack| {
        let named = |group: &&str| {
            let topologies = match group.starts_with("agents") {
                true => stack.topologies(),
                false => vec![*stack],
            };
            let mut ids = topologies.iter().map(|stack| format!("{group}/{stack}"));
            filter
                .as_ref()
                .is_none_or(|filter| ids.any(|id| filter.is_match(&id)))
        };
        *stack != Stack::FLOOR && groups.iter().any(named)
    };
    let wanted = Stack::matrix().into_iter().filter(matches);
    wanted.map(|stack| stack.to_string()).collect()
}

/// The one argument that is no flag and no flag's value.
fn filter() -> Option<String> {
    let takes_a_value = |flag: &str| {
        let flags = [
            "--save-baseline",
            "--baseline",
            "--baseline-lenient",
            "--load-baseline",
            "--sample-size",
            "--warm-up-time",
            "--measurement-time",
            "--nresamples",
            "--noise-threshold",
            "--confidence-level",
            "--significance-level",
            "--color",
            "--colour",
            "--format",
            "--output-format",
            "--plotting-backend",
            "--profile-time",
        ];
        flags.contains(&flag)
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            flag if takes_a_value(flag) => drop(arguments.next()),
            flag if flag.starts_with('-') => {}
            _ => return Some(argument),
        }
    }
    None
}

/// How many blocks the comparison takes; `None` if nothing is being measured.
fn blocks_wanted() -> Option<&'static str> {
    let given = |flag: &str| {
        let with_value = format!("{flag}=");
        std::env::args().any(|arg| arg == flag || arg.starts_with(&with_value))
    };
    let otherwise = ["--test", "--list", "--profile-time", "--load-baseline"];
    if !given("--bench") || otherwise.into_iter().any(given) {
        return None;
    }
    Some(if given("--quick") { "4" } else { "12" })
}
