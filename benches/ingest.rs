//! Reading and parsing the corpus, and taking an answer apart, without a server or a runtime.
//!
//! Not evidence for any runtime: files are read by blocking calls here. What a runtime's own file
//! API adds is in the `weigh` bench.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::executor::block_on;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::Path;
use tare::runtime::{Runtime, Threads};
use tare::workflow::{Answer, ingest};
use tare_mock::Text;

fn corpus(criterion: &mut Criterion) {
    let rt = Threads::new(NonZeroUsize::MIN).expect("blocking threads need nothing");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
    let corpus = block_on(ingest(&rt, &folder)).expect("the corpus is part of the repository");
    let mut group = criterion.benchmark_group("ingest");
    group.throughput(Throughput::Bytes(corpus.bytes() as u64));
    group.bench_function(format!("{}-files", corpus.documents.len()), |bencher| {
        bencher.iter(|| block_on(ingest(&rt, black_box(&folder))));
    });
    let answer: String = Text::new(1).take(1000).collect();
    group.throughput(Throughput::Bytes(answer.len() as u64));
    group.bench_function("answer-of-1000-tokens", |bencher| {
        bencher.iter(|| Answer::parse(black_box(&answer)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(500))
        .measurement_time(std::time::Duration::from_millis(1500))
        .sample_size(50);
    targets = corpus
}
criterion_main!(benches);
