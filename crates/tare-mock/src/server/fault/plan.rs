//! Which faults strike a request, and what they come to together.

use super::grammar::parse_list;
use super::{CERTAIN, FAULT_HEADER, Fault, FaultError, Kind, When};
use fastrand::Rng;
use hyper::header::HeaderValue;
use hyper::{HeaderMap, StatusCode};
use std::cell::Cell;
use std::time::Duration;

/// A mock's own faults, and the count of the requests that they may strike.
pub struct Faults {
    list: Vec<Fault>,
    /// Of what is left to chance.
    seed: u64,
    requests: Cell<u64>,
}

/// What strikes one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Instead of the reply.
    pub status: Option<StatusCode>,
    /// Until the reply begins, once it could.
    pub slow_head: Duration,
    /// Instead of the reply's own.
    pub content_type: Option<HeaderValue>,
    /// What happens to the lines.
    pub lines: Lines,
    /// What happens between them.
    pub course: Breaks,
}

/// What happens to the lines of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The tokens whose text is broken, counted from 1.
    pub bad_utf8: Vec<u32>,
    pub huge_context: Option<u32>,
    pub extra_fields: Extra,
}

/// Whether lines get fields that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extra {
    #[default]
    None,
    Fields,
}

/// How a reply's lines come, and where it breaks off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaks {
    /// After so many tokens, for so long.
    pub stalls: Vec<(u32, Duration)>,
    /// After so many tokens.
    pub end: Option<(u32, End)>,
    /// Lines in a chunk.
    pub merge: Option<usize>,
    /// Bytes of a chunk's first part.
    pub split: Option<usize>,
}

/// How a reply ends before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As if it were complete.
    Truncate,
    /// With an error, in these words or in Ollama's.
    Error(Option<String>),
    /// With its connection.
    Reset,
}

impl Faults {
    pub fn new(list: Vec<Fault>, seed: u64) -> Self {
        Self {
            list,
            seed,
            requests: Cell::new(0),
        }
    }

    /// Counts a request with these headers, and tells what strikes it, if anything.
    ///
    /// # Errors
    /// When its header holds no faults.
    pub fn strike(&self, headers: &HeaderMap) -> Result<Option<Box<Plan>>, FaultError> {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let mut given = Vec::new();
        for value in headers.get_all(FAULT_HEADER) {
            let text = value.to_str().map_err(|_| FaultError::NotText)?;
            given.extend(parse_list(text)?);
        }
        let mut plan = None;
        for (place, fault) in given.iter().chain(&self.list).enumerate() {
            // A mock's own fault decides alike whatever a header holds beside it.
            let place = place.wrapping_sub(given.len());
            if fault.when.strikes(number, self.seed, place as u64) {
                plan.get_or_insert_with(Box::<Plan>::default)
                    .add(&fault.kind);
            }
        }
        Ok(plan)
    }
}

impl When {
    /// Whether it is the time of this request. `place` sets faults apart that have the same chance.
    fn strikes(self, number: u64, seed: u64, place: u64) -> bool {
        match self {
            When::Always => true,
            When::Numbered { first, last } => (first.get()..=last.get()).contains(&number),
            When::Chance(millionths) => {
                /// Sets neighbours far apart: 2⁶⁴ by the golden ratio.
                const FAR: u64 = 0x9e37_79b9_7f4a_7c15;
                let seed = Rng::with_seed(seed).u64(..) ^ place.wrapping_mul(FAR).rotate_left(32);
                let seed = seed.wrapping_add(number.wrapping_mul(FAR));
                Rng::with_seed(seed).u32(..CERTAIN) < millionths
            }
        }
    }
}

impl Plan {
    fn add(&mut self, kind: &Kind) {
        match kind {
            Kind::Truncate { after } => self.end(*after, End::Truncate),
            Kind::Error { after, message } => self.end(*after, End::Error(message.clone())),
            Kind::Reset { after } => self.end(*after, End::Reset),
            Kind::Stall { time, after } => self.course.stalls.push((*after, *time)),
            Kind::Split { at } => {
                self.course.split.get_or_insert(at.get());
            }
            Kind::Merge { lines } => {
                self.course.merge.get_or_insert(lines.get() as usize);
            }
            Kind::BadUtf8 { token } => self.lines.bad_utf8.push(token.get()),
            Kind::Status(status) => {
                self.status.get_or_insert(*status);
            }
            Kind::SlowHead(time) => self.slow_head = self.slow_head.saturating_add(*time),
            Kind::HugeContext { ids } => {
                self.lines.huge_context.get_or_insert(*ids);
            }
            Kind::ContentType(value) => {
                self.content_type.get_or_insert_with(|| value.clone());
            }
            Kind::ExtraFields => self.lines.extra_fields = Extra::Fields,
        }
    }

