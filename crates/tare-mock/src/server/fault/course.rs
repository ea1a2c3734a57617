//! The course of a faulty reply: its lines in; chunks, pauses and an end out. It knows no clock and
//! no connection: it says what to do, and `body.rs` does it.

use super::line;
use super::plan::{Breaks, End, Extra, Lines};
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

/// Between the two parts of a chunk that is cut, so that they hardly come in one read.
const BETWEEN_PARTS: Duration = Duration::from_millis(1);

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this as an HTTP chunk; so many tokens are sent with it.
    Chunk(Vec<u8>, usize),
    /// Wait until all before is written.
    Flush,
    /// Wait so long.
    Pause(Duration),
    /// End the reply.
    End,
    /// Reset the connection.
    Reset,
}

/// A reply's course.
pub struct Course {
    lines: Lines,
    breaks: Breaks,
    /// The line of an `error`.
    error: Vec<u8>,
    tokens: u32,
    gathered: Gathered,
    steps: VecDeque<Step>,
}

/// Lines that are to be one chunk.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    lines: usize,
    tokens: usize,
}

impl Course {
    /// The course of a stream. `error` is the line that an `error` says.
    pub fn stream(lines: Lines, breaks: Breaks, error: Vec<u8>) -> Self {
        let mut course = Self {
            lines,
            breaks,
            error,
            tokens: 0,
            gathered: Gathered::default(),
            steps: VecDeque::new(),
        };
        course.after_token();
        course
    }

    /// The course of a reply in one piece, which its lines' faults have changed already.
    pub fn whole(mut object: Vec<u8>, breaks: Breaks) -> Self {
        let half = object.len() / 2;
        let stalls: Vec<_> = breaks.stalls.iter().map(|(_, time)| *time).collect();
        let end = breaks.end.clone().map(|(_, end)| end);
        let mut course = Self::stream(
            Lines::default(),
            Breaks {
                split: breaks.split,
                ..Breaks::default()
            },
            Vec::new(),
        );
        if !stalls.is_empty() || end.is_some() {
            let rest = object.split_off(half);
            course.line(object, 0);
            stalls.into_iter().for_each(|time| course.pause(time));
            object = rest;
        }
        match end {
            Some(end) => course.end(&end),
            None => {
                course.line(object, 0);
                course.steps.push_back(Step::End);
            }
        }
        course
    }

    /// What is to be done next, of what is known already.
    pub fn next(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }

    /// Whether lines are held back until there are more of them.
    pub fn holds_back(&self) -> bool {
        self.gathered.lines > 0
    }

    /// The next line, with which so many tokens are sent.
    pub fn line(&mut self, mut line: Vec<u8>, tokens: usize) {
        let before = self.tokens;
        self.tokens += tokens as u32;
        self.lines.change(&mut line, before + 1..self.tokens + 1);
        self.gathered.bytes.extend_from_slice(&line);
        self.gathered.lines += 1;
        self.gathered.tokens += tokens;
        if self.gathered.lines >= self.breaks.merge.unwrap_or(1) {
            self.release();
        }
        if tokens > 0 {
            self.after_token();
        }
    }

    /// No line follows, or none before those that are held back.
    pub fn release(&mut self) {
        let Gathered {
            mut bytes,
            tokens,
            lines,
        } = std::mem::take(&mut self.gathered);
        if lines == 0 {
            return;
        }
        match self.breaks.split {
            Some(at) if at < bytes.len() => {
                let rest = bytes.split_off(at);
                self.steps.extend([
                    Step::Chunk(bytes, 0),
                    Step::Flush,
                    Step::Pause(BETWEEN_PARTS),
                    Step::Chunk(rest, tokens),
                    Step::Flush,
                ]);
            }
            _ => self.steps.push_back(Step::Chunk(bytes, tokens)),
        }
    }

    /// What happens after as many tokens as there were.
    fn after_token(&mut self) {
        let here = self.tokens;
        let mut stalls = std::mem::take(&mut self.breaks.stalls);
        stalls.retain(|&(after, time)| {
            let is_here = after <= here;
            if is_here {
                self.pause(time);
            }
            !is_here
        });
        self.breaks.stalls = stalls;
        if let Some((_, end)) = self.breaks.end.take_if(|(after, _)| *after <= here) {
            self.end(&end);
        }
    }

    fn pause(&mut self, time: Duration) {
        self.release();
        self.steps.extend([Step::Flush, Step::Pause(time)]);
    }

    fn end(&mut self, end: &End) {
        self.release();
        match end {
            End::Truncate => {}
            End::Error(_) => {
                self.gathered.bytes = std::mem::take(&mut self.error);
                self.lines.change(&mut self.gathered.bytes, 0..0);
                self.gathered.lines = 1;
                self.release();
            }
            End::Reset => self.steps.extend([Step::Flush, Step::Reset]),
        }
        self.steps.push_back(Step::End);
    }
}

impl Lines {
    /// Changes a line that holds these tokens.
    pub fn change(&self, bytes: &mut Vec<u8>, tokens: Range<u32>) {
        if self.bad_utf8.iter().any(|bad| tokens.contains(bad)) {
            line::bad_utf8(bytes);
        }
        if let Some(ids) = self.huge_context {
            line::huge_context(bytes, ids);
        }
        if self.extra_fields == Extra::Fields {
            line::extra_fields(bytes);
        }
    }

