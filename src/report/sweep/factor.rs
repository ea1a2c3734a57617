//! The factors of a run, what was chosen for it beforehand, and their levels.

use crate::protocol::Options;
use crate::stack::Stack;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// Something that was chosen for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// `baseline_vs_chimera` and such; of one agent `baseline` or `chimera`.
    Scenario,
    /// How many agents.
    Agents,
    /// The async runtime, as the run or its folder names it.
    Runtime,
    /// The HTTP client.
    Client,
    /// How agents share the runtime.
    Topology,
    /// Runtime, client and topology in one.
    Stack,
    /// Worker threads.
    Threads,
    /// Servers that were asked.
    Servers,
    /// The model.
    Model,
    /// Name of the machine.
    Host,
    /// Tokens of each answer, where fixed.
    Length,
    /// An option of an agent's requests.
    Option(Seat, Setting),
}

/// Whose option it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seat {
    /// The first of two agents.
    Collector,
    /// The second.
    Insight,
    /// Every agent, of one or of many.
    Agents,
}

/// An option of a request to Ollama.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // Ollama's names, see `Options`
pub enum Setting {
    NumGpu,
    NumCtx,
    NumBatch,
    NumThread,
    Temperature,
    TopP,
    TopK,
    RepeatPenalty,
    NumPredict,
}

impl Setting {
    /// All, in the order of names of configurations.
    pub const ALL: [Self; 9] = [
        Self::NumGpu,
        Self::NumCtx,
        Self::NumBatch,
        Self::NumThread,
        Self::Temperature,
        Self::TopP,
        Self::TopK,
        Self::RepeatPenalty,
        Self::NumPredict,
    ];

    /// As Ollama names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NumGpu => "num_gpu",
            Self::NumCtx => "num_ctx",
            Self::NumBatch => "num_batch",
            Self::NumThread => "num_thread",
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::RepeatPenalty => "repeat_penalty",
            Self::NumPredict => "num_predict",
        }
    }

    /// Its value; `None` where the server's default holds.
    pub fn of(self, options: &Options) -> Option<Level> {
        match self {
            Self::NumGpu => options.num_gpu.map(Level::new),
            Self::NumCtx => options.num_ctx.map(Level::new),
            Self::NumBatch => options.num_batch.map(Level::new),
            Self::NumThread => options.num_thread.map(Level::new),
            Self::Temperature => options.temperature.map(Level::new),
            Self::TopP => options.top_p.map(Level::new),
            Self::TopK => options.top_k.map(Level::new),
            Self::RepeatPenalty => options.repeat_penalty.map(Level::new),
            Self::NumPredict => options.num_predict.map(Level::new),
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Scenario => "scenario",
            Self::Agents => "agents",
            Self::Runtime => "runtime",
            Self::Client => "client",
            Self::Topology => "topology",
            Self::Stack => "stack",
            Self::Threads => "threads",
            Self::Servers => "servers",
            Self::Model => "model",
            Self::Host => "host",
            Self::Length => "length",
            Self::Option(seat, setting) => {
                let seat = match seat {
                    Seat::Collector => "collector ",
                    Seat::Insight => "insight ",
                    Seat::Agents => "",
                };
                return f.pad(&format!("{seat}{}", setting.name()));
            }
        };
        f.pad(name)
    }
}

impl Serialize for Factor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A level of a factor. Numbers come before words and in their own order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Level(String);

impl Level {
    /// That of what was not chosen, so that the server's default holds.
    pub const DEFAULT: &'static str = "default";

