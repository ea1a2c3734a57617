//! From the bytes of a file to what it holds, told by its content and not by where it lies.
//!
//! The older files differ among themselves, so reading is lenient: what is `null` counts as absent,
//! a whole number may be written with a point, fields may be missing or unknown, and a byte order
//! mark may stand in front, as some programs on Windows put it.

use crate::published::agent::SCHEMA as AGENT_SCHEMA;
use crate::published::{AgentResult, SCHEMA as TEAM_SCHEMA, TeamRun};
use crate::stack::Stack;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a file holds.
#[derive(Debug)]
pub enum Content {
    /// Agents that worked at once.
    Team(Box<TeamRun>),
    /// One agent with one set of options.
    Agent(Box<AgentResult>),
    /// One agent with the server's defaults and with overrides.
    Sides(Box<Sides>),
}

/// A result that holds a baseline and a chimera.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sides {
    /// On what they ran, and the like; of `tare agent` only.
    pub provenance: Setup,
    /// The server's defaults.
    pub baseline: Option<Side>,
    /// Overrides.
    pub chimera: Option<Side>,
}

/// Of the setup what a factor is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// On what it ran.
    pub stack: Option<Stack>,
    /// Worker threads.
    pub threads: Option<u32>,
}

/// One side.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Side {
    /// In the published schema.
    #[serde(flatten)]
    pub result: AgentResult,
    /// Ours: a run each.
    pub agent_runs: Vec<AgentRun>,
}

/// A run of an agent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AgentRun {
    /// From its start to its end, ms.
    pub gross_ms: Option<f64>,
    /// Gross less net, ms.
    pub tare_ms: Option<f64>,
}

/// Why a file holds no result.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// There is nothing in it.
    #[error("empty")]
    Empty,
    /// It is not text.
    #[error("not UTF-8, from byte {0}")]
    Encoding(usize),
    /// It is not JSON, or not all of it.
    #[error("not JSON: {0}")]
    Json(serde_json::Error),
    /// It is JSON of something else.
    #[error("not a result: {0}")]
    Else(&'static str),
    /// It looks like one, but a field is not what it should be.
    #[error("not as the schema has it: {0}")]
    Schema(serde_json::Error),
    /// It is of a format that this program does not know.
    #[error(
        "its format is `{0}`, which this tare does not know; it knows {TEAM_SCHEMA} and {AGENT_SCHEMA}"
    )]
    Format(String),
}

/// What a file holds.
///
/// # Errors
/// When it holds no result, and why not.
pub fn parse(bytes: &[u8]) -> Result<Content, ParseError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| ParseError::Encoding(e.valid_up_to()))?;
    if text.trim().is_empty() {
        return Err(ParseError::Empty);
    }
    let mut value: Value = serde_json::from_str(text).map_err(ParseError::Json)?;
    soften(&mut value);
    let Value::Object(fields) = &value else {
        return Err(ParseError::Else("no object"));
    };
    known_format(fields)?;
    let is_result = |value: &Value| {
        let has = |field| value.get(field).is_some();
        has("aggregate_metrics") || has("individual_runs")
    };
    let member = |name| fields.get(name).is_some_and(Value::is_object);
    let side = |name| fields.get(name).is_some_and(is_result);
    if member("collector") && member("insight") || has_members(fields) {
        read(value).map(Content::Team)
    } else if member("collector") || member("insight") {
        Err(ParseError::Else("one of its two agents is missing"))
    } else if side("baseline") && side("chimera") {
        read(value).map(Content::Sides)
    } else if is_result(&value) {
        read(value).map(Content::Agent)
    } else {
        Err(ParseError::Else(
            "it has neither collector and insight, nor agents, nor baseline and chimera, nor the metrics of one agent",
        ))
    }
}

fn has_members(fields: &Map<String, Value>) -> bool {
    let agents = fields.get("agents").and_then(Value::as_array);
    agents.is_some_and(|agents| !agents.is_empty() && agents.iter().all(Value::is_object))
}

