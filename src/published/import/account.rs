//! What a run says, and whether what it states follows from what it holds.

use super::Disagreement;
use super::parse::{Content, Side, Sides};
use super::times::{all_times, balance};
use crate::protocol::Options;
use crate::published::{AgentResult, CallFigures, Member, TeamRun, Truth};
use crate::report::sweep::Figure;
use crate::report::sweep::factor::{self, Factor, Level, Seat, Setting};
use crate::report::sweep::{Contended, Kind, Observation};
use crate::stats::{mean, sample_sd};
use std::collections::{BTreeMap, BTreeSet};

/// Below this share of the larger, two numbers are the same but for their rounding: published ones
/// have two digits after the point, which of a speed-up of 1.5 is a third of a percent.
pub(super) const ROUNDING: f64 = 0.005;

/// A run, and where it contradicts itself.
pub struct Account {
    pub observation: Observation,
    pub disagreements: Vec<Disagreement>,
}

/// What a file's content amounts to: one run, or one for each of its sides.
pub fn of(content: Content, file: &str, components: &[String]) -> Vec<Account> {
    let of_path = factor::runtime_in(components.iter().map(String::as_str));
    match content {
        Content::Team(run) => vec![of_team(&run, file, of_path)],
        Content::Agent(result) => {
            let mut book = Book::new(file, Kind::Agent, of_path);
            book.agent_alone(&result);
            vec![book.close()]
        }
        Content::Sides(sides) => {
            let Sides {
                provenance,
                baseline,
                chimera,
            } = *sides;
            let both = [("baseline", baseline), ("chimera", chimera)];
            let there = both
                .into_iter()
                .filter_map(|(name, side)| Some((name, side?)));
            let account = |(name, mut side): (&str, Side)| {
                let mut book = Book::new(file, Kind::Side, of_path);
                if let Some(stack) = provenance.stack {
                    book.one.factors.extend(factor::of_stack(stack));
                }
                if let Some(threads) = provenance.threads {
                    book.level(Factor::Threads, threads);
                }
                name.clone_into(&mut side.result.agent_type);
                book.agent_alone(&side.result);
                book.agent_runs(&side);
                book.close()
            };
            there.map(account).collect()
        }
    }
}

/// What a run of several agents amounts to.
pub fn of_team(run: &TeamRun, file: &str, of_path: Option<&str>) -> Account {
    let pair = run.collector.is_some() && run.insight.is_some() && run.agents.is_empty();
    let kind = if pair { Kind::Pair } else { Kind::Team };
    let mut book = Book::new(file, kind, of_path);
    let members: Vec<&Member> = run.members().collect();
    book.one.run_number = Some(run.run_number).filter(|&number| number > 0);
    if !run.scenario.is_empty() {
        book.level(Factor::Scenario, &run.scenario);
    }
    book.level(Factor::Agents, members.len());
    book.members(&members, pair);
    if let Some(truth) = &run.tare {
        book.truth(truth);
    }
    let summary = run.summary.clone().unwrap_or_default();
    book.times(&members, &summary, run.tare.as_ref());
    if let [a, b] = members[..] {
        book.deltas(a, b, &summary);
    }
    book.close()
}

/// An observation in the making.
pub(super) struct Book {
    pub(super) one: Observation,
    disagreements: Vec<Disagreement>,
}

impl Book {
    fn new(file: &str, kind: Kind, of_path: Option<&str>) -> Self {
        let runtime = of_path.map(|runtime| (Factor::Runtime, Level::new(runtime)));
        Self {
            one: Observation {
                file: file.to_owned(),
                kind,
                run_number: None,
                configuration: String::new(),
                is_default: false,
                factors: runtime.into_iter().collect(),
                figures: BTreeMap::new(),
                calls: BTreeMap::new(),
                contention: None,
                mock_late: None,
            },
            disagreements: Vec::new(),
        }
    }

    fn close(self) -> Account {
        Account {
            observation: self.one,
            disagreements: self.disagreements,
        }
    }

    fn level(&mut self, factor: Factor, level: impl std::fmt::Display) {
        self.one.factors.insert(factor, Level::new(level));
    }

