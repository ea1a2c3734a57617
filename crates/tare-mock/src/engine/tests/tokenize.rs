//! Tokenization around the prompt and after the answer, hot loads, and prefills that go on for a
//! client that has left.

use super::*;

/// Of round figures, each of its own: 40 ms for the prompt of four tokens, 90 ms for `context` with
/// an answer of five.
fn tokenizing() -> Profile {
    Profile {
        tokenize: Some(Tokenize {
            fixed: ms(36),
            per_token: ms(1),
            per_pair: ms(1),
        }),
        context: Some(Tokenize {
            fixed: ms(0),
            per_token: ms(10),
            per_pair: ms(100),
        }),
        ..ollama()
    }
}

fn reads_on() -> Profile {
    Profile {
        prefill: Prefill {
            fixed: ms(1000),
            per_token: Duration::ZERO,
        },
        cancelled_prefill: Cancelled::ReadsOn,
        ..ollama()
    }
}

fn by(form: Form) -> Ask<'static> {
    Ask {
        form,
        ..ask("gemma3")
    }
}

#[test]
fn chat_tokenizes_twice_generate_once_more_at_the_end_and_raw_once() {
    for (form, fitting, context) in [
        (Form::Chat, 40, 0),
        (Form::Generate, 40, 90),
        (Form::Raw, 0, 0),
    ] {
        let mut lab = Lab::warm(tokenizing());
        let id = lab.arrive(by(form));
        lab.settle();
        let account = lab.account(id);
        assert_eq!(account.fitting, ms(fitting), "{form:?}");
        assert_eq!(account.tokenizing, ms(40), "{form:?}");
        assert_eq!(account.context, ms(context), "{form:?}");
        assert_eq!(account.remainder(), ms(fitting + 40), "{form:?}");
        assert_eq!(account.load(), Duration::ZERO, "{form:?}");
    }
}

#[test]
fn the_total_ends_with_the_last_token_and_the_request_with_its_context() {
    let mut lab = Lab::warm(tokenizing());
    let start = lab.now;
    let id = lab.arrive(by(Form::Generate));
    lab.settle();
    let account = lab.account(id);
    let last = *lab.tokens(id).last().expect("it has tokens");
    assert_eq!(last, start + account.total());
    let done = lab.find(|event| match event {
        Event::Done { at, .. } if *at > start => Some(*at),
        _ => None,
    });
    assert_eq!(done, Some(start + account.whole()));
    assert_eq!(account.whole(), account.total() + ms(90));
}

#[test]
fn a_prompt_of_many_lines_takes_longer_than_one_of_the_same_length_in_one() {
    for (prompt, tokenizing, context) in [
        ("word word word word.", 36 + 6, 110),
        ("word\nword\nword\nword\n", 36 + 8 + 6, 130 + 600),
    ] {
        let mut lab = Lab::warm(self::tokenizing());
        let id = lab.arrive(Ask {
            prompt,
            ..by(Form::Generate)
        });
        lab.settle();
        let account = lab.account(id);
        assert_eq!(
            (account.tokenizing, account.context),
            (ms(tokenizing), ms(context))
        );
    }
}

#[test]
fn a_request_waits_for_its_slot_with_its_prompt_fitted_and_the_slot_is_taken_until_the_context_is_there()
 {
    let mut lab = Lab::warm(tokenizing());
    let [first, second] = [(); 2].map(|()| lab.arrive(by(Form::Generate)));
    lab.settle();
    let [first, second] = [first, second].map(|id| lab.account(id));
    assert_eq!(first.slot_wait, Duration::ZERO);
    // Both are fitted at the same time; in the slot the first has 40, 20, 40 and 90 ms.
    assert_eq!(second.fitting, ms(40));
    assert_eq!(second.slot_wait, ms(190));
    assert_eq!(second.tokenizing, ms(40));
}

#[test]
fn tokenization_does_not_slow_who_computes_on_the_same_gpu() {
    let slow = Profile {
        tokenize: Some(Tokenize {
            fixed: secs(1),
            ..Tokenize::default()
        }),
        ..ollama()
    };
    let mut lab = Lab::with_servers(slow, 2, Gpus::Shared);
    for server in [FIRST, SECOND] {
        lab.arrive_at(
            server,
            Ask {
                prompt: "",
                ..ask("gemma3")
            },
        );
    }
    lab.pass(secs(5));
    let computes = lab.arrive_at(FIRST, by(Form::Raw));
    lab.pass(ms(500));
    let tokenizes = lab.arrive_at(SECOND, by(Form::Raw));
    lab.settle();
    assert_eq!(lab.gaps(computes), [ms(10); 4]);
    assert_eq!(lab.account(tokenizes).prefill, ms(20));
}