    fn end(&mut self, after: u32, end: End) {
        let present = &mut self.course.end;
        if present.as_ref().is_none_or(|(before, _)| after < *before) {
            *present = Some((after, end));
        }
    }

    /// Whether it leaves the lines of a stream as they are and when they are.
    pub fn spares_lines(&self) -> bool {
        self.lines == Lines::default() && self.course == Breaks::default()
    }

    /// Whether a reply in one piece goes out otherwise than in one.
    pub fn breaks_off(&self) -> bool {
        let Breaks {
            stalls, end, split, ..
        } = &self.course;
        !stalls.is_empty() || end.is_some() || split.is_some()
    }

    /// Whether it ends with an error, and in which words, if not Ollama's own.
    pub fn error(&self) -> Option<Option<&str>> {
        match &self.course.end {
            Some((_, End::Error(message))) => Some(message.as_deref()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(texts: &[&str], seed: u64) -> Faults {
        let list = texts.iter().map(|text| text.parse().expect(text));
        Faults::new(list.collect(), seed)
    }

    fn header(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(FAULT_HEADER, text.parse().expect("a header's value"));
        headers
    }

    /// Which of the first `most` requests are struck.
    fn struck(faults: &Faults, most: u64) -> Vec<u64> {
        let strikes = |_: &u64| faults.strike(&HeaderMap::new()).expect("sound").is_some();
        (1..=most).filter(strikes).collect()
    }

    #[test]
    fn a_number_or_a_range_is_of_requests_from_1() {
        assert_eq!(struck(&faults(&["truncate=1@3"], 0), 6), [3]);
        assert_eq!(struck(&faults(&["truncate=1@2..4"], 0), 6), [2, 3, 4]);
        assert_eq!(struck(&faults(&["truncate=1"], 0), 3), [1, 2, 3]);
        assert!(struck(&faults(&[], 0), 3).is_empty());
    }

    #[test]
    fn chance_is_as_often_as_it_says_and_the_same_by_its_seed() {
        const MOST: u64 = 20_000;
        let of = |text, seed| struck(&faults(&[text], seed), MOST);
        let quarter = of("truncate=1@25%", 7);
        assert!((4_700..5_300).contains(&quarter.len()), "{}", quarter.len());
        assert_eq!(quarter, of("truncate=1@25%", 7));
        assert_eq!(quarter, of("extra-fields@25%", 7), "whatever the kind");
        assert_ne!(quarter, of("truncate=1@25%", 8));
        assert_eq!(of("truncate=1@100%", 7).len() as u64, MOST);
        // Each fault by itself: both strike together in a sixteenth.
        let both = faults(&["extra-fields@25%", "merge=2@25%"], 7);
        let together = (0..MOST).filter(|_| {
            let plan = both.strike(&HeaderMap::new()).expect("sound");
            plan.is_some_and(|plan| {
                plan.lines.extra_fields == Extra::Fields && plan.course.merge.is_some()
            })
        });
        let together = together.count();
        assert!((1_100..1_400).contains(&together), "{together}");
    }

    #[test]
    fn a_header_adds_to_the_mocks_own_comes_first_and_changes_no_ones_luck() {
        let own = || faults(&["split=9", "merge=2@25%"], 7);
        let alone = own();
        let beside = own();
        for _ in 0..200 {
            let alone = alone
                .strike(&HeaderMap::new())
                .expect("sound")
                .expect("a plan");
            let beside = beside.strike(&header("split=3, extra-fields"));
            let beside = beside.expect("sound").expect("a plan");
            assert_eq!(
                (alone.course.split, beside.course.split),
                (Some(9), Some(3))
            );
            assert_eq!(beside.lines.extra_fields, Extra::Fields);
            assert_eq!(alone.course.merge, beside.course.merge);
        }
        assert!(own().strike(&header("splat")).is_err());
    }

    #[test]
    fn the_end_after_fewer_tokens_counts_and_stalls_add_up() {
        let list =
            "truncate=5, error=3:x, reset=3, stall=1s, stall=2s:1, slow-head=1s, slow-head=2s";
        let plan = faults(&[], 0)
            .strike(&header(list))
            .expect("sound")
            .expect("a plan");
        assert_eq!(plan.course.end, Some((3, End::Error(Some("x".to_owned())))));
        assert_eq!(plan.course.stalls.len(), 2);
        assert_eq!(plan.slow_head, Duration::from_secs(3));
        assert!(!plan.spares_lines());
        let plan = faults(&["status=500", "slow-head=1s"], 0).strike(&HeaderMap::new());
        assert!(plan.expect("sound").expect("a plan").spares_lines());
    }
}
