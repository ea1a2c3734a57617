//! What reloads, what it takes, and who has to make room.

use super::*;

#[test]
fn every_option_of_a_runner_reloads() {
    let default = RunnerOptions::default();
    for other in [
        RunnerOptions {
            num_ctx: 8192,
            ..default
        },
        RunnerOptions {
            num_batch: 256,
            ..default
        },
        RunnerOptions {
            num_gpu: 80,
            ..default
        },
        RunnerOptions {
            main_gpu: 1,
            ..default
        },
        RunnerOptions {
            use_mmap: Some(true),
            ..default
        },
        RunnerOptions {
            num_thread: 8,
            ..default
        },
    ] {
        let mut lab = Lab::warm(ollama());
        let id = lab.arrive(Ask {
            runner: other,
            ..ask("gemma3")
        });
        lab.settle();
        assert_eq!(lab.account(id).reload(), RECOVERY + LOADING, "{other:?}");
    }
}

#[test]
fn what_is_no_option_of_the_runner_never_reloads() {
    let mut lab = Lab::warm(ollama());
    let id = lab.arrive(Ask {
        prompt: "Something else",
        output: Some(3),
        keep_alive: Some(KeepAlive::Forever),
        ..ask("gemma3")
    });
    lab.settle();
    assert_eq!(lab.account(id).load(), Duration::ZERO);
}

#[test]
fn automatic_layers_take_what_is_loaded_but_stated_layers_do_not_take_automatic_ones() {
    let layers = |num_gpu| Ask {
        runner: RunnerOptions {
            num_gpu,
            ..RunnerOptions::default()
        },
        ..ask("gemma3")
    };
    let mut lab = Lab::warm(ollama());
    for (num_gpu, reload) in [
        (80, RECOVERY + LOADING),
        (-1, Duration::ZERO),
        (80, Duration::ZERO),
        (60, RECOVERY + LOADING),
    ] {
        let id = lab.arrive(layers(num_gpu));
        lab.settle();
        assert_eq!(lab.account(id).reload(), reload, "{num_gpu}");
    }
}

#[test]
fn a_context_below_the_models_least_is_that_least() {
    let mut lab = Lab::new(Profile {
        min_num_ctx: 2048,
        ..ollama()
    });
    for (num_ctx, reload) in [
        (512, LOADING),
        (1024, Duration::ZERO),
        (2048, Duration::ZERO),
        (4096, RECOVERY + LOADING),
    ] {
        let id = lab.arrive(with_ctx(num_ctx));
        lab.settle();
        assert_eq!(lab.account(id).reload(), reload, "{num_ctx}");
    }
}

#[test]
fn a_reload_drains_what_runs_waits_for_memory_and_loads() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    let [runs, waits] = [(); 2].map(|()| lab.arrive(ask("gemma3")));
    lab.pass(ms(5));
    let reloads = lab.arrive(with_ctx(8192));
    lab.settle();
    assert!(lab.is_done(runs) && lab.is_done(waits));
    let account = lab.account(reloads);
    assert_eq!(account.queue, Duration::ZERO);
    assert_eq!(account.drain, ms(115), "of the slot and of the line for it");
    assert_eq!(account.recovery, RECOVERY, "600 ms, seen by the third poll");
    assert_eq!(account.loading, LOADING, "1,100 ms, seen by the fifth poll");
    assert_eq!(lab.unloads(), [("gemma3".to_owned(), start + ms(120))]);
}

#[test]
fn memory_comes_back_when_chance_says_as_the_polls_see_it_and_after_five_seconds_at_most() {
    let recoveries = |vram_min, vram_max| {
        let profile = ollama();
        let reload = profile.reload.clone().map(|reload| Reload {
            vram_min,
            vram_max,
            ..reload
        });
        let mut lab = Lab::new(Profile { reload, ..profile });
        let ids: Vec<_> = (0..40)
            .map(|turn| {
                let id = lab.arrive(with_ctx(2048 + turn % 2));
                lab.settle();
                id
            })
            .collect();
        let took = ids.iter().skip(1).map(|&id| lab.account(id).recovery);
        took.collect::<Vec<_>>()
    };
    let typical = recoveries(ms(500), ms(1500));
    for polls in [750, 1000, 1250, 1500] {
        assert!(typical.contains(&ms(polls)), "{typical:?}");
    }
    assert!(typical.iter().all(|took| took.as_millis() % 250 == 0));
    assert!(
        typical
            .iter()
            .all(|took| (ms(500)..=ms(1500)).contains(took))
    );
    assert!(
        recoveries(secs(9), secs(10))
            .iter()
            .all(|took| *took == secs(5))
    );
}

