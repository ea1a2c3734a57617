//! Queue, slots, departures.

use super::*;

#[test]
fn a_hot_model_never_refuses_however_many_wait_for_a_slot() {
    let mut lab = Lab::warm(Profile {
        max_queue: 0,
        ..ollama()
    });
    let start = lab.now;
    let ids: Vec<_> = (0..100).map(|_| lab.arrive(ask("gemma3"))).collect();
    lab.settle();
    for (place, &id) in (0..).zip(&ids) {
        assert_eq!(lab.granted(id), Some(start));
        assert_eq!(lab.account(id).slot_wait, ms(60) * place, "first come");
    }
}

#[test]
fn as_many_as_there_are_slots_are_served_at_a_time() {
    let mut lab = Lab::warm(Profile {
        parallel: NonZeroU32::new(2),
        ..ollama()
    });
    let long = Ask {
        output: Some(50),
        ..ask("gemma3")
    };
    let ids = [long, ask("gemma3"), ask("gemma3"), ask("gemma3")].map(|ask| lab.arrive(ask));
    lab.settle();
    let waits = ids.map(|id| lab.account(id).slot_wait);
    assert_eq!(waits[..2], [Duration::ZERO; 2]);
    assert_eq!(waits[2], lab.account(ids[1]).total());
    assert_eq!(waits[3], lab.account(ids[2]).total());
}

#[test]
fn only_requests_that_wait_for_a_load_count_against_the_queue() {
    let mut lab = Lab::warm(Profile {
        max_queue: 2,
        ..ollama()
    });
    let cold: Vec<_> = (0..5).map(|_| lab.arrive(ask("qwen"))).collect();
    let hot: Vec<_> = (0..5).map(|_| lab.arrive(ask("gemma3"))).collect();
    lab.settle();
    let refused = |ids: &[RequestId]| ids.iter().map(|&id| lab.refused(id)).collect::<Vec<_>>();
    let busy = Some(Refusal::Busy);
    // One is worked on, two wait.
    assert_eq!(refused(&cold), [None, None, None, busy, busy]);
    assert_eq!(refused(&hot), [None; 5]);
}

#[test]
fn whoever_is_refused_is_told_at_once() {
    let mut lab = Lab::new(Profile {
        max_queue: 0,
        load: ms(3),
        ..ollama()
    });
    lab.arrive(ask("gemma3"));
    lab.pass(ms(7));
    let id = lab.arrive(ask("gemma3"));
    lab.settle();
    assert!(lab.said.contains(&Event::Refused {
        id,
        at: ms(10),
        reason: Refusal::Busy,
    }));
}

#[test]
fn a_request_that_waits_for_its_load_blocks_all_behind_it_whatever_their_model() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    let busy = lab.arrive(Ask {
        output: Some(100),
        ..ask("gemma3")
    });
    let other_options = lab.arrive(with_ctx(8192));
    let other_model = lab.arrive(ask("qwen"));
    lab.settle();
    let drained = start + lab.account(busy).total();
    let reloaded = drained + RECOVERY + LOADING;
    assert_eq!(lab.granted(other_options), Some(reloaded));
    assert_eq!(lab.granted(other_model), Some(reloaded + LOADING));
    assert_eq!(lab.account(other_model).queue, reloaded - start);
    assert_eq!(lab.account(other_model).reload(), LOADING);
}

#[test]
fn a_request_that_fits_skips_the_queue_even_while_its_runner_is_to_be_replaced() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    lab.arrive(ask("gemma3"));
    let other_options = lab.arrive(with_ctx(8192));
    lab.pass(ms(10));
    let fitting = lab.arrive(ask("gemma3"));
    lab.settle();
    assert_eq!(lab.granted(fitting), Some(start + ms(10)));
    assert_eq!(lab.account(other_options).drain, ms(120), "both are served");
}

#[test]
fn requests_for_a_model_that_is_being_loaded_are_granted_together() {
    let mut lab = Lab::new(ollama());
    let ids = [(); 3].map(|()| lab.arrive(ask("gemma3")));
    lab.settle();
    assert_eq!(ids.map(|id| lab.granted(id)), [Some(LOADING); 3]);
    assert_eq!(lab.loads().len(), 1);
    assert_eq!(lab.account(ids[0]).loading, LOADING);
    assert_eq!(lab.account(ids[1]).queue, LOADING);
}

#[test]
fn the_stated_load_holds_queue_and_reload_but_not_the_wait_for_a_slot() {
    let mut lab = Lab::new(Profile {
        load: ms(7),
        ..ollama()
    });
    let ids = [(); 3].map(|()| lab.arrive(ask("gemma3")));
    lab.settle();
    let last = lab.account(ids[2]);
    assert_eq!(last.load(), ms(7) + LOADING);
    assert_eq!(last.slot_wait, ms(120));
    assert_eq!(last.total(), last.load() + ms(120) + ms(60));
    assert_eq!(last.first_token(), last.total() - ms(40));
}

