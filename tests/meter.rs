//! The meter weighs next to nothing: decoding and recording a token allocates nothing. A program of
//! its own, because it installs the counting allocator, and without the test harness, whose threads
//! allocate whenever they like and would be counted too.

use tare::meter::{Allocations, Counting, Recorder};
use tare::protocol::{Completion, Decoder, Event, Ndjson, Sink};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TOKENS: usize = 10_000;
const LINE: &str = "{\"model\":\"m\",\"created_at\":\"2026-11-22T08:00:00.1Z\",\"response\":\" token\",\"done\":false}\n";
const CHUNK: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"}}],\"id\":\"c\"}\n\n";

fn counted(work: impl FnOnce()) -> Allocations {
    let before = Allocations::now().expect("this program counts");
    work();
    Allocations::now().expect("this program counts") - before
}

/// What it takes to record all tokens of a stream that comes in pieces of `size` bytes.
fn recorded<D: Decoder>(token: &str, size: usize) -> Allocations {
    let stream = token.repeat(TOKENS);
    let mut recorder = Recorder::start(TOKENS);
    let mut decoder = D::default();
    let mut heard = 0;
    let mut hear = |piece: &[u8]| {
        let fed = decoder.feed(piece, |event| {
            if let Event::Token(text) = event {
                recorder.token(text);
                heard += 1;
            }
        });
        fed.expect("a sound stream");
    };
    // A part warms up, in small pieces, so that the decoder's buffers for what is split have grown.
    let (first, rest) = stream.as_bytes().split_at(40 * token.len() + 1);
    first.chunks(7).for_each(&mut hear);
    let used = counted(|| rest.chunks(size).for_each(&mut hear));
    assert_eq!(heard, TOKENS);
    used
}

fn recording_allocates_nothing_per_token() {
    for size in [LINE.len(), 1024, 16 * 1024] {
        let used = recorded::<Ndjson>(LINE, size);
        assert_eq!(used, Allocations::default(), "NDJSON in pieces of {size}");
        let used = recorded::<Completion>(CHUNK, size);
        assert_eq!(used, Allocations::default(), "SSE in pieces of {size}");
    }
}

fn each_kind_of_request_is_counted() {
    let work = || {
        let mut buffer: Vec<u8> = Vec::with_capacity(100);
        buffer.extend([1; 100]);
        buffer.reserve_exact(50);
        drop(buffer);
        drop(std::hint::black_box(vec![0_u8; 1000]));
    };
    let used = counted(work);
    assert_eq!(used.allocations, 2);
    assert_eq!(used.reallocations, 1);
    assert_eq!(used.frees, 2);
    assert_eq!(used.bytes, 100 + 50 + 1000);
}

fn what_other_threads_ask_for_is_counted_after_they_ended_too() {
    const BYTES: usize = 1 << 20;
    let work = || {
        let work = || drop(std::hint::black_box(vec![1_u8; BYTES]));
        let threads = [std::thread::spawn(work), std::thread::spawn(work)];
        for thread in threads {
            thread.join().expect("an allocation");
        }
    };
    let used = counted(work);
    assert!(used.bytes >= 2 * BYTES as u64, "{used:?}");
    assert!(used.bytes < 3 * BYTES as u64, "{used:?}");
}

fn main() {
    recording_allocates_nothing_per_token();
    each_kind_of_request_is_counted();
    what_other_threads_ask_for_is_counted_after_they_ended_too();
    println!("recording allocates nothing per token; every request is counted");
}
