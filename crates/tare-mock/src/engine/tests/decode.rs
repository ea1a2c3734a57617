//! Prefill, lockstep, shared GPUs, pure pacing.

use super::*;

fn two_slots() -> Profile {
    Profile {
        parallel: NonZeroU32::new(2),
        ..ollama()
    }
}

fn long(output: u32) -> Ask<'static> {
    Ask {
        output: Some(output),
        ..ask("gemma3")
    }
}

#[test]
fn prefill_is_a_constant_and_a_time_for_each_token_that_is_not_cached() {
    let prefill = Prefill {
        fixed: ms(20),
        per_token: ms(1),
    };
    let mut lab = Lab::warm(Profile {
        prefill,
        prompt_cache: NonZeroU32::new(16).map(|block| PromptCache {
            block,
            window: None,
        }),
        ..ollama()
    });
    let prompt = "word".repeat(100);
    let longer = format!("{prompt}{}", "more".repeat(28));
    for (prompt, tokens, cached) in [(&prompt, 100, 0), (&prompt, 100, 96), (&longer, 128, 96)] {
        let id = lab.arrive(Ask {
            prompt,
            ..ask("gemma3")
        });
        lab.settle();
        let account = lab.account(id);
        assert_eq!(
            (account.prompt_tokens, account.cached_tokens),
            (tokens, cached)
        );
        assert_eq!(account.prefill, ms(20 + u64::from(tokens - cached)));
    }
}

#[test]
fn a_reload_forgets_all_prompts() {
    let mut lab = Lab::warm(Profile {
        prompt_cache: NonZeroU32::new(1).map(|block| PromptCache {
            block,
            window: None,
        }),
        ..ollama()
    });
    for num_ctx in [4096, 8192] {
        let id = lab.arrive(with_ctx(num_ctx));
        lab.settle();
        assert_eq!(lab.account(id).cached_tokens, 0);
    }
}

#[test]
fn a_prompt_that_was_not_read_to_its_end_is_not_remembered() {
    let mut lab = Lab::warm(Profile {
        prompt_cache: NonZeroU32::new(1).map(|block| PromptCache {
            block,
            window: None,
        }),
        ..ollama()
    });
    let leaves = lab.arrive(ask("gemma3"));
    lab.pass(ms(10));
    lab.leave(leaves);
    let next = lab.arrive(ask("gemma3"));
    lab.settle();
    assert_eq!(lab.account(next).cached_tokens, 0);
}

#[test]
fn streams_of_a_runner_see_identical_gaps() {
    let jitter = Some(Jitter {
        spread: 0.1,
        tail: 0.1,
        stretch: 3.0,
    });
    let mut lab = Lab::warm(Profile {
        jitter,
        ..two_slots()
    });
    let [one, other] = [(); 2].map(|()| lab.arrive(long(50)));
    lab.settle();
    assert_eq!(lab.gaps(one).len(), 49);
    assert_eq!(lab.gaps(one), lab.gaps(other));
    assert_ne!(lab.gaps(one)[0], lab.gaps(one)[1]);
}

#[test]
fn each_further_stream_of_a_runner_makes_the_gap_longer() {
    let mut lab = Lab::warm(two_slots());
    let [short, longer] = [3, 6].map(|output| lab.arrive(long(output)));
    lab.settle();
    assert_eq!(lab.gaps(short), [15, 15].map(ms));
    assert_eq!(lab.gaps(longer), [15, 15, 10, 10, 10].map(ms));
}

#[test]
fn who_comes_later_has_its_first_token_on_time_and_joins_the_next_step() {
    let mut lab = Lab::warm(two_slots());
    let start = lab.now;
    let early = lab.arrive(long(6));
    lab.pass(ms(13));
    let late = lab.arrive(long(3));
    lab.settle();
    assert_eq!(lab.account(late).prefill, ms(20));
    // Steps end at 30 and 40 ms; the second token of the late one comes with the step from 40 ms.
    let at = |times: &[u64]| times.iter().map(|&at| start + ms(at)).collect::<Vec<_>>();
    assert_eq!(lab.tokens(early), at(&[20, 30, 40, 55, 70, 80]));
    assert_eq!(lab.tokens(late), at(&[33, 55, 70]));
}

#[test]
fn who_leaves_in_the_middle_of_a_step_does_not_disturb_it() {
    let mut lab = Lab::warm(two_slots());
    let start = lab.now;
    let [leaves, stays] = [(); 2].map(|()| lab.arrive(long(4)));
    lab.pass(ms(36));
    lab.leave(leaves);
    lab.settle();
    let at = |times: &[u64]| times.iter().map(|&at| start + ms(at)).collect::<Vec<_>>();
    assert_eq!(lab.tokens(stays), at(&[20, 35, 50, 60]));
}

#[test]
fn who_joined_during_a_step_that_another_leaves_has_no_token_from_it() {
    let mut lab = Lab::warm(two_slots());
    let start = lab.now;
    let leaves = lab.arrive(long(9));
    lab.pass(ms(5));
    let joins = lab.arrive(long(3));
    lab.pass(ms(22));
    lab.leave(leaves);
    lab.settle();
    // The one that leaves had its first token at 20 ms and was in a step until 30 ms.
    let at = |times: &[u64]| times.iter().map(|&at| start + ms(at)).collect::<Vec<_>>();
    assert_eq!(lab.tokens(joins), at(&[25, 40, 50]));
}

