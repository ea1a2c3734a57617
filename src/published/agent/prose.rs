//! What the three reports have in common: their opening, how to read them, the machine.

use super::call::CallMetrics;
use super::metrics::Metrics;
use super::net;
use super::setup::{Chosen, Server, Side};
use crate::protocol::{Api, Described, Options};
use crate::provenance::Provenance;
use crate::report::markdown::{Align, NONE, Table, percent};
use std::fmt::Write;

/// The parts of a report that have something to say.
pub fn document(parts: impl IntoIterator<Item = String>) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

/// A list, a line each.
pub fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("- {line}\n")).collect()
}

/// A text that begins a heading or a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

/// A share as a percentage, where there is one.
pub fn share(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), percent)
}

/// Date, model, runs, language, system, hostname, and what was measured on what.
pub fn opening(metrics: &Metrics) -> String {
    let setup = &metrics.provenance;
    let here = &setup.provenance;
    let corpus = &metrics.corpus;
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let date = here.occasion.timestamp.strftime("%Y-%m-%d %H:%M:%S UTC");
    table.row(["Date", &date.to_string()]);
    table.row(["Model", &setup.model]);
    table.row(["Server", &server(&setup.server)]);
    if setup.proxied {
        table.row([
            "Proxy",
            "a recording proxy before the server: delivery is from there, and gross and tare have its hop in them (`docs/delivery.md`)",
        ]);
    }
    table.row(["API", &format!("{} ({})", setup.api, setup.api.path())]);
    table.row(["Runs", &runs(metrics)]);
    if let Some(sittings) = setup.sittings {
        table.row([
            "Sittings",
            &format!("{sittings}; date, machine and build are of the first"),
        ]);
    }
    table.row([
        "Runtime and client",
        &format!(
            "{} ({} I/O, {} threads)",
            setup.stack, setup.io, setup.threads
        ),
    ]);
    table.row([
        "Corpus",
        &format!(
            "{}: {} files ({} CSV, {} JSON, {} Markdown), {} bytes; {} skipped, {} ignored; {} read at a time; digest {:.12}",
            setup.corpus.source,
            corpus.files,
            corpus.csv,
            corpus.json,
            corpus.markdown,
            corpus.bytes,
            corpus.skipped.len(),
            corpus.ignored,
            setup.ingest_concurrency,
            setup.corpus.digest
        ),
    ]);
    table.row(["Language", &format!("Rust ({})", here.build.rust_version)]);
    table.row([
        "System",
        &format!("{} {}", here.machine.os, here.machine.arch),
    ]);
    table.row(["Hostname", &here.machine.hostname]);
    let mut text = table.to_string();
    if here.build.is_debug() {
        text += "\nThis is a debug build: gross, tare and ingest below are those of unoptimised code.\n";
    }
    text
}

fn runs(metrics: &Metrics) -> String {
    let [baseline, chimera] = Side::BOTH.map(|side| metrics.side(side));
    let both = || baseline.agent_runs.iter().chain(&chimera.agent_runs);
    // In the order in which they ran: the initials of the sides, with a gap between two blocks.
    let block = |position: usize| {
        let run = both().find(|run| run.position as usize == position + 1);
        run.map(|run| run.run)
    };
    let mut order = String::new();
    for (position, side) in metrics.order.iter().enumerate() {
        if position > 0 && block(position) != block(position - 1) {
            order.push(' ');
        }
        order += &side.name()[..1];
    }
    format!(
        "{} of baseline, {} of chimera, a process each, in blocks of one of either, order within a block drawn with seed {} ({order}; b = baseline, c = chimera)",
        baseline.runs, chimera.runs, metrics.provenance.order_seed,
    )
}

/// The server in a few words.
pub fn server(server: &Server) -> String {
    match server {
        Server::Mock { name, profile } => {
            format!("mock, profile {name} ({})", profile.description)
        }
        Server::There {
            software,
            base_url,
            version,
            model,
            parallel,
        } => {
            let described = Described {
                software: *software,
                version: version.clone(),
                model: model.clone(),
                parallel: parallel.clone(),
            };
            format!("{base_url}, {described}")
        }
    }
}

/// The options of both sides, or of one.
pub fn configuration(metrics: &Metrics, sides: &[Side]) -> String {
    let mut columns = vec![("option", Align::Left)];
    columns.extend(sides.iter().map(|side| (side.name(), Align::Right)));
    let mut table = Table::new(&columns);
    for name in OPTIONS {
        let values = sides
            .iter()
            .map(|&side| option(metrics.provenance.options(side), name));
        let values: Vec<Option<String>> = values.collect();
        if values.iter().any(Option::is_some) {
            let stacks = values.into_iter();
            let stacks = stacks.map(|value| value.unwrap_or_else(|| "server's default".to_owned()));
            table.row([name.to_owned()].into_iter().chain(stacks));
        }
    }
    if table.is_empty() {
        return "No option is sent: the server's defaults hold.\n".to_owned();
    }
    let mut text =
        format!("{table}\nOptions that are not listed are not sent: the server's defaults hold.\n");
    if sides.contains(&Side::Chimera) && metrics.provenance.chimera_chosen_by == Chosen::Default {
        text += match metrics.provenance.api {
            Api::Generate | Api::Raw | Api::Chat => {
                "No `--chimera` option was given, so chimera's overrides are those of the older reports: num_gpu 80, num_ctx 512, temperature 0.8.\n"
            }
            Api::OpenAi => {
                "No `--chimera` option was given, so chimera's override is the temperature of the older reports. Their others, num_gpu 80 and num_ctx 512, are left out: OpenAI's API has no field for them.\n"
            }
        };
    }
    text
}

