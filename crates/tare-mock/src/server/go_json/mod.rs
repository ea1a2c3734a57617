//! Requests as Go reads them: what it takes, and in which words it refuses the rest.
//!
//! Ollama decodes with Go's `encoding/json`, whose messages reach its users word for word. Here
//! serde reads what is sound, as fast as it can. What serde refuses, or has names that Go would
//! know in another case, is read again: by a parser that errs as Go's does (`scan.rs`), against the
//! types of Ollama's own requests (`types.rs`). What Go then takes, serde is given once more, in
//! the form that it knows; should it still refuse, its own words are the answer.
//!
//! As Go's decoder does, this reads the first value of a body and nothing behind it. A field that the
//! mock makes nothing of is not looked at as long as all others are sound.

mod duration;
mod manage;
mod names;
mod scan;
mod types;

pub use duration::parse_duration;
pub use manage::*;
pub use types::{CHAT, CHAT_COMPLETION, COMPLETION, GENERATE, MESSAGES, RESPONSES, SHOW, Struct};

use super::routes::Error;
use hyper::StatusCode;
use scan::ScanError;
use serde::de::DeserializeOwned;

/// Why a body cannot be read as a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing in it.
    Empty,
    /// In Go's words, as an answer to a bad request.
    Bad(String),
    /// An option of the wrong type, which Ollama sees only when it loads the model, and takes for a
    /// failure of its own.
    Option(String),
}

impl Refusal {
    /// The reply; `empty` is what the route says to an empty body.
    pub fn into_error(self, empty: &'static str) -> Error {
        match self {
            Refusal::Empty => Error::bad(empty),
            Refusal::Bad(words) => Error::bad(words),
            Refusal::Option(words) => Error(StatusCode::INTERNAL_SERVER_ERROR, words.into()),
        }
    }
}

/// Reads a request that is a `shape` in Ollama.
///
/// # Errors
/// When Go would refuse it, or serde does.
pub fn read<T: DeserializeOwned>(body: &[u8], shape: &Struct) -> Result<T, Refusal> {
    match read_leniently(body, shape)? {
        (request, None) => Ok(request),
        (_, Some(words)) => Err(Refusal::Option(words)),
    }
}

/// Reads a request that is a `shape` in Ollama, without those of its options that are of the wrong
/// type. What is to be said of the first of them comes with it: Ollama says it only once it has
/// found the model.
///
/// # Errors
/// When Go would refuse it, or serde does.
pub fn read_leniently<T: DeserializeOwned>(
    body: &[u8],
    shape: &Struct,
) -> Result<(T, Option<String>), Refusal> {
    // serde takes a list for a struct too.
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    if is_object
        && let Ok(request) = serde_json::from_slice(body)
        && names::are_plain(body)
    {
        return Ok((request, None));
    }
    let value = scan::first_value(body).map_err(|error| match error {
        ScanError::Empty => Refusal::Empty,
        ScanError::Syntax(words) => Refusal::Bad(words),
    })?;
    let (value, option) = shape.fit(value)?;
    let request = serde_json::from_value(value);
    let request = request.map_err(|error| Refusal::Bad(error.to_string()))?;
    Ok((request, option))
}

/// A text as Go quotes it (`%q`).
pub fn quote(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            other => quoted.push_str(&escaped(other)),
        }
    }
    quoted.push('"');
    quoted
}

/// A character as Go writes it among quotes, the quote itself apart.
fn escaped(character: char) -> String {
    match character {
        '\\' => r"\\".to_owned(),
        '\x07' => r"\a".to_owned(),
        '\x08' => r"\b".to_owned(),
        '\x0c' => r"\f".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        '\x0b' => r"\v".to_owned(),
        ' ' => " ".to_owned(),
        '\0'..='\x1f' | '\x7f' => format!("\\x{:02x}", character as u32),
        // Go has a table of what can be printed; this is what matters of it below U+0100.
        '\u{ad}' => r"\u00ad".to_owned(),
        other if other.is_control() || other.is_whitespace() => {
            format!("\\u{:04x}", other as u32)
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
