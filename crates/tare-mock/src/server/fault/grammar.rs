//! Faults as text: `KIND[=ARGUMENTS][@WHEN]`, and lists of them with commas between.
//!
//! A text among the arguments that holds a comma, an `@` or a quote is written in double quotes,
//! with `\"` and `\\` inside them.

use super::{CERTAIN, Fault, KINDS, Kind, MOST_IDS, WHENS, When};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

/// Why a text cannot be read as a fault: the part that is wrong, and what can be written instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such kind.
    #[error("no fault `{name}`: there are {}", forms(&KINDS))]
    Kind {
        /// What was asked for.
        name: String,
    },
    /// Arguments that the kind does not take.
    #[error("fault `{spec}`: `{part}` is not {expected}; write {form}")]
    Argument {
        /// The whole fault.
        spec: String,
        /// What is wrong of it.
        part: String,
        /// What it should be.
        expected: &'static str,
        /// How this kind is written.
        form: &'static str,
    },
    /// No such time.
    #[error("fault `{spec}`: `@{part}` does not say when; write {}", forms(&WHENS))]
    When {
        /// The whole fault.
        spec: String,
        /// What is wrong of it.
        part: String,
    },
    /// A header that is not even text.
    #[error("the header's value is not ASCII text")]
    NotText,
}

fn forms(all: &[(&str, &str)]) -> String {
    let forms: Vec<_> = all.iter().map(|(form, _)| *form).collect();
    forms.join(", ")
}

/// A list of faults, such as a header holds.
///
/// # Errors
/// On the first that cannot be read.
pub fn parse_list(text: &str) -> Result<Vec<Fault>, FaultError> {
    let mut faults = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (fault, further) = match bare(text, ',').next() {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        faults.push(fault.parse()?);
        rest = further;
    }
    Ok(faults)
}

/// Where `text` has `wanted` outside of quotes.
fn bare(text: &str, wanted: char) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    let mut escaped = false;
    text.char_indices().filter_map(move |(at, character)| {
        let was_escaped = std::mem::take(&mut escaped);
        match character {
            '"' if !was_escaped => quoted = !quoted,
            '\\' if quoted && !was_escaped => escaped = true,
            _ => {}
        }
        (character == wanted && !quoted).then_some(at)
    })
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(spec: &str) -> Result<Self, FaultError> {
        let spec = spec.trim();
        let (what, when) = match bare(spec, '@').last() {
            Some(at) => (&spec[..at], Some(&spec[at + 1..])),
            None => (spec, None),
        };
        let when = match when {
            None => When::Always,
            Some(part) => when_of(part).ok_or_else(|| FaultError::When {
                spec: spec.to_owned(),
                part: part.to_owned(),
            })?,
        };
        let (name, arguments) = match what.split_once('=') {
            Some((name, arguments)) => (name.trim(), Some(arguments.trim())),
            None => (what.trim(), None),
        };
        let named = |(form, _): &&(&'static str, &str)| form.split('=').next() == Some(name);
        let Some((form, _)) = KINDS.iter().find(named) else {
            return Err(FaultError::Kind {
                name: name.to_owned(),
            });
        };
        let arguments = Arguments {
            spec,
            form,
            text: arguments,
        };
        Ok(Self {
            kind: arguments.kind(name)?,
            when,
        })
    }
}

fn when_of(part: &str) -> Option<When> {
    if let Some(percent) = part.strip_suffix('%') {
        return chance(percent).map(When::Chance);
    }
    let (first, last) = part.split_once("..").unwrap_or((part, part));
    let (first, last): (NonZeroU64, NonZeroU64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(When::Numbered { first, last })
}

/// Per cent with up to four decimals, as millionths; more than none, at most all.
fn chance(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
    let millionths = whole.checked_mul(10_000)?.checked_add(decimals)?;
    (1..=CERTAIN).contains(&millionths).then_some(millionths)
}

/// What stands behind a kind's name.
struct Arguments<'a> {
    spec: &'a str,
    form: &'static str,
    text: Option<&'a str>,
}

