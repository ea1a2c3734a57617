//! Reading and parsing the corpus on every runtime, one file at a time and 16 at a time, and taking an
//! answer apart, without a server.
//!
//! Criterion runs the runtimes one after the other in one process: compare 1 and 16 on a runtime by
//! these figures, not the runtimes. What ingest costs a whole agent is in the bench `workloads`.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};
use tare::corpus::Source;
use tare::runtime::{AsyncStd, Runtime, Smol, Threads, TokioLocal, TokioMt};
use tare::workflow::{Answer, INGEST_CONCURRENCY, ingest};
use tare_mock::Text;

/// Worker threads of every runtime.
const THREADS: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");

fn corpus(criterion: &mut Criterion) {
    let corpus = Source::BuiltIn.open().expect("a cache folder to write");
    let mut group = criterion.benchmark_group(format!("ingest/{}-files", corpus.identity.files));
    group.throughput(Throughput::Bytes(corpus.identity.bytes));
    for concurrency in [NonZeroUsize::MIN, INGEST_CONCURRENCY] {
        on::<TokioMt>(&mut group, &corpus.folder, concurrency);
        on::<TokioLocal>(&mut group, &corpus.folder, concurrency);
        on::<AsyncStd>(&mut group, &corpus.folder, concurrency);
        on::<Smol>(&mut group, &corpus.folder, concurrency);
        on::<Threads>(&mut group, &corpus.folder, concurrency);
    }
    group.finish();
}

fn on<R: Runtime>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    folder: &Path,
    concurrency: NonZeroUsize,
) {
    let rt = R::new(THREADS).expect("a runtime starts");
    group.bench_function(format!("{}/{concurrency}", R::NAME), |bencher| {
        bencher.iter_custom(|iterations| {
            let (inner, folder) = (rt.clone(), folder.to_owned());
            rt.run(async move {
                let started = Instant::now();
                for _ in 0..iterations {
                    let corpus = ingest(&inner, &folder, concurrency).await;
                    black_box(corpus.expect("the corpus is there"));
                }
                started.elapsed()
            })
        });
    });
}

fn answer(criterion: &mut Criterion) {
    let answer: String = Text::new(1).take(1000).collect();
    let mut group = criterion.benchmark_group("answer");
    group.throughput(Throughput::Bytes(answer.len() as u64));
    group.bench_function("1000-tokens", |bencher| {
        bencher.iter(|| Answer::parse(black_box(&answer)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20);
    targets = corpus, answer
}
criterion_main!(benches);
