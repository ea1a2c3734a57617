//! What came of a request, reduced to what is the same in every run, and how two such differ.

use crate::shape;
use crate::support::{Reply, ask_at};
use crate::table::Request;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A reply that can be compared.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    pub name: String,
    /// Code and reason, or how the connection broke.
    pub status: String,
    /// Those that say something of the reply; what stands twice is joined.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How the end of the body is told: by `length`, `chunked`, or not at all.
    pub framing: String,
    /// The body's shape: of a stream, one for each HTTP chunk, and equal ones in a row once, so
    /// that the number of tokens does not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<String>,
}

/// Of the moment, of the connection, or told by `framing`.
const UNTOLD: [&str; 4] = ["date", "connection", "content-length", "transfer-encoding"];

impl Observed {
    /// Asks the server at `address`.
    pub fn of(request: &Request, address: &str) -> Self {
        match ask_at(address, &request.head, &request.body) {
            Ok(reply) => Self::from_reply(request, &reply),
            Err(error) => Self {
                name: request.name.clone(),
                status: format!("broken off: {error}"),
                headers: BTreeMap::new(),
                framing: "none".to_owned(),
                body: Vec::new(),
            },
        }
    }

    fn from_reply(request: &Request, reply: &Reply) -> Self {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &reply.headers {
            if UNTOLD.contains(&name.as_str()) {
                continue;
            }
            headers
                .entry(name.clone())
                .and_modify(|before| *before = format!("{before}; {value}"))
                .or_insert_with(|| value.clone());
        }
        let framing = match (
            reply.header("transfer-encoding"),
            reply.header("content-length"),
        ) {
            (Some(coding), _) => coding,
            (None, Some(_)) => "length",
            (None, None) => "none",
        };
        let kind = reply.header("content-type").unwrap_or_default();
        Self {
            name: request.name.clone(),
            status: reply.status.clone(),
            body: shape::of_body(kind, &reply.chunks, request.limit()),
            framing: framing.to_owned(),
            headers,
        }
    }
}

/// What is to be read where `found` is not what was `expected`.
pub fn differ(request: &Request, expected: &Observed, found: &Observed) -> String {
    let mut told = format!(
        "\n{}\n  {}",
        request.name,
        request.head.replace('\n', " · ")
    );
    let body: String = request.body.chars().take(300).collect();
    let _ = writeln!(told, "  {body}");
    let mut tell = |what: &str, expected: &str, found: &str| {
        if expected != found {
            let (expected, found) = around_difference(expected, found);
            let _ = writeln!(
                told,
                "  {what}\n    expected {expected}\n    found    {found}"
            );
        }
    };
    tell("status", &expected.status, &found.status);
    tell("framing", &expected.framing, &found.framing);
    let names: BTreeSet<&String> = expected
        .headers
        .keys()
        .chain(found.headers.keys())
        .collect();
    for name in names {
        let value = |of: &Observed| of.headers.get(name).cloned().unwrap_or("(none)".to_owned());
        tell(&format!("header {name}"), &value(expected), &value(found));
    }
    let chunks = expected.body.len().max(found.body.len());
    for at in 0..chunks {
        let chunk = |of: &Observed| {
            of.body
                .get(at)
                .map_or("(none)".to_owned(), |c| format!("{c:?}"))
        };
        tell(&format!("body {}", at + 1), &chunk(expected), &chunk(found));
    }
    told
}

/// How much of what is equal is shown before and after what is not, in characters.
const AROUND: usize = 120;

/// Of two long texts, the part in which they differ.
fn around_difference(expected: &str, found: &str) -> (String, String) {
    let (expected, found): (Vec<char>, Vec<char>) =
        (expected.chars().collect(), found.chars().collect());
    let equal = |(a, b): &(&char, &char)| a == b;
    let before = expected.iter().zip(&found).take_while(equal).count();
    let after = expected[before..].iter().rev();
    let after = after.zip(found[before..].iter().rev());
    let after = after.take_while(equal).count();
    let part = |of: &[char]| {
        let (start, end) = (before.saturating_sub(AROUND), of.len() - after);
        let end = (end + AROUND).min(of.len());
        let left = if start > 0 { "…" } else { "" };
        let right = if end < of.len() { "…" } else { "" };
        format!("{left}{}{right}", of[start..end].iter().collect::<String>())
    };
    (part(&expected), part(&found))
}
