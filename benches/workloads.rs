//! Every stack through every workload under Criterion, for a developer's quick look and for
//! `--baseline`; and at the end what the bench `answer` found, once more.
//!
//! A Criterion sample here is a run: `iter_custom` starts a `tare invoke` process, which makes one
//! runtime, warms up, runs the iterations inside a spawned task, checks every token and tells its own
//! times; starting the process is not in them. So no two runtimes ever share a process, and Criterion's
//! interval is over processes. The mocks are processes too.
//!
//! What Criterion prints is *not* evidence for one stack against another: it runs them one after the
//! other, so a slow minute of the machine hits one and not the next.

mod shared;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use shared::{folder, or_exit};
use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;
use tare::corpus::{Opened, Source};
use tare::protocol::Api;
use tare::run::{Answers, Connection, MockServer, Outcome, Program, Spec, Work};
use tare::stack::Stack;
use tare::workflow::INGEST_CONCURRENCY;

/// Worker threads of every runtime.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");
/// Seed of the answers' text, and of the order within a block.
const SEED: u64 = 1;
/// The model that the mocks' profiles serve.
const MODEL: &str = "gemma3:latest";

/// What agents read.
static CORPUS: LazyLock<Opened> = LazyLock::new(|| or_exit(Source::BuiltIn.open()));
fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let lab = Lab::new();
    workflow(&mut criterion, &lab);
    stream(&mut criterion, &lab);
    first_token(&mut criterion, &lab);
    agents(&mut criterion, &lab);
    criterion.final_summary();
    print_answer();
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
        corpus: CORPUS.folder.clone(),
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

/// What a run is to do.
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

/// Starts the processes: the mocks when they are first needed, a run per sample.
struct Lab {
    program: Program,
    instant: OnceCell<MockServer>,
    paced: OnceCell<MockServer>,
}

impl Lab {
    fn new() -> Self {
        Self {
            program: Program::at(env!("CARGO_BIN_EXE_tare")),
            instant: OnceCell::new(),
            paced: OnceCell::new(),
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
            ingest_concurrency: INGEST_CONCURRENCY,
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
}

fn name_of(profile: Profile) -> &'static str {
    match profile {
        Profile::Instant => "instant",
        Profile::Paced => "paced-1ms",
    }
}

/// What the bench `answer` found in this `cargo bench`, if it was asked.
fn print_answer() {
    if !folder().exists() {
        return;
    }
    let report = Command::new(env!("CARGO_BIN_EXE_tare"))
        .arg("report")
        .arg(folder())
        .output();
    print!("{}", String::from_utf8_lossy(&or_exit(report).stdout));
    or_exit(std::fs::remove_dir_all(folder()));
}
