//! Experiments and records that tests make up.

use super::design::{ALPHA, Arm, Cadence, Experiment, Kind, MockServer, Role, Server, Workload};
use super::metric::METRICS;
use super::record::{Record, Run, RunResult};
use crate::protocol::Api;
use crate::run::{Answers, Connection, Spec, Work};
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use tare_mock::Profile;

/// How many times as much as the base an arm costs in a block, by metric id; of the others all.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// Of everything but net.
    pub all: f64,
    /// Of single metrics, instead.
    pub of: BTreeMap<&'static str, f64>,
    /// Late tokens of a run's 1,000.
    pub late_tokens: u64,
}

/// As much as the base.
pub fn alike() -> Effects {
    all(1.0)
}

/// So many times as much of everything but net.
pub fn all(times: f64) -> Effects {
    Effects {
        all: times,
        of: BTreeMap::new(),
        late_tokens: 0,
    }
}

/// So many times as much of one metric.
pub fn only(metric: &'static str, times: f64) -> Effects {
    Effects {
        of: BTreeMap::from([(metric, times)]),
        ..alike()
    }
}

/// One agent, paced, in 15 blocks: the base `tokio-mt/hyper` twice, the floor, and what is named;
/// `+ WHAT` is the base with something built in.
pub fn experiment(names: &[&str]) -> Experiment {
    let profile = Profile::find("paced-1ms").expect("a shipped profile");
    let mut arms = vec![
        arm("tokio-mt/hyper", Role::Base),
        Arm {
            name: "tokio-mt/hyper (again)".to_owned(),
            ..arm("tokio-mt/hyper", Role::BaseAgain)
        },
        arm("threads/raw", Role::Floor),
    ];
    arms.extend(names.iter().map(|name| match name.strip_prefix("+ ") {
        None => arm(name, Role::Compared),
        Some(inject) => {
            let mut control = arm("tokio-mt/hyper", Role::Control);
            control.name = format!("tokio-mt/hyper {name}");
            control.spec.inject = Some(inject.parse().expect("something to build in"));
            control
        }
    }));
    Experiment {
        preset: "compare".to_owned(),
        name: "compare".to_owned(),
        servers: BTreeMap::from([(
            "mock".to_owned(),
            Server::Mock(MockServer::new("paced-1ms", profile)),
        )]),
        proxied: false,
        mock_processor: None,
        workloads: vec![Workload {
            name: "one agent".to_owned(),
            kind: Kind::Agent,
            cadence: Cadence::Paced,
            arms,
        }],
        blocks: 15,
        order_seed: 7,
        seed_per_block: false,
        warm_up_runs: 0,
        cool_down: std::time::Duration::ZERO,
        profile_blocks: 0,
        failures_in_a_row: NonZeroU32::MIN,
        metrics: METRICS.iter().map(|metric| metric.id.to_owned()).collect(),
        alpha: ALPHA,
        until_decided: false,
    }
}

fn arm(stack: &str, role: Role) -> Arm {
    Arm {
        name: stack.to_owned(),
        role,
        blocks: None,
        program: Vec::new(),
        spec: Spec {
            stack: stack.parse().expect("a stack"),
            threads: NonZeroUsize::MIN,
            base_url: "mock".to_owned(),
            api: Api::Generate,
            model: "gemma3:latest".to_owned(),
            work: Work::Stream {
                connection: Connection::Cold,
            },
            ingest_concurrency: NonZeroUsize::MIN,
            tokens: 64,
            seed: 1,
            warm_up: 1,
            iterations: 10,
            answers: Answers::Known,
            proxied: false,
            inject: None,
            profile_run: false,
            detail: false,
            processors: Vec::new(),
        },
    }
}

/// What the base costs of a metric.
pub fn cost(metric: &str) -> f64 {
    match metric {
        "net" | "gross" | "ttft" => 30e6,
        "tare" => 2e6,
        "calls" => 1.5e6,
        "delivery" | "cpu" => 60e3,
        _ => 1e3,
    }
}

/// The records of every timed run, `effects` being those of an arm in a block. Blocks drift, all of a
/// block alike.
pub fn records(
    experiment: &Experiment,
    mut effects: impl FnMut(&Arm, usize) -> Effects,
) -> Vec<Record> {
    let order = experiment.order(None).into_iter().enumerate();
    let made = order.filter_map(|(position, due)| {
        let (workload, arm) = experiment.arm(due.at)?;
        let effects = effects(arm, due.block);
        let drift = 1.0 + 0.1 * (due.block % 3) as f64;
        let values = METRICS.iter().filter(|metric| (metric.applies)(workload));
        let values = values.filter(|metric| !metric.profiled).map(|metric| {
            let (plain, drift) = match metric.id {
                "net" => (1.0, 1.0),
                _ => (effects.all, drift),
            };
            let times = effects.of.get(metric.id).copied().unwrap_or(plain);
            (metric.id.to_owned(), cost(metric.id) * times * drift)
        });
        Some(Record {
            workload: workload.name.clone(),
            arm: arm.name.clone(),
            block: due.block,
            position,
            sitting: 0,
            at: jiff::Timestamp::UNIX_EPOCH,
            took_ns: 1_000_000_000,
            profiled: false,
            result: RunResult::Run(Box::new(Run {
                values: values.collect(),
                iterations: 10,
                tokens: 1_000,
                late_tokens: effects.late_tokens,
                io: "native".to_owned(),
                ..Run::default()
            })),
        })
    });
    made.collect()
}
