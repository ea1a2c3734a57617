//! Weighings that tests make up.

use super::{Changed, Ending, Invocation, Part, Record, Role, Served, Setup, Subject, Weighed};
use super::{Workload, judge};
use crate::inject::Inject;
use crate::meter::{Allocations, FileIo, Histogram, SocketIo, Usage};
use crate::protocol::Api;
use crate::provenance::Provenance;
use crate::stack::Stack;
use std::num::NonZeroUsize;
use std::time::Duration;
use tare_mock::Profile;

/// What the base costs in every block, but for what the blocks have in common.
pub const NET_NS: f64 = 64e6;
pub const TARE_NS: f64 = 2e6;
pub const DELIVERY_NS: f64 = 60e3;
pub const CPU_NS: f64 = 50e3;

/// How many times as much as the base something costs.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub tare: f64,
    pub delivery: f64,
    pub cpu: f64,
}

/// As much as the base.
pub const ALIKE: Times = all(1.0);

/// So many times as much of everything.
pub const fn all(times: f64) -> Times {
    Times {
        tare: times,
        delivery: times,
        cpu: times,
    }
}

pub fn stack(name: &str) -> Stack {
    name.parse().expect("a stack")
}

/// The floor, the base twice, and what is named; `+ WHAT` is the base with something built in.
pub fn subjects(names: &[&str]) -> Vec<Subject> {
    let stacks: Vec<Stack> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let injects: Vec<Inject> = names
        .iter()
        .filter_map(|name| name.strip_prefix("+ "))
        .map(|name| name.parse().expect("something to build in"))
        .collect();
    super::subjects(stack("tokio-mt/hyper"), &stacks, &injects)
}

pub fn invocation(block: usize, position: usize, times: Times) -> Invocation {
    let tokens = 256;
    // A block that is slower is so for all in it.
    let drift = 1.0 + 0.1 * (block % 3) as f64;
    let tare = TARE_NS * times.tare * drift;
    Invocation {
        block,
        position,
        tokens,
        gross_ns: NET_NS + tare,
        net_ns: Some(NET_NS),
        ingest_ns: 0.3e6,
        ttft_ns: Some(5e6),
        delivery_ns: Some(DELIVERY_NS * times.delivery * drift),
        usage: Usage {
            user_ns: (CPU_NS * times.cpu * drift * tokens as f64) as u64,
            ..Usage::default()
        },
        peak_rss_bytes: Some(20 << 20),
        threads_most: Some(3),
        late_calls: 0,
    }
}

/// `one` makes the invocation of a subject in a block; `None` was not run.
pub fn part(
    subjects: &[Subject],
    blocks: usize,
    one: impl Fn(&Subject, usize) -> Option<Invocation>,
) -> Part {
    let base = subjects.iter().find(|subject| subject.role == Role::Base);
    let base = base.expect("a base").stack;
    let weighed: Vec<Weighed> = subjects
        .iter()
        .map(|subject| Weighed {
            subject: *subject,
            changed: Changed::between(base, subject.stack),
            io: subject.stack.io().to_string(),
            threads: NonZeroUsize::MIN,
            invocations: (0..blocks)
                .filter_map(|block| one(subject, block))
                .collect(),
            profile_run: None,
            delivery_histogram_ns: Histogram::new(),
            itl_histogram_ns: Histogram::new(),
        })
        .collect();
    Part {
        workload: Workload::Agents {
            agents: NonZeroUsize::MIN,
        },
        server: Served::Mock {
            name: "paced-1ms".to_owned(),
            profile: Box::new(Profile::find("paced-1ms").expect("a shipped profile")),
        },
        tokens: 64,
        warm_up: 1,
        iterations: 2,
        alpha: super::ALPHA,
        families: judge(&weighed, super::ALPHA),
        weighed,
    }
}

/// Ten blocks in which each costs so many times as much as the base.
pub fn ten_blocks(names: &[&str], times: impl Fn(&Subject) -> Times) -> Part {
    part(&subjects(names), 10, |subject, block| {
        Some(invocation(block, 0, times(subject)))
    })
}

pub fn record(parts: Vec<Part>) -> Record {
    let setup = Setup {
        api: Api::Generate,
        model: "gemma3:latest".to_owned(),
        threads: NonZeroUsize::MIN,
        text_seed: 1,
        order_seed: 7,
        processors: Vec::new(),
        corpus: None,
        ingest_concurrency: crate::workflow::INGEST_CONCURRENCY,
        proxied: false,
    };
    Record::new(Provenance::here(), setup, parts, Ending::Blocks)
}

/// A result of the default comparison's size and with its numbers' spread: two parts of 15 subjects
/// and as many invocations.
pub fn large() -> Record {
    let mut rng = fastrand::Rng::with_seed(1);
    let names = crate::stack::Stack::matrix()
        .into_iter()
        .map(|stack| stack.to_string());
    let names: Vec<String> = names.chain(["+ mutex".to_owned()]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts = [
        (Workload::Stream, 20_000),
        (
            Workload::Agents {
                agents: NonZeroUsize::MIN,
            },
            256,
        ),
    ];
    let parts = parts.map(|(workload, tokens)| {
        let mut part = part(&subjects(&names), 15, |_, block| {
            Some(invocation(block, 299, ALIKE))
        });
        part.workload = workload;
        for one in &mut part.weighed {
            for invocation in &mut one.invocations {
                noisy(invocation, tokens, &mut rng);
                let [mut delivery, mut itl] = [Histogram::new(), Histogram::new()];
                for _ in 0..tokens {
                    // A narrow body with a long tail, as a busy machine has it.
                    let spread = (rng.f64() + rng.f64() + rng.f64() - 1.5) * 1.2;
                    let tail = if rng.f64() < 0.02 {
                        4.0 * rng.f64()
                    } else {
                        0.0
                    };
                    let ns =
                        |middle: f64| Duration::from_nanos((middle * (spread + tail).exp()) as u64);
                    delivery.record(ns(60e3));
                    itl.record(ns(1e6));
                }
                one.delivery_histogram_ns.merge_coarsely(&delivery);
                one.itl_histogram_ns.merge_coarsely(&itl);
            }
        }
        part.families = judge(&part.weighed, super::ALPHA);
        part
    });
    record(parts.into())
}

fn noisy(one: &mut Invocation, tokens: u64, rng: &mut fastrand::Rng) {
    let mut more = |value: f64| (value * (1.0 + rng.f64())).round();
    one.tokens = tokens;
    one.gross_ns = more(one.gross_ns);
    one.net_ns = one.net_ns.map(&mut more);
    one.ingest_ns = more(one.ingest_ns);
    one.ttft_ns = one.ttft_ns.map(&mut more);
    one.delivery_ns = one.delivery_ns.map(&mut more);
    let mut count = || more(1e5) as u64;
    one.usage = Usage {
        user_ns: count() * 1000,
        system_ns: count() * 1000,
        voluntary_switches: count() / 10,
        involuntary_switches: count() / 1000,
        heap: Some(Allocations {
            allocations: count(),
            reallocations: count() / 10,
            frees: count(),
            bytes: count() * 100,
        }),
        sockets: Some(SocketIo {
            reads: count() / 10,
            read_bytes: count() * 10,
        }),
        files: Some(FileIo {
            reads: count() / 100,
            read_bytes: count(),
            writes: count() / 100,
            write_bytes: count(),
        }),
    };
}
