use super::*;
use crate::stats::{Judgement, Verdict};
use crate::weighing::canned::{ALIKE, Times, all, invocation, part, record, subjects, ten_blocks};
use crate::weighing::{Figure, Invocation, Subject};
use proptest::prelude::*;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What claims something about a stack, in any of the report's forms.
const CLAIMS: [&str; 6] = [
    "faster",
    "slower",
    "higher",
    "lower",
    "equivalent",
    "undecided",
];

fn costing<const N: usize>(named: [(&'static str, Times); N]) -> impl Fn(&Subject) -> Times {
    move |subject| {
        let name = subject.to_string();
        let mut named = named.iter();
        named
            .find(|(of, _)| *of == name)
            .map_or(ALIKE, |(_, it)| *it)
    }
}

fn reported(parts: Vec<Part>) -> (String, Standing) {
    let record = record(parts);
    (report(&record), record.standing)
}

/// The line that begins so.
fn line<'a>(text: &'a str, begins: &str) -> &'a str {
    let mut lines = text.lines();
    lines
        .find(|line| line.starts_with(begins))
        .unwrap_or_else(|| panic!("no {begins}: {text}"))
}

fn withheld(standing: Standing) -> String {
    match standing {
        Standing::Withheld(why) => why,
        Standing::Sound => panic!("the verdicts stand"),
    }
}

/// All but what says why, what the controls did, and what words mean.
fn claims(text: &str) -> Vec<&str> {
    let (body, _) = text.split_once("\n## How to read this").expect("the notes");
    let said = |line: &&str| {
        !["**Verdicts are withheld", "A/A control", "Positive control"]
            .iter()
            .any(|begin| line.starts_with(begin))
            && CLAIMS.iter().any(|word| line.contains(word))
    };
    body.lines().filter(said).collect()
}

#[test]
fn the_question_is_answered_by_the_verdicts() {
    let named = [
        "smol/hyper",
        "async-std/hyper",
        "tokio-local/hyper",
        "tokio-mt/reqwest",
    ];
    let part = ten_blocks(
        &named,
        costing([
            ("smol/hyper", all(1.5)),
            ("async-std/hyper", all(0.5)),
            ("tokio-mt/reqwest", all(1.02)),
            ("threads/raw", all(0.25)),
        ]),
    );
    let (text, standing) = reported(vec![part]);
    assert_eq!(standing, Standing::Sound);
    assert_eq!(
        line(&text, "**Does the runtime"),
        "**Does the runtime matter?** For one agent, against tokio-mt/hyper: gross is slower with smol/hyper (× 1.016), faster with async-std/hyper (× 0.984), equivalent with tokio-local/hyper; tare is higher with smol/hyper (× 1.500), lower with async-std/hyper (× 0.500), equivalent with tokio-local/hyper; tare of the calls is higher with smol/hyper (× 1.580), lower with async-std/hyper (× 0.420), equivalent with tokio-local/hyper."
    );
    assert_eq!(
        line(&text, "**Does the client"),
        "**Does the client matter?** For one agent, against tokio-mt/hyper: gross is equivalent with tokio-mt/reqwest; tare is equivalent with tokio-mt/reqwest; tare of the calls is equivalent with tokio-mt/reqwest."
    );
    let share = line(&text, "**How much is it");
    assert!(
        share.contains("(async-std/hyper)") && share.contains("(smol/hyper)"),
        "{share}"
    );
    assert!(share.contains("% at 1000 tokens/s"), "{share}");
    let row = line(&text, "| smol/hyper ");
    assert!(row.contains("| native |"), "{row}");
    let judged = line(&text, "| smol/hyper        | runtime |");
    assert!(judged.contains(" slower × 1.016 [1.01"), "{judged}");
}

#[test]
fn cells_that_differ_in_several_things_answer_neither_question() {
    let part = ten_blocks(&["smol/reqwest"], costing([("smol/reqwest", all(2.0))]));
    let (text, _) = reported(vec![part]);
    assert!(!text.contains("**Does the"), "{text}");
    let judged = line(&text, "| smol/reqwest | several |");
    assert!(judged.contains(" slower × "), "{judged}");
}