const OPTIONS: [&str; 8] = [
    "num_gpu",
    "num_ctx",
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "seed",
    "num_predict",
];

fn option(options: &Options, name: &str) -> Option<String> {
    let value = serde_json::to_value(options).ok()?;
    value.get(name).map(ToString::to_string)
}

/// The options in which the sides differ.
pub fn factors(metrics: &Metrics) -> Vec<&'static str> {
    let setup = &metrics.provenance;
    let differs = |name: &&str| option(&setup.baseline, name) != option(&setup.chimera, name);
    OPTIONS.into_iter().filter(differs).collect()
}

/// What was skipped, if anything was.
pub fn skipped(metrics: &Metrics) -> String {
    let skipped = &metrics.corpus.skipped;
    if skipped.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[("file", Align::Left), ("reason", Align::Left)]);
    for file in skipped {
        table.row([&file.path, &file.reason]);
    }
    format!(
        "## Skipped files\n\nThe corpus holds files that could not be read; the agents worked without them.\n\n{table}"
    )
}

/// What the words mean.
pub fn how_to_read(metrics: &Metrics) -> String {
    let net = net::meaning(metrics);
    let api = metrics.provenance.api;
    let throughput = net::throughput(api);
    let cold = match api {
        Api::Generate | Api::Raw | Api::Chat => "a call in which the model was loaded. A mock tells; of a real server it is a call whose `load_duration` is more than three times, and more than 50 ms above, the median of the report calls', which are hot: each asks with the options of the analysis call before it. Other calls are **warm**. A run is cold if one of its calls is. TTFT, gross and net of cold and of warm are kept apart below; a load is no part of the other figures".to_owned(),
        Api::OpenAi => "a call in which the server loads the model first. OpenAI's API does not tell, so of every call the *load* is *unstated*: where one has a TTFT far above the others', a load is a likely cause".to_owned(),
    };
    format!(
        "## How to read this\n\n\
         - **gross**: wall-clock time of a whole run (read the corpus, analysis call, parse the answer, report call), by the client's clock. Of a single call: from its start to its end.\n\
         - **net**: {net}.\n\
         - **tare** = gross − net: what the agent's own process and the transport added.\n\
         - **TTFT**: from the start of a call to its first token, by the client's clock.\n\
         - **TPOT**: (last − first token) / (n − 1), by the client's clock.\n\
         - **throughput**: {throughput}, both stated by the server and taken by the server's own clock (over n − 1 gaps, so a short answer looks a little faster than it is). The client's language, runtime and HTTP client can't change it.\n\
         - **cold**: {cold}.\n\
         - **sd**: sample standard deviation (n − 1). **CV** = sd / mean.\n\
         - {NONE} marks what is not known or can't be computed from so few runs.\n\
         - Each run is a process of its own.\n",
    )
}

/// The machine and the build.
pub fn system(here: &Provenance) -> String {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([name, &value]);
        }
    };
    let (machine, build) = (&here.machine, &here.build);
    row("CPU", machine.cpu_model.clone());
    row("cores", machine.cores.map(|cores| cores.to_string()));
    row("governor", machine.governor.clone());
    row("turbo", machine.turbo.map(|turbo| turbo.to_string()));
    let host = machine.virtualisation.as_ref();
    row("virtualisation", host.map(ToString::to_string));
    row("OS", Some(format!("{} {}", machine.os, machine.arch)));
    row("kernel", machine.kernel.clone());
    row("hostname", Some(machine.hostname.clone()));
    let load = here.occasion.load_average;
    let load = load.map(|load| load.map(|l| format!("{l:.2}")));
    row(
        "load average before (1, 5, 15 min)",
        load.map(|load| load.join(", ")),
    );
    let spoilers = here.spoilers().join(", ");
    row(
        "spoils measurements (see `tare doctor`)",
        (!spoilers.is_empty()).then_some(spoilers),
    );
    row(
        "tare",
        Some(format!("{} ({} build)", build.tare_version, build.profile)),
    );
    row("commit", build.commit.clone());
    row("compiler", Some(build.rust_version.clone()));
    format!(
        "## System information\n\n{table}\nCommand:\n\n```sh\n{}\n```\n",
        here.occasion.shell_line()
    )
}

/// How many calls were cold, of those whose server says.
pub fn cold_calls(calls: &[CallMetrics]) -> String {
    let cold = calls.iter().filter(|call| call.cold == Some(true)).count();
    let unstated = calls.iter().filter(|call| call.cold.is_none()).count();
    let mut text = format!("{cold} of {} calls were cold", calls.len());
    if unstated > 0 {
        let _ = write!(text, "; of {unstated} the server does not say");
    }
    text
}