    /// Changes a reply in one piece: its text holds all tokens.
    pub fn change_whole(&self, bytes: &mut Vec<u8>) {
        self.change(bytes, 1..u32::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: [&str; 5] = ["aa\n", "bb\n", "cc\n", "dd\n", "ee\n"];

    /// What a stream of five tokens and a last line comes to.
    fn steps(breaks: Breaks) -> Vec<Step> {
        let mut course = Course::stream(Lines::default(), breaks, b"error\n".to_vec());
        let mut steps = Vec::new();
        let lines = TOKENS
            .iter()
            .map(|token| (*token, 1))
            .chain([("last\n", 0)]);
        for (line, tokens) in lines {
            while let Some(step) = course.next() {
                let is_end = step == Step::End;
                steps.push(step);
                if is_end {
                    return steps;
                }
            }
            course.line(line.into(), tokens);
        }
        course.release();
        steps.extend(std::iter::from_fn(|| course.next()));
        steps
    }

    fn chunk(text: &str, tokens: usize) -> Step {
        Step::Chunk(text.into(), tokens)
    }

    fn after(after: u32, end: End) -> Breaks {
        Breaks {
            end: Some((after, end)),
            ..Breaks::default()
        }
    }

    #[test]
    fn without_faults_a_line_is_a_chunk() {
        let expected: Vec<_> = TOKENS.iter().map(|token| chunk(token, 1)).collect();
        let found = steps(Breaks::default());
        assert_eq!(found[..5], expected);
        assert_eq!(found[5..], [chunk("last\n", 0)]);
    }

    #[test]
    fn an_end_comes_after_its_tokens_or_not_at_all() {
        let found = steps(after(2, End::Truncate));
        assert_eq!(found, [chunk("aa\n", 1), chunk("bb\n", 1), Step::End]);
        assert_eq!(steps(after(0, End::Truncate)), [Step::End]);
        let found = steps(after(1, End::Error(None)));
        assert_eq!(found, [chunk("aa\n", 1), chunk("error\n", 0), Step::End]);
        let found = steps(after(1, End::Reset));
        assert_eq!(
            found,
            [chunk("aa\n", 1), Step::Flush, Step::Reset, Step::End]
        );
        assert_eq!(steps(after(5, End::Truncate)).last(), Some(&Step::End));
        assert_eq!(steps(after(6, End::Truncate)), steps(Breaks::default()));
    }

    #[test]
    fn merged_lines_are_a_chunk_and_what_is_left_is_one_too() {
        let merged = Breaks {
            merge: Some(2),
            ..Breaks::default()
        };
        assert_eq!(
            steps(merged.clone()),
            [
                chunk("aa\nbb\n", 2),
                chunk("cc\ndd\n", 2),
                chunk("ee\nlast\n", 1)
            ]
        );
        // Not even an end comes before the tokens that it comes after.
        let end = Some((3, End::Truncate));
        assert_eq!(
            steps(Breaks { end, ..merged }),
            [chunk("aa\nbb\n", 2), chunk("cc\n", 1), Step::End]
        );
    }

    #[test]
    fn a_token_counts_as_sent_with_the_last_part_of_its_line() {
        let split = Breaks {
            split: Some(2),
            ..Breaks::default()
        };
        let found = steps(split);
        let parts = [
            chunk("aa", 0),
            Step::Flush,
            Step::Pause(BETWEEN_PARTS),
            chunk("\n", 1),
            Step::Flush,
        ];
        assert_eq!(found[..5], parts);
        assert_eq!(found.len(), 6 * 5);
        let too_far = Breaks {
            split: Some(3),
            ..Breaks::default()
        };
        assert_eq!(steps(too_far)[..5], steps(Breaks::default())[..5]);
    }

    #[test]
    fn a_stall_comes_once_and_before_an_end() {
        let second = Duration::from_secs(1);
        let breaks = Breaks {
            stalls: vec![(1, second), (0, second)],
            ..after(1, End::Truncate)
        };
        assert_eq!(
            steps(breaks),
            [
                Step::Flush,
                Step::Pause(second),
                chunk("aa\n", 1),
                Step::Flush,
                Step::Pause(second),
                Step::End
            ]
        );
    }

    #[test]
    fn one_piece_breaks_in_its_middle() {
        let steps = |breaks| {
            let mut course = Course::whole(b"abcdef".to_vec(), breaks);
            std::iter::from_fn(move || course.next()).collect::<Vec<_>>()
        };
        assert_eq!(steps(Breaks::default()), [chunk("abcdef", 0), Step::End]);
        let found = steps(after(9, End::Truncate));
        assert_eq!(found, [chunk("abc", 0), Step::End]);
        let found = steps(after(9, End::Reset));
        assert_eq!(
            found,
            [chunk("abc", 0), Step::Flush, Step::Reset, Step::End]
        );
        let second = Duration::from_secs(1);
        let stalled = Breaks {
            stalls: vec![(1, second)],
            ..Breaks::default()
        };
        let pause = [Step::Flush, Step::Pause(second)];
        let found = steps(stalled);
        assert_eq!(found[0], chunk("abc", 0));
        assert_eq!(found[1..3], pause);
        assert_eq!(found[3..], [chunk("def", 0), Step::End]);
    }

    #[test]
    fn only_the_line_of_its_token_is_broken() {
        let lines = Lines {
            bad_utf8: vec![2],
            ..Lines::default()
        };
        let mut course = Course::stream(lines, Breaks::default(), Vec::new());
        let token = |text: &str| format!("{{\"response\":\"{text}\"}}\n").into_bytes();
        for text in ["a", "b", "c"] {
            course.line(token(text), 1);
        }
        let is_utf8: Vec<_> = std::iter::from_fn(|| course.next())
            .map(|step| match step {
                Step::Chunk(bytes, _) => std::str::from_utf8(&bytes).is_ok(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(is_utf8, [true, false, true]);
    }
}
