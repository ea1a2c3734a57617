//! The true figures beside the published ones, on servers whose every delay is known.
//!
//! A busy machine makes everything later, never earlier: what is asserted holds for any delay that
//! leaves two agents at once further from one after the other than the bounds are.

use crate::place::{ALONE_S, CALL_S, Place, RELOAD_S, TOKENIZING_S, block, ran, tokens, truth};
use tare::inject::Inject;
use tare::protocol::Options;
use tare::published::runs;
use tare::team::Scenario;

#[test]
fn two_equal_agents_on_two_servers_with_a_gpu_each_reach_all_less_tare() {
    let place = Place::new();
    let servers = place.servers(2, 1);
    let run = ran(&place.team(Scenario::Equal, &servers), &servers);
    let truth = truth(&run);
    assert_eq!((tokens(&run), truth.servers.get()), (vec![120, 120], 2));
    assert_eq!((truth.queueing_s, truth.reload_s), (Some(0.0), Some(0.0)));
    assert_eq!(truth.contention.waited, Some(false));

    // What is missing to 100 %, in agents' seconds: each agent's tare, what its servers took longer
    // than their model, and what the one that was first waited for the other.
    let missing = 2.0 * truth.makespan_s - truth.isolated_total_s.expect("they ran alone");
    let explained: f64 = run
        .members()
        .map(|member| {
            let of = member.tare.as_ref().expect("what we add");
            let (tare, net) = (of.tare_ms.expect("tare"), of.net_ms.expect("net"));
            let idle = truth.makespan_s - member.execution_time_s;
            assert!(idle >= 0.0 && net / 1e3 >= ALONE_S - 1e-3, "{of:?}");
            let sum = (tare + net) / 1e3;
            assert!((sum - member.execution_time_s).abs() < 1e-6, "{of:?}");
            tare / 1e3 + (net / 1e3 - ALONE_S) + idle
        })
        .sum();
    assert!(missing <= explained + 1e-3, "{missing} of {explained}");
    let efficiency = truth.efficiency_percent.expect("they ran alone");
    assert!(efficiency > 75.0, "{efficiency}");
    let again = 100.0 - 100.0 * missing / (2.0 * truth.makespan_s);
    assert!(
        (efficiency - again).abs() < 1e-6,
        "{efficiency} and {again}"
    );
}

#[test]
fn a_server_with_one_slot_has_half_the_efficiency_and_the_published_formula_says_seven_eighths() {
    let place = Place::new();
    let servers = place.servers(1, 1);
    let run = ran(&place.team(Scenario::Equal, &servers), &servers);
    let truth = truth(&run);
    let efficiency = truth.efficiency_percent.expect("they ran alone");
    assert!((45.0..65.0).contains(&efficiency), "{efficiency}");
    // The calls alternate, so one agent ends after three of four: (3 + 4) / (2 × 4).
    let published = truth.balance_percent;
    assert!((80.0..92.0).contains(&published), "{published}");
    // All but the first call wait for the one before.
    let queueing = truth.queueing_s.expect("the mock tells");
    assert!(
        (2.5 * CALL_S..4.0 * CALL_S).contains(&queueing),
        "{queueing}"
    );
    // Neither published rule sees it.
    let contention = truth.contention;
    assert!(!contention.speedup_below_1_5);
    assert_eq!(contention.ttft_3s_over_baseline, Some(false));
    assert_eq!(contention.waited, Some(true));
}

#[test]
fn a_lock_in_the_client_is_seen_as_tare_and_not_as_a_queue() {
    let place = Place::new();
    let servers = place.servers(2, 1);
    for topology in ["join", "spawn"] {
        let mut spec = place.team(Scenario::Equal, &servers);
        spec.stack = format!("tokio-mt/hyper/{topology}")
            .parse()
            .expect("a stack");
        spec.inject = Some(Inject::Mutex);
        let run = ran(&spec, &servers);
        let truth = truth(&run);
        let efficiency = truth.efficiency_percent.expect("they ran alone");
        assert!(
            (45.0..65.0).contains(&efficiency),
            "{topology}: {efficiency}"
        );
        assert_eq!(truth.queueing_s, Some(0.0), "{topology}");
        // Of four calls one after the other, the agents wait for three together.
        let tare = truth.tare_per_agent_ms.expect("the mock tells");
        assert!(tare > 1e3 * CALL_S, "{topology}: {tare}");
    }
}

