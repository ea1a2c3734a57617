//! Strings: of words, of a format, of a pattern.

use super::pattern::Pattern;
use fastrand::Rng;
use serde_json::{Map, Value};

/// What the words are taken from. Some of them trip up clients: quotes, `<`, `&`, long characters.
const WORDS: [&str; 20] = [
    "throughput",
    "latency",
    "runtime",
    "client",
    "agent",
    "token",
    "queue",
    "median",
    "spread",
    "prompt",
    "reload",
    "\"hot\"",
    "a < b",
    "R&D",
    "250 µs",
    "🦙",
    "per second",
    "warm",
    "cold",
    "slot",
];
/// A text that a schema demands is no longer than this, whatever it says.
const LONGEST: usize = 100_000;

/// A text for a schema of a string.
pub fn string(rng: &mut Rng, keywords: &Map<String, Value>) -> String {
    let limit = |name: &str| {
        keywords
            .get(name)
            .and_then(Value::as_f64)
            .map(|n| n as usize)
    };
    let (least, most) = (limit("minLength"), limit("maxLength"));
    let fits = |text: &str| {
        let length = text.chars().count();
        least.is_none_or(|least| length >= least) && most.is_none_or(|most| length <= most)
    };
    if let Some(Value::String(pattern)) = keywords.get("pattern") {
        let pattern = Pattern::new(pattern);
        let mut tries = std::iter::repeat_with(|| pattern.text(rng)).take(200);
        let first = tries.next().unwrap_or_default();
        if fits(&first) {
            return first;
        }
        return tries.find(|text| fits(text)).unwrap_or(first);
    }
    if let Some(Value::String(format)) = keywords.get("format")
        && let Some(text) = of_format(rng, format)
    {
        return text;
    }
    let least = least.unwrap_or(1).min(LONGEST);
    words(rng, least, most.unwrap_or(least + 40).min(LONGEST))
}

/// A text that a pattern matches.
pub fn of_pattern(rng: &mut Rng, pattern: &str) -> String {
    Pattern::new(pattern).text(rng)
}

/// Words of so many characters together.
pub fn words(rng: &mut Rng, least: usize, most: usize) -> String {
    let wanted = rng.usize(least..=most.max(least));
    let mut text = String::new();
    let mut length = 0;
    while length < wanted.min(most) {
        let gap = if text.is_empty() { "" } else { " " };
        let word = WORDS[rng.usize(..WORDS.len())];
        let more = gap.len() + word.chars().count();
        if length + more > most {
            text.extend(std::iter::repeat_n('s', wanted - length));
            break;
        }
        text.push_str(gap);
        text.push_str(word);
        length += more;
    }
    text
}

/// A text of a format that is known.
fn of_format(rng: &mut Rng, format: &str) -> Option<String> {
    let mut below = |limit: u32| rng.u32(..limit);
    let mut date = || {
        format!(
            "20{:02}-{:02}-{:02}",
            below(30),
            1 + below(12),
            1 + below(28)
        )
    };
    Some(match format {
        "date" => date(),
        "date-time" => {
            let date = date();
            format!("{date}T{:02}:{:02}:{:02}Z", below(24), below(60), below(60))
        }
        "time" => format!("{:02}:{:02}:{:02}Z", below(24), below(60), below(60)),
        "duration" => format!("PT{}M", 1 + below(90)),
        "email" | "idn-email" => format!("agent{}@example.com", below(1000)),
        "hostname" | "idn-hostname" => format!("server{}.example.com", below(1000)),
        "ipv4" => format!("192.0.2.{}", below(256)),
        "ipv6" => format!("2001:db8::{:x}", 1 + below(65_535)),
        "uri" | "iri" | "uri-reference" | "iri-reference" => {
            format!("https://example.com/runs/{}", below(1000))
        }
        "uuid" => {
            let groups = [below(u32::MAX), below(u32::MAX), below(u32::MAX)];
            let [a, b, c] = groups;
            format!(
                "{a:08x}-{:04x}-4{:03x}-a{:03x}-{:04x}{c:08x}",
                b >> 16,
                b & 0xfff,
                (b >> 4) & 0xfff,
                a & 0xffff
            )
        }
        "json-pointer" => format!("/runs/{}", below(1000)),
        "regex" => "^[a-z]+$".to_owned(),
        _ => return None,
    })
}
