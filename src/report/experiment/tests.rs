//! Reports of experiments that the judge's fixture makes up.

use super::{Style, csv, pooled, report};
use crate::experiment::fixture::{self, Effects, alike, all, only};
use crate::experiment::{Arm, Experiment, Manifest, Record, Role, SCHEMA, Stored, judge, pool};

fn stored(names: &[&str], effects: impl Fn(&Arm, usize) -> Effects) -> Stored {
    let experiment: Experiment = fixture::experiment(names);
    let records: Vec<Record> = fixture::records(&experiment, effects);
    Stored {
        manifest: Manifest {
            schema: SCHEMA.to_owned(),
            digest: experiment.digest(),
            part: None,
            experiment,
            sittings: Vec::new(),
        },
        records,
    }
}

fn text(stored: &Stored, style: Style) -> String {
    let judgements = judge(&stored.manifest.experiment, &stored.records);
    report(stored, &judgements, style)
}

#[test]
fn no_line_is_wider_than_asked_for() {
    let stored = stored(
        &["smol/hyper", "async-std/reqwest", "tokio-local/hyper-1k"],
        |_, _| alike(),
    );
    for width in [100, 80, 60] {
        let text = text(
            &stored,
            Style {
                width,
                ..Style::TEXT
            },
        );
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(
            widest.is_some_and(|widest| widest <= width),
            "{width}: {text}"
        );
        assert!(text.contains("smol/hyper"), "{text}");
    }
}

#[test]
fn the_answer_says_what_the_verdicts_say_and_comes_first() {
    let slow = |arm: &Arm, _| match (arm.name.as_str(), &arm.role) {
        ("smol/hyper", _) => all(2.0),
        _ => alike(),
    };
    let text = text(
        &stored(&["smol/hyper", "async-std/hyper"], slow),
        Style::TEXT,
    );
    let answer = text.find("THE ANSWER").expect("an answer");
    let asked = text.find("Does the runtime matter?").expect("the question");
    let table = text.find("arm ").expect("a table");
    assert!(answer < asked && asked < table, "{text}");
    let said: String = text[asked..table].replace('\n', " ");
    assert!(said.contains("higher with smol/hyper (× 2."), "{said}");
    assert!(!said.contains("higher with async-std/hyper"), "{said}");
    assert!(text.contains("A/A control"), "{text}");
}

#[test]
fn nothing_differs_where_nothing_does() {
    let text = text(&stored(&["smol/hyper"], |_, _| alike()), Style::TEXT);
    for word in ["higher with", "lower with", "slower with", "faster with"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[test]
fn what_is_withheld_shows_no_ratio_and_is_said_so() {
    let unlike = |arm: &Arm, _| match arm.role {
        Role::BaseAgain => only("cpu", 3.0),
        _ => alike(),
    };
    let wide = Style {
        wide: true,
        ..Style::TEXT
    };
    let text = text(&stored(&["smol/hyper"], unlike), wide);
    let said = text.replace('\n', " ");
    assert!(
        said.contains("CPU/token is withheld for smol/hyper"),
        "{text}"
    );
    assert!(
        said.contains("Withheld: CPU/token of the base is × 3.000 of itself"),
        "{text}"
    );
    let row = text.lines().find(|line| line.starts_with("smol/hyper"));
    assert!(row.is_some_and(|row| row.contains(" withheld")), "{text}");
}

#[test]
fn an_experiment_without_a_base_has_means_and_no_verdicts() {
    let mut stored = stored(&["smol/hyper"], |_, _| alike());
    for arm in &mut stored.manifest.experiment.workloads[0].arms {
        arm.role = Role::Compared;
    }
    let text = text(&stored, Style::TEXT);
    assert!(
        text.contains("Means.") && !text.contains("THE ANSWER"),
        "{text}"
    );
}

#[test]
fn names_from_outside_break_neither_a_table_nor_a_terminal() {
    let mut stored = stored(&["smol/hyper"], |_, _| alike());
    let hostile = "a|b\n\u{1b}[31m`c`";
    stored.manifest.experiment.workloads[0].arms[0].name = hostile.to_owned();
    for record in &mut stored.records {
        if record.arm == "threads/raw" {
            record.arm = hostile.to_owned();
        }
    }
    let text = text(&stored, Style::MARKDOWN);
    assert!(!text.contains('\u{1b}'), "{text}");
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    let table: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .collect();
    let table: Vec<&str> = table
        .into_iter()
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(table.len() > 3);
    assert!(
        table.iter().all(|line| columns(line) == columns(table[0])),
        "{text}"
    );
}

#[test]
fn csv_has_a_row_per_run_and_reads_back() {
    let stored = stored(&["smol/hyper"], |_, _| alike());
    let text = csv(&stored).expect("rows");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let head = rows.headers().expect("a head").clone();
    let at = |name: &str| head.iter().position(|it| it == name).expect("a column");
    let read: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert_eq!(read.len(), stored.records.len());
    for (row, record) in read.iter().zip(&stored.records) {
        assert_eq!(row[at("arm")], record.arm);
        let cpu = record.run().and_then(|run| run.value("cpu"));
        assert_eq!(row[at("cpu")].parse().ok(), cpu);
    }
}

#[test]
fn sittings_are_pooled_in_a_row_per_arm_with_the_base_and_its_control_first() {
    let sitting = |times: f64| {
        stored(&["smol/hyper"], move |arm, block| {
            let noise = 1.0 + 0.01 * ((block % 4) as f64 - 1.5);
            match arm.role {
                Role::Compared => all(times * noise),
                Role::BaseAgain => all(noise),
                _ => alike(),
            }
        })
    };
    let all = [sitting(1.2), sitting(1.3)];
    let judged = all
        .each_ref()
        .map(|of| judge(&of.manifest.experiment, &of.records));
    let text = pooled(&all.each_ref(), &pool(&judged.each_ref()), Style::MARKDOWN);
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("| cpu µs"))
        .collect();
    let arms = ["tokio-mt/hyper", "A/A control", "smol/hyper"];
    for (row, arm) in rows.iter().zip(arms) {
        assert!(row.contains(arm), "{row}");
    }
    assert!(
        rows[0].contains("base") && rows[2].contains("| 1.24"),
        "{text}"
    );
}