    /// The level of this value.
    pub fn new(value: impl fmt::Display) -> Self {
        Self(value.to_string())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn number(&self) -> Option<f64> {
        let number: f64 = self.0.parse().ok()?;
        number.is_finite().then_some(number)
    }
}

impl Ord for Level {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_value = match (self.number(), other.number()) {
            (Some(own), Some(other)) => own.total_cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_value.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The levels of a run.
pub type Levels = BTreeMap<Factor, Level>;

/// What a stack's name says.
pub fn of_stack(stack: Stack) -> Levels {
    let name = stack.to_string();
    let mut parts = name.split('/');
    let mut levels = Levels::from([(Factor::Stack, Level::new(&name))]);
    for factor in [Factor::Runtime, Factor::Client, Factor::Topology] {
        if let Some(part) = parts.next() {
            levels.insert(factor, Level::new(part));
        }
    }
    levels
}

/// The options of an agent; what is absent is at its default.
pub fn of_options(seat: Seat, options: &Options) -> Levels {
    let level = |setting: Setting| {
        let level = setting.of(options);
        level.unwrap_or_else(|| Level::new(Level::DEFAULT))
    };
    let all = Setting::ALL.into_iter();
    all.map(|setting| (Factor::Option(seat, setting), level(setting)))
        .collect()
}

/// The levels that all have, and `mixed` where they differ.
pub fn in_common(mut all: impl Iterator<Item = Levels>) -> Levels {
    let mut common = all.next().unwrap_or_default();
    for levels in all {
        for (factor, level) in &mut common {
            if levels.get(factor) != Some(level) {
                *level = Level::new("mixed");
            }
        }
    }
    common
}

/// Names of runtimes that folders of the older reports have, and ours; where one is part of another,
/// the longer first.
const RUNTIMES: [&str; 10] = [
    "tokio-localset",
    "tokio-default",
    "tokio-local",
    "async-std",
    "smol-1kb",
    "tokio-mt",
    "smol-1k",
    "threads",
    "tokio",
    "smol",
];

/// The runtime that a path names, in its last component that names one: as `smol-1kb` in
/// `tr115/smol_1kb/run_1/metrics.json`.
pub fn runtime_in<'a>(
    components: impl DoubleEndedIterator<Item = &'a str>,
) -> Option<&'static str> {
    components.rev().find_map(|component| {
        let name = component.to_lowercase().replace(['_', ' ', '.'], "-");
        let name = format!("-{name}-");
        let mut known = RUNTIMES.into_iter();
        known.find(|runtime| name.contains(&format!("-{runtime}-")))
    })
}

/// What a stack is made of, so that it and its parts are not held to be different factors.
pub fn overlap(a: Factor, b: Factor) -> bool {
    let part = |factor| matches!(factor, Factor::Runtime | Factor::Client | Factor::Topology);
    (a == Factor::Stack && part(b)) || (b == Factor::Stack && part(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_its_runtime() {
        let found = |path: &str| runtime_in(path.split('/'));
        assert_eq!(
            found("tr115/tokio-default/homo/run_1"),
            Some("tokio-default")
        );
        assert_eq!(found("TR115_smol_1KB_runs/run_1"), Some("smol-1kb"));
        assert_eq!(found("smol/x/async-std/run_2"), Some("async-std"));
        assert_eq!(found("smolder/asynchronous/run_2"), None);
        assert_eq!(found("tokio-localset"), Some("tokio-localset"));
    }

    #[test]
    fn numbers_come_in_their_order_and_before_words() {
        let mut levels = ["1024", "default", "512", "0.8", "60"].map(Level::new);
        levels.sort();
        let levels = levels.each_ref().map(Level::as_str);
        assert_eq!(levels, ["0.8", "60", "512", "1024", "default"]);
    }

    #[test]
    fn a_stack_says_three_things() {
        let levels = of_stack("smol/hyper-1k/join".parse().expect("a stack"));
        let level = |factor| levels[&factor].as_str();
        assert_eq!(level(Factor::Runtime), "smol");
        assert_eq!(level(Factor::Client), "hyper-1k");
        assert_eq!(level(Factor::Topology), "join");
        assert_eq!(level(Factor::Stack), "smol/hyper-1k/join");
    }
}
