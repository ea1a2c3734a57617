//! The older reports' figures of a call and of an agent, from the account of the calls.

use super::schema::{Aggregate, CallFigures, SystemInfo};
use crate::machine::Machine;
use crate::provenance::Build;
use crate::run::{CallAccount, Stated};
use crate::stats::{mean, sample_sd};

impl CallFigures {
    /// The figures of a call.
    pub fn of(call: &CallAccount) -> Self {
        let stated = |figure: fn(&Stated) -> u64| call.stated.as_ref().map(figure).map(ms);
        let eval = call.stated.map(|stated| stated.eval_ns);
        let eval = eval.filter(|&nanos| nanos > 0);
        Self {
            ttft_ms: call.ttft_ns.map(ms),
            throughput_tokens_per_sec: eval
                .map(|nanos| call.generated as f64 / (nanos as f64 / 1e9)),
            tokens_generated: call.generated,
            total_duration_ms: stated(|stated| stated.total_ns),
            load_duration_ms: call.stated.and_then(|stated| stated.load_ns).map(ms),
            prompt_eval_duration_ms: stated(|stated| stated.prompt_eval_ns),
            eval_duration_ms: stated(|stated| stated.eval_ns),
        }
    }
}

fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

impl Aggregate {
    /// Over these calls.
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a CallFigures>) -> Self {
        let calls: Vec<&CallFigures> = calls.into_iter().collect();
        let all = |figure: fn(&CallFigures) -> Option<f64>| -> Vec<f64> {
            calls.iter().filter_map(|call| figure(call)).collect()
        };
        let sum =
            |figure: fn(&CallFigures) -> Option<f64>| calls.iter().map(|call| figure(call)).sum();
        let throughput = all(|call| call.throughput_tokens_per_sec);
        let ttft = all(|call| call.ttft_ms);
        Self {
            average_tokens_per_second: mean(&throughput),
            average_ttft_ms: mean(&ttft),
            stddev_throughput: sample_sd(&throughput),
            stddev_ttft: sample_sd(&ttft),
            total_tokens_generated: calls.iter().map(|call| call.tokens_generated).sum(),
            prompt_eval_duration_ms: sum(|call| call.prompt_eval_duration_ms),
            eval_duration_ms: sum(|call| call.eval_duration_ms),
            load_duration_ms: sum(|call| call.load_duration_ms),
            total_duration_ms: sum(|call| call.total_duration_ms),
        }
    }
}

impl SystemInfo {
    /// Of a machine and a build.
    pub fn of(machine: &Machine, build: &Build) -> Self {
        Self {
            os: machine.os.clone(),
            arch: machine.arch.clone(),
            hostname: machine.hostname.clone(),
            rust_version: build.rust_version.clone(),
        }
    }
}
