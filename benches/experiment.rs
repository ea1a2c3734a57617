//! Every stack through every workload, and at the end the table.
//!
//! A Criterion sample here is an invocation: `iter_custom` starts a `tare invoke` process, which
//! makes one runtime, warms up, runs the iterations inside a spawned task, checks every token and
//! tells its own times; starting the process is not in them. So no two runtimes ever share a
//! process, and Criterion's interval is over processes. The mocks are processes too.
//!
//! What this is *not* evidence for: Criterion runs the stacks one after the other, so a slow minute
//! of the machine hits one stack and not the next. Its figures are for a developer's quick look and
//! for `--baseline`. The table is measured separately, in randomised blocks: compare stacks by that.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use std::cell::{OnceCell, RefCell};
use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::exit;
use std::time::Duration;
use tare::doctor;
use tare::protocol::Api;
use tare::provenance::Provenance;
use tare::report::compare::report;
use tare::run::{Answers, Connection, MockServer, Outcome, Program, Spec, Work};
use tare::stack::Stack;
use tare::weighing::{
    Due, PartPlan, Plan, Record, Served, Setup, Stop, Subject, Until, Watch, Workload, run,
    subjects,
};

/// Worker threads of every runtime.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");
/// Seed of the answers' text, and of the order within a block.
const SEED: u64 = 1;
/// The model that the mocks' profiles serve.
const MODEL: &str = "gemma3:latest";

/// The folder that agents read.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/corpus");
/// The stack that the others are compared with, where it is among them.
const BASE: &str = "tokio-mt/hyper";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let lab = Lab::new();
    workflow(&mut criterion, &lab);
    stream(&mut criterion, &lab);
    first_token(&mut criterion, &lab);
    agents(&mut criterion, &lab);
    criterion.final_summary();
    lab.print_table();
}

/// A whole agent: `burst` is its wall-clock time when the server costs next to nothing, `tare` what
/// it adds to a server that paces its tokens.
fn workflow(criterion: &mut Criterion, lab: &Lab) {
    let mut burst = group(criterion, "workflow/burst", 600);
    for stack in Stack::matrix() {
        let task = Task::new(stack, one_agent(), 256, Profile::Instant);
        lab.measure(&mut burst, task, |outcome| outcome.total(|i| i.gross_ns));
    }
    burst.finish();
    let mut tare = group(criterion, "workflow/tare", 1300);
    for stack in Stack::matrix() {
        let task = Task::new(stack, one_agent(), 16, Profile::Paced);
        lab.measure(&mut tare, task, tare_of);
    }
    tare.finish();
}

/// One stream after the other over one connection: `burst` is its wall-clock time, `paced` the
/// delivery latency of its tokens, both per token.
fn stream(criterion: &mut Criterion, lab: &Lab) {
    let mut burst = group(criterion, "stream/burst", 700);
    for stack in Stack::matrix() {
        let task = Task::new(stack, one_stream(Connection::Warm), 512, Profile::Instant).repeat(20);
        burst.throughput(Throughput::Elements(task.tokens.into()));
        lab.measure(&mut burst, task, |outcome| outcome.total(|i| i.gross_ns));
    }
    burst.finish();
    let mut paced = group(criterion, "stream/paced", 1000);
    for stack in Stack::matrix() {
        let task = Task::new(stack, one_stream(Connection::Warm), 32, Profile::Paced);
        paced.throughput(Throughput::Elements(task.tokens.into()));
        lab.measure(&mut paced, task, |outcome| outcome.total(|i| i.delivery_ns));
    }
    paced.finish();
}

/// Time to first token: `cold` over a new connection each time, `warm` over a kept one.
fn first_token(criterion: &mut Criterion, lab: &Lab) {
    for (name, connection) in [
        ("ttft/cold", Connection::Cold),
        ("ttft/warm", Connection::Warm),
    ] {
        let mut group = group(criterion, name, 500);
        for stack in Stack::matrix() {
            let task = Task::new(stack, one_stream(connection), 1, Profile::Instant).repeat(100);
            lab.measure(&mut group, task, |outcome| outcome.total(|i| i.ttft_ns));
        }
        group.finish();
    }
}

