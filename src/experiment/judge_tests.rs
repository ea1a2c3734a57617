//! What the judge makes of records whose truth is known, single ones and thousands.

use super::design::{Cadence, MockServer, Role, Server};
use super::fixture::{alike, all, experiment, only, records};
use super::{ControlOutcome, Judgements, Standing, judge, pool};
use crate::stats::Verdict;
use fastrand::Rng;
use tare_mock::Profile;

fn normal(rng: &mut Rng) -> f64 {
    let (u, v) = (1.0 - rng.f64(), rng.f64());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn verdict(of: &Judgements, metric: &str, arm: &str) -> Verdict {
    of.find("one agent", metric, arm).expect("judged").verdict
}

/// A run's noise: processes vary by 0.10, iterations by 0.2, of which there are ten.
const SD: f64 = 0.118;

/// What came of so many experiments of three compared arms in one metric.
#[derive(Debug, Default)]
struct Called {
    /// Experiments in which an arm was called faster, slower or equivalent.
    faster: usize,
    slower: usize,
    equivalent: usize,
    /// Arms, three of each experiment, that were called slower.
    slower_arms: usize,
}

/// The base's second run costs `twin` times its first, and each arm `times` as much; `stalls` are the
/// shares of runs, of the base's and of the arms', that cost four times as much.
fn simulate(seed: u64, count: usize, twin: f64, times: f64, stalls: [f64; 2]) -> Called {
    let mut design = experiment(&["smol/hyper", "async-std/hyper", "tokio-local/hyper"]);
    design.metrics = vec!["cpu".to_owned()];
    let mut rng = Rng::with_seed(seed);
    let mut called = Called::default();
    for _ in 0..count {
        let made = records(&design, |arm, _| {
            let (truth, stalls) = match arm.role {
                Role::Base => (1.0, stalls[0]),
                Role::BaseAgain => (twin, stalls[0]),
                _ => (times, stalls[1]),
            };
            let stall = if rng.f64() < stalls { 4.0 } else { 1.0 };
            all(truth * stall * (SD * normal(&mut rng)).exp())
        });
        let judged = judge(&design, &made);
        let arms = &judged.workloads[0].metrics[0].arms;
        let arms_of = |wanted| {
            let compared = arms.iter().filter(|arm| arm.role == Role::Compared);
            compared.filter(|arm| arm.verdict == wanted).count()
        };
        called.faster += arms_of(Verdict::Faster).min(1);
        called.slower += arms_of(Verdict::Slower).min(1);
        called.equivalent += arms_of(Verdict::Equivalent).min(1);
        called.slower_arms += arms_of(Verdict::Slower);
    }
    println!("twin × {twin}, arms × {times}, stalls {stalls:?}: {called:?} in {count} experiments");
    called
}

/// 5 % of 60 experiments are 3, and two standard errors more are 6.
const AT_MOST: usize = 6;

#[test]
fn null_arms_are_called_no_more_often_than_alpha() {
    let called = simulate(1, 60, 1.0, 1.0, [0.0; 2]);
    assert!(called.faster + called.slower <= AT_MOST, "{called:?}");
}

#[test]
fn a_biased_base_makes_no_false_verdict() {
    // The base's mean is 1.04: arms like either twin are off by 4 %.
    for times in [1.0, 1.08] {
        let called = simulate(2, 60, 1.08, times, [0.0; 2]);
        assert!(called.faster + called.slower <= AT_MOST, "{called:?}");
    }
}

#[test]
fn a_fifth_more_is_found() {
    let called = simulate(3, 60, 1.0, 1.2, [0.0; 2]);
    assert_eq!((called.faster, called.equivalent), (0, 0));
    assert!(called.slower_arms >= 90, "of 180: {called:?}");
}

#[test]
fn rare_stalls_make_nothing_cheap() {
    for stalls in [[0.05, 0.05], [0.0, 0.05]] {
        let called = simulate(4, 60, 1.0, 1.0, stalls);
        assert!(called.faster + called.equivalent <= AT_MOST, "{called:?}");
    }
}

#[test]
fn what_is_clear_is_called_and_sound() {
    let design = experiment(&["smol/hyper"]);
    let made = records(&design, |arm, block| match arm.role {
        Role::Compared => all(1.3 + 0.001 * block as f64),
        _ => alike(),
    });
    let judged = judge(&design, &made);
    assert_eq!(judged.standing, Standing::Sound);
    assert_eq!(verdict(&judged, "cpu", "smol/hyper"), Verdict::Slower);
    assert_eq!(verdict(&judged, "net", "smol/hyper"), Verdict::Equivalent);
    let json = serde_json::to_string(&judged).expect("JSON");
    let back: Judgements = serde_json::from_str(&json).expect("a result");
    assert_eq!(back.workloads.len(), 1);
}

#[test]
fn a_base_unlike_itself_withholds_the_metric_alone() {
    let design = experiment(&["smol/hyper"]);
    let made = records(&design, |arm, block| match arm.role {
        Role::BaseAgain => only("cpu", 1.3 + 0.001 * block as f64),
        Role::Compared => all(2.0),
        _ => alike(),
    });
    let judged = judge(&design, &made);
    let Standing::Withheld(reasons) = &judged.standing else {
        panic!("{:?}", judged.standing);
    };
    assert!(
        reasons.len() == 1 && reasons[0].contains("CPU"),
        "{reasons:?}"
    );
    assert_eq!(verdict(&judged, "cpu", "smol/hyper"), Verdict::Undecided);
    assert_eq!(verdict(&judged, "delivery", "smol/hyper"), Verdict::Slower);
}

#[test]
fn an_arm_whose_net_differs_has_no_tare() {
    let design = experiment(&["smol/hyper", "async-std/hyper"]);
    let made = records(&design, |arm, block| {
        let twice = all(2.0 + 0.02 * (block % 3) as f64);
        match arm.name.as_str() {
            "smol/hyper" => {
                let mut effects = twice;
                effects.of.insert("net", 1.4);
                effects
            }
            "async-std/hyper" => twice,
            _ => alike(),
        }
    });
    let judged = judge(&design, &made);
    let pooled = pool(&[&judged, &judged]);
    let pools = |metric: &str, arm: &str| {
        let mut all = pooled.iter();
        all.any(|one| one.metric == metric && one.arm == arm)
    };
    for metric in ["tare", "calls"] {
        let row = judged
            .find("one agent", metric, "smol/hyper")
            .expect("judged");
        assert_eq!(row.verdict, Verdict::Undecided);
        assert!(row.withheld && !pools(metric, "smol/hyper") && pools(metric, "async-std/hyper"));
        assert!(
            row.reason
                .as_ref()
                .is_some_and(|why| why.contains("net of smol/hyper"))
        );
        assert_eq!(verdict(&judged, metric, "async-std/hyper"), Verdict::Slower);
    }
    assert_eq!(verdict(&judged, "cpu", "smol/hyper"), Verdict::Slower);
}

#[test]
fn a_burst_has_no_tare() {
    let mut design = experiment(&["smol/hyper"]);
    design.workloads[0].cadence = Cadence::Burst;
    let judged = judge(&design, &records(&design, |_, _| alike()));
    assert!(judged.find("one agent", "tare", "smol/hyper").is_none());
    assert!(judged.find("one agent", "gross", "smol/hyper").is_some());
    assert!(judged.workloads[0].net.arms.is_empty());
}

#[test]
fn a_positive_control_must_be_found_in_its_metric_and_size() {
    let mut design = experiment(&["smol/hyper", "+ delay=50us/chunk", "+ mutex"]);
    // The pace is that of the mock which the arm asks, whatever others there are.
    let burst = Profile::find("instant").expect("a built-in profile");
    let burst = Server::Mock(MockServer::new("instant", burst));
    design.servers.insert("another".to_owned(), burst);
    // 50 of 60 µs are 0.83 of the base's delivery, but for the drift of 10 %.
    for (times, outcome) in [
        (1.0 + 50.0 / 66.0, ControlOutcome::Found),
        (1.2, ControlOutcome::Missed),
        (4.0, ControlOutcome::Missed),
    ] {
        let made = records(&design, |arm, _| match arm.name.contains("delay") {
            true => only("delivery", times),
            false => alike(),
        });
        let judged = judge(&design, &made);
        let controls = &judged.workloads[0].controls;
        assert_eq!(controls[0].outcome, outcome, "{:?}", controls[0]);
        assert!(matches!(controls[1].outcome, ControlOutcome::CannotShow(_)));
        let missed = outcome == ControlOutcome::Missed;
        assert_eq!(judged.workloads[0].withheld.is_some(), missed);
    }
}

#[test]
fn late_runs_are_counted_and_left_out_beside() {
    let design = experiment(&["smol/hyper"]);
    let made = records(&design, |arm, block| {
        let late = arm.role == Role::Compared && block < 5;
        let mut effects = all(if late { 1.5 } else { 1.0 });
        effects.late_tokens = if late { 100 } else { 0 };
        effects
    });
    let judged = judge(&design, &made);
    let lateness = judged.workloads[0].lateness;
    assert_eq!((lateness.late_runs, lateness.late_tokens), (5, 500));
    let row = judged
        .find("one agent", "cpu", "smol/hyper")
        .expect("judged");
    let without = row.without_late.as_ref().expect("late runs");
    assert_eq!((without.blocks, without.verdict), (10, Verdict::Equivalent));
    assert!(without.differs);
    let floor = judged
        .find("one agent", "cpu", "threads/raw")
        .expect("judged");
    assert_eq!(floor.without_late, None);
}

#[test]
fn sittings_that_differ_widen_the_pooled_interval() {
    let design = experiment(&["smol/hyper"]);
    let sitting = |seed, times: f64| {
        let mut rng = Rng::with_seed(seed);
        let made = records(&design, |arm, _| {
            let noise = (0.02 * normal(&mut rng)).exp();
            all(noise
                * if arm.role == Role::Compared {
                    times
                } else {
                    1.0
                })
        });
        judge(&design, &made)
    };
    let each = [1.1, 1.2, 1.3, 1.2, 1.15].map(|times| sitting((times * 100.0) as u64, times));
    let pooled = pool(&each.iter().collect::<Vec<_>>());
    let cpu = pooled
        .iter()
        .find(|one| one.metric == "cpu" && one.arm == "smol/hyper");
    let cpu = cpu.expect("pooled");
    assert_eq!(cpu.sittings, 5);
    let control = pooled
        .iter()
        .find(|one| one.metric == "cpu" && one.arm == "A/A control");
    let control = control.expect("pooled").ratio;
    assert!(
        control.low < 1.0 && 1.0 < control.high && control.high < 1.05,
        "{control:?}"
    );
    assert!(
        cpu.ratio.low < 1.19 && cpu.ratio.high > 1.19 && cpu.between_sd > 0.03,
        "{cpu:?}"
    );
    let width = (cpu.ratio.high / cpu.ratio.low).ln();
    assert!(width > 0.1, "wider than any sitting's: {cpu:?}");
}