#[test]
fn what_only_loads_or_unloads_is_not_tokenized() {
    let mut lab = Lab::new(tokenizing());
    let load = lab.arrive(Ask {
        prompt: "",
        ..by(Form::Generate)
    });
    lab.pass(secs(5));
    let account = lab.account(load);
    assert_eq!(account.whole(), account.load());
}

#[test]
fn a_client_that_leaves_while_its_prompt_or_context_is_tokenized_leaves_the_slot() {
    // In the handler, in the slot, while the context is made.
    for leaves_after in [20, 60, 200] {
        let mut lab = Lab::warm(tokenizing());
        let leaves = lab.arrive(by(Form::Generate));
        lab.pass(ms(leaves_after));
        lab.leave(leaves);
        let next = lab.arrive(by(Form::Chat));
        lab.settle();
        assert!(!lab.is_done(leaves), "{leaves_after}");
        assert_eq!(
            lab.account(next).slot_wait,
            Duration::ZERO,
            "{leaves_after}"
        );
    }
}

#[test]
fn a_hot_load_of_150_ms_is_handling_and_no_reload() {
    let mut lab = Lab::warm(Profile {
        load: ms(150),
        ..ollama()
    });
    let loads = lab.loads();
    let ids = [(); 3].map(|()| lab.arrive(ask("gemma3")));
    lab.settle();
    for id in ids {
        let account = lab.account(id);
        assert_eq!(account.load(), ms(150));
        assert_eq!(
            (account.handling, account.reload()),
            (ms(150), Duration::ZERO)
        );
        assert_eq!(account.queue, Duration::ZERO);
    }
    assert_eq!(lab.loads(), loads);
}

#[test]
fn a_cancelled_prefill_keeps_its_slot_until_the_prompt_is_read_where_the_profile_says_so() {
    let stops = Profile {
        cancelled_prefill: Cancelled::Stops,
        ..reads_on()
    };
    for (profile, waits) in [(stops, 0), (reads_on(), 700)] {
        let mut lab = Lab::warm(profile);
        let leaves = lab.arrive(ask("gemma3"));
        lab.pass(ms(300));
        lab.leave(leaves);
        lab.leave(leaves); // and again, which changes nothing
        let next = lab.arrive(ask("gemma3"));
        lab.settle();
        assert_eq!(lab.account(next).slot_wait, ms(waits));
        assert!(lab.tokens(leaves).is_empty() && !lab.is_done(leaves));
    }
}

#[test]
fn a_prompt_that_is_read_on_is_remembered() {
    let mut lab = Lab::warm(Profile {
        prompt_cache: NonZeroU32::new(1).map(|block| PromptCache {
            block,
            window: None,
        }),
        ..reads_on()
    });
    let leaves = lab.arrive(ask("gemma3"));
    lab.pass(ms(300));
    lab.leave(leaves);
    let next = lab.arrive(ask("gemma3"));
    lab.settle();
    let account = lab.account(next);
    assert_eq!(account.cached_tokens, account.prompt_tokens - 1);
}

#[test]
fn a_stream_that_is_left_once_it_speaks_frees_its_slot_at_once() {
    let mut lab = Lab::warm(reads_on());
    let leaves = lab.arrive(ask("gemma3"));
    lab.pass(ms(1015));
    lab.leave(leaves);
    let next = lab.arrive(ask("gemma3"));
    lab.settle();
    assert_eq!(lab.account(next).slot_wait, Duration::ZERO);
}

#[test]
fn a_reload_does_not_wait_for_a_prefill_that_nobody_waits_for() {
    let mut lab = Lab::warm(reads_on());
    let leaves = lab.arrive(ask("gemma3"));
    lab.pass(ms(300));
    lab.leave(leaves);
    let reloads = lab.arrive(with_ctx(8192));
    lab.settle();
    let account = lab.account(reloads);
    assert_eq!(account.drain, Duration::ZERO);
    assert_eq!(account.reload(), RECOVERY + LOADING);
    assert_eq!(account.prefill, secs(1), "nothing else computes");
}

#[test]
fn a_prefill_that_nobody_waits_for_slows_who_shares_the_gpu() {
    let mut lab = Lab::with_servers(reads_on(), 2, Gpus::Shared);
    for server in [FIRST, SECOND] {
        lab.arrive_at(
            server,
            Ask {
                prompt: "",
                ..ask("gemma3")
            },
        );
    }
    lab.pass(secs(5));
    let leaves = lab.arrive_at(FIRST, ask("gemma3"));
    lab.leave(leaves);
    let stays = lab.arrive_at(SECOND, ask("gemma3"));
    lab.settle();
    // Both begin together and go at half the speed; who left has as much to read as who stays.
    assert_eq!(lab.account(stays).prefill, secs(2));
}
