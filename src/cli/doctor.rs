//! `tare doctor`: is this machine fit to measure on?
//!
//! The worst comes first, each with what it means and what to do; what is good takes a line.

use super::Failure;
use crate::doctor::{Diagnosis, examine};
use crate::provenance::{Provenance, Verdict};
use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Check whether this machine is fit to measure on: what spoils a measurement, and what to do
///
/// Reads what the system tells, and tries clock, timer, loopback and cores for some two seconds, in
/// which it keeps every core busy for one. Each check is good, worth a note, bad (it would spoil a
/// measurement) or unknown (the system does not tell). Exits with 0 whatever it finds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tare doctor

To measure only where nothing spoils it:
  tare doctor --strict && tare agent --mock")]
pub struct Arguments {
    /// Exit with 1 if anything is bad
    #[arg(long)]
    strict: bool,
    /// Print the result as JSON instead
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// An object with schema, provenance, checks and summary
    Json,
}

/// Name and version of the JSON format: the number grows when a field changes its meaning or goes.
const SCHEMA: &str = "tare.doctor/1";

/// What `--format json` prints.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    /// [`SCHEMA`].
    schema: String,
    /// Build, machine, command line, time.
    provenance: Provenance,
    /// Every check, the worst first.
    checks: Vec<Diagnosis>,
    /// The last line of the text.
    summary: String,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    // Before the machine is kept busy.
    let provenance = Provenance::here();
    eprintln!("trying this machine for some two seconds...");
    let mut checks = examine();
    checks.sort_by_key(|check| check.verdict);
    let summary = summary(&checks);
    let text = match arguments.format {
        None => text(&checks) + "\n" + &summary + "\n",
        Some(Format::Json) => {
            let report = Report {
                schema: SCHEMA.to_owned(),
                provenance,
                checks: checks.clone(),
                summary: summary.clone(),
            };
            serde_json::to_string_pretty(&report)? + "\n"
        }
    };
    super::print(&text)?;
    let bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
    if arguments.strict && bad {
        return Err(Failure::Failed(anyhow!("{summary}")));
    }
    Ok(())
}

/// What to know of each check.
fn text(checks: &[Diagnosis]) -> String {
    let names = checks.iter().map(|check| check.check.name().len());
    let width = names.max().unwrap_or_default();
    let mut text = String::new();
    for check in checks {
        let (verdict, name, found) = (check.verdict, check.check, &check.found);
        // A String takes it all.
        let _ = writeln!(text, "{verdict:<7}  {name:<width$}  {found}");
        let indent = 7 + 2 + width + 2;
        if let Verdict::Bad | Verdict::Note = verdict {
            text += &paragraph("", &check.meaning, indent);
        }
        if let Some(remedy) = &check.remedy {
            text += &paragraph("→ ", remedy, indent);
        }
    }
    text
}

/// Text in lines of a hundred characters, unless a word is longer or a command, which is in backticks
/// and stays in one piece.
fn paragraph(mark: &str, text: &str, indent: usize) -> String {
    const WIDTH: usize = 100;
    let mut in_command = false;
    let words = text.split(move |c: char| {
        in_command ^= c == '`';
        c == ' ' && !in_command
    });
    let blank = |length: usize| " ".repeat(length);
    let (mut lines, mut line) = (String::new(), blank(indent) + mark);
    let margin = line.chars().count();
    let mut length = margin;
    for word in words {
        let more = word.chars().count();
        if length > margin && length + 1 + more > WIDTH {
            lines = lines + &line + "\n";
            (line, length) = (blank(margin), margin);
        }
        if length > margin {
            line.push(' ');
            length += 1;
        }
        line += word;
        length += more;
    }
    lines + &line + "\n"
}

/// How many checks are bad, and which.
fn summary(checks: &[Diagnosis]) -> String {
    let of = |verdict| checks.iter().filter(move |check| check.verdict == verdict);
    let names: Vec<&str> = of(Verdict::Bad).map(|check| check.check.name()).collect();
    let worst = match names.len() {
        0 => format!("None of {} checks would spoil a measurement", checks.len()),
        bad => format!(
            "{bad} of {} checks would spoil a measurement: {}",
            checks.len(),
            names.join(", ")
        ),
    };
    let (notes, unknown) = (of(Verdict::Note).count(), of(Verdict::Unknown).count());
    format!("{worst}; {notes} worth a note, {unknown} unknown.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_between_words_and_never_inside_a_command() {
        let text = format!(
            "{} `one two three` {}",
            "word ".repeat(16).trim(),
            "word ".repeat(20).trim()
        );
        let set = paragraph("→ ", &text, 4);
        let lines: Vec<&str> = set.lines().collect();
        assert_eq!(lines.len(), 3, "{set}");
        assert!(
            lines[0].starts_with("    → word ") && lines[1].starts_with("      "),
            "{set}"
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 100),
            "{set}"
        );
        assert!(
            lines.iter().any(|line| line.contains("`one two three`")),
            "{set}"
        );
        let read: Vec<&str> = set.split_whitespace().skip(1).collect();
        assert_eq!(read.join(" "), text);
    }
}