/// Several agents on one runtime, in each topology: wall-clock time until the last is done.
fn agents(criterion: &mut Criterion, lab: &Lab) {
    for (count, millis) in [(2, 600), (16, 1300)] {
        let count = NonZeroUsize::new(count).expect("no count is 0");
        let mut group = group(criterion, &format!("agents/{count}"), millis);
        for stack in Stack::matrix().into_iter().flat_map(Stack::topologies) {
            let task = Task::new(stack, agents_at_work(count), 32, Profile::Instant);
            lab.measure(&mut group, task, |outcome| outcome.total(|i| i.gross_ns));
        }
        group.finish();
    }
}

/// A group of ten samples per stack. `millis` is what they take together: the least time that ten
/// processes with an iteration each need, or somewhat more where an iteration is short.
fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    millis: u64,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(millis))
        .nresamples(10_000);
    group
}

fn one_stream(connection: Connection) -> Work {
    Work::Stream { connection }
}

fn one_agent() -> Work {
    agents_at_work(NonZeroUsize::MIN)
}

fn agents_at_work(agents: NonZeroUsize) -> Work {
    Work::Agents {
        agents,
        corpus: Path::new(CORPUS).to_owned(),
    }
}

/// Tare of all iterations together. The paced mock is never so late that it is not positive; if it
/// were, Criterion could not take it, and would be told one nanosecond.
fn tare_of(outcome: &Outcome) -> Duration {
    let tare: f64 = outcome.iterations.iter().filter_map(|i| i.tare_ns()).sum();
    Duration::from_nanos((tare as u64).max(1))
}

#[derive(Clone, Copy)]
enum Profile {
    Instant,
    Paced,
}

/// What an invocation is to do.
struct Task {
    stack: Stack,
    work: Work,
    tokens: u32,
    warm_up: u32,
    /// How often the work is done per iteration that Criterion asks for. Where it takes far less
    /// time than starting a process, Criterion would ask for a single one.
    repeat: u32,
    profile: Profile,
}

impl Task {
    fn new(stack: Stack, work: Work, tokens: u32, profile: Profile) -> Self {
        Self {
            stack,
            work,
            tokens,
            warm_up: 1,
            repeat: 1,
            profile,
        }
    }

    /// Short work: repeated, and after as much again to warm up.
    fn repeat(self, repeat: u32) -> Self {
        Self {
            warm_up: repeat,
            repeat,
            ..self
        }
    }
}

/// Starts the processes: the mocks when they are first needed, an invocation per sample.
struct Lab {
    program: Program,
    instant: OnceCell<MockServer>,
    paced: OnceCell<MockServer>,
    seen: RefCell<Vec<Stack>>,
}

impl Lab {
    fn new() -> Self {
        Self {
            program: Program::at(env!("CARGO_BIN_EXE_tare")),
            instant: OnceCell::new(),
            paced: OnceCell::new(),
            seen: RefCell::new(Vec::new()),
        }
    }

    fn mock(&self, profile: Profile) -> &MockServer {
        let server = match profile {
            Profile::Instant => &self.instant,
            Profile::Paced => &self.paced,
        };
        let start = || MockServer::start(&self.program, name_of(profile), Some(MODEL));
        server.get_or_init(|| or_exit(start()))
    }

    fn measure(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        task: Task,
        value: impl Fn(&Outcome) -> Duration,
    ) {
        group.bench_function(task.stack.to_string(), |bencher| {
            bencher.iter_custom(|iterations| value(&self.invoke(&task, iterations)) / task.repeat);
            self.note(task.stack);
        });
    }

