//! The shipped profiles reproduce the figures that they are made from.

use super::*;

fn shipped(name: &str) -> Profile {
    Profile::find(name).expect("a shipped profile")
}

/// Tokens per second of a stream, over 20,000 tokens.
fn rate(lab: &Lab, id: RequestId) -> f64 {
    let account = lab.account(id);
    f64::from(account.output_tokens - 1) / account.decode.as_secs_f64()
}

fn long(profile: &Profile) -> Ask<'_> {
    Ask {
        output: Some(20_000),
        ..ask(&profile.model)
    }
}

fn near(value: f64, expected: f64, share: f64) {
    let off = (value / expected - 1.0).abs();
    assert!(off <= share, "{value} is not near {expected}");
}

#[test]
fn gemma_decodes_122_tokens_a_second_alone_and_52_beside_another_server() {
    let profile = shipped("rtx4080-gemma3-4b");
    for (gpus, expected) in [(Gpus::OneEach, 122.0), (Gpus::Shared, 52.0)] {
        let mut lab = Lab::with_servers(profile.clone(), 2, gpus);
        let ids = [FIRST, SECOND].map(|server| lab.arrive_at(server, long(&profile)));
        lab.settle();
        for id in ids {
            near(rate(&lab, id), expected, 0.01);
        }
    }
}

#[test]
fn qwen_decodes_80_tokens_a_second_alone() {
    let profile = shipped("rtx4080-qwen2.5-7b");
    let mut lab = Lab::new(profile.clone());
    let id = lab.arrive(long(&profile));
    lab.settle();
    near(rate(&lab, id), 79.91, 0.01);
}

#[test]
fn several_agents_in_one_batch_have_the_published_share_of_a_stream_each() {
    for (agents, share) in [(2, 0.67..=0.80), (4, 0.34..=0.40), (8, 0.17..=0.20)] {
        let profile = Profile {
            parallel: NonZeroU32::new(agents),
            ..shipped("rtx4080-gemma3-4b")
        };
        let mut lab = Lab::new(profile.clone());
        let ids: Vec<_> = (0..agents).map(|_| lab.arrive(long(&profile))).collect();
        lab.settle();
        for id in ids {
            let got = rate(&lab, id) / 122.0;
            assert!(share.contains(&got), "{agents} agents: {got}");
        }
    }
}

#[test]
fn other_options_cost_qwen_the_reload_that_was_measured() {
    let profile = shipped("rtx4080-qwen2.5-7b");
    let mut lab = Lab::new(profile);
    let mut reloads = Vec::new();
    for turn in 0..100 {
        let id = lab.arrive(Ask {
            model: "qwen2.5:7b",
            output: Some(1),
            ..with_ctx(4096 + turn % 2)
        });
        lab.settle();
        reloads.push(lab.account(id).reload().as_secs_f64());
    }
    let mean = reloads[1..].iter().sum::<f64>() / (reloads.len() - 1) as f64;
    near(mean, 4.703 - 0.559, 0.03);
}

#[test]
fn gemma_takes_contexts_of_512_and_1024_for_the_same() {
    let mut lab = Lab::new(shipped("rtx4080-gemma3-4b"));
    for num_ctx in [512, 1024] {
        lab.arrive(with_ctx(num_ctx));
        lab.settle();
    }
    assert_eq!(lab.loads().len(), 1);
}

/// The prompt of an agent's analysis call, with which a real server was measured.
const ANALYSIS_PROMPT: &str = include_str!("analysis_prompt.txt");

#[test]
fn the_processor_takes_for_the_agents_prompt_what_was_measured() {
    let mut lab = Lab::new(shipped("cpu-gemma3-270m"));
    let [chat, raw, generate] = [Form::Chat, Form::Raw, Form::Generate].map(|form| {
        let id = lab.arrive(Ask {
            form,
            prompt: ANALYSIS_PROMPT,
            output: Some(8),
            ..ask("gemma3")
        });
        lab.settle();
        lab.account(id)
    });
    near(f64::from(raw.prompt_tokens), 1789.0, 0.1);
    for (account, remainder) in [(chat, 1.818), (raw, 1.036), (generate, 1.932)] {
        assert_eq!(account.cached_tokens, 0, "it is longer than the window");
        near(account.prefill.as_secs_f64(), 4.65, 0.03);
        near(account.remainder().as_secs_f64(), remainder, 0.15);
    }
    near(generate.context.as_secs_f64(), 0.914, 0.05);
    assert_eq!(chat.context + raw.context, Duration::ZERO);
}

#[test]
fn the_processor_decodes_46_tokens_a_second_and_reloads_without_waiting_for_memory() {
    let mut lab = Lab::new(shipped("cpu-gemma3-270m"));
    let speaks = lab.arrive(Ask {
        output: Some(20_000),
        ..ask("gemma3")
    });
    lab.pass(secs(10_000));
    near(rate(&lab, speaks), 46.0, 0.02);
    let reloads = lab.arrive(with_ctx(2048));
    lab.settle();
    let account = lab.account(reloads);
    assert_eq!(
        (account.drain, account.recovery),
        (Duration::ZERO, Duration::ZERO)
    );
    assert!(
        (ms(690)..=ms(1090)).contains(&account.load()),
        "{account:?}"
    );
}

#[test]
fn the_processor_re_uses_a_prompt_within_the_sliding_window_only() {
    let mut lab = Lab::new(shipped("cpu-gemma3-270m"));
    for (words, cached) in [(320, 319), (600, 0)] {
        let prompt = "word".repeat(words);
        let [_, again] = [(); 2].map(|()| {
            let id = lab.arrive(Ask {
                prompt: &prompt,
                output: Some(2),
                ..ask("gemma3")
            });
            lab.settle();
            lab.account(id).cached_tokens
        });
        assert_eq!(again, cached, "{words}");
    }
}

#[test]
fn the_pacing_profiles_hold_no_one_up() {
    for name in ["instant", "paced-1ms", "paced-10ms"] {
        let mut lab = Lab::new(shipped(name));
        let ids: Vec<_> = (0..600).map(|turn| lab.arrive(with_ctx(turn))).collect();
        lab.settle();
        let totals = lab.said.iter().filter_map(|event| match event {
            Event::Done { account, .. } => Some(account.total()),
            _ => None,
        });
        let alone = lab.account(ids[0]).total();
        assert_eq!(totals.collect::<Vec<_>>(), vec![alone; ids.len()]);
    }
}