#[test]
fn agents_with_other_options_on_one_server_reload_but_alone_they_do_not() {
    let place = Place::new();
    let servers = place.reloading();
    let mut spec = place.team(Scenario::ChimeraHomo, &servers);
    spec.members[1].options = Options {
        num_ctx: Some(8192),
        ..Options::default()
    };
    spec.fixed_length = Some(4);
    let run = ran(&spec, &servers);
    let truth = truth(&run);
    let reload = truth.reload_s.expect("the mock tells");
    assert!(reload >= RELOAD_S, "{reload}");
    for member in run.members() {
        let alone = member.tare.as_ref().and_then(|it| it.isolated_time_s);
        assert!(alone.expect("it ran alone") < RELOAD_S, "{alone:?}");
    }
}

#[test]
fn a_pair_has_the_published_figures_and_its_fixed_length() {
    let place = Place::new();
    let servers = place.servers(2, 1);
    let mut spec = place.team(Scenario::ChimeraHomo, &servers);
    (spec.fixed_length, spec.isolated) = (Some(8), false);
    let stored = block(&spec, &servers);
    let (_, run) = &runs(&stored)[0];
    assert_eq!(tokens(run), [16, 16]);
    let summary = run.summary.as_ref().expect("two agents with roles");
    let truth = truth(run);
    assert_eq!(summary.efficiency_percent, truth.balance_percent);
    assert_eq!(summary.concurrent_wall_time_s, truth.makespan_s);
    assert_eq!((truth.speedup, truth.efficiency_percent), (None, None));
    assert_eq!(truth.contention.ttft_3s_over_baseline, None);
    let collector = run.collector.as_ref().expect("a collector");
    assert_eq!(collector.config.id, "DataCollector");
    assert!(collector.result.prompt.starts_with("You are DataCollector"));
    assert_eq!(collector.result.configuration.num_predict, Some(8));
    let detail = stored.records[0].run().and_then(|run| run.detail.as_ref());
    let texts = &detail.expect("every call").texts;
    let said: Vec<(u32, u32)> = texts.iter().map(|it| (it.agent, it.call)).collect();
    assert_eq!(said, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    let json = serde_json::to_string(run).expect("JSON");
    assert_eq!(
        serde_json::from_str::<tare::published::TeamRun>(&json).expect("a run"),
        *run
    );
}

/// What a real server states of such calls looks like 0.8 s of queueing and a load of 150 ms each.
#[test]
fn of_a_server_that_does_not_tell_tokenization_is_no_queueing_and_a_hot_load_no_reload() {
    let place = Place::new();
    let servers = place.tokenizing(2);
    let run = ran(&place.team_on_real(&servers), &servers);
    let truth = truth(&run);
    let queueing = truth.queueing_s.expect("they ran alone");
    assert!(queueing < TOKENIZING_S, "{queueing} s");
    assert_eq!(truth.reload_s, Some(0.0));
}

#[test]
fn of_a_server_that_does_not_tell_a_queue_is_seen_behind_the_tokenization() {
    let place = Place::new();
    let servers = place.tokenizing(1);
    let run = ran(&place.team_on_real(&servers), &servers);
    let truth = truth(&run);
    let queueing = truth.queueing_s.expect("they ran alone");
    assert!(queueing > TOKENIZING_S / 2.0, "{queueing} s");
    assert_eq!(truth.contention.waited, Some(true));
}

#[test]
fn of_a_server_that_does_not_tell_nothing_is_known_without_the_agents_alone() {
    let place = Place::new();
    let servers = place.tokenizing(2);
    let mut spec = place.team_on_real(&servers);
    spec.isolated = false;
    let run = ran(&spec, &servers);
    let truth = truth(&run);
    assert_eq!((truth.queueing_s, truth.reload_s), (None, None));
    assert_eq!(truth.contention.waited, None);
}
