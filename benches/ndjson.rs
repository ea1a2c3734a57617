//! The decoders alone, without a server: a token of Ollama's streams and of OpenAI's, whole and
//! split.
//!
//! `line` has 110 bytes with its newline, what a token of `/api/generate` takes with a model's name of
//! usual length; `openai` has 227 with its blank line, as llama.cpp's server sends it.
//! Not evidence for a client: the line is in the cache and nobody reads a socket.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use tare::protocol::{Completion, Decoder, Event, Ndjson};

const LINE: &str = concat!(
    r#"{"model":"gemma3:latest","created_at":"2026-11-22T08:00:00.123456789Z","#,
    r#""response":" throughput","done":false}"#,
    "\n"
);
const ESCAPED: &str = concat!(
    r#"{"model":"gemma3:latest","created_at":"2026-11-22T08:00:00.123456789Z","#,
    r#""response":"\u003cb\u003e\n","done":false}"#,
    "\n"
);
const CHAT: &str = concat!(
    r#"{"model":"gemma3:latest","created_at":"2026-11-22T08:00:00.123456789Z","#,
    r#""message":{"role":"assistant","content":" throughput"},"done":false}"#,
    "\n"
);

const OPENAI: &str = concat!(
    r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" throughput"}}],"#,
    r#""created":1793260800,"id":"chatcmpl-DHvcEyFobkuV","model":"gemma3","#,
    r#""system_fingerprint":"b6881-8b11deea4","object":"chat.completion.chunk"}"#,
    "\n\n"
);

/// Tokens heard when `pieces` are fed; the sum of their lengths, so that none can be left out.
fn decode<'a, D: Decoder>(pieces: impl Iterator<Item = &'a [u8]>) -> usize {
    let mut decoder = D::default();
    let mut length = 0;
    for piece in pieces {
        decoder
            .feed(black_box(piece), |event| {
                if let Event::Token(text) = event {
                    length += text.len();
                }
            })
            .expect("a sound stream");
    }
    length
}

fn ndjson(criterion: &mut Criterion) {
    assert_eq!(LINE.len(), 110, "with its newline");
    assert_eq!(OPENAI.len(), 227, "with its blank line");
    let mut group = criterion.benchmark_group("ndjson");
    group.throughput(Throughput::Elements(1));
    for (name, line) in [("line", LINE), ("escaped", ESCAPED), ("chat", CHAT)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode::<Ndjson>([line.as_bytes()].into_iter()));
        });
    }
    group.bench_function("openai", |bencher| {
        bencher.iter(|| decode::<Completion>([OPENAI.as_bytes()].into_iter()));
    });
    const LINES: usize = 1000;
    let (stream, events) = (LINE.repeat(LINES), OPENAI.repeat(LINES));
    group.throughput(Throughput::Elements(LINES as u64));
    for size in [64, 1024, 16 * 1024] {
        group.bench_function(BenchmarkId::new("pieces-of", size), |bencher| {
            bencher.iter(|| decode::<Ndjson>(stream.as_bytes().chunks(size)));
        });
        group.bench_function(BenchmarkId::new("openai-pieces-of", size), |bencher| {
            bencher.iter(|| decode::<Completion>(events.as_bytes().chunks(size)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_millis(600))
        .sample_size(50);
    targets = ndjson
}
criterion_main!(benches);
