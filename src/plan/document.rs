//! A plan's TOML: what may stand in it, and errors that name line and field.
//!
//! ```toml
//! name = "mine"
//! description = "two agents, two temperatures"
//! model = "gemma3:latest"
//! servers = 2              # one for each of two agents; default 1, for both
//! tokens = 128             # of each answer; default: the model decides
//! seed = 1                 # default 1
//! cool_down = "5s"         # before each run; default none
//! warm_up = 1              # runs that do not count, whenever the configuration changes; default 1
//! repetitions = 5          # of each configuration; a group may have its own
//! stack = "tokio-mt/reqwest/spawn"   # a group may have its own `stacks`
//!
//! [[group]]
//! name = "phase1"
//! scenario = "chimera_hetero"
//! num_gpu = [[60, 80], [80, 100]]   # pairs: [collector, insight]
//! num_ctx = 512                     # both
//! temperature = [0.6, 0.8]
//! ```
//!
//! Also `api` (generate, chat, openai), `corpus` (a folder; by default the built-in one),
//! `ingest_concurrency` and `threads` at the top, and in a group `agents` (of
//! scenario `equal`), `isolated` (whether each agent also runs alone, default yes but for `single`), `inject` (a mistake
//! built in on purpose), `top_p`, `top_k` and `repeat_penalty`.

use super::Plan;
use super::group::{Configuration, Defaults, Group};
use crate::protocol::Api;
use crate::stack::Stack;
use crate::workflow::INGEST_CONCURRENCY;
use serde::Deserialize;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tare_mock::Line;
use toml::Spanned;

/// The plans that come with tare, by name.
const SHIPPED: [(&str, &str); 4] = [
    ("tr111", include_str!("../../fixtures/plans/tr111.toml")),
    ("tr114", include_str!("../../fixtures/plans/tr114.toml")),
    ("tr115", include_str!("../../fixtures/plans/tr115.toml")),
    ("scaling", include_str!("../../fixtures/plans/scaling.toml")),
];

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Neither a shipped name nor a file.
    #[error(
        "no plan `{name}`: it is neither one of {} nor a file",
        shipped_names()
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A file that can't be read.
    #[error("cannot read plan {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a plan.
    #[error("plan {name}{}: {reason}", line.as_ref().map(|line| format!(", {line}")).unwrap_or_default())]
    Invalid {
        /// Name or file.
        name: String,
        /// The line, where it is one line's fault.
        line: Option<Line>,
        /// What is wrong.
        reason: String,
    },
}

fn shipped_names() -> String {
    SHIPPED.map(|(name, _)| name).join(", ")
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Wrong {
    pub span: Range<usize>,
    pub reason: String,
}

impl Wrong {
    pub fn at<T>(place: &Spanned<T>, reason: impl Into<String>) -> Self {
        Self {
            span: place.span(),
            reason: reason.into(),
        }
    }
}

/// A plan's file as it stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Spanned<String>,
    description: String,
    model: Spanned<String>,
    api: Option<Spanned<String>>,
    corpus: Option<String>,
    ingest_concurrency: Option<Spanned<usize>>,
    tokens: Option<Spanned<u32>>,
    #[serde(default = "one")]
    seed: u64,
    servers: Option<Spanned<usize>>,
    #[serde(
        default,
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    cool_down: Duration,
    #[serde(default = "one")]
    warm_up: u32,
    threads: Option<Spanned<usize>>,
    repetitions: Option<Spanned<u32>>,
    stack: Option<Spanned<String>>,
    #[serde(default)]
    group: Vec<Spanned<Group>>,
}

fn one<T: From<u8>>() -> T {
    T::from(1)
}

impl Plan {
    /// The plan of a shipped name, or of a file.
    ///
    /// # Errors
    /// When there is none, or it is malformed: then with line and field.
    pub fn find(name: &str) -> Result<Self, PlanError> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::parse(name, text);
        }
        let path = Path::new(name);
        if !path.is_file() {
            return Err(PlanError::Unknown {
                name: name.to_owned(),
            });
        }
        let text = std::fs::read_to_string(path).map_err(|source| PlanError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(name, &text)
    }

    pub(super) fn parse(name: &str, text: &str) -> Result<Self, PlanError> {
        let document: Document = toml::from_str(text).map_err(|error| {
            // Of the whole file there is no one line.
            let span = error.span().filter(|span| *span != (0..text.len()));
            PlanError::Invalid {
                name: name.to_owned(),
                line: span.and_then(|span| Line::of(span.start..span.start, text)),
                reason: error.message().trim().replace('\n', "; "),
            }
        })?;
        if document.group.is_empty() {
            return Err(PlanError::Invalid {
                name: name.to_owned(),
                line: None,
                reason: "it has no [[group]], so there is nothing to run".to_owned(),
            });
        }
        document.plan().map_err(|wrong| PlanError::Invalid {
            name: name.to_owned(),
            line: Line::of(wrong.span.start..wrong.span.start, text),
            reason: wrong.reason,
        })
    }
}