#[test]
fn two_agents_on_one_server_with_different_contexts_reload_at_every_turn() {
    let mut lab = Lab::new(ollama());
    for turn in 0..6 {
        let id = lab.arrive(with_ctx([2048, 4096][turn % 2]));
        lab.settle();
        assert!(lab.account(id).reload() >= LOADING, "{turn}");
    }
    assert_eq!(lab.loads().len(), 6);
}

#[test]
fn two_agents_on_one_server_with_equal_options_take_turns() {
    let mut lab = Lab::warm(ollama());
    let [one, other] = [(); 2].map(|()| lab.arrive(ask("gemma3")));
    lab.settle();
    assert_eq!(lab.account(one).slot_wait, Duration::ZERO);
    assert_eq!(lab.account(other).slot_wait, lab.account(one).total());
    assert_eq!(lab.loads().len(), 1);
}

#[test]
fn two_agents_on_two_servers_neither_queue_nor_reload() {
    let mut lab = Lab::with_servers(ollama(), 2, Gpus::Shared);
    for turn in 0..3 {
        let one = lab.arrive_at(FIRST, with_ctx(2048));
        let other = lab.arrive_at(SECOND, with_ctx(4096));
        lab.settle();
        for id in [one, other] {
            let account = lab.account(id);
            let load = if turn == 0 { LOADING } else { Duration::ZERO };
            assert_eq!((account.load(), account.slot_wait), (load, Duration::ZERO));
        }
    }
}

#[test]
fn one_runner_serves_a_model() {
    let mut lab = Lab::warm(ollama());
    lab.arrive(with_ctx(8192));
    lab.settle();
    assert_eq!(lab.loaded(), ["gemma3"]);
    let num_ctx = lab
        .engine
        .loaded(FIRST)
        .map(|loaded| loaded.options.num_ctx);
    assert_eq!(num_ctx.collect::<Vec<_>>(), [8192]);
}

#[test]
fn where_all_places_are_taken_the_model_not_used_for_longest_makes_room() {
    let mut lab = Lab::new(ollama());
    for model in ["a", "b", "c"] {
        lab.load(model);
    }
    lab.arrive(ask("a"));
    lab.settle();
    let id = lab.arrive(ask("d"));
    lab.settle();
    assert_eq!(lab.loaded(), ["a", "c", "d"]);
    assert_eq!(lab.account(id).reload(), RECOVERY + LOADING);
}

#[test]
fn a_model_with_a_shorter_keep_alive_makes_room_before() {
    let mut lab = Lab::new(ollama());
    for model in ["a", "b", "c"] {
        lab.load(model);
    }
    let (forever, hour) = (KeepAlive::Forever, KeepAlive::For(secs(3600)));
    for (model, keep_alive) in [("a", hour), ("b", forever), ("c", hour)] {
        lab.arrive(Ask {
            keep_alive: Some(keep_alive),
            ..ask(model)
        });
        lab.settle();
    }
    for model in ["d", "e", "f"] {
        lab.arrive(ask(model));
        lab.settle();
    }
    let gone: Vec<_> = lab.unloads().into_iter().map(|(model, _)| model).collect();
    assert_eq!(gone, ["a", "d", "e"]);
}

#[test]
fn an_idle_model_makes_room_before_one_in_use() {
    let mut lab = Lab::new(ollama());
    for model in ["a", "b", "c"] {
        lab.load(model);
    }
    lab.arrive(ask("b"));
    lab.settle();
    let long = Some(1000);
    let ids = ["a", "c"].map(|model| {
        lab.arrive(Ask {
            output: long,
            ..ask(model)
        })
    });
    let id = lab.arrive(ask("d"));
    lab.settle();
    assert_eq!(lab.account(id).drain, Duration::ZERO);
    assert!(ids.iter().all(|&id| lab.is_done(id)));
    assert_eq!(lab.unloads()[0].0, "b");
}

#[test]
fn where_all_are_in_use_one_is_drained() {
    let mut lab = Lab::new(Profile {
        max_loaded_models: NonZeroU32::new(1),
        ..ollama()
    });
    lab.load("a");
    lab.arrive(ask("a"));
    let id = lab.arrive(ask("b"));
    lab.settle();
    assert_eq!(lab.account(id).drain, ms(60));
    assert_eq!(lab.loaded(), ["b"]);
}

#[test]
fn without_a_reload_table_nothing_loads_and_nothing_reloads() {
    let mut lab = Lab::new(Profile {
        reload: None,
        ..ollama()
    });
    let ids = [512, 1024, 2048].map(|num_ctx| lab.arrive(with_ctx(num_ctx)));
    lab.settle();
    assert_eq!(ids.map(|id| lab.account(id).load()), [Duration::ZERO; 3]);
}
