//! The latency model that a mock follows, in TOML.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A latency model. Durations are written like `250us`, `1ms` or `1.5s`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it stands for.
    pub description: String,
    /// The model it serves, under Ollama's kind of name.
    pub model: String,
    /// From a request's arrival until a runner is granted.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub load: Duration,
    /// From then to the first token.
    pub prefill: Prefill,
    /// Between two tokens.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub gap: Duration,
    /// Length of an answer where the request sets no `num_predict`, in tokens.
    pub tokens: u32,
    /// Seed of the text where the request sets none.
    pub seed: u64,
}

/// Time to read the prompt: `fixed` + its tokens × `per_token`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefill {
    /// Once per request.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub fixed: Duration,
    /// For each token of the prompt.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub per_token: Duration,
}

/// The profiles that come with tare, by name.
const SHIPPED: [(&str, &str); 3] = [
    (
        "instant",
        include_str!("../../fixtures/profiles/instant.toml"),
    ),
    (
        "paced-1ms",
        include_str!("../../fixtures/profiles/paced-1ms.toml"),
    ),
    (
        "paced-10ms",
        include_str!("../../fixtures/profiles/paced-10ms.toml"),
    ),
];

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a shipped name nor a file.
    #[error(
        "no profile `{name}`: it is neither one of {} nor a file",
        shipped_names()
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A file that can't be read.
    #[error("cannot read profile {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a profile.
    #[error("profile {name}{}: {reason}", line.as_ref().map(|line| format!(", {line}")).unwrap_or_default())]
    Invalid {
        /// Name or file.
        name: String,
        /// The line, where the parser knows it.
        line: Option<Line>,
        /// What is wrong.
        reason: String,
    },
}

/// A line of a file, for a message.
#[derive(Debug)]
pub struct Line {
    number: usize,
    text: String,
}

impl Line {
    /// The line that a parser's span lies in; `None` where the span is of several lines.
    fn of(span: Range<usize>, text: &str) -> Option<Self> {
        if text.get(span.clone())?.contains('\n') {
            return None;
        }
        let number = text[..span.start].matches('\n').count();
        let text = text.lines().nth(number)?.trim().to_owned();
        Some(Self {
            number: number + 1,
            text,
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (`{}`)", self.number, self.text)
    }
}

fn shipped_names() -> String {
    SHIPPED.map(|(name, _)| name).join(", ")
}

impl Profile {
    /// The profile of a shipped name, or of a file.
    ///
    /// # Errors
    /// When there is none, or it is malformed: then with the line.
    pub fn find(name: &str) -> Result<Self, ProfileError> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(name, text);
        }
        let path = Path::new(name);
        if !path.is_file() {
            return Err(ProfileError::Unknown {
                name: name.to_owned(),
            });
        }
        let text = std::fs::read_to_string(path).map_err(|source| ProfileError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        let invalid = |line, reason| ProfileError::Invalid {
            name: name.to_owned(),
            line,
            reason,
        };
        let profile: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| Line::of(span, text));
            invalid(line, error.message().trim().replace('\n', "; "))
        })?;
        if profile.tokens == 0 {
            return Err(invalid(None, "`tokens` must be at least 1".to_owned()));
        }
        if profile.model.is_empty() {
            return Err(invalid(None, "`model` must not be empty".to_owned()));
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_sound() {
        for (name, _) in SHIPPED {
            Profile::find(name).expect(name);
        }
    }

    #[test]
    fn durations_are_as_written() {
        let profile = Profile::find("paced-1ms").expect("a shipped profile");
        assert_eq!(profile.gap, Duration::from_millis(1));
        let profile = Profile::find("instant").expect("a shipped profile");
        assert_eq!(
            profile.gap + profile.load + profile.prefill.fixed,
            Duration::ZERO
        );
    }

    #[test]
    fn an_error_names_the_line_and_the_field() {
        let sound = SHIPPED[1].1;
        for (was, is, expected) in [
            (
                "gap = \"1ms\"",
                "gap = \"1 parsec\"",
                "line 8 (`gap = \"1 parsec\"`)",
            ),
            ("gap = \"1ms\"", "gap = 1", "line 8 (`gap = 1`)"),
            ("gap = ", "gab = ", "unknown field `gab`"),
            ("gap = \"1ms\"", "", "missing field `gap`"),
            ("gap = \"1ms\"", "gap = ", "line 8"),
            ("tokens = 256", "tokens = 0", "`tokens` must be at least 1"),
        ] {
            let text = sound.replace(was, is);
            assert_ne!(text, sound, "{was} is not in the profile");
            let error = Profile::parse("mine", &text).expect_err(is).to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = Profile::find("warp")
            .expect_err("no such profile")
            .to_string();
        assert!(
            error.contains("warp") && error.contains("paced-10ms"),
            "{error}"
        );
    }
}