/// Refuses formats of ours of another version; the older reports name none.
fn known_format(fields: &Map<String, Value>) -> Result<(), ParseError> {
    let ours = fields.get("tare").and_then(|tare| tare.get("schema"));
    let stated = [fields.get("schema"), ours];
    for name in stated.into_iter().flatten().filter_map(Value::as_str) {
        if name.starts_with("tare.") && name != AGENT_SCHEMA && name != TEAM_SCHEMA {
            return Err(ParseError::Format(name.to_owned()));
        }
    }
    Ok(())
}

fn read<T: for<'a> Deserialize<'a>>(value: Value) -> Result<Box<T>, ParseError> {
    let read = T::deserialize(value).map_err(ParseError::Schema)?;
    Ok(Box::new(read))
}

/// Drops what is null, and writes whole numbers without a point.
fn soften(value: &mut Value) {
    // Beyond this not every whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(soften);
        }
        Value::Array(values) => {
            values.retain(|value| !value.is_null());
            values.iter_mut().for_each(soften);
        }
        Value::Number(number) if number.is_f64() => {
            let whole = number
                .as_f64()
                .filter(|x| x.fract() == 0.0 && x.abs() < EXACT);
            if let Some(whole) = whole {
                *value = Value::from(whole as i64);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn what_is_no_result_says_why() {
        assert_eq!(refused(" \n"), "empty");
        assert_eq!(refused("[1]"), "not a result: no object");
        assert!(refused("{\"summary\": {}}").starts_with("not a result: it has neither"));
        assert!(refused("{\"collector\": {}}").contains("one of its two agents is missing"));
        assert!(refused("{\"run_number\": 1,").starts_with("not JSON: EOF"));
        assert!(refused("{\"execution_time_s\": NaN}").starts_with("not JSON"));
        assert!(refused("{\"schema\": \"tare.agent/9\"}").contains("`tare.agent/9`"));
        let wrong = "{\"collector\": {\"execution_time_s\": \"long\"}, \"insight\": {}}";
        assert!(refused(wrong).starts_with("not as the schema has it: invalid type: string"));
        let encoding = parse(b"{\"a\": \"\xff\"}")
            .expect_err("no text")
            .to_string();
        assert_eq!(encoding, "not UTF-8, from byte 7");
        let deep = "[".repeat(100_000);
        assert!(refused(&deep).starts_with("not JSON: recursion limit"));
    }

    #[test]
    fn older_files_are_read_leniently() {
        let text = "\u{feff}{\"run_number\": 2.0, \"scenario\": null, \"more\": [null],
            \"collector\": {\"execution_time_s\": 12, \"config\": {\"options\": {\"num_gpu\": 80.0}}},
            \"insight\": {\"execution_time_s\": 11.5, \"result\": {\"aggregate_metrics\": null}}}";
        let Content::Team(run) = parse(text.as_bytes()).expect("a run") else {
            panic!("two agents");
        };
        assert_eq!(run.run_number, 2);
        let times: Vec<f64> = run.members().map(|one| one.execution_time_s).collect();
        assert_eq!(times, [12.0, 11.5]);
        let collector = run.collector.expect("the first");
        assert_eq!(collector.config.options.num_gpu, Some(80));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z]{0,5}".prop_map(Value::from),
        ];
        let names = prop::sample::select(
            &[
                "collector",
                "insight",
                "agents",
                "baseline",
                "chimera",
                "tare",
                "schema",
                "config",
                "result",
                "options",
                "summary",
                "aggregate_metrics",
                "individual_runs",
                "agent_runs",
                "execution_time_s",
                "num_gpu",
                "run_number",
                "scenario",
                "ttft_ms",
                "stack",
            ][..],
        );
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(names.clone(), inner, 0..8).prop_map(|fields| {
                    Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_json_makes_it_or_the_account_panic(value in json()) {
            if let Ok(content) = parse(value.to_string().as_bytes()) {
                for account in super::super::account::of(content, "x", &[]) {
                    for figure in account.observation.figures.values() {
                        prop_assert!(figure.is_finite());
                    }
                }
            }
        }
    }
}
