//! Values on the command line that several commands take: an API, numbers within a range, time
//! limits.

use crate::client::Limits;
use crate::protocol::Api;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// An API by its name; help lists them.
pub fn api() -> impl TypedValueParser<Value = Api> {
    PossibleValuesParser::new(Api::ALL.map(Api::name)).try_map(|name| name.parse::<Api>())
}

pub fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "0 or more", |value| value >= 0.0)
}

pub fn share(text: &str) -> Result<f64, String> {
    number(text, "from 0 to 1", |value| (0.0..=1.0).contains(&value))
}

fn number(text: &str, range: &str, within: impl Fn(f64) -> bool) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite());
    value
        .filter(|&value| within(value))
        .ok_or_else(|| format!("expected a number, {range}"))
}

/// How results are also printed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Format {
    /// The result file in JSON
    Json,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Time limits, such as 500ms, 5s or 30m")]
pub struct LimitArguments {
    /// To make a connection
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().connect))]
    connect_timeout: Wait,
    /// From the start of a call to the first token: a load of the model is part of it
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().head))]
    head_timeout: Wait,
    /// Between two pieces of an answer
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().gap))]
    gap_timeout: Wait,
    /// For a whole call
    #[arg(long, value_name = "TIME", default_value_t = Wait(Limits::default().call))]
    call_timeout: Wait,
}

impl From<&LimitArguments> for Limits {
    fn from(given: &LimitArguments) -> Self {
        Self {
            connect: given.connect_timeout.0,
            head: given.head_timeout.0,
            gap: given.gap_timeout.0,
            call: given.call_timeout.0,
        }
    }
}

/// A time limit as people write it.
#[derive(Clone, Copy, Debug)]
struct Wait(Duration);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time: SignedDuration = text
            .parse()
            .map_err(|_| "expected a time such as 500ms, 5s or 30m".to_owned())?;
        match Duration::try_from(time) {
            Ok(time) if !time.is_zero() => Ok(Self(time)),
            _ => Err("a time limit is longer than nothing".to_owned()),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match SignedDuration::try_from(self.0) {
            Ok(time) => write!(f, "{time:#}"),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

/// How many times as fast as its profile or trace a mock goes.
pub fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok();
    let known = speed.filter(|speed: &f64| tare_mock::SPEEDS.contains(speed));
    known.ok_or_else(|| "expected a factor from 0.001 to 1000000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_reads_back_as_it_is_shown() {
        for text in ["500ms", "5s", "5m", "30m"] {
            let wait: Wait = text.parse().expect(text);
            let shown: Wait = wait.to_string().parse().expect("what is shown can be read");
            assert_eq!(shown.0, wait.0);
        }
        for text in ["", "5", "0s", "-5s", "soon"] {
            assert!(text.parse::<Wait>().is_err(), "{text}");
        }
    }
}
