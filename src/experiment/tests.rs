//! Schedule, store and driver, on experiments of two arms, one of which has agents that run alone.

use super::*;
use crate::client::Limits;
use crate::protocol::{Api, Options};
use crate::provenance::Provenance;
use crate::run::{Member, Program};
use crate::team::{Scenario, TeamSpec, experiment};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// The options of the two agents of a pair.
fn members(contexts: [u32; 2]) -> Vec<Member> {
    let member = |num_ctx| Member {
        role: crate::workflow::Role::Neutral,
        base_url: "server".to_owned(),
        options: Options {
            num_ctx: Some(num_ctx),
            ..Options::default()
        },
        count: NonZeroUsize::MIN,
    };
    contexts.map(member).into()
}

/// So many blocks of arm `a`, with two agents alone, and so many at most of `b`, without.
fn two_arms(blocks: usize, of_b: usize, order_seed: u64) -> Experiment {
    let team = |isolated, contexts| TeamSpec {
        stack: "tokio-mt/hyper/spawn".parse().expect("a stack"),
        threads: NonZeroUsize::MIN,
        scenario: Scenario::ChimeraHetero,
        members: members(contexts),
        api: Api::default(),
        model: "m".to_owned(),
        corpus: "corpus".into(),
        ingest_concurrency: NonZeroUsize::MIN,
        isolated,
        fixed_length: None,
        seed: None,
        limits: Limits::default(),
        inject: None,
        known: None,
    };
    let mut arms = team(true, [512, 1024]).arms("a", None);
    arms.extend(team(false, [512, 512]).arms("b", Some(of_b)));
    let server = Server::Real {
        base_url: "http://127.0.0.1:1".to_owned(),
    };
    experiment("team", vec![server], arms, blocks, order_seed, Vec::new())
}

proptest! {
    #[test]
    fn a_block_holds_every_arm_once_and_an_agent_alone_beside_its_team(
        blocks in 1_usize..8,
        of_b in 1_usize..8,
        seed in any::<u64>(),
    ) {
        let own = two_arms(blocks, of_b, seed);
        for block in 0..blocks {
            let due = own.block(block, false);
            let names: Vec<&str> = due
                .iter()
                .filter_map(|due| Some(own.arm(due.at)?.1.name.as_str()))
                .collect();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            let mut expected = vec!["a", "a / alone 1", "a / alone 2"];
            expected.extend((block < of_b).then_some("b"));
            prop_assert_eq!(sorted, expected);
            if let Some(b) = names.iter().position(|name| *name == "b") {
                prop_assert!(b == 0 || b == 3, "{:?}", names);
            }
            // From the seed and the block alone.
            prop_assert_eq!(due, two_arms(blocks + 1, of_b, seed).block(block, false));
        }
    }

    #[test]
    fn parts_are_disjoint_and_together_the_whole(
        blocks in 1_usize..20,
        of in 1_u32..5,
        seed in any::<u64>(),
    ) {
        let own = two_arms(blocks, 3, seed);
        let mut all: Vec<Due> = Vec::new();
        for part in 1..=of {
            let part: Part = format!("{part}/{of}").parse().expect("a part");
            all.extend(own.order(Some(part)));
        }
        let each: HashSet<Due> = all.iter().copied().collect();
        prop_assert_eq!(each.len(), all.len());
        let whole: HashSet<Due> = own.order(None).into_iter().collect();
        prop_assert_eq!(each, whole);
    }

    #[test]
    fn no_text_makes_a_part_panic(text in ".{0,8}") {
        if let Ok(part) = text.parse::<Part>() {
            prop_assert!(1 <= part.part() && part.part() <= part.of());
        }
    }
}

#[test]
fn another_seed_is_another_order() {
    let orders: HashSet<Vec<Due>> = (0..8)
        .map(|seed| two_arms(4, 4, seed).order(None))
        .collect();
    assert!(orders.len() > 1);
}

