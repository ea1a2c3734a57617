//! What the meter itself costs: recording a token, counting a read, counting an allocation.
//!
//! Each is the difference of two figures, one with the meter and one without, both printed; at the
//! end the differences are printed too, measured by turns so that a slow minute hits both alike.
//! The goal is at most 60 ns per token. Not evidence for a client: the stream lies in the cache.

use criterion::{Criterion, Throughput, criterion_group};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tare::meter::{Counting, Moment, Recorder};
use tare::protocol::{Completion, Decoder, Event, Ndjson, Sink};
use tare::tally::{self, Count};

/// What a token of `/api/generate` takes with a model's name of usual length.
const LINE: &str = concat!(
    r#"{"model":"gemma3:latest","created_at":"2026-11-22T08:00:00.123456789Z","#,
    r#""response":" throughput","done":false}"#,
    "\n"
);
/// A token over OpenAI's API.
const CHUNK: &str = concat!(
    r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" throughput"}}],"#,
    r#""created":1793260800,"id":"chatcmpl-DHvcEyFobkuV","model":"gemma3","#,
    r#""system_fingerprint":"b6881-8b11deea4","object":"chat.completion.chunk"}"#,
    "\n\n"
);
const TOKENS: usize = 512;

/// The meter's rival: it only counts.
#[derive(Default)]
struct Counter(usize);

impl Sink for Counter {
    fn token(&mut self, text: &str) {
        self.0 += text.len();
    }
}

fn listen<D: Decoder>(stream: &str, sink: &mut impl Sink) {
    let mut decoder = D::default();
    for piece in stream.as_bytes().chunks(16 * 1024) {
        let fed = decoder.feed(black_box(piece), |event| {
            if let Event::Token(text) = event {
                sink.token(text);
            }
        });
        fed.expect("a sound stream");
    }
}

fn without_meter<D: Decoder>(stream: &str) {
    let mut counter = Counter::default();
    listen::<D>(stream, &mut counter);
    black_box(counter.0);
}

fn with_meter<D: Decoder>(stream: &str) {
    let mut recorder = Recorder::start(TOKENS);
    listen::<D>(stream, &mut recorder);
    black_box(recorder);
}

const BLOCK: Layout = Layout::new::<[u64; 8]>();

fn allocate(allocator: &impl GlobalAlloc) {
    // SAFETY: the block has a size and goes back to the allocator that gave it, with its layout.
    unsafe {
        let block = black_box(allocator.alloc(BLOCK));
        allocator.dealloc(block, BLOCK);
    }
}

fn figures(criterion: &mut Criterion) {
    let (lines, chunks) = (LINE.repeat(TOKENS), CHUNK.repeat(TOKENS));
    let mut group = criterion.benchmark_group("meter");
    group.throughput(Throughput::Elements(TOKENS as u64));
    group.bench_function("ndjson/without", |b| {
        b.iter(|| without_meter::<Ndjson>(&lines))
    });
    group.bench_function("ndjson/with", |b| b.iter(|| with_meter::<Ndjson>(&lines)));
    group.bench_function("openai/without", |b| {
        b.iter(|| without_meter::<Completion>(&chunks))
    });
    group.bench_function("openai/with", |b| {
        b.iter(|| with_meter::<Completion>(&chunks))
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("clock", |b| b.iter(Moment::now));
    group.bench_function("count-a-read", |b| {
        b.iter(|| {
            tally::add([
                (Count::SocketReads, 1),
                (Count::SocketReadBytes, black_box(110)),
            ])
        });
    });
    group.bench_function("allocate-and-free/without", |b| {
        b.iter(|| allocate(&System))
    });
    group.bench_function("allocate-and-free/with", |b| b.iter(|| allocate(&Counting)));
    group.finish();
}

/// The median of what `with` takes above `without`, per one of `count`, ns.
fn difference(count: u32, without: impl Fn(), with: impl Fn()) -> f64 {
    const TURNS: usize = 501;
    let nanos = |work: &dyn Fn()| -> f64 {
        let started = Instant::now();
        work();
        started.elapsed().as_nanos() as f64
    };
    let mut differences: Vec<f64> = (0..TURNS)
        .map(|_| (nanos(&with) - nanos(&without)) / f64::from(count))
        .collect();
    differences.sort_by(f64::total_cmp);
    differences[TURNS / 2]
}

fn print_differences() {
    let (lines, chunks) = (LINE.repeat(TOKENS), CHUNK.repeat(TOKENS));
    let tokens = TOKENS as u32;
    let ndjson = difference(
        tokens,
        || without_meter::<Ndjson>(&lines),
        || with_meter::<Ndjson>(&lines),
    );
    let openai = difference(
        tokens,
        || without_meter::<Completion>(&chunks),
        || with_meter::<Completion>(&chunks),
    );
    const TIMES: u32 = 10_000;
    let allocation = difference(
        TIMES,
        || (0..TIMES).for_each(|_| allocate(&System)),
        || (0..TIMES).for_each(|_| allocate(&Counting)),
    );
    println!(
        "\nThe meter costs {ndjson:.0} ns per token of NDJSON and {openai:.0} ns per token of SSE; \
         counting costs {allocation:.1} ns per allocation and its release."
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(50);
    targets = figures
}

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    if std::env::args().any(|argument| argument == "--bench") {
        print_differences();
    }
}
