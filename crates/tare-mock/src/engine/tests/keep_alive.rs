//! How long a model stays loaded; requests that only load or unload.

use super::*;

fn keep(keep_alive: KeepAlive) -> Ask<'static> {
    Ask {
        keep_alive: Some(keep_alive),
        ..ask("gemma3")
    }
}

#[test]
fn an_idle_model_is_unloaded_after_the_keep_alive() {
    let mut lab = Lab::new(ollama());
    lab.arrive(ask("gemma3"));
    lab.settle();
    let idle = LOADING + ms(60);
    let expires = lab.engine.loaded(FIRST).map(|loaded| loaded.expires);
    assert_eq!(expires.collect::<Vec<_>>(), [Some(idle + secs(300))]);
    lab.pass(secs(400));
    assert_eq!(lab.unloads(), [("gemma3".to_owned(), idle + secs(300))]);
    assert!(lab.loaded().is_empty());
    assert_eq!(lab.engine.next_due(), None);
}

#[test]
fn each_request_starts_the_keep_alive_anew() {
    let mut lab = Lab::warm(ollama());
    for _ in 0..5 {
        lab.pass(secs(200));
        lab.arrive(ask("gemma3"));
    }
    let last = lab.now;
    lab.pass(secs(1000));
    assert_eq!(
        lab.unloads(),
        [("gemma3".to_owned(), last + ms(60) + secs(300))]
    );
}

#[test]
fn a_model_in_use_does_not_expire() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    lab.arrive(Ask {
        output: Some(100_000),
        ..ask("gemma3")
    });
    lab.pass(secs(2000));
    let end = start + ms(20) + ms(10) * 99_999;
    assert_eq!(lab.unloads(), [("gemma3".to_owned(), end + secs(300))]);
}

#[test]
fn a_keep_alive_of_zero_unloads_at_once() {
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    lab.arrive(keep(KeepAlive::NONE));
    lab.pass(secs(1));
    assert_eq!(lab.unloads(), [("gemma3".to_owned(), start + ms(60))]);
}

#[test]
fn a_negative_keep_alive_never_unloads() {
    let mut lab = Lab::warm(ollama());
    lab.arrive(keep(KeepAlive::Forever));
    lab.pass(secs(1_000_000));
    assert_eq!(lab.loaded(), ["gemma3"]);
}

#[test]
fn a_keep_alive_holds_for_later_requests_that_state_none() {
    let mut lab = Lab::warm(ollama());
    lab.arrive(keep(KeepAlive::For(secs(7))));
    lab.settle();
    assert!(lab.loaded().is_empty());
    let mut lab = Lab::warm(ollama());
    lab.arrive(keep(KeepAlive::For(secs(7))));
    lab.pass(secs(1));
    let start = lab.now;
    lab.arrive(ask("gemma3"));
    lab.settle();
    assert_eq!(
        lab.unloads(),
        [("gemma3".to_owned(), start + ms(60) + secs(7))]
    );
}

#[test]
fn after_it_expired_a_model_is_loaded_again_without_a_wait_for_memory() {
    let mut lab = Lab::warm(ollama());
    lab.pass(secs(400));
    let id = lab.arrive(ask("gemma3"));
    lab.settle();
    assert_eq!(lab.account(id).load(), LOADING);
}

#[test]
fn an_empty_prompt_only_loads() {
    let mut lab = Lab::new(ollama());
    let id = lab.arrive(Ask {
        prompt: "",
        ..ask("gemma3")
    });
    lab.settle();
    let account = lab.account(id);
    assert_eq!(account.reason, StopReason::Load);
    assert_eq!(account.total(), LOADING);
    assert_eq!((account.prompt_tokens, account.output_tokens), (0, 0));
    assert_eq!(lab.loaded(), ["gemma3"]);
}

#[test]
fn to_load_what_is_loaded_needs_no_slot() {
    let mut lab = Lab::warm(ollama());
    lab.arrive(ask("gemma3"));
    let id = lab.arrive(Ask {
        prompt: "",
        ..ask("gemma3")
    });
    lab.settle();
    assert_eq!(lab.account(id).total(), Duration::ZERO);
}

#[test]
fn an_empty_prompt_with_a_keep_alive_of_zero_unloads() {
    let unload = Ask {
        prompt: "",
        ..keep(KeepAlive::NONE)
    };
    let mut lab = Lab::warm(ollama());
    let start = lab.now;
    lab.arrive(ask("gemma3"));
    let id = lab.arrive(unload);
    lab.settle();
    let account = lab.account(id);
    assert_eq!(account.reason, StopReason::Unload);
    assert_eq!(account.total(), Duration::ZERO, "it does not wait");
    let idle = start + ms(60);
    assert_eq!(lab.unloads(), [("gemma3".to_owned(), idle)]);
    let id = lab.arrive(unload);
    lab.settle();
    assert!(lab.is_done(id), "also where nothing is loaded");
}
