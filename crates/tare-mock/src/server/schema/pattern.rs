//! Texts that a regular expression matches, of the plain kind that schemas have: characters,
//! classes, groups, alternatives, repetitions. What is none of these is taken as it is written.

use fastrand::Rng;
use std::iter::Peekable;
use std::str::Chars;

/// How often `*` and `+` repeat at most, beyond what they must.
const MORE: u32 = 6;
/// No part repeats more often than this, whatever the pattern says.
const MOST: u32 = 1000;

/// A regular expression.
#[derive(Debug)]
pub struct Pattern(Vec<Vec<Part>>);

#[derive(Debug)]
struct Part {
    what: What,
    times: (u32, u32),
}

#[derive(Debug)]
enum What {
    One(char),
    /// One of these ranges.
    Class(Vec<(char, char)>),
    Group(Pattern),
}

/// What `.` and negated classes are taken from.
const PLAIN: [(char, char); 1] = [(' ', '~')];
const WORD: [(char, char); 4] = [('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];

impl Pattern {
    pub fn new(text: &str) -> Self {
        alternatives(&mut text.chars().peekable())
    }

    /// A text that it matches.
    pub fn text(&self, rng: &mut Rng) -> String {
        let mut text = String::new();
        self.write(rng, &mut text);
        text
    }

    fn write(&self, rng: &mut Rng, text: &mut String) {
        let Some(parts) = self.0.get(rng.usize(..self.0.len().max(1))) else {
            return;
        };
        for part in parts {
            for _ in 0..rng.u32(part.times.0..=part.times.1) {
                match &part.what {
                    What::One(character) => text.push(*character),
                    What::Group(group) => group.write(rng, text),
                    What::Class(ranges) => text.extend(one_of(ranges, rng)),
                }
            }
        }
    }
}

fn one_of(ranges: &[(char, char)], rng: &mut Rng) -> Option<char> {
    let (from, to) = *ranges.get(rng.usize(..ranges.len().max(1)))?;
    char::from_u32(rng.u32(u32::from(from)..=u32::from(to)))
}

fn alternatives(chars: &mut Peekable<Chars<'_>>) -> Pattern {
    let mut all = vec![Vec::new()];
    while let Some(&next) = chars.peek() {
        match next {
            ')' => break,
            '|' => {
                chars.next();
                all.push(Vec::new());
            }
            '^' | '$' => drop(chars.next()),
            _ => {
                let what = part(chars);
                let times = times(chars);
                if let Some(parts) = all.last_mut() {
                    parts.push(Part { what, times });
                }
            }
        }
    }
    Pattern(all)
}

fn part(chars: &mut Peekable<Chars<'_>>) -> What {
    match chars.next() {
        Some('(') => {
            if chars.next_if_eq(&'?').is_some() {
                // `?:` or a name
                if let Some('<' | 'P') = chars.next() {
                    chars.by_ref().take_while(|&end| end != '>').for_each(drop);
                }
            }
            let group = alternatives(chars);
            chars.next_if_eq(&')');
            What::Group(group)
        }
        Some('[') => class(chars),
        Some('.') => What::Class(PLAIN.to_vec()),
        Some('\\') => escaped(chars),
        other => What::One(other.unwrap_or(' ')),
    }
}

fn escaped(chars: &mut Peekable<Chars<'_>>) -> What {
    match chars.next() {
        Some('d') => What::Class(vec![('0', '9')]),
        Some('w') => What::Class(WORD.to_vec()),
        Some('D' | 'W') => What::Class(vec![('!', '/')]),
        Some('s') => What::One(' '),
        Some('S') => What::Class(vec![('a', 'z')]),
        Some('n') => What::One('\n'),
        Some('t') => What::One('\t'),
        Some('r') => What::One('\r'),
        other => What::One(other.unwrap_or('\\')),
    }
}

fn class(chars: &mut Peekable<Chars<'_>>) -> What {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while let Some(next) = chars.next() {
        let from = match next {
            ']' => break,
            '\\' => match escaped(chars) {
                What::Class(more) => {
                    ranges.extend(more);
                    continue;
                }
                What::One(one) => one,
                What::Group(_) => continue,
            },
            one => one,
        };
        let mut ahead = chars.clone();
        let is_range = ahead.next() == Some('-') && ahead.peek().is_some_and(|&end| end != ']');
        let to = if is_range {
            chars.next();
            match chars.next() {
                Some('\\') => chars.next().unwrap_or(from),
                Some(to) => to,
                None => from,
            }
        } else {
            from
        };
        ranges.push((from, to.max(from)));
    }
    if !negated {
        return What::Class(ranges);
    }
    let is_free = |one: &char| !ranges.iter().any(|(from, to)| (*from..=*to).contains(one));
    What::Class((' '..='~').filter(is_free).map(|one| (one, one)).collect())
}

/// How often the part before repeats.
fn times(chars: &mut Peekable<Chars<'_>>) -> (u32, u32) {
    let times = match chars.peek() {
        Some('*') => (0, MORE),
        Some('+') => (1, MORE),
        Some('?') => (0, 1),
        Some('{') => return counted(chars),
        _ => return (1, 1),
    };
    chars.next();
    chars.next_if_eq(&'?');
    times
}

/// `{n}`, `{n,}` or `{n,m}`
fn counted(chars: &mut Peekable<Chars<'_>>) -> (u32, u32) {
    chars.next();
    let counts: String = chars.by_ref().take_while(|&end| end != '}').collect();
    chars.next_if_eq(&'?');
    let number = |text: &str| text.trim().parse().unwrap_or(0).min(MOST);
    match counts.split_once(',') {
        None => (number(&counts), number(&counts)),
        Some((least, "")) => (number(least), number(least) + MORE),
        Some((least, most)) => (number(least), number(most).max(number(least))),
    }
}
