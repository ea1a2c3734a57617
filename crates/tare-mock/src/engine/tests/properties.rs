//! What holds for any traffic.

use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A request of some traffic, and whether and when its client leaves.
#[derive(Clone, Debug)]
struct Visit {
    /// After the one before, ms.
    after: u64,
    server: usize,
    model: &'static str,
    prompt: String,
    form: Form,
    num_ctx: u32,
    output: u32,
    keep_alive: Option<KeepAlive>,
    /// After its arrival, ms.
    leaves: Option<u64>,
}

fn visit() -> impl Strategy<Value = Visit> {
    let keep_alive = prop_oneof![
        Just(KeepAlive::NONE),
        Just(KeepAlive::For(ms(40))),
        Just(KeepAlive::Forever),
    ];
    (
        prop_oneof![Just(0), 0..60_u64, 0..3000_u64],
        0..2_usize,
        prop_oneof![4 => Just("gemma3"), 1 => Just("qwen"), 1 => Just("llama")],
        (0..40_usize, 0..6_usize),
        prop_oneof![Just(Form::Chat), Just(Form::Generate), Just(Form::Raw)],
        prop_oneof![5 => Just(4096_u32), 1 => Just(8192)],
        0..12_u32,
        option::weighted(0.2, keep_alive),
        option::weighted(0.2, 0..2000_u64),
    )
        .prop_map(
            |(after, server, model, (words, lines), form, num_ctx, output, keep_alive, leaves)| {
                Visit {
                    after,
                    server,
                    model,
                    prompt: "word".repeat(words) + &"line\n".repeat(lines),
                    form,
                    num_ctx,
                    output,
                    keep_alive,
                    leaves,
                }
            },
        )
}

fn profile() -> impl Strategy<Value = Profile> {
    (
        prop_oneof![Just(0), Just(3), Just(10)],
        option::of(1..4_u32),
        0..4_u32,
        option::of(1..3_u32),
        any::<[bool; 5]>(),
        any::<[bool; 4]>(),
    )
        .prop_map(
            |(
                gap,
                parallel,
                max_queue,
                models,
                [reload, batch, jitter, cache, shared],
                [tokenize, context, reads_on, window],
            )| {
                let full = ollama();
                let tokenizes = Tokenize {
                    fixed: ms(gap),
                    per_token: Duration::from_micros(gap * 21),
                    per_pair: Duration::from_micros(gap * 55),
                };
                Profile {
                    gap: ms(gap),
                    load: ms(gap),
                    prefill: Prefill {
                        fixed: ms(gap),
                        per_token: Duration::from_micros(gap * 33),
                    },
                    parallel: parallel.and_then(NonZeroU32::new),
                    max_queue,
                    max_loaded_models: models.and_then(NonZeroU32::new),
                    keep_alive: ms(500),
                    shared_gpu: if shared { 2.3 } else { 1.0 },
                    batch: full.batch.filter(|_| batch),
                    jitter: jitter.then_some(Jitter {
                        spread: 0.1,
                        tail: 0.1,
                        stretch: 2.0,
                    }),
                    prompt_cache: NonZeroU32::new(4)
                        .filter(|_| cache)
                        .map(|block| PromptCache {
                            block,
                            window: NonZeroU32::new(20).filter(|_| window),
                        }),
                    tokenize: tokenize.then(|| tokenizes.clone()),
                    context: context.then_some(tokenizes),
                    cancelled_prefill: if reads_on {
                        Cancelled::ReadsOn
                    } else {
                        Cancelled::Stops
                    },
                    reload: full.reload.filter(|_| reload),
                    ..ollama()
                }
            },
        )
}