#[test]
fn who_leaves_the_queue_frees_a_place_in_it() {
    let mut lab = Lab::new(Profile {
        max_queue: 1,
        ..ollama()
    });
    let [head, waits] = [(); 2].map(|()| lab.arrive(ask("gemma3")));
    lab.pass(ms(1));
    lab.leave(waits);
    let next = lab.arrive(ask("gemma3"));
    lab.settle();
    assert!(lab.is_done(head) && lab.is_done(next) && !lab.is_done(waits));
}

#[test]
fn who_leaves_while_it_speaks_frees_its_slot() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    let [speaks, waits] = [(); 2].map(|()| lab.arrive(ask("gemma3")));
    lab.pass(ms(35));
    lab.leave(speaks);
    lab.settle();
    assert_eq!(lab.tokens(speaks), [start + ms(20), start + ms(30)]);
    assert!(!lab.is_done(speaks));
    assert_eq!(lab.account(waits).slot_wait, ms(35));
}

#[test]
fn who_leaves_while_its_prompt_is_read_frees_its_slot() {
    let mut lab = Lab::warm(ollama());
    let [reads, waits] = [(); 2].map(|()| lab.arrive(ask("gemma3")));
    lab.pass(ms(15));
    lab.leave(reads);
    lab.settle();
    assert!(lab.tokens(reads).is_empty());
    assert_eq!(lab.account(waits).slot_wait, ms(15));
}

#[test]
fn who_leaves_the_line_for_a_slot_is_passed_over() {
    let mut lab = Lab::warm(ollama());
    let [_, leaves, waits] = [(); 3].map(|()| lab.arrive(ask("gemma3")));
    lab.pass(ms(15));
    lab.leave(leaves);
    lab.settle();
    assert_eq!(lab.account(waits).slot_wait, ms(60));
}

#[test]
fn who_leaves_while_its_model_loads_breaks_the_load_off() {
    let mut lab = Lab::new(ollama());
    let [leaves, waits] = [ask("gemma3"), ask("qwen")].map(|ask| lab.arrive(ask));
    lab.pass(ms(100));
    lab.leave(leaves);
    lab.settle();
    assert_eq!(lab.account(waits).queue, ms(100));
    assert_eq!(lab.loads(), [("qwen".to_owned(), ms(100) + LOADING)]);
}

#[test]
fn a_load_that_was_broken_off_does_not_end_the_drain_after_it() {
    let mut lab = Lab::warm(ollama());
    let leaves = lab.arrive(ask("qwen"));
    lab.arrive(Ask {
        output: Some(300),
        ..ask("gemma3")
    });
    let waits = lab.arrive(with_ctx(8192));
    lab.pass(ms(100));
    lab.leave(leaves);
    lab.settle();
    let drained = ms(20) + ms(10) * 299;
    assert_eq!(lab.account(waits).drain, drained - ms(100));
}

#[test]
fn who_leaves_during_a_drain_does_not_save_the_runner() {
    let mut lab = Lab::warm(ollama());
    lab.arrive(ask("gemma3"));
    let leaves = lab.arrive(with_ctx(8192));
    lab.pass(ms(30));
    lab.leave(leaves);
    let waits = lab.arrive(ask("qwen"));
    lab.settle();
    assert_eq!(lab.unloads().len(), 1);
    assert_eq!(lab.account(waits).queue, ms(30) + RECOVERY);
    assert_eq!(lab.loaded(), ["qwen"]);
}

#[test]
fn to_leave_when_all_is_over_changes_nothing() {
    let mut lab = Lab::warm(ollama());
    let done = lab.arrive(ask("gemma3"));
    lab.settle();
    lab.leave(done);
    let next = lab.arrive(ask("gemma3"));
    lab.settle();
    assert_eq!(lab.account(next).total(), ms(60));
}

#[test]
fn a_server_that_is_not_there_refuses() {
    let mut lab = Lab::new(ollama());
    let id = lab.arrive_at(SECOND, ask("gemma3"));
    lab.settle();
    assert_eq!(lab.refused(id), Some(Refusal::NoSuchServer));
}

#[test]
fn time_does_not_run_backwards_whatever_the_caller_says() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    let early = lab.engine.arrive(ms(1), FIRST, ask("gemma3"));
    lab.engine.leave(ms(2), early);
    let stays = lab.engine.arrive(Duration::ZERO, FIRST, ask("gemma3"));
    lab.settle();
    assert!(!lab.is_done(early));
    assert_eq!(lab.account(stays).arrived, start);
}
