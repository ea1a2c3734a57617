//! `tare mock --self-test`: how late does a mock on this machine send its tokens?
//!
//! It starts a mock as a process, streams one long answer from it over a blocking socket, and
//! reads the lateness off the mock's own truth: when each token was due, and when it was written.

use super::Failure;
use crate::client::{Endpoint, Options, Raw};
use crate::invocation::{MockServer, Program};
use crate::meter::Recorder;
use crate::ollama::wire::{Options as ModelOptions, TRUTH_HEADER};
use crate::ollama::{GenerateRequest, Ollama};
use crate::runtime::{Runtime, Threads};
use crate::stats::quantile;
use anyhow::Context;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Enough for a 99th percentile.
const TOKENS: i32 = 1000;

pub fn run(profile: &str, model: &str) -> Result<(), Failure> {
    let server = MockServer::start(&Program::this()?, profile, Some(model))?;
    let mut options = Options::new(Endpoint::resolve(server.base_url())?);
    options.headers.push(TRUTH_HEADER);
    let rt = Threads::new(NonZeroUsize::MIN)?;
    let ollama = Ollama::<_, Raw>::new(rt.clone(), Arc::new(options))?;
    let request = GenerateRequest {
        model: model.to_owned(),
        prompt: "How late are you?".to_owned(),
        options: ModelOptions {
            num_predict: Some(TOKENS),
            ..ModelOptions::default()
        },
        ..GenerateRequest::default()
    };
    eprintln!("Streaming {TOKENS} tokens under the profile {profile}...");
    let last = rt.run(async move {
        let mut recorder = Recorder::start(TOKENS as usize);
        ollama.generate(&request, &mut recorder).await
    })?;
    let truth = last.tare_truth.context("the mock told no truth")?;
    let mut late: Vec<f64> = truth
        .sent
        .iter()
        .zip(&truth.due)
        .map(|(&sent, &due)| (sent.saturating_sub(due)) as f64 / 1e3)
        .collect();
    late.sort_by(f64::total_cmp);
    let at = |q| quantile(&late, q).context("the mock sent no token");
    println!(
        "{profile}: {} tokens of one stream were sent late by {:.0} µs (median), {:.0} µs (p95), {:.0} µs (p99), {:.0} µs (at most)",
        late.len(),
        at(0.5)?,
        at(0.95)?,
        at(0.99)?,
        at(1.0)?,
    );
    Ok(())
}
