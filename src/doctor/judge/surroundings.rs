//! Verdicts on the rest: the build, memory, open files, and who else is there.

use crate::doctor::OpenFiles;
use crate::doctor::diagnosis::Judged;
use crate::machine::Memory;
use crate::provenance::{Build, Verdict};

/// Streams at once that tare means to be able to run, with some files to spare.
const WANTED_FILES: u64 = 10_000 + 100;

pub fn build(build: &Build) -> Judged {
    match build.profile.as_str() {
        "release" => Judged::good("release"),
        "debug" => Judged::new(Verdict::Bad, "debug").remedy("`cargo install --locked --path .`"),
        _ => Judged::unknown(),
    }
}

pub fn port(answered: bool) -> Judged {
    if !answered {
        return Judged::good("nobody answers at 127.0.0.1:11434");
    }
    Judged::new(Verdict::Note, "someone answers at 127.0.0.1:11434").remedy(
        "see who with `ss -ltnp 'sport = :11434'` and what is loaded with `ollama ps`; give a mock another port: `tare mock --listen 127.0.0.1:11500`",
    )
}

pub fn open_files(limit: Option<OpenFiles>) -> Judged {
    let Some(OpenFiles { soft, hard }) = limit else {
        return Judged::unknown();
    };
    let (verdict, remedy) = if soft >= WANTED_FILES {
        (Verdict::Good, "")
    } else if hard >= WANTED_FILES {
        (
            Verdict::Note,
            "in the shell that starts the client (the mock does so by itself): `ulimit -n 10100`",
        )
    } else {
        (
            Verdict::Note,
            "in the shell that starts both: `sudo prlimit --pid $$ --nofile=10100:10100`",
        )
    };
    let number = |limit: u64| match limit {
        nix::libc::RLIM_INFINITY => "unlimited".to_owned(),
        limit => limit.to_string(),
    };
    Judged::new(
        verdict,
        format!(
            "{} per process, can be raised to {}",
            number(soft),
            number(hard)
        ),
    )
    .value("soft", soft as f64)
    .value("hard", hard as f64)
    .remedy(remedy)
}

pub fn swap(memory: Option<Memory>) -> Judged {
    let Some(Memory {
        swap, swap_used, ..
    }) = memory
    else {
        return Judged::unknown();
    };
    let judged = match (swap, swap_used) {
        (0, _) => Judged::good("none"),
        (_, 0) => Judged::good(format!("{} and none of it used", mib(swap))),
        _ => Judged::new(
            Verdict::Note,
            format!("{} of {} used", mib(swap_used), mib(swap)),
        ),
    };
    judged
        .value("swap_bytes", swap as f64)
        .value("used_bytes", swap_used as f64)
        .remedy("where memory suffices: `sudo swapoff -a`")
}

pub fn huge_pages(choice: Option<&str>) -> Judged {
    match choice {
        None => Judged::unknown(),
        Some(choice @ "always") => Judged::new(Verdict::Note, choice)
            .remedy("`echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`"),
        Some(choice) => Judged::good(choice),
    }
}

pub fn numa(nodes: Option<usize>) -> Judged {
    match nodes {
        None => Judged::unknown(),
        Some(1) => Judged::good("1 node").value("nodes", 1.0),
        Some(nodes) => Judged::new(Verdict::Note, format!("{nodes} nodes"))
            .value("nodes", nodes as f64)
            .remedy("stay on one: `numactl --cpunodebind=0 --membind=0 tare agent --mock`"),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_build_is_bad() {
        let of = |profile: &str| Build {
            profile: profile.to_owned(),
            ..Build::here()
        };
        assert_eq!(build(&of("release")).verdict, Verdict::Good);
        assert_eq!(build(&of("debug")).verdict, Verdict::Bad);
        assert_eq!(build(&of("unknown")), Judged::unknown());
    }

    #[test]
    fn ten_thousand_streams_need_as_many_files_and_whoever_may_raise_the_limit_is_told_how() {
        let of = |soft, hard| open_files(Some(OpenFiles { soft, hard }));
        assert_eq!(of(20_000, 20_000).verdict, Verdict::Good);
        let raisable = of(1_024, 524_288);
        assert_eq!(raisable.verdict, Verdict::Note);
        assert!(
            raisable
                .remedy
                .is_some_and(|remedy| remedy.contains("`ulimit -n 10100`"))
        );
        let tight = of(1_024, 4_096);
        assert!(
            tight
                .remedy
                .is_some_and(|remedy| remedy.contains("sudo prlimit"))
        );
        let endless = of(1_024, nix::libc::RLIM_INFINITY);
        assert_eq!(
            endless.found,
            "1024 per process, can be raised to unlimited"
        );
    }

    #[test]
    fn swap_matters_where_it_holds_something() {
        let of = |swap: u64, swap_used: u64| swap_of(swap << 20, swap_used << 20);
        assert_eq!(of(0, 0).verdict, Verdict::Good);
        assert_eq!(of(2048, 0).verdict, Verdict::Good);
        let used = of(2048, 16);
        assert_eq!(
            (used.verdict, used.found.as_str()),
            (Verdict::Note, "16 MiB of 2048 MiB used")
        );
    }

    fn swap_of(swap: u64, swap_used: u64) -> Judged {
        super::swap(Some(Memory {
            total: 1 << 34,
            swap,
            swap_used,
        }))
    }

    #[test]
    fn pages_and_nodes_are_worth_a_note_at_most() {
        assert_eq!(huge_pages(Some("always")).verdict, Verdict::Note);
        assert_eq!(huge_pages(Some("madvise")).verdict, Verdict::Good);
        assert_eq!(numa(Some(1)).verdict, Verdict::Good);
        assert_eq!(numa(Some(2)).verdict, Verdict::Note);
        assert_eq!(port(true).verdict, Verdict::Note);
        assert_eq!(port(false).verdict, Verdict::Good);
    }
}
