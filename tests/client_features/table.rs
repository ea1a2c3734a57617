//! `results/clients.md`: client × feature, as the tests of this program hold them.

use crate::clients::{ALL, Client};
use crate::features::FEATURES;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

/// It rewrites the file instead of comparing it.
const REWRITE: &str = "TARE_WRITE_RESULTS";

#[test]
fn the_table_of_results_is_what_the_tests_hold() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/clients.md");
    let table = table();
    if env::var(REWRITE).is_ok_and(|set| set == "1") {
        fs::write(&path, &table).expect("the table is written");
    }
    let committed = fs::read_to_string(&path).expect("the table is there");
    assert_eq!(committed, table, "{REWRITE}=1 rewrites it");
}

fn table() -> String {
    let mut table = String::from(INTRODUCTION);
    let mut reasons = Vec::new();
    let names = ALL.map(|client| format!("{} {}", client.registry, client.name()));
    row(&mut table, "feature", &names);
    row(&mut table, "---", &ALL.map(|_| "---".to_owned()));
    for feature in &FEATURES {
        let stacks = ALL.map(|client| stack(client, feature.name, &mut reasons));
        row(&mut table, feature.name, &stacks);
    }
    table.push('\n');
    for (index, reason) in reasons.iter().enumerate() {
        writeln!(table, "{}. {reason}", index + 1).expect("a string takes it");
    }
    table
}

const INTRODUCTION: &str = "\
# Clients that people use, against the mock

Each client is driven as its users drive it (`tests/real_clients`), and what each feature gives is held
against what Ollama 0.17.4 gives (`tests/client_features`). *ok*: it works. A number: the client has no such
feature, or its own fault prevents it, for the reason below. `TARE_WRITE_RESULTS=1 cargo test --test
client_features` writes this file.

";

/// `ok`, or the number of the reason.
fn stack(client: &Client, feature: &str, reasons: &mut Vec<&'static str>) -> String {
    let Some(why) = client.lack(feature) else {
        return "ok".to_owned();
    };
    let known = reasons.iter().position(|reason| *reason == why);
    let index = known.unwrap_or_else(|| {
        reasons.push(why);
        reasons.len() - 1
    });
    format!("({})", index + 1)
}

fn row(table: &mut String, first: &str, stacks: &[String]) {
    writeln!(table, "| {first} | {} |", stacks.join(" | ")).expect("a string takes it");
}
