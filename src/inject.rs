//! What can be built into a stack on purpose, so that a comparison can show that it would find it:
//! a positive control. Each is a mistake that has been published as a property of a runtime.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// A slowness built in: `delay=TIME/chunk`, `mutex`, `accumulate=BYTES` or `block-on-root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "String", try_from = "String")]
pub enum Inject {
    /// So long a time is burnt over each piece of a reply, before it is decoded.
    Delay(Duration),
    /// One lock, held from before each call until its reply has ended, so that agents take turns.
    Mutex,
    /// Pieces are kept until there are so many bytes of them, and only then decoded.
    Accumulate(NonZeroUsize),
    /// The work is the root of the runtime's `block_on` instead of a spawned task.
    BlockOnRoot,
}

/// A name of none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is nothing to inject: there are delay=TIME/chunk (such as delay=50us/chunk), mutex, accumulate=BYTES (such as accumulate=1024) and block-on-root"
)]
pub struct InjectError(String);

impl fmt::Display for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) => write!(f, "delay={}us/chunk", time.as_nanos() as f64 / 1e3),
            Self::Mutex => f.write_str("mutex"),
            Self::Accumulate(bytes) => write!(f, "accumulate={bytes}"),
            Self::BlockOnRoot => f.write_str("block-on-root"),
        }
    }
}

impl FromStr for Inject {
    type Err = InjectError;

    fn from_str(text: &str) -> Result<Self, InjectError> {
        let unknown = || InjectError(text.to_owned());
        match text {
            "mutex" => return Ok(Self::Mutex),
            "block-on-root" => return Ok(Self::BlockOnRoot),
            _ => {}
        }
        if let Some(time) = text.strip_prefix("delay=") {
            let time = time.strip_suffix("/chunk").ok_or_else(unknown)?;
            return delay(time).map(Self::Delay).ok_or_else(unknown);
        }
        let bytes = text.strip_prefix("accumulate=").ok_or_else(unknown)?;
        bytes.parse().map(Self::Accumulate).map_err(|_| unknown())
    }
}

/// Above zero and at most a second.
fn delay(time: &str) -> Option<Duration> {
    let (number, unit) = match time.strip_suffix("us") {
        Some(number) => (number, 1e-6),
        None => (time.strip_suffix("ms")?, 1e-3),
    };
    let number: f64 = number.parse().ok()?;
    let time = Duration::try_from_secs_f64(number * unit).ok()?;
    (!time.is_zero() && time <= Duration::from_secs(1)).then_some(time)
}

impl From<Inject> for String {
    fn from(inject: Inject) -> String {
        inject.to_string()
    }
}

impl TryFrom<String> for Inject {
    type Error = InjectError;

    fn try_from(text: String) -> Result<Self, InjectError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_back_as_it_is_shown() {
        for text in [
            "delay=50us/chunk",
            "delay=0.5us/chunk",
            "mutex",
            "accumulate=1024",
            "block-on-root",
        ] {
            let inject: Inject = text.parse().expect(text);
            assert_eq!(inject.to_string(), text);
        }
        let inject: Inject = "delay=2ms/chunk".parse().expect("a delay");
        assert_eq!(inject, Inject::Delay(Duration::from_millis(2)));
    }

    #[test]
    fn what_is_nothing_is_refused_with_what_there_is() {
        for text in [
            "",
            "delay",
            "delay=50us",
            "delay=0us/chunk",
            "delay=-1us/chunk",
            "delay=2ms/token",
            "delay=9999ms/chunk",
            "accumulate=0",
            "accumulate=x",
            "lock",
        ] {
            let error = text.parse::<Inject>().expect_err(text).to_string();
            assert!(error.contains("accumulate=BYTES"), "{error}");
        }
    }
}
