//! `tare proxy --self-test`: what a proxy adds to a call, and how far its times are from the truth.
//!
//! A mock knows when it wrote each token. It is asked by the floor's client, directly and through a
//! proxy in turn, so that whatever else the machine does meets both. With a proxy on the way both
//! tell of the same tokens.

use super::super::Failure;
use crate::client::{Endpoint, Options as ClientOptions, Raw};
use crate::meter::{Call, Moment, Recorder};
use crate::protocol::wire::{Options, PROXY_HEADER, TRUTH_HEADER};
use crate::protocol::{Api, Form, Ollama, Question};
use crate::run::{MockServer, Program, ProxyServer};
use crate::runtime::{Runtime, Threads};
use crate::stats::quantile;
use anyhow::{Context, Result, anyhow};
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tare_mock::Profile;

/// Calls of one kind.
struct Exercise {
    profile: &'static str,
    tokens: i32,
    /// Calls each way.
    calls: usize,
}

const EXERCISES: [Exercise; 3] = [
    Exercise {
        profile: "paced-1ms",
        tokens: 64,
        calls: 40,
    },
    Exercise {
        profile: "paced-10ms",
        tokens: 16,
        calls: 20,
    },
    Exercise {
        profile: "instant",
        tokens: 512,
        calls: 100,
    },
];

/// What came of it, µs, each in ascending order.
#[derive(Default)]
struct Seen {
    /// From the mock's write of a token to the proxy's.
    hop: Vec<f64>,
    /// From the mock's write to the token's being parsed, without a proxy.
    direct: Vec<f64>,
    /// The same with one.
    through: Vec<f64>,
    /// From the proxy's write to the token's being parsed.
    delivery: Vec<f64>,
    /// Gross less the mock's net of each call, without a proxy.
    tare_direct: Vec<f64>,
    /// The same with one.
    tare_through: Vec<f64>,
    /// Gross less the time from the request's arrival at the proxy to its write of the last line.
    tare_by_proxy: Vec<f64>,
}

pub fn run() -> Result<(), Failure> {
    let mut times = Table::new();
    times.load_style(ASCII_MARKDOWN);
    times.set_header([
        "profile",
        "tokens",
        "mock to proxy",
        "to the client, directly",
        "through the proxy",
        "from the proxy: delivery",
    ]);
    let mut calls = Table::new();
    calls.load_style(ASCII_MARKDOWN);
    calls.set_header([
        "profile",
        "calls",
        "directly",
        "through the proxy",
        "added",
        "by the proxy's times",
    ]);
    for exercise in &EXERCISES {
        let seen = exercise.run()?;
        let row = [&seen.hop, &seen.direct, &seen.through, &seen.delivery].map(|of| ends(of));
        let name = exercise.profile.to_owned();
        let tokens = seen.hop.len().to_string();
        times.add_row([name.clone(), tokens].into_iter().chain(row));
        let median = |of: &[f64]| quantile(of, 0.5).unwrap_or(f64::NAN);
        let [direct, through, by_proxy] =
            [&seen.tare_direct, &seen.tare_through, &seen.tare_by_proxy].map(|of| median(of));
        let row = [direct, through, through - direct, by_proxy].map(|us| format!("{us:.0}"));
        let count = seen.tare_direct.len().to_string();
        calls.add_row([name, count].into_iter().chain(row));
    }
    println!("Per token, µs (p50 / p99), threads/raw over /api/chat:\n\n{times}\n");
    println!("Tare of a call (gross less net), median, µs:\n\n{calls}");
    Ok(())
}

fn ends(ascending: &[f64]) -> String {
    let at = |q| quantile(ascending, q).unwrap_or(f64::NAN);
    format!("{:.0} / {:.0}", at(0.5), at(0.99))
}

impl Exercise {
    fn run(&self) -> Result<Seen> {
        let program = Program::this().context("cannot find the program to start its processes")?;
        let mock = MockServer::start(&program, self.profile, None)?;
        let proxy = ProxyServer::start(&program, mock.base_url(), &[])?;
        let model = Profile::find(self.profile)?.model;
        let rt = Threads::new(NonZeroUsize::MIN)?;
        let client = |base_url: &str| {
            let mut options = ClientOptions::new(Endpoint::resolve(base_url)?);
            options.headers.extend([TRUTH_HEADER, PROXY_HEADER]);
            anyhow::Ok(Ollama::<Threads, Raw>::new(rt.clone(), Arc::new(options))?)
        };
        let (direct, through) = (client(mock.base_url())?, client(proxy.base_url())?);
        let (calls, tokens) = (self.calls, self.tokens);
        let options = Options {
            num_predict: Some(tokens),
            ..Options::default()
        };
        rt.clone().run(async move {
            let ask = async |ollama: &Ollama<Threads, Raw>| {
                let question = Question {
                    model: &model,
                    prompt: "What does the hop cost?",
                    options: &options,
                    keep_alive: None,
                    form: Form::Stream,
                };
                let room = usize::try_from(tokens).unwrap_or_default();
                let mut recorder = Recorder::start(room);
                let last = ollama.ask(Api::Chat, &question, &mut recorder).await?;
                anyhow::Ok(recorder.finish(last))
            };
            // The first opens the connections, and does not count.
            ask(&direct).await?;
            ask(&through).await?;
            let mut seen = Seen::default();
            for _ in 0..calls {
                seen.direct(&ask(&direct).await?)?;
                seen.through(&ask(&through).await?)?;
            }
            Ok(seen.sorted())
        })
    }
}

impl Seen {
    fn direct(&mut self, call: &Call) -> Result<()> {
        self.direct.extend(call.delivery().map(micros));
        self.tare_direct.push(tare(call)?);
        Ok(())
    }

    fn through(&mut self, call: &Call) -> Result<()> {
        let told = call
            .last
            .tare_truth
            .as_ref()
            .zip(call.last.tare_proxy.as_ref());
        let (truth, proxy) = told.context("the mock or the proxy told no times")?;
        if truth.sent.len() != call.token_count() || proxy.sent.len() != call.token_count() {
            return Err(anyhow!(
                "the mock or the proxy told the times of other tokens"
            ));
        }
        let mock = truth.sent.iter().map(|sent| truth.received + sent);
        let passed_on = proxy.sent.iter().map(|sent| proxy.received + sent);
        for ((mock, passed_on), here) in mock.zip(passed_on).zip(call.received()) {
            self.hop.push(passed_on as f64 / 1e3 - mock as f64 / 1e3);
            self.through.push(micros(here.since(Moment(mock))));
        }
        self.delivery.extend(call.delivery().map(micros));
        self.tare_through.push(tare(call)?);
        self.tare_by_proxy
            .push(micros(call.gross()) - proxy.done as f64 / 1e3);
        Ok(())
    }

    fn sorted(mut self) -> Self {
        for of in [
            &mut self.hop,
            &mut self.direct,
            &mut self.through,
            &mut self.delivery,
            &mut self.tare_direct,
            &mut self.tare_through,
            &mut self.tare_by_proxy,
        ] {
            of.sort_by(f64::total_cmp);
        }
        self
    }
}

/// µs.
fn tare(call: &Call) -> Result<f64> {
    let tare = call.tare_ns().context("the mock told no net")?;
    Ok(tare as f64 / 1e3)
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}
