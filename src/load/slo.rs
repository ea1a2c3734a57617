//! How long an answer may take to be of use: `ttft=500ms,tpot=50ms,e2e=30s`.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Limits that an answer has to keep all of; at least one of them is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Slo {
    /// The longest time to first token, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<u64>,
    /// The longest time per output token, ns. An answer of one token has none and keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ns: Option<u64>,
    /// The longest time from end to end, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e2e_ns: Option<u64>,
}

/// Why a text is no such list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SloError {
    /// Not NAME=TIME.
    #[error(
        "`{0}` is no objective: expected NAME=TIME such as ttft=500ms, several with commas; the names are ttft, tpot and e2e"
    )]
    Form(String),
    /// No such figure.
    #[error("no figure `{0}` to set a limit to: there are ttft, tpot and e2e")]
    Name(String),
    /// No such time.
    #[error("`{time}` is no limit for {name}: expected a time longer than nothing, such as 500ms")]
    Time {
        /// The figure.
        name: String,
        /// What was to be its limit.
        time: String,
    },
    /// Two limits.
    #[error("{0} has two limits: give it one")]
    Twice(String),
}

impl Slo {
    /// Whether an answer kept all limits.
    pub fn is_met(&self, ttft: Option<Duration>, tpot: Option<Duration>, e2e: Duration) -> bool {
        let kept = |limit: Option<u64>, time: Duration| {
            limit.is_none_or(|limit| time <= Duration::from_nanos(limit))
        };
        // Without a token there was no first one in time.
        kept(self.ttft_ns, ttft.unwrap_or(Duration::MAX))
            && kept(self.tpot_ns, tpot.unwrap_or_default())
            && kept(self.e2e_ns, e2e)
    }

    fn limits(&self) -> [(&'static str, Option<u64>); 3] {
        [
            ("ttft", self.ttft_ns),
            ("tpot", self.tpot_ns),
            ("e2e", self.e2e_ns),
        ]
    }
}

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        let mut slo = Self::default();
        for part in text.split(',') {
            let form = || SloError::Form(part.to_owned());
            let (name, time) = part.split_once('=').ok_or_else(form)?;
            let limit = match name {
                "ttft" => &mut slo.ttft_ns,
                "tpot" => &mut slo.tpot_ns,
                "e2e" => &mut slo.e2e_ns,
                "" => return Err(form()),
                _ => return Err(SloError::Name(name.to_owned())),
            };
            if limit.is_some() {
                return Err(SloError::Twice(name.to_owned()));
            }
            let nanos = nanos(time).ok_or_else(|| SloError::Time {
                name: name.to_owned(),
                time: time.to_owned(),
            });
            *limit = Some(nanos?);
        }
        Ok(slo)
    }
}

/// More than nothing, and what 64 bits hold.
fn nanos(time: &str) -> Option<u64> {
    let time: SignedDuration = time.parse().ok()?;
    let nanos = u64::try_from(time.as_nanos()).ok()?;
    (nanos > 0).then_some(nanos)
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (name, limit) in self.limits() {
            if let Some(limit) = limit {
                let time = SignedDuration::from_nanos(i64::try_from(limit).unwrap_or(i64::MAX));
                write!(f, "{comma}{name}={time:#}")?;
                comma = ",";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_list_of_limits_is_read() {
        let slo: Slo = "ttft=500ms,tpot=50ms".parse().expect("two limits");
        assert_eq!((slo.ttft_ns, slo.tpot_ns), (Some(500 * MS), Some(50 * MS)));
        assert_eq!(slo.e2e_ns, None);
        let slo: Slo = "e2e=1.5s".parse().expect("one limit");
        assert_eq!(slo.e2e_ns, Some(1500 * MS));
    }

    #[test]
    fn what_is_no_list_of_limits_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "`` is no objective"),
            ("ttft", "`ttft` is no objective"),
            ("=5ms", "`=5ms` is no objective"),
            ("ttft=5ms,", "`` is no objective"),
            ("itl=5ms", "no figure `itl`"),
            (" ttft=5ms", "no figure ` ttft`"),
            ("ttft=", "`` is no limit for ttft"),
            ("ttft=5", "`5` is no limit for ttft"),
            ("ttft=0s", "`0s` is no limit for ttft"),
            ("ttft=-5ms", "`-5ms` is no limit for ttft"),
            ("ttft=5ms=6ms", "is no limit for ttft"),
            ("e2e=1s,ttft=1s,e2e=2s", "e2e has two limits"),
        ] {
            let error = text.parse::<Slo>().expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn all_limits_have_to_be_kept_and_the_limit_itself_is_kept() {
        let slo: Slo = "ttft=5ms,tpot=1ms,e2e=9ms".parse().expect("three limits");
        let met = |ttft, tpot: Option<u64>, e2e| {
            slo.is_met(
                Some(Duration::from_millis(ttft)),
                tpot.map(Duration::from_millis),
                Duration::from_millis(e2e),
            )
        };
        assert!(met(5, Some(1), 9) && met(5, None, 9));
        assert!(!met(6, Some(1), 9) && !met(5, Some(2), 9) && !met(5, Some(1), 10));
        assert!(!slo.is_met(None, None, Duration::ZERO), "no token in time");
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(
            ttft in prop::option::of(1..u64::MAX / 4),
            tpot in prop::option::of(1..10_000_000_000u64),
            e2e in 1..u64::MAX / 4,
        ) {
            let slo = Slo { ttft_ns: ttft, tpot_ns: tpot, e2e_ns: Some(e2e) };
            prop_assert_eq!(slo.to_string().parse(), Ok(slo));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-z0-9=,. -]{0,20}") {
            let _ = text.parse::<Slo>();
        }
    }
}