    fn invoke(&self, task: &Task, iterations: u64) -> Outcome {
        let spec = Spec {
            stack: task.stack,
            threads: THREADS,
            base_url: self.mock(task.profile).base_url().to_owned(),
            api: Api::Generate,
            model: MODEL.to_owned(),
            work: task.work.clone(),
            tokens: task.tokens,
            seed: SEED,
            warm_up: task.warm_up,
            iterations: iterations * u64::from(task.repeat),
            answers: Answers::Known,
            inject: None,
            profile_run: false,
            detail: false,
            proxied: false,
            processors: Vec::new(),
        };
        or_exit(self.program.invoke(&spec))
    }

    /// Notes that a stack was run, for the table.
    fn note(&self, stack: Stack) {
        let stack = Stack {
            topology: None,
            ..stack
        };
        let mut seen = self.seen.borrow_mut();
        if stack != Stack::FLOOR && !seen.contains(&stack) {
            seen.push(stack);
        }
    }

    /// Weighs the stacks that were run against each other, as `tare compare` does, and prints its
    /// report.
    fn print_table(&self) {
        let stacks = self.seen.borrow();
        let (Some(blocks), false) = (blocks_wanted(), stacks.is_empty()) else {
            return;
        };
        let usual = stacks.iter().find(|stack| stack.to_string() == BASE);
        let base = *usual.unwrap_or(&stacks[0]);
        let subjects = subjects(base, &stacks, &[]);
        let part = |workload, profile, tokens, warm_up, iterations| PartPlan {
            workload,
            server: Served::Mock {
                name: name_of(profile).to_owned(),
                profile: Box::new(or_exit(tare_mock::Profile::find(name_of(profile)))),
            },
            base_url: self.mock(profile).base_url().to_owned(),
            tokens,
            warm_up,
            iterations,
            subjects: subjects.clone(),
        };
        let one = Workload::Agents {
            agents: NonZeroUsize::MIN,
        };
        let plan = Plan {
            setup: Setup {
                api: Api::Generate,
                model: MODEL.to_owned(),
                threads: THREADS,
                text_seed: SEED,
                order_seed: SEED,
                processors: Vec::new(),
                corpus: CORPUS.to_owned(),
                proxied: false,
            },
            parts: vec![
                part(one, Profile::Paced, TABLE_TOKENS, 1, 1),
                part(Workload::Stream, Profile::Instant, 512, 40, 40),
            ],
            until: Until {
                blocks,
                limit: None,
            },
            stop: Stop::AtTheEnd,
        };
        eprintln!(
            "Weighing {} stacks in {blocks} randomised blocks...",
            subjects.len()
        );
        let done = run(&self.program, &plan, &mut Unwatched);
        or_exit(done.failure.map_or(Ok(()), Err));
        let provenance = Provenance::here().with_findings(doctor::quick());
        let record = Record::new(provenance, plan.setup, done.parts, done.ending);
        println!("\n{}", report(&record));
    }
}

fn name_of(profile: Profile) -> &'static str {
    match profile {
        Profile::Instant => "instant",
        Profile::Paced => "paced-1ms",
    }
}

/// Nobody looks on, and whoever interrupts a bench ends it.
struct Unwatched;

impl Watch for Unwatched {
    fn begins(&mut self, _: Due, _: &Subject) {}

    fn looks_closer(&mut self, _: &Subject) {}

    fn interrupted(&self) -> bool {
        false
    }
}

/// Tokens of each of the agent's two answers in the table.
const TABLE_TOKENS: u32 = 64;

/// How many blocks the table takes; `None` if nothing is being measured (`--test`, `--list`, ...).
fn blocks_wanted() -> Option<usize> {
    let given = |flag: &str| {
        let with_value = format!("{flag}=");
        std::env::args().any(|arg| arg == flag || arg.starts_with(&with_value))
    };
    let otherwise = ["--test", "--list", "--profile-time", "--load-baseline"];
    if !given("--bench") || otherwise.into_iter().any(given) {
        return None;
    }
    Some(if given("--quick") { 4 } else { 12 })
}

/// A failed invocation is no measurement: say why, and end. The mocks end with this process.
fn or_exit<T, E: Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        exit(1)
    })
}