/// All that an engine says about some traffic, if the caller looks at it so often (ms; never
/// before all has arrived where there is no such time).
fn said(profile: &Profile, gpus: Gpus, visits: &[Visit], looks: Option<u64>) -> Vec<Event> {
    let mut inputs: Vec<(Duration, usize, Option<&Visit>)> = Vec::new();
    let mut arrives = Duration::ZERO;
    for (index, visit) in visits.iter().enumerate() {
        arrives += ms(visit.after);
        inputs.push((arrives, index, Some(visit)));
        if let Some(leaves) = visit.leaves {
            inputs.push((arrives + ms(leaves), index, None));
        }
    }
    inputs.sort_by_key(|(at, ..)| *at);
    let mut lab = Lab::with_servers(profile.clone(), 2, gpus);
    let mut ids = HashMap::new();
    for (at, index, visit) in inputs {
        while let Some(looks) = looks
            && lab.now < at
        {
            lab.pass(ms(looks.max(1)).min(at - lab.now));
        }
        match visit {
            Some(visit) => {
                let ask = Ask {
                    prompt: &visit.prompt,
                    form: visit.form,
                    output: Some(visit.output),
                    keep_alive: visit.keep_alive,
                    ..with_ctx(visit.num_ctx)
                };
                let ask = Ask {
                    model: visit.model,
                    ..ask
                };
                ids.insert(index, lab.engine.arrive(at, ServerId(visit.server), ask));
            }
            None => lab.engine.leave(at, ids[&index]),
        }
        if looks == Some(0) {
            lab.pass(Duration::ZERO);
        }
    }
    match looks {
        Some(_) => {
            while let Some(due) = lab.engine.next_due() {
                lab.pass(due.saturating_sub(lab.now));
            }
        }
        None => lab.pass(secs(1_000_000)),
    }
    lab.said
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_makes_no_difference_how_often_the_caller_looks(
        profile in profile(),
        gpus in prop_oneof![Just(Gpus::Shared), Just(Gpus::OneEach)],
        visits in vec(visit(), 1..30),
        step in 5..200_u64,
    ) {
        let at_once = said(&profile, gpus, &visits, None);
        prop_assert_eq!(&at_once, &said(&profile, gpus, &visits, Some(step)));
        prop_assert_eq!(&at_once, &said(&profile, gpus, &visits, Some(0)));
    }

    #[test]
    fn time_runs_forward_and_every_account_adds_up(
        profile in profile(),
        visits in vec(visit(), 1..30),
    ) {
        let said = said(&profile, Gpus::Shared, &visits, None);
        prop_assert!(said.is_sorted_by_key(Event::at));
        let mut ends: HashMap<RequestId, u32> = HashMap::new();
        let mut tokens: HashMap<RequestId, u32> = HashMap::new();
        let mut last_token: HashMap<RequestId, Duration> = HashMap::new();
        for event in &said {
            match event {
                Event::Token { id, index, at } => {
                    last_token.insert(*id, *at);
                    let seen = tokens.entry(*id).or_default();
                    prop_assert_eq!(*seen, *index);
                    *seen += 1;
                }
                Event::Done { id, at, account } => {
                    prop_assert_eq!(account.arrived + account.whole(), *at);
                    if let Some(last) = last_token.get(id) {
                        prop_assert_eq!(account.arrived + account.total(), *last);
                    }
                    let visit = &visits[id.number() as usize];
                    prop_assert!(profile.context.is_some() || account.context.is_zero());
                    prop_assert!(visit.form == Form::Generate || account.context.is_zero());
                    prop_assert!(visit.form != Form::Raw || account.fitting.is_zero());
                    prop_assert!(profile.tokenize.is_some() || account.tokenizing.is_zero());
                    prop_assert_eq!(tokens.get(id).copied().unwrap_or(0), account.output_tokens);
                    prop_assert!(
                        account.cached_tokens < account.prompt_tokens || account.cached_tokens == 0
                    );
                    *ends.entry(*id).or_default() += 1;
                }
                Event::Refused { id, .. } => *ends.entry(*id).or_default() += 1,
                _ => {}
            }
        }
        for (number, visit) in (0..).zip(&visits) {
            let ends = ends.get(&RequestId(number)).copied().unwrap_or(0);
            let expected = if visit.leaves.is_some() { 0..=1 } else { 1..=1 };
            prop_assert!(expected.contains(&ends), "request {} ends {} times", number, ends);
        }
    }

    #[test]
    fn no_runner_serves_more_than_it_has_slots_nor_a_server_more_models_than_it_may(
        profile in profile(),
        visits in vec(visit(), 1..30),
    ) {
        let stays: Vec<_> = visits
            .into_iter()
            .map(|visit| Visit { server: 0, leaves: None, ..visit })
            .collect();
        let said = said(&profile, Gpus::Shared, &stays, None);
        let mut loaded: i64 = 0;
        for event in &said {
            match event {
                Event::Loaded { .. } => loaded += 1,
                Event::Unloaded { .. } => loaded -= 1,
                _ => {}
            }
            let most = profile.max_loaded_models.map_or(i64::MAX, |most| most.get().into());
            prop_assert!((0..=most).contains(&loaded));
        }
        let Some(slots) = profile.parallel else {
            return Ok(());
        };
        // One model is one runner at a time: of its requests, no more than it has slots have one.
        for model in ["gemma3", "qwen", "llama"] {
            let mut changes = Vec::new();
            for event in &said {
                if let Event::Done { id, at, account } = event
                    && stays[id.number() as usize].model == model
                    && account.whole() > account.load() + account.fitting + account.slot_wait
                {
                    let taken = account.load() + account.fitting + account.slot_wait;
                    changes.push((account.arrived + taken, 1));
                    changes.push((*at, -1));
                }
            }
            changes.sort_unstable();
            let mut taken = 0;
            for (_, change) in changes {
                taken += change;
                prop_assert!(taken <= i64::from(slots.get()));
            }
        }
    }
}
