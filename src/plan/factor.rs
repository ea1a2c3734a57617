//! What a group of a plan can vary of the server's options, and the levels that it gives it.
//!
//! A level is one figure, which every agent with overrides has, or a pair `[collector, insight]`.

use crate::protocol::Options;
use toml::Value;

/// An option of the server that a plan can vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    NumGpu,
    NumCtx,
    Temperature,
    TopP,
    TopK,
    RepeatPenalty,
}

/// A level of a factor, checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Level {
    Both(Value),
    Pair(Value, Value),
}

impl Factor {
    /// In the order in which they stand in a configuration's name.
    pub const ALL: [Self; 6] = [
        Self::NumGpu,
        Self::NumCtx,
        Self::Temperature,
        Self::TopP,
        Self::TopK,
        Self::RepeatPenalty,
    ];

    /// In a plan, and in Ollama's API.
    pub fn name(self) -> &'static str {
        match self {
            Self::NumGpu => "num_gpu",
            Self::NumCtx => "num_ctx",
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::RepeatPenalty => "repeat_penalty",
        }
    }

    /// In a configuration's name.
    fn short(self) -> &'static str {
        match self {
            Self::NumGpu => "gpu",
            Self::NumCtx => "ctx",
            Self::Temperature => "t",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::RepeatPenalty => "penalty",
        }
    }

    /// Sets it.
    ///
    /// # Errors
    /// When the value is none for it: with what it must be.
    fn set(self, options: &mut Options, value: &Value) -> Result<(), &'static str> {
        match self {
            Self::NumGpu => {
                let layers = whole(value).filter(|&layers| layers >= -1);
                options.num_gpu = Some(layers.ok_or("must be a whole number from -1 (automatic)")?);
            }
            Self::NumCtx => {
                let tokens = whole(value).filter(|&tokens| tokens >= 1);
                options.num_ctx = Some(tokens.ok_or("must be a whole number from 1")?);
            }
            Self::Temperature => {
                let heat = figure(value).filter(|&heat| heat >= 0.0);
                options.temperature = Some(heat.ok_or("must be a number from 0")?);
            }
            Self::TopP => {
                let share = figure(value).filter(|share| (0.0..=1.0).contains(share));
                options.top_p = Some(share.ok_or("must be a number from 0 to 1")?);
            }
            Self::TopK => {
                options.top_k = Some(whole(value).ok_or("must be a whole number from 0")?);
            }
            Self::RepeatPenalty => {
                let penalty = figure(value).filter(|&penalty| penalty >= 0.0);
                options.repeat_penalty = Some(penalty.ok_or("must be a number from 0")?);
            }
        }
        Ok(())
    }

    /// The levels that a value of a plan stands for: a figure, or a list of figures and pairs.
    ///
    /// # Errors
    /// When it is neither, is out of bounds, or says the same twice: with what is wrong.
    pub fn levels(self, value: &Value) -> Result<Vec<Level>, String> {
        let entries = match value {
            Value::Array(entries) => entries.as_slice(),
            one => std::slice::from_ref(one),
        };
        if entries.is_empty() {
            return Err(format!("`{}` must not be an empty list", self.name()));
        }
        let mut levels = Vec::with_capacity(entries.len());
        for entry in entries {
            let level = match entry {
                Value::Array(pair) => match pair.as_slice() {
                    [first, second] => Level::Pair(self.checked(first)?, self.checked(second)?),
                    other => {
                        return Err(format!(
                            "`{}` has a list of {} in its list: a pair is [collector, insight]",
                            self.name(),
                            other.len()
                        ));
                    }
                },
                one => Level::Both(self.checked(one)?),
            };
            if levels.contains(&level) {
                return Err(format!("`{}` has {} twice", self.name(), shown(entry)));
            }
            levels.push(level);
        }
        Ok(levels)
    }

    fn checked(self, value: &Value) -> Result<Value, String> {
        if let Err(must) = self.set(&mut Options::default(), value) {
            return Err(format!("`{}` {must}, not {}", self.name(), shown(value)));
        }
        // `1` and `1.0` are the same temperature.
        Ok(match (self, value) {
            (Self::NumGpu | Self::NumCtx | Self::TopK, _) => value.clone(),
            (_, Value::Integer(whole)) => Value::Float(*whole as f64),
            _ => value.clone(),
        })
    }

    /// Gives the agents this level of it, and tells its part of the configuration's name.
    pub fn apply(self, level: &Level, first: &mut Options, second: &mut Options) -> String {
        let (a, b) = match level {
            Level::Both(both) => (both, both),
            Level::Pair(a, b) => (a, b),
        };
        // Both were checked when the level was made.
        let _ = self.set(first, a);
        let _ = self.set(second, b);
        match level {
            Level::Both(both) => format!("{}{}", self.short(), shown(both)),
            Level::Pair(a, b) => format!("{}{}_{}", self.short(), shown(a), shown(b)),
        }
    }
}

/// As it is written in a plan.
fn shown(value: &Value) -> String {
    match value {
        Value::Integer(whole) => whole.to_string(),
        Value::Float(figure) => format!("{figure:?}"),
        Value::String(text) => format!("{text:?}"),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(shown).collect();
            format!("[{}]", entries.join(", "))
        }
        other => format!("a {}", other.type_str()),
    }
}

fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    value.as_integer()?.try_into().ok()
}

fn figure(value: &Value) -> Option<f64> {
    let figure = match value {
        Value::Integer(whole) => *whole as f64,
        value => value.as_float()?,
    };
    figure.is_finite().then_some(figure)
}
