//! An error in a server's own words, in whichever of the forms that are in use: Ollama's text,
//! OpenAI's object, the bare object of vLLM's older releases, or what a web framework says.

use serde::Deserialize;
use serde_json::Value;

/// What stands under `error`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Failure {
    /// `"error": "words"`
    Text(String),
    /// `"error": {"message": "words", …}`
    Object {
        /// The words.
        message: String,
    },
    /// Something else.
    Other(Value),
}

impl Failure {
    /// The words. They are never empty.
    pub fn words(self) -> String {
        let words = match self {
            Failure::Text(words) | Failure::Object { message: words } => words,
            Failure::Other(value) => value.to_string(),
        };
        match words.as_str() {
            "" => "an error without a word".to_owned(),
            _ => words,
        }
    }
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Body {
    error: Option<Failure>,
    message: Option<String>,
    detail: Option<Failure>,
}

/// What the body of a refusal says; `None` if it has another form.
pub fn words_of(body: &[u8]) -> Option<String> {
    let body: Body = serde_json::from_slice(body).ok()?;
    let words = body.error.map(Failure::words).or(body.message);
    words.or_else(|| body.detail.map(Failure::words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_error_gives_its_words() {
        for (body, words) in [
            (r#"{"error":"no such model"}"#, Some("no such model")),
            (
                r#"{"error":{"message":"no such model","type":"x","code":404}}"#,
                Some("no such model"),
            ),
            (
                r#"{"object":"error","message":"no such model","type":"NotFoundError","code":404}"#,
                Some("no such model"),
            ),
            (r#"{"detail":"Not Found"}"#, Some("Not Found")),
            (r#"{"error":{"code":1}}"#, Some(r#"{"code":1}"#)),
            (r#"{"error":""}"#, Some("an error without a word")),
            (r#"{"data":[]}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(words_of(body.as_bytes()).as_deref(), words, "{body}");
        }
    }
}