    /// Keeps a figure that is known and finite.
    pub(super) fn keep(&mut self, figure: Figure, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.one.figures.insert(figure, value);
        }
    }

    pub(super) fn object(
        &mut self,
        what: &str,
        stated: impl std::fmt::Display,
        found: impl Into<String>,
    ) {
        self.disagreements.push(Disagreement {
            file: self.one.file.clone(),
            what: what.to_owned(),
            stated: stated.to_string(),
            found: found.into(),
        });
    }

    /// The recomputed value, or the stated one where nothing can be recomputed. `size` is how large
    /// the numbers are that it is made of, where it is a small difference of large ones.
    pub(super) fn check(
        &mut self,
        what: &str,
        stated: Option<f64>,
        found: Option<f64>,
        size: f64,
    ) -> Option<f64> {
        if let (Some(stated), Some(found)) = (stated, found.filter(|found| found.is_finite())) {
            let size = size.max(stated.abs()).max(found.abs());
            if (stated - found).abs() > ROUNDING * size {
                self.object(what, stated, format!("{found:.6}"));
            }
        }
        found.or(stated)
    }

    /// What of one agent is there without its time.
    fn agent_alone(&mut self, result: &AgentResult) {
        if !result.agent_type.is_empty() {
            self.level(Factor::Scenario, &result.agent_type);
        }
        self.level(Factor::Agents, 1);
        self.place(&result.model, &result.system_info.hostname);
        let options = factor::of_options(Seat::Agents, &result.configuration);
        self.one.factors.extend(options);
        self.one.is_default = is_default(&result.configuration);
        let sums = self.calls(result, "");
        for (figure, value) in [
            (
                Figure::Throughput,
                (|call| call.throughput_tokens_per_sec) as fn(&CallFigures) -> Option<f64>,
            ),
            (Figure::Ttft, |call| call.ttft_ms),
        ] {
            let values = result.individual_runs.iter().filter_map(value);
            let values = values.filter(|value| value.is_finite()).collect();
            self.one.calls.insert(figure, values);
        }
        self.keep(Figure::Throughput, sums.throughput);
        self.keep(Figure::Ttft, sums.ttft);
        self.keep(Figure::Tokens, sums.tokens);
    }

    fn agent_runs(&mut self, side: &Side) {
        let gross: Vec<f64> = side
            .agent_runs
            .iter()
            .filter_map(|run| run.gross_ms)
            .collect();
        let tare: Vec<f64> = side
            .agent_runs
            .iter()
            .filter_map(|run| run.tare_ms)
            .collect();
        self.keep(Figure::Gross, mean(&gross).filter(|gross| *gross > 0.0));
        self.keep(Figure::Tare, mean(&tare));
        let server = sum(&side.result.individual_runs, |call| call.total_duration_ms);
        let all: f64 = gross.iter().sum();
        self.keep(
            Figure::ServerShare,
            server.map(|server| 100.0 * server / all),
        );
    }

    fn place(&mut self, model: &str, host: &str) {
        if !model.is_empty() {
            self.level(Factor::Model, model);
        }
        if !host.is_empty() {
            self.level(Factor::Host, host);
        }
    }

    /// Factors of the agents, and figures of their calls.
    fn members(&mut self, members: &[&Member], pair: bool) {
        let servers: BTreeSet<&str> = members
            .iter()
            .map(|one| one.config.base_url.as_str())
            .collect();
        if !servers.contains("") && !servers.is_empty() {
            self.level(Factor::Servers, servers.len());
        }
        let options = |member: &Member| match member.config.options == Options::default() {
            true => member.result.configuration.clone(),
            false => member.config.options.clone(),
        };
        self.one.is_default = members.iter().all(|one| is_default(&options(one)));
        let seats = [Seat::Collector, Seat::Insight];
        match pair {
            true => {
                for (seat, member) in seats.into_iter().zip(members) {
                    self.one
                        .factors
                        .extend(factor::of_options(seat, &options(member)));
                }
            }
            false => {
                let levels = members
                    .iter()
                    .map(|one| factor::of_options(Seat::Agents, &options(one)));
                self.one.factors.extend(factor::in_common(levels));
            }
        }
        if let Some(first) = members.first() {
            let named = [&first.config.model, &first.result.model];
            let model = named.into_iter().find(|model| !model.is_empty());
            self.place(
                model.map_or("", String::as_str),
                &first.result.system_info.hostname,
            );
        }
        let mut sums = Vec::new();
        for (place, member) in members.iter().enumerate() {
            let name = match (pair, place) {
                (true, 0) => "collector.".to_owned(),
                (true, _) => "insight.".to_owned(),
                _ => format!("agents[{place}]."),
            };
            sums.push(self.calls(&member.result, &name));
        }
        let all = |figure: fn(&Sums) -> Option<f64>| -> Option<Vec<f64>> {
            sums.iter().map(figure).collect()
        };
        let mean_of = |figure| all(figure).and_then(|values| mean(&values));
        self.keep(Figure::Throughput, mean_of(|sums| sums.throughput));
        self.keep(Figure::Ttft, mean_of(|sums| sums.ttft));
        let (tokens, server) = (all(|sums| sums.tokens), all(|sums| sums.server_ms));
        self.keep(
            Figure::Tokens,
            tokens.as_ref().map(|tokens| tokens.iter().sum()),
        );
        if members.len() > 1 {
            self.keep(
                Figure::TokenBalance,
                tokens.and_then(|tokens| balance(&tokens)),
            );
            self.keep(
                Figure::ServerTimeBalance,
                server.as_ref().and_then(|server| balance(server)),
            );
        }
        let times: Option<f64> = all_times(members).map(|times| times.iter().sum());
        if let (Some(server), Some(times)) = (server, times) {
            let share = 0.1 * server.iter().sum::<f64>() / times;
            self.keep(Figure::ServerShare, Some(share));
        }
    }

    /// What an agent's calls come to, checked against what is stated of them.
    fn calls(&mut self, result: &AgentResult, of: &str) -> Sums {
        let calls = &result.individual_runs;
        let stated = &result.aggregate_metrics;
        let every = |figure: fn(&CallFigures) -> Option<f64>| -> Vec<f64> {
            calls.iter().filter_map(figure).collect()
        };
        for (place, call) in calls.iter().enumerate() {
            let per_ms = call.eval_duration_ms.filter(|eval| *eval > 0.0);
            let rate = per_ms.map(|eval| 1e3 * call.tokens_generated as f64 / eval);
            let what = format!("{of}individual_runs[{place}].throughput_tokens_per_sec");
            self.check(&what, call.throughput_tokens_per_sec, rate, 0.0);
        }
        let throughput = every(|call| call.throughput_tokens_per_sec);
        let ttft = every(|call| call.ttft_ms);
        let mut check = |what: &str, stated, found, size| {
            self.check(
                &format!("{of}aggregate_metrics.{what}"),
                stated,
                found,
                size,
            )
        };
        let mean_throughput = check(
            "average_tokens_per_second",
            stated.average_tokens_per_second,
            mean(&throughput),
            0.0,
        );
        let mean_ttft = check("average_ttft_ms", stated.average_ttft_ms, mean(&ttft), 0.0);
        for (what, stated, values) in [
            ("stddev_throughput", stated.stddev_throughput, &throughput),
            ("stddev_ttft", stated.stddev_ttft, &ttft),
        ] {
            // Some divided by n and not by n − 1: that is no mistake of theirs.
            let n = values.len() as f64;
            let by_n = sample_sd(values).map(|sd| sd * ((n - 1.0) / n).sqrt());
            let size = mean(values).unwrap_or(0.0).abs();
            let close =
                |sd: f64| stated.is_some_and(|stated| (stated - sd).abs() <= ROUNDING * size);
            let found = by_n.filter(|&sd| close(sd)).or(sample_sd(values));
            check(what, stated, found, size);
        }
        let counted: f64 = calls.iter().map(|call| call.tokens_generated as f64).sum();
        let stated_tokens = Some(stated.total_tokens_generated as f64).filter(|&n| n > 0.0);
        let found = (counted > 0.0).then_some(counted);
        let tokens = check("total_tokens_generated", stated_tokens, found, 0.0);
        let positive = |value: &f64| *value > 0.0;
        Sums {
            throughput: mean_throughput.filter(positive),
            ttft: mean_ttft.filter(positive),
            tokens,
            server_ms: sum(calls, |call| call.total_duration_ms).filter(positive),
        }
    }

    /// What tare added to the run.
    fn truth(&mut self, truth: &Truth) {
        if let Some(name) = &truth.configuration {
            self.one.configuration.clone_from(name);
        }
        self.one.factors.extend(factor::of_stack(truth.stack));
        self.level(Factor::Threads, truth.threads);
        self.level(Factor::Servers, truth.servers);
        if let Some(tokens) = truth.fixed_length {
            self.level(Factor::Length, tokens);
        }
        self.keep(Figure::Efficiency, truth.efficiency_percent);
        self.keep(Figure::Queueing, truth.queueing_s);
        self.keep(Figure::Reload, truth.reload_s);
        self.keep(Figure::Fairness, truth.fairness);
        self.keep(Figure::Tare, truth.tare_per_agent_ms);
        self.one.mock_late = truth.mock_late;
        self.one.contention = Some(Contended {
            speedup_below_1_5: Some(truth.contention.speedup_below_1_5),
            ttft_3s_over_baseline: truth.contention.ttft_3s_over_baseline,
            waited: truth.contention.waited,
        });
    }
}

/// What an agent's calls come to.
struct Sums {
    throughput: Option<f64>,
    ttft: Option<f64>,
    tokens: Option<f64>,
    /// The server's time for all of them, ms.
    server_ms: Option<f64>,
}

/// The sum over all calls; `None` of none, or where one lacks it.
fn sum(calls: &[CallFigures], figure: fn(&CallFigures) -> Option<f64>) -> Option<f64> {
    let sum: Option<f64> = calls.iter().map(figure).sum();
    sum.filter(|_| !calls.is_empty())
}

/// Whether no option is at anything but its default; the sampler's seed is not an option here, nor is
/// the length of the answer.
fn is_default(options: &Options) -> bool {
    let mut all = Setting::ALL.into_iter();
    all.all(|setting| setting == Setting::NumPredict || setting.of(options).is_none())
}
