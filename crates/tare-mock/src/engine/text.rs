//! What the mock says: an endless benchmark analysis in Markdown, a token at a time.
//!
//! Deterministic from a seed, so that a client can know every token beforehand. It looks like what
//! a model answers to the agent's prompts, so that parsing the answer is real work: headings,
//! paragraphs, bold metrics with units, numbered recommendations; and it holds what trips up
//! clients: quotes, `<`, `>` and `&` (which Go escapes), characters of two to four bytes, newlines.

use fastrand::Rng;

/// An endless sequence of tokens, of about four bytes each.
#[derive(Clone, Debug)]
pub struct Text {
    rng: Rng,
    part: Part,
    /// The present part's tokens that are still to come.
    rest: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Heading,
    Sentence { left: u8 },
    Metric { left: u8 },
    Recommendation { number: u8 },
}

type Phrase = &'static [&'static str];

const HEADINGS: &[Phrase] = &[
    &["## ", "Summ", "ary", "\n\n"],
    &["## ", "Through", "put", "\n\n"],
    &["## ", "Lat", "ency", " & ", "jitter", "\n\n"],
    &["## ", "Mem", "ory", " use", "\n\n"],
    &["## ", "Sched", "uling", "\n\n"],
];

const SENTENCES: &[Phrase] = &[
    &[
        "The", " runs", " differ", " by", " less", " than", " their", " own", " spread", ". ",
    ],
    &[
        "Time", " to", " first", " token", " follows", " the", " length", " of", " the", " prompt",
        ". ",
    ],
    &[
        "Two", " agents", " on", " one", " server", " take", " turns", " (", "first", " come", ",",
        " first", " served", "). ",
    ],
    &[
        "A", " gap", " of", " 250", " µs", " is", " <", " 1", " %", " of", " a", " token", " at",
        " 30", " tok", "/s", ". ",
    ],
    &[
        "With", " \"", "num", "_ctx", "\"", " changed", ",", " the", " model", " is", " loaded",
        " again", ". ",
    ],
    &[
        "No", " run", " lost", " a", " token", " ✓", "; ", "one", " was", " 3", " ×", " as",
        " long", " 🦙", ". ",
    ],
    &[
        "Where", " a", " >", " b", " &&", " b", " >", " c", ",", " the", " order", " holds", ". ",
    ],
];

const METRICS: &[Phrase] = &[
    &[
        "- ", "**", "Through", "put", "**", ": ", "79", ".", "3", " tok", "/s", "\n",
    ],
    &[
        "- ", "**", "TT", "FT", "**", ": ", "579", ".", "7", " ms", "\n",
    ],
    &[
        "- ", "**", "De", "code", " rate", "**", ": ", "122", " tok", "/s", "\n",
    ],
    &["- ", "**", "CV", "**", ": ", "2", ".", "0", " %", "\n"],
    &["- ", "**", "Peak", " RSS", "**", ": ", "68", " MB", "\n"],
];

const RECOMMENDATIONS: &[Phrase] = &[
    &[
        "Keep", " the", " context", " length", " equal", " for", " all", " agents", ".\n",
    ],
    &[
        "Run",
        " each",
        " agent",
        " alone",
        " first",
        ",",
        " for",
        " a",
        " reference",
        ".\n",
    ],
    &[
        "Fix",
        " the",
        " answer",
        " length",
        " before",
        " comparing",
        ".\n",
    ],
    &[
        "Repeat",
        " until",
        " the",
        " interval",
        " is",
        " narrow",
        " enough",
        ".\n",
    ],
];

const NUMBERS: [Phrase; 3] = [&["\n", "1", ". "], &["2", ". "], &["3", ". "]];

impl Text {
    /// The text of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            part: Part::Heading,
            rest: &[],
        }
    }

    fn pick(&mut self, from: &'static [Phrase]) -> Phrase {
        from[self.rng.usize(..from.len())]
    }

    /// The next phrase, and what follows it.
    fn phrase(&mut self) -> Phrase {
        match self.part {
            Part::Heading => {
                self.part = Part::Sentence {
                    left: self.rng.u8(2..6),
                };
                self.pick(HEADINGS)
            }
            Part::Sentence { left: 0 } => {
                self.part = Part::Metric {
                    left: self.rng.u8(1..4),
                };
                &["\n\n"]
            }
            Part::Sentence { left } => {
                self.part = Part::Sentence { left: left - 1 };
                self.pick(SENTENCES)
            }
            Part::Metric { left: 0 } => {
                self.part = Part::Recommendation { number: 0 };
                &["\n", "**", "Recommend", "ations", "**", "\n"]
            }
            Part::Metric { left } => {
                self.part = Part::Metric { left: left - 1 };
                self.pick(METRICS)
            }
            Part::Recommendation { number } if usize::from(number) == 2 * NUMBERS.len() => {
                self.part = Part::Heading;
                &["\n"]
            }
            Part::Recommendation { number } => {
                self.part = Part::Recommendation { number: number + 1 };
                if number % 2 == 0 {
                    NUMBERS[usize::from(number / 2)]
                } else {
                    self.pick(RECOMMENDATIONS)
                }
            }
        }
    }
}

impl Iterator for Text {
    type Item = &'static str;

    fn next(&mut self) -> Option<&'static str> {
        loop {
            if let [token, rest @ ..] = self.rest {
                self.rest = rest;
                return Some(token);
            }
            self.rest = self.phrase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_has_every_kind_of_part_and_no_empty_token() {
        let tokens: Vec<_> = Text::new(1).take(2000).collect();
        let text = tokens.concat();
        for part in [
            "## ", "- **", "\n1. ", "2. ", "µs", "🦙", " <", " >", " &", "\"",
        ] {
            assert!(text.contains(part), "{part:?} is missing");
        }
        assert!(tokens.iter().all(|token| !token.is_empty()));
    }

    #[test]
    fn a_token_has_about_four_bytes() {
        let bytes: usize = Text::new(2).take(10_000).map(str::len).sum();
        let mean = bytes as f64 / 10_000.0;
        assert!((3.0..5.0).contains(&mean), "{mean}");
    }
}