#[test]
fn nothing_is_said_of_a_figure_that_nobody_has() {
    let unknown = |subject: &Subject, block| {
        Some(Invocation {
            net_ns: None,
            delivery_ns: None,
            ttft_ns: None,
            ..invocation(
                block,
                0,
                if subject.role == Role::Stack {
                    all(2.0)
                } else {
                    ALIKE
                },
            )
        })
    };
    let mut part = part(&subjects(&["smol/hyper"]), 10, unknown);
    let Part {
        workload, server, ..
    } = &mut part;
    *workload = Workload::Agents {
        agents: NonZeroUsize::new(4).expect("4 is not 0"),
    };
    *server = Served::There {
        base_url: "http://127.0.0.1:8080".to_owned(),
        described: crate::protocol::Described {
            software: crate::protocol::Software::LlamaCpp,
            version: None,
            model: None,
            parallel: None,
        },
    };
    let (text, _) = reported(vec![part]);
    assert!(
        text.contains("## 4 agents, two answers of 64 tokens each, against llama.cpp"),
        "{text}"
    );
    for absent in [
        "tare ms",
        "delivery µs",
        "TTFT ms",
        "tok/s",
        "tare is",
        "| tare",
    ] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
    assert!(
        line(&text, "**Does the runtime").contains("For 4 agents"),
        "{text}"
    );
}

#[test]
fn a_base_that_differs_from_itself_withholds_every_verdict() {
    let again = costing([
        ("tokio-mt/hyper (again)", all(1.3)),
        ("smol/hyper", all(3.0)),
    ]);
    let (text, standing) = reported(vec![ten_blocks(&["smol/hyper"], again)]);
    let why = withheld(standing);
    assert!(
        why.starts_with("The A/A control failed: tare of tokio-mt/hyper (again)"),
        "{why}"
    );
    assert!(
        text.contains(&why) && text.contains("| smol/hyper "),
        "{text}"
    );
    assert_eq!(claims(&text), [""; 0]);
    assert!(!text.contains("## The answer"));
}

#[test]
fn one_part_that_fails_withholds_the_verdicts_of_all() {
    let sound = ten_blocks(&["smol/hyper"], costing([("smol/hyper", all(3.0))]));
    let failed = ten_blocks(&[], costing([("tokio-mt/hyper (again)", all(1.3))]));
    let (text, standing) = reported(vec![sound, failed]);
    withheld(standing);
    assert_eq!(claims(&text), [""; 0]);
}

#[test]
fn a_mistake_that_is_not_found_withholds_every_verdict() {
    let costs = costing([("smol/hyper", all(3.0))]);
    let part = ten_blocks(&["smol/hyper", "+ delay=50us/chunk"], costs);
    let (text, standing) = reported(vec![part]);
    let why = withheld(standing);
    assert!(
        why.contains("tokio-mt/hyper + delay=50us/chunk was not found"),
        "{why}"
    );
    assert_eq!(claims(&text), [""; 0]);
}

#[test]
fn a_mistake_that_can_make_nothing_slower_need_not_be_found() {
    let part = ten_blocks(&["+ mutex"], |_| ALIKE);
    let (text, standing) = reported(vec![part.clone()]);
    assert_eq!(standing, Standing::Sound);
    assert!(
        line(&text, "Positive control")
            .ends_with("nor could it be: it makes nothing slower in this workload."),
        "{text}"
    );
    let team = Part {
        workload: Workload::Agents {
            agents: NonZeroUsize::new(2).expect("2 is not 0"),
        },
        ..part
    };
    withheld(reported(vec![team]).1);
}

#[test]
fn a_delay_is_told_with_its_size_where_pieces_are_tokens() {
    let later = |subject: &Subject, block| {
        let mut one = invocation(block, 0, ALIKE);
        if subject.role == Role::Control {
            one.delivery_ns = one.delivery_ns.map(|ns| ns + 50e3);
        }
        Some(one)
    };
    let part = part(&subjects(&["+ delay=50us/chunk"]), 10, later);
    let (text, standing) = reported(vec![part.clone()]);
    assert_eq!(standing, Standing::Sound);
    let said = line(&text, "Positive control");
    assert!(
        said.contains(", tokio-mt/hyper + delay=50us/chunk: found: delivery slower × "),
        "{said}"
    );
    assert!(
        said.ends_with(
            "Each token was delivered 50.0 [50.0, 50.0] µs later; 50.0 µs per piece were built in."
        ),
        "{said}"
    );
    // In a burst a piece is many tokens, and where pieces come faster, delays add up.
    for gap in [Duration::ZERO, Duration::from_micros(50)] {
        let mut part = part.clone();
        if let Served::Mock { profile, .. } = &mut part.server {
            profile.gap = gap;
        }
        let (text, _) = reported(vec![part]);
        assert!(!text.contains("were built in"), "{text}");
    }
}

#[test]
fn late_mocks_are_told_of() {
    let late = |subject: &Subject, block| {
        Some(Invocation {
            late_calls: u64::from(subject.role == Role::Base && block < 2),
            ..invocation(block, 0, ALIKE)
        })
    };
    let (text, _) = reported(vec![part(&subjects(&[]), 10, late)]);
    assert!(
        text.contains("\nIn 2 of 30 invocations the mock was late: "),
        "{text}"
    );
    let (text, _) = reported(vec![ten_blocks(&[], |_| ALIKE)]);
    assert!(!text.contains("was late"));
}

