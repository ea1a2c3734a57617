//! A comparison as a report: tables of what was measured, the verdicts, and what they answer.
//!
//! Every word about a difference comes from a verdict. Where a control fails, the base found to
//! differ from itself or a mistake that was built in not found, the verdicts are withheld: a method
//! that cannot do the one or the other says nothing about the rest.

mod answer;
mod controls;
mod tables;
#[cfg(test)]
mod tests;

use crate::weighing::{Part, Record, Role, Served, Standing, Weighed, Workload};
use std::fmt::Write;

/// The report, as Markdown.
pub fn report(record: &Record) -> String {
    let mut text = format!("# Comparison\n\n{}", provenance(record));
    if let Standing::Withheld(why) = &record.standing {
        let _ = write!(text, "\n**Verdicts are withheld.** {why}\n");
    }
    let sound = record.standing == Standing::Sound;
    if sound {
        text.push_str(&answer::answer(record));
    }
    for part in &record.parts {
        let _ = write!(text, "\n## {}\n\n", title(part));
        if let Served::There { described, .. } = &part.server {
            let _ = write!(text, "The server: {described}.\n\n");
        }
        let _ = writeln!(text, "{}", tables::costs(part));
        if let Some(lateness) = tables::lateness(part) {
            let _ = write!(text, "\n{lateness}\n");
        }
        if sound {
            let _ = write!(
                text,
                "\nAgainst {}: the ratio with its interval, and the verdict. *changes* names the one thing in which a stack differs; where several do, the verdict is about none of them alone.\n\n{}\n",
                base(part).map_or_else(String::new, |base| base.subject.to_string()),
                tables::verdicts(part)
            );
        }
        let _ = write!(
            text,
            "\nWhat was used per token:\n\n{}\n",
            tables::account(part)
        );
        if let Some(shares) = tables::shares(part) {
            let _ = write!(
                text,
                "\nTare per token of the answers, and as a share of the model's time for a token at so many tokens/s:\n\n{shares}\n"
            );
        }
        text.push_str(&controls::said(part));
    }
    text.push_str(NOTES);
    text
}

const NOTES: &str = "
## How to read this

- **tare** = gross − net: what the agent's own process and the transport added. Net is the mock's truth, or what a real server states.
- **ingest**: of tare, the reading of files through the runtime's own file API; **calls**: all the rest of it, both calls and the parsing.
- **delivery**: from the mock's write of a token, or a recording proxy's (`--proxy`), until it was parsed here, same machine and same clock.
- **CPU**: processor time of the whole client process per token, its reading of the clock and checking of the tokens included.
- **floor**: the same work by blocking threads and hand-written HTTP. *bridged*: the client needs a Tokio reactor beside the runtime, so that such a row weighs both.
- Values are means over invocations, with 95 % bootstrap intervals. A verdict is the region in which the whole interval of the ratio lies: beyond the margin (*faster*, *slower*), within it (*equivalent*), or none (*undecided*, with how many further invocations would likely decide it). The intervals of verdicts are wider than 95 %, so that the chance of a false one is that for all stacks of a figure together.
- **system calls** and **decoding** (from a piece of a reply to its tokens' having been heard) are of one process more for each stack, run after all others, because counting them slows what is counted. System calls are unknown (-) where the kernel lets us count none: it lets root.
- *undecided* does not mean that there is no difference.
";

fn base(part: &Part) -> Option<&Weighed> {
    let mut all = part.weighed.iter();
    all.find(|one| one.subject.role == Role::Base)
}

fn provenance(record: &Record) -> String {
    let here = &record.provenance;
    let setup = &record.setup;
    let mut text = format!(
        "{:.0}, tare {}, on {}",
        here.occasion.timestamp,
        here.build.tare_version,
        here.machine
            .cpu_model
            .as_deref()
            .unwrap_or("an unnamed processor"),
    );
    if let Some(cores) = here.machine.cores {
        let _ = write!(text, " ({cores} cores)");
    }
    let blocks = record.parts.iter().map(blocks).min().unwrap_or(0);
    let _ = writeln!(
        text,
        "; {} per stack, in randomised blocks (seed {}); {} per runtime, 1 under tokio-local.",
        counted(blocks, "invocation"),
        setup.order_seed,
        counted(setup.threads.get(), "worker thread")
    );
    if setup.proxied {
        text.push_str("\nA recording proxy stood before the server: delivery is from there, and gross and tare have its hop in them.\n");
    }
    let spoilers = here.spoilers();
    if !spoilers.is_empty() {
        let _ = write!(
            text,
            "\nSpoilt by {}: `tare doctor` says what that means.\n",
            spoilers.join(", ")
        );
    }
    text
}

/// `1 invocation`, `2 invocations`
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Blocks in which every subject was run.
fn blocks(part: &Part) -> usize {
    let runs = part.weighed.iter().map(|one| one.invocations.len());
    runs.min().unwrap_or(0)
}

fn title(part: &Part) -> String {
    let work = match part.workload {
        Workload::Stream => format!("Streams of {} tokens", part.tokens),
        Workload::Whole => format!("Answers of {} tokens in one piece", part.tokens),
        Workload::Agents { agents } if agents.get() == 1 => {
            format!("One agent, two answers of {} tokens", part.tokens)
        }
        Workload::Agents { agents } => {
            format!(
                "{agents} agents, two answers of {} tokens each",
                part.tokens
            )
        }
    };
    let server = match &part.server {
        Served::Mock { name, .. } => format!("the mock `{name}`"),
        Served::There {
            base_url,
            described,
        } => format!("{} at {base_url}", described.software),
    };
    format!("{work}, against {server}")
}