impl Document {
    fn plan(self) -> Result<Plan, Wrong> {
        fit_for_a_folder(&self.name, "name")?;
        if self.model.get_ref().is_empty() {
            return Err(Wrong::at(&self.model, "`model` must not be empty"));
        }
        let api = match &self.api {
            None => Api::default(),
            Some(name) => {
                let api = name.get_ref().parse();
                api.map_err(|error| Wrong::at(name, format!("`api`: {error}")))?
            }
        };
        if let Some(tokens) = self.tokens.as_ref().filter(|tokens| *tokens.get_ref() == 0) {
            return Err(Wrong::at(tokens, "`tokens` must be at least 1"));
        }
        let servers = match &self.servers {
            None => NonZeroUsize::MIN,
            Some(count) => {
                let known = NonZeroUsize::new(*count.get_ref()).filter(|count| count.get() <= 2);
                known.ok_or_else(|| {
                    Wrong::at(
                        count,
                        "`servers` must be 1, for both agents, or 2, one for each",
                    )
                })?
            }
        };
        let threads = at_least_1(self.threads.as_ref(), "threads", DEFAULT_THREADS)?;
        let ingest_concurrency = at_least_1(
            self.ingest_concurrency.as_ref(),
            "ingest_concurrency",
            INGEST_CONCURRENCY,
        )?;
        let defaults = Defaults {
            api,
            stack: self.stack.as_ref().map(read_stack).transpose()?,
            repetitions: self.repetitions,
        };
        let mut configurations: Vec<Configuration> = Vec::new();
        let mut names = HashMap::new();
        for group in self.group {
            let place = group.span();
            for configuration in group.into_inner().expand(&place, &defaults)? {
                if names.insert(configuration.name.clone(), ()).is_some() {
                    let reason = format!(
                        "it has a configuration {} that another group has too; give one of the groups another `name`",
                        configuration.name
                    );
                    return Err(Wrong {
                        span: place,
                        reason,
                    });
                }
                configurations.push(configuration);
            }
        }
        Ok(Plan {
            name: self.name.into_inner(),
            description: self.description,
            model: self.model.into_inner(),
            api,
            corpus: self.corpus.map(Into::into).unwrap_or_default(),
            ingest_concurrency,
            tokens: self.tokens.map(Spanned::into_inner),
            seed: self.seed,
            servers,
            cool_down: self.cool_down,
            warm_up: self.warm_up,
            threads,
            configurations,
        })
    }
}

/// As of `tare agent`.
const DEFAULT_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// A count that is not 0, or the usual one where none is given.
fn at_least_1(
    count: Option<&Spanned<usize>>,
    field: &str,
    usual: NonZeroUsize,
) -> Result<NonZeroUsize, Wrong> {
    let Some(count) = count else { return Ok(usual) };
    NonZeroUsize::new(*count.get_ref())
        .ok_or_else(|| Wrong::at(count, format!("`{field}` must be at least 1")))
}

/// A stack by its name.
pub(super) fn read_stack(name: &Spanned<String>) -> Result<Stack, Wrong> {
    let stack = name.get_ref().parse();
    stack.map_err(|error: crate::stack::StackError| Wrong::at(name, error.to_string()))
}

/// Whether a name can be (part of) a folder's on any system.
pub(super) fn fit_for_a_folder(name: &Spanned<String>, field: &str) -> Result<(), Wrong> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let text = name.get_ref();
    if text.is_empty() || text.len() > 64 || text.starts_with(['.', '-']) || !text.chars().all(fits)
    {
        return Err(Wrong::at(
            name,
            format!(
                "`{field}` names folders: 1 to 64 letters, digits, `.`, `_` or `-`, and neither `.` nor `-` first"
            ),
        ));
    }
    Ok(())
}