impl<'a> Arguments<'a> {
    fn kind(&self, name: &str) -> Result<Kind, FaultError> {
        const TOKENS: &str = "a number of tokens";
        const COUNTED: &str = "the number of a token, counted from 1";
        const BYTES: &str = "a number of bytes, at least 1";
        const LINES: &str = "a number of lines, at least 2";
        const IDS: &str = "a number of ids up to 10,000,000";
        if name == "extra-fields" {
            return match self.text {
                None => Ok(Kind::ExtraFields),
                Some(text) => Err(self.wrong(text, "an argument that it takes")),
            };
        }
        let text = self.text.unwrap_or_default();
        Ok(match name {
            "truncate" => Kind::Truncate {
                after: self.number(text, TOKENS)?,
            },
            "reset" => Kind::Reset {
                after: self.number(text, TOKENS)?,
            },
            "error" => {
                let (after, message) = split_colon(text);
                Kind::Error {
                    after: self.number(after, TOKENS)?,
                    message: message
                        .map(|text| self.text(text, "a message"))
                        .transpose()?,
                }
            }
            "stall" => {
                let (time, after) = split_colon(text);
                Kind::Stall {
                    time: self.time(time)?,
                    after: after.map_or(Ok(1), |after| self.number(after, TOKENS))?,
                }
            }
            "split" => Kind::Split {
                at: self.number(text, BYTES)?,
            },
            "merge" => {
                let lines: NonZeroU32 = self.number(text, LINES)?;
                if lines == NonZeroU32::MIN {
                    return Err(self.wrong(text, LINES));
                }
                Kind::Merge { lines }
            }
            "bad-utf8" => Kind::BadUtf8 {
                token: self.number(text, COUNTED)?,
            },
            "huge-context" => {
                let ids = self.number(text, IDS)?;
                if ids > MOST_IDS {
                    return Err(self.wrong(text, IDS));
                }
                Kind::HugeContext { ids }
            }
            "status" => {
                const ERROR: &str = "the HTTP status of an error, 400 to 599";
                let status = text.parse().ok().filter(|code| (400..600).contains(code));
                let status = status.and_then(|code| StatusCode::from_u16(code).ok());
                Kind::Status(status.ok_or_else(|| self.wrong(text, ERROR))?)
            }
            "slow-head" => Kind::SlowHead(self.time(text)?),
            "content-type" => {
                const TYPE: &str = "a content type";
                let said = self.text(text, TYPE)?;
                let value = HeaderValue::from_str(&said).ok();
                let value = value.filter(|value| value.to_str().is_ok());
                Kind::ContentType(value.ok_or_else(|| self.wrong(text, TYPE))?)
            }
            name => {
                return Err(FaultError::Kind {
                    name: name.to_owned(),
                });
            }
        })
    }

    fn wrong(&self, part: &str, expected: &'static str) -> FaultError {
        FaultError::Argument {
            spec: self.spec.to_owned(),
            part: part.to_owned(),
            expected,
            form: self.form,
        }
    }

    fn number<T: FromStr>(&self, part: &str, expected: &'static str) -> Result<T, FaultError> {
        part.parse().map_err(|_| self.wrong(part, expected))
    }

    fn time(&self, part: &str) -> Result<Duration, FaultError> {
        let parsed = part.parse::<jiff::SignedDuration>().ok();
        let time = parsed.and_then(|time| Duration::try_from(time).ok());
        time.ok_or_else(|| self.wrong(part, "a time such as 250ms or 1.5s"))
    }

    /// A text, in quotes or not, that says something.
    fn text(&self, part: &str, expected: &'static str) -> Result<String, FaultError> {
        let part = part.trim();
        let text = match part.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None if part.contains('"') => None,
            None => Some(part.to_owned()),
        };
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong(part, expected))
    }
}

fn split_colon(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

/// What stands in quotes, whose first is taken off already and whose last must be the end.
fn unquote(quoted: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return rest.next().is_none().then_some(text),
            '\\' => text.push(rest.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => text.push(other),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, self.when)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Truncate { after } => write!(f, "truncate={after}"),
            Kind::Error {
                after,
                message: None,
            } => write!(f, "error={after}"),
            Kind::Error {
                after,
                message: Some(message),
            } => write!(f, "error={after}:{}", quoted(message)),
            Kind::Reset { after } => write!(f, "reset={after}"),
            Kind::Stall { time, after: 1 } => write!(f, "stall={}", written(*time)),
            Kind::Stall { time, after } => write!(f, "stall={}:{after}", written(*time)),
            Kind::Split { at } => write!(f, "split={at}"),
            Kind::Merge { lines } => write!(f, "merge={lines}"),
            Kind::BadUtf8 { token } => write!(f, "bad-utf8={token}"),
            Kind::Status(status) => write!(f, "status={}", status.as_u16()),
            Kind::SlowHead(time) => write!(f, "slow-head={}", written(*time)),
            Kind::HugeContext { ids } => write!(f, "huge-context={ids}"),
            Kind::ContentType(value) => {
                let value = value.to_str().unwrap_or_default();
                write!(f, "content-type={}", quoted(value))
            }
            Kind::ExtraFields => f.write_str("extra-fields"),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            When::Always => Ok(()),
            When::Numbered { first, last } if first == last => write!(f, "@{first}"),
            When::Numbered { first, last } => write!(f, "@{first}..{last}"),
            When::Chance(millionths) => {
                let percent = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
                let percent = percent.trim_end_matches('0').trim_end_matches('.');
                write!(f, "@{percent}%")
            }
        }
    }
}

fn written(time: Duration) -> String {
    let printer = SpanPrinter::new()
        .designator(Designator::Compact)
        .spacing(Spacing::None);
    printer.unsigned_duration_to_string(&time)
}

fn quoted(text: &str) -> String {
    if !text.contains([',', '@', '"', '\\']) && text.trim() == text {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