#[test]
fn servers_that_share_a_gpu_slow_each_other_and_servers_with_one_each_do_not() {
    for (gpus, gap, prefill) in [(Gpus::Shared, 20, 40), (Gpus::OneEach, 10, 20)] {
        let mut lab = Lab::with_servers(ollama(), 2, gpus);
        let [one, other] = [FIRST, SECOND].map(|server| lab.arrive_at(server, long(10)));
        lab.settle();
        for id in [one, other] {
            assert_eq!(lab.gaps(id), [ms(gap); 9]);
            assert_eq!(lab.account(id).prefill, ms(prefill));
        }
    }
}

#[test]
fn two_models_of_one_server_share_its_gpu_too() {
    let mut lab = Lab::warm(ollama());
    lab.load("qwen");
    let ids = ["gemma3", "qwen"].map(|model| lab.arrive(ask(model)));
    lab.settle();
    for id in ids {
        assert_eq!(lab.gaps(id), [ms(20); 4]);
    }
}

#[test]
fn a_prefill_goes_slower_while_another_server_computes_and_faster_afterwards() {
    let mut lab = Lab::with_servers(ollama(), 2, Gpus::Shared);
    for server in [FIRST, SECOND] {
        lab.arrive_at(
            server,
            Ask {
                prompt: "",
                ..ask("gemma3")
            },
        );
    }
    lab.pass(secs(2));
    let one = lab.arrive_at(FIRST, long(1));
    lab.pass(ms(10));
    let other = lab.arrive_at(SECOND, long(1));
    lab.settle();
    // Half of the first's 20 ms alone, half at half the speed; then a quarter of the second's.
    assert_eq!(lab.account(one).prefill, ms(10 + 20));
    assert_eq!(lab.account(other).prefill, ms(20 + 10));
}

#[test]
fn an_answer_of_one_token_has_no_decoding_and_one_of_none_only_reads() {
    let mut lab = Lab::warm(ollama());
    let [none, one] = [0, 1].map(|output| lab.arrive(long(output)));
    lab.settle();
    assert!(lab.tokens(none).is_empty());
    assert_eq!(lab.account(none).total(), ms(20));
    assert_eq!(lab.tokens(one).len(), 1);
    assert_eq!(lab.account(one).decode, Duration::ZERO);
}

#[test]
fn the_answer_is_as_long_as_asked_or_as_the_profile_says() {
    let mut lab = Lab::warm(ollama());
    let [asked, left] = [Some(3), None].map(|output| {
        lab.arrive(Ask {
            output,
            ..ask("gemma3")
        })
    });
    lab.settle();
    let end = |id| (lab.account(id).output_tokens, lab.account(id).reason);
    assert_eq!(end(asked), (3, StopReason::Length));
    assert_eq!(end(left), (5, StopReason::Stop));
}

#[test]
fn paced_tokens_are_due_at_exact_multiples_of_the_gap_and_streams_do_not_touch_each_other() {
    let profile = Profile::find("paced-1ms").expect("a shipped profile");
    let mut lab = Lab::new(profile.clone());
    let mut ids = Vec::new();
    for turn in 0..100 {
        let start = lab.now;
        let id = lab.arrive(Ask {
            output: Some(2000),
            runner: RunnerOptions {
                num_ctx: 1000 + turn,
                ..RunnerOptions::default()
            },
            ..ask("gemma3")
        });
        ids.push((id, start));
        lab.pass(Duration::from_nanos(1_234_567));
    }
    lab.settle();
    for (id, start) in ids {
        let first = start + profile.load + profile.prefill.fixed + profile.prefill.per_token * 4;
        let due: Vec<_> = (0..2000).map(|i| first + profile.gap * i).collect();
        assert_eq!(lab.tokens(id), due);
    }
}

#[test]
fn jitter_never_turns_time_back() {
    for batch in [None, Some(Batch { growth: vec![0.5] })] {
        let mut lab = Lab::warm(Profile {
            batch,
            jitter: Some(Jitter {
                spread: 0.4,
                tail: 0.2,
                stretch: 100.0,
            }),
            ..two_slots()
        });
        let ids = [(); 2].map(|()| lab.arrive(long(5000)));
        lab.pass(secs(10_000));
        for id in ids {
            assert_eq!(lab.tokens(id).len(), 5000);
            assert!(lab.gaps(id).iter().all(|gap| *gap > ms(1)));
        }
    }
}

#[test]
fn with_no_delay_at_all_everything_is_due_at_once() {
    let mut lab = Lab::new(Profile::find("instant").expect("a shipped profile"));
    lab.pass(secs(1));
    let ids = [(); 10].map(|()| lab.arrive(ask("gemma3")));
    lab.pass(Duration::ZERO);
    for id in ids {
        assert_eq!(lab.tokens(id), [secs(1); 512]);
        assert_eq!(lab.account(id).total(), Duration::ZERO);
    }
}

#[test]
fn absurd_durations_neither_overflow_nor_panic() {
    let prefill = Prefill {
        fixed: Duration::MAX,
        per_token: Duration::MAX,
    };
    for gap in [Duration::MAX, ms(1)] {
        let mut lab = Lab::new(Profile {
            prefill: prefill.clone(),
            gap,
            load: Duration::MAX,
            keep_alive: Duration::MAX,
            reload: None,
            ..two_slots()
        });
        lab.arrive(ask("gemma3"));
        lab.pass(Duration::MAX);
        assert_eq!(
            lab.said
                .iter()
                .filter(|said| said.request().is_some())
                .count(),
            7
        );
    }
}
