//! Profiles and traces as files: those that ship inside the library, found by their names, and a
//! user's own, found by their paths.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why a profile or a trace cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Neither a shipped name nor a file.
    #[error("no {what} `{name}`: it is neither one of {shipped} nor a file")]
    Unknown {
        /// `profile` or `trace`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// The names that ship, with commas between them.
        shipped: String,
    },
    /// A file that can't be read.
    #[error("cannot read {what} {}: {source}", path.display())]
    Unreadable {
        /// `profile` or `trace`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A text that is malformed.
    #[error("{what} {name}{}: {reason}", line.as_ref().map(|line| format!(", {line}")).unwrap_or_default())]
    Invalid {
        /// `profile` or `trace`.
        what: &'static str,
        /// Name or file.
        name: String,
        /// The line, where the parser knows it.
        line: Option<Line>,
        /// What is wrong.
        reason: String,
    },
}

/// A kind of file, and the texts of it that ship, by name.
pub(crate) struct Kind {
    pub what: &'static str,
    pub shipped: &'static [(&'static str, &'static str)],
}

impl Kind {
    /// The text of a shipped name, or of a file.
    pub fn find(&self, name: &str) -> Result<Cow<'static, str>, FileError> {
        if let Some((_, text)) = self.shipped.iter().find(|(shipped, _)| *shipped == name) {
            return Ok(Cow::Borrowed(text));
        }
        let path = Path::new(name);
        if !path.is_file() {
            let shipped: Vec<_> = self.shipped.iter().map(|(name, _)| *name).collect();
            return Err(FileError::Unknown {
                what: self.what,
                name: name.to_owned(),
                shipped: shipped.join(", "),
            });
        }
        let text = std::fs::read_to_string(path).map_err(|source| FileError::Unreadable {
            what: self.what,
            path: path.to_owned(),
            source,
        })?;
        Ok(Cow::Owned(text))
    }

    /// The error about a text of this name.
    pub fn invalid(&self, name: &str, line: Option<Line>, reason: String) -> FileError {
        FileError::Invalid {
            what: self.what,
            name: name.to_owned(),
            line,
            reason,
        }
    }
}

/// A line of a file, for a message.
#[derive(Debug)]
pub struct Line {
    number: usize,
    /// Where the message shows it.
    text: Option<String>,
}

impl Line {
    /// The line that a parser's span lies in; `None` where the span is of several lines.
    pub fn of(span: Range<usize>, text: &str) -> Option<Self> {
        if text.get(span.clone())?.contains('\n') {
            return None;
        }
        let number = text[..span.start].matches('\n').count();
        Self::nth(number, text)
    }

    /// The line that sets a key, for what only the whole text shows.
    pub(crate) fn setting(key: &str, text: &str) -> Option<Self> {
        let sets = |line: &str| {
            line.trim_start()
                .strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        Self::nth(text.lines().position(sets)?, text)
    }

    /// By its number alone, counted from 1.
    pub(crate) fn numbered(number: usize) -> Self {
        Self { number, text: None }
    }

    /// Counted from 0.
    fn nth(number: usize, text: &str) -> Option<Self> {
        let text = text.lines().nth(number)?.trim().to_owned();
        Some(Self {
            number: number + 1,
            text: Some(text),
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.number)?;
        match &self.text {
            Some(text) => write!(f, " (`{text}`)"),
            None => Ok(()),
        }
    }
}