fn record(arm: &str, block: usize, failure: Option<&str>) -> Record {
    Record {
        workload: "team".to_owned(),
        arm: arm.to_owned(),
        block,
        position: 0,
        sitting: 0,
        at: jiff::Timestamp::UNIX_EPOCH,
        took_ns: 1,
        profiled: false,
        result: match failure {
            None => RunResult::Run(Box::default()),
            Some(why) => RunResult::Failure(why.to_owned()),
        },
    }
}

fn take(folder: &Path, occasion: Occasion, part: Option<&str>) -> Result<Store, StoreError> {
    let part = part.map(|part| part.parse().expect("a part"));
    Store::take(folder, occasion, two_arms(2, 2, 1), part)
}

fn sitting() -> Sitting {
    Sitting {
        provenance: Provenance::here(),
        servers: BTreeMap::new(),
        corpus: None,
        part: None,
        accepted: Vec::new(),
        ending: None,
    }
}

/// A folder in which block 0 of `b` is finished and that of `a` has failed.
fn begun() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = take(folder.path(), Occasion::Begin, None).expect("an empty folder");
    let sat = store.sit(sitting(), Circumstances::MustAgree);
    sat.expect("nothing was there");
    for record in [record("b", 0, None), record("a", 0, Some("so"))] {
        store.append(record).expect("a place to write");
    }
    folder
}

fn refused(result: Result<Store, StoreError>) -> String {
    result.expect_err("a refusal").to_string()
}

#[test]
fn what_ended_well_is_finished_and_a_torn_last_line_is_not() {
    let folder = begun();
    let runs = folder.path().join("runs.jsonl");
    let whole = fs::read_to_string(&runs).expect("a file");
    fs::write(&runs, format!("{whole}{{\"workload\":\"team\",\"ar")).expect("a file");
    let read = Stored::read(folder.path()).expect("whole lines");
    assert_eq!(read.expect("an experiment").records.len(), 2);
    let mut store = take(folder.path(), Occasion::Resume, None).expect("the same experiment");
    let left = store.experiment().order(None);
    let left = left.iter().filter(|due| !store.is_finished(due)).count();
    assert_eq!(left, 7, "of 8");
    store
        .append(record("a", 0, None))
        .expect("a place to write");
    let text = fs::read_to_string(&runs).expect("a file");
    assert!(
        text.starts_with(&whole) && text.lines().count() == 3,
        "{text}"
    );
}

#[test]
fn a_line_of_something_else_is_named() {
    let folder = begun();
    let runs = folder.path().join("runs.jsonl");
    let whole = fs::read_to_string(&runs).expect("a file");
    fs::write(&runs, whole.replace("\"arm\":\"a\"", "\"arm\":\"c\"")).expect("a file");
    let error = refused(take(folder.path(), Occasion::Resume, None));
    assert!(
        error.contains("line 2") && error.contains("no arm `c`"),
        "{error}"
    );
    fs::write(&runs, format!("{{}}\n{whole}")).expect("a file");
    let error = refused(take(folder.path(), Occasion::Resume, None));
    assert!(error.contains("line 1: missing field"), "{error}");
}

#[test]
fn one_process_has_a_folder() {
    let folder = begun();
    let held = take(folder.path(), Occasion::Resume, None).expect("nobody has it");
    let error = refused(take(folder.path(), Occasion::Resume, None));
    let holder = format!("another process ({}) is at work", std::process::id());
    assert!(error.contains(&holder), "{error}");
    drop(held);
    take(folder.path(), Occasion::Resume, None).expect("nobody has it");
}

#[test]
fn what_is_there_is_begun_anew_only_where_it_may_be_replaced() {
    let folder = begun();
    let error = refused(take(folder.path(), Occasion::Begin, None));
    assert!(error.contains("1 of 8 runs finished"), "{error}");
    let store = take(folder.path(), Occasion::Replace, None).expect("it may go");
    assert_eq!(store.records().len(), 0);
    let empty = tempfile::tempdir().expect("a folder");
    let error = refused(take(empty.path(), Occasion::Resume, None));
    assert!(error.contains("leave out --resume"), "{error}");
}

