//! What holds of every analysis.

use super::super::factor::{Factor, Level, Levels};
use super::super::observation::{Kind, Observation};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn observation(place: usize, configuration: u8, balance: f64, overlap: f64) -> Observation {
    let is_default = configuration == 0;
    let gpu = if is_default { "default" } else { "80" };
    Observation {
        file: format!("run_{place}/metrics.json"),
        kind: Kind::Pair,
        run_number: None,
        configuration: format!("configuration {configuration}"),
        is_default,
        factors: Levels::from([
            (Factor::Servers, Level::new(1 + configuration % 2)),
            (
                Factor::Option(super::super::Seat::Insight, super::super::Setting::NumGpu),
                Level::new(gpu),
            ),
        ]),
        figures: BTreeMap::from([
            (Figure::Balance, balance),
            (Figure::DurationBalance, 2.0 * balance - 100.0),
            (Figure::Overlap, overlap),
            (Figure::Makespan, 1000.0 / balance),
        ]),
        calls: BTreeMap::new(),
        contention: None,
        mock_late: None,
    }
}

/// Runs that differ between machines alone have no default to be held against but that of their own
/// number of servers, and no success rate where the figure has no better end.
#[test]
fn a_configuration_is_held_against_the_default_of_its_own_kind() {
    let mut runs: Vec<Observation> = (0..12)
        .map(|place| observation(place, (place % 4) as u8, 80.0 + place as f64, 100.0))
        .collect();
    let families = analyse(&runs, &[Figure::Balance]);
    let against = families[0].figures[0]
        .against_default
        .as_ref()
        .expect("a default");
    // 1 and 3 have two servers, the default has one: only 2 can be held against it.
    let named: Vec<&str> = against
        .differences
        .iter()
        .map(|one| one.configuration.as_str())
        .collect();
    assert_eq!(named, ["configuration 2"]);
    runs.retain(|run| !run.is_default);
    assert_eq!(
        analyse(&runs, &[Figure::Balance])[0].figures[0].against_default,
        None
    );
    let overlap = &analyse(&runs, &[Figure::Overlap])[0].figures[0];
    assert_eq!(
        overlap.best, None,
        "more overlap is neither better nor worse"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn the_order_of_files_decides_nothing(
        values in prop::collection::vec((0u8..4, 50.5f64..100.0, 0.0f64..100.0), 1..12),
        seed: u64,
    ) {
        let runs: Vec<Observation> = values
            .iter()
            .enumerate()
            .map(|(place, &(configuration, balance, overlap))| {
                observation(place, configuration, balance, overlap)
            })
            .collect();
        let mut shuffled = runs.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let [there, back] = [&runs, &shuffled].map(|runs| analyse(runs, &[]));
        prop_assert_eq!(&there, &back);
        let json = serde_json::to_string(&there).unwrap();
        prop_assert!(!json.contains(":null"), "{}", json);
    }
}
