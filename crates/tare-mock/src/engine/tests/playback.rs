//! A recorded answer comes as it was recorded.

use super::*;
use std::sync::Arc;

fn recording() -> Arc<Recording> {
    Arc::new(Recording {
        pieces: vec![ms(300), ms(310), ms(310), ms(345)],
        end: ms(346),
        load: ms(100),
        prompt_tokens: 20,
        output_tokens: 4,
        reason: StopReason::Stop,
    })
}

fn played(recording: &Arc<Recording>) -> Ask<'_> {
    Ask {
        recording: Some(recording),
        ..ask("gemma3")
    }
}

#[test]
fn each_piece_comes_when_it_came_counted_from_the_arrival() {
    let recording = recording();
    let mut lab = Lab::new(ollama());
    lab.pass(ms(50));
    let id = lab.arrive(played(&recording));
    lab.settle();
    assert_eq!(
        lab.tokens(id),
        [ms(350), ms(360), ms(360), ms(395)],
        "and no load, slot or GPU is waited for"
    );
    let account = lab.account(id);
    assert_eq!(account.total(), ms(346));
    assert_eq!((account.load(), account.prefill), (ms(100), ms(200)));
    assert_eq!(account.decode, ms(46));
    assert_eq!((account.prompt_tokens, account.output_tokens), (20, 4));
}

#[test]
fn answers_played_at_the_same_time_do_not_touch_each_other() {
    let recording = recording();
    let mut lab = Lab::new(ollama());
    let first = lab.arrive(played(&recording));
    lab.pass(ms(5));
    let second = lab.arrive(played(&recording));
    lab.settle();
    let apart = |a: &[Duration], b: &[Duration]| -> Vec<Duration> {
        b.iter().zip(a).map(|(b, a)| *b - *a).collect()
    };
    let (first, second) = (lab.tokens(first), lab.tokens(second));
    assert_eq!(apart(&first, &second), [ms(5); 4]);
}

#[test]
fn a_client_that_goes_away_hears_no_more_of_it() {
    let recording = recording();
    let mut lab = Lab::new(ollama());
    let id = lab.arrive(played(&recording));
    lab.pass(ms(305));
    lab.leave(id);
    lab.settle();
    assert_eq!(lab.tokens(id), [ms(300)]);
}

#[test]
fn twice_as_fast_takes_half_the_time() {
    let fast = recording().faster(2.0);
    assert_eq!(
        fast.pieces,
        [
            ms(150),
            ms(155),
            ms(155),
            ms(172) + Duration::from_micros(500)
        ]
    );
    assert_eq!((fast.end, fast.load), (ms(173), ms(50)));
    assert_eq!(fast.output_tokens, 4);
}

#[test]
fn cut_off_it_ends_with_its_last_piece_by_length() {
    let cut = recording().cut(2);
    assert_eq!((cut.pieces.len(), cut.end), (2, ms(310)));
    assert_eq!((cut.output_tokens, cut.reason), (2, StopReason::Length));
    assert_eq!(recording().cut(4), *recording());
    assert_eq!(recording().cut(99), *recording());
}

#[test]
fn jitter_stretches_each_gap_but_not_the_wait_before_the_first_piece() {
    let recording = recording();
    let mut lab = Lab::new(Profile {
        jitter: Some(Jitter {
            spread: 0.2,
            tail: 0.0,
            stretch: 2.0,
        }),
        ..ollama()
    });
    let id = lab.arrive(played(&recording));
    lab.settle();
    let tokens = lab.tokens(id);
    assert_eq!(tokens[0], ms(300));
    assert_ne!(tokens[1], ms(310));
    assert_eq!(tokens[1], tokens[2], "what came together stays together");
    let end = lab.account(id).total();
    assert_eq!(end - tokens[3], ms(1), "and the end follows as it did");
}

#[test]
fn an_answer_without_pieces_just_ends() {
    let recording = Arc::new(Recording {
        end: ms(7),
        ..Recording::default()
    });
    let mut lab = Lab::new(ollama());
    let id = lab.arrive(played(&recording));
    lab.settle();
    assert_eq!(lab.account(id).total(), ms(7));
}