#[test]
fn another_experiment_or_part_is_not_mixed_in() {
    let folder = begun();
    let other = two_arms(3, 2, 1);
    let error = refused(Store::take(folder.path(), Occasion::Resume, other, None));
    assert!(error.contains("blocks: 3 here, 2 there"), "{error}");
    let error = refused(take(folder.path(), Occasion::Resume, Some("1/2")));
    assert!(
        error.contains("the whole") && error.contains("part 1/2"),
        "{error}"
    );
}

#[test]
fn other_circumstances_are_accepted_only_on_purpose() {
    let folder = begun();
    let mut store = take(folder.path(), Occasion::Resume, None).expect("the same experiment");
    let mut elsewhere = sitting();
    elsewhere.provenance.machine.cpu_model = Some("Abacus".to_owned());
    let refused = store.sit(elsewhere.clone(), Circumstances::MustAgree);
    let error = refused.expect_err("another machine").to_string();
    assert!(
        error.contains("Abacus") && error.contains("--accept-differences"),
        "{error}"
    );
    let sat = store.sit(elsewhere, Circumstances::MayDiffer);
    sat.expect("it may differ");
    let accepted = &store.manifest().sittings[1].accepted;
    assert!(accepted[0].contains("Abacus"), "{accepted:?}");
}

/// Notes what it is told, and interrupts before a run or in a pause where it is told to.
struct Fake<'a> {
    told: RefCell<Vec<String>>,
    interrupts: &'a str,
}

impl Fake<'_> {
    fn is_now(&self) -> bool {
        self.told
            .borrow()
            .last()
            .is_some_and(|last| last == self.interrupts)
    }
}

impl Watch for Fake<'_> {
    fn begins(&mut self, due: &Due, arm: &Arm, _: Option<Duration>) {
        let line = format!("begins {} {}", arm.name, due.block);
        self.told.borrow_mut().push(line);
    }

    fn ended(&mut self, due: &Due, record: &Record, _: usize) {
        let line = format!("ended {} {}", record.arm, due.block);
        self.told.borrow_mut().push(line);
    }

    fn pause(&mut self, time: Duration) -> ControlFlow<()> {
        let line = format!("pause {}", time.as_secs());
        self.told.borrow_mut().push(line);
        match self.is_now() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn interrupted(&self) -> bool {
        self.is_now()
    }
}

/// What comes of so many blocks that a program does which fails at once.
fn driven(blocks: usize, interrupts: &str) -> (Vec<String>, Ending, usize) {
    let mut own = two_arms(blocks, blocks, 1);
    own.cool_down = Duration::from_secs(5);
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::take(folder.path(), Occasion::Begin, own, None).expect("a folder");
    let mut fake = Fake {
        told: RefCell::default(),
        interrupts,
    };
    let bench = Bench {
        program: &Program::at("/bin/false"),
        addresses: &BTreeMap::new(),
        time_limit: None,
    };
    let ending = sit(&mut store, bench, &mut fake, |_, _, _| false).expect("a place to write");
    (fake.told.into_inner(), ending, store.records().len())
}

#[test]
fn after_a_failure_it_goes_on_and_after_ten_in_a_row_it_gives_up() {
    let (_, ending, records) = driven(2, "");
    assert_eq!((ending, records), (Ending::Done, 8));
    let (_, ending, records) = driven(20, "");
    assert_eq!((ending, records), (Ending::GivenUp, 10));
}

#[test]
fn it_pauses_before_each_team_but_the_first_and_not_between_it_and_its_agents_alone() {
    let (told, _, _) = driven(2, "");
    let pauses = told.iter().filter(|line| *line == "pause 5").count();
    // Two blocks of two units.
    assert_eq!(pauses, 3, "{told:?}");
    assert_eq!(told[1], "pause 0");
}

#[test]
fn an_interruption_ends_it_before_a_run_and_in_a_pause() {
    let (told, ending, records) = driven(2, "pause 5");
    assert_eq!(ending, Ending::Interrupted, "{told:?}");
    assert!(records < 8);
    let (told, ending, records) = driven(2, &told[0]);
    assert_eq!((ending, records, told.len()), (Ending::Interrupted, 0, 1));
}