#[test]
fn one_block_gives_means_and_no_verdict() {
    let one = part(&subjects(&["smol/hyper"]), 1, |_, block| {
        Some(invocation(block, 0, ALIKE))
    });
    let (text, standing) = reported(vec![one]);
    assert_eq!(standing, Standing::Sound);
    assert!(
        text.contains("; 1 invocation per stack") && text.contains("; 1 worker thread per runtime")
    );
    assert!(line(&text, "| smol/hyper").contains(" 2.00 |"), "{text}");
    assert!(line(&text, "**Does the runtime").contains("gross is undecided with smol/hyper;"));
}

#[test]
fn no_number_of_further_invocations_is_told_that_nobody_would_run() {
    let judged = |more| Judgement {
        further: Some(crate::stats::Further::Invocations(more)),
        verdict: Verdict::Undecided,
        ..ten_blocks(&["smol/hyper"], |_| ALIKE).families[0].stacks[0].clone()
    };
    assert!(tables::verdict(&judged(7)).ends_with("], 7 more"));
    assert!(tables::verdict(&judged(7419)).ends_with("], over 1000 more"));
}

/// The claims of a clause, such as `gross is slower with a (× 1.2), b (× 1.3), equivalent with c`.
fn claimed(clause: &str) -> Vec<(&str, &str)> {
    let mut word = "";
    let items = clause.split(", ").map(|item| {
        let name = match item.split_once(" with ") {
            Some((said, name)) => {
                word = said;
                name
            }
            None => item,
        };
        (word, name.split(" (").next().expect("a name"))
    });
    items.collect()
}

fn word(figure: Figure, verdict: Verdict) -> &'static str {
    match (figure, verdict) {
        (Figure::Gross, Verdict::Slower) => "slower",
        (Figure::Gross, Verdict::Faster) => "faster",
        (_, Verdict::Slower) => "higher",
        (_, Verdict::Faster) => "lower",
        (_, Verdict::Equivalent) => "equivalent",
        (_, Verdict::Undecided) => "undecided",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn every_claim_about_a_cell_has_a_judgement_that_says_so(
        costs in prop::collection::vec((0.3f64..3.0, 0.9f64..1.1, prop::bool::ANY), 6),
        noise in prop::collection::vec(0.97f64..1.03, 6 * 8),
    ) {
        let names = [
            "smol/hyper", "async-std/hyper", "tokio-local/hyper", "tokio-mt/reqwest",
            "tokio-mt/hyper-1k", "smol/reqwest",
        ];
        let part = part(&subjects(&names), 8, |subject, block| {
            let name = subject.to_string();
            let times = match names.iter().position(|other| *other == name) {
                Some(i) => {
                    let (far, near, is_far) = costs[i];
                    all(if is_far { far } else { near } * noise[8 * i + block])
                }
                None => ALIKE,
            };
            Some(invocation(block, 0, times))
        });
        let families = part.families.clone();
        let (text, standing) = reported(vec![part]);
        prop_assert_eq!(standing, Standing::Sound);
        let mut told = 0;
        for question in ["**Does the runtime", "**Does the client"] {
            let sentence = line(&text, question).trim_end_matches('.');
            let (_, clauses) = sentence.split_once("against tokio-mt/hyper: ").expect("clauses");
            for clause in clauses.split("; ") {
                let (of, said) = clause.split_once(" is ").expect("a figure");
                let mut all = families.iter();
                let family = all.find(|family| family.figure.to_string() == of).expect(of);
                for (claim, name) in claimed(said) {
                    let mut stacks = family.stacks.iter();
                    let judged = stacks.find(|judged| judged.name == name).expect(name);
                    prop_assert_eq!(claim, word(family.figure, judged.verdict));
                    told += 1;
                }
            }
        }
        prop_assert_eq!(told, 3 * 5, "each stack in gross, tare and calls, and none that changes two things");
        // The table of verdicts, stack by stack, in the order of its families.
        for name in names {
            let row = text.lines().find(|line| {
                line.starts_with(&format!("| {name} ")) && CLAIMS.iter().any(|it| line.contains(it))
            });
            let said = row.expect(name).split('|').skip(3).map(str::trim);
            for (said, family) in said.zip(&families) {
                let mut stacks = family.stacks.iter();
                let judged = stacks.find(|judged| judged.name == name).expect(name);
                prop_assert!(said.starts_with(&judged.verdict.to_string()), "{} {:?}", said, judged);
            }
        }
        // No claim stands anywhere else.
        let elsewhere = claims(&text).into_iter().filter(|line| {
            !line.starts_with('|') && !line.starts_with("**Does the")
        });
        prop_assert_eq!(elsewhere.collect::<Vec<_>>(), [""; 0]);
    }
}
