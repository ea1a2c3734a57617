//! `tare load`: so many streams at once, or requests at a rate, against a server.

mod arguments;
mod progress;

pub use arguments::Arguments;

use super::server::First;
use super::{Failure, mock, server};
use crate::client::{Endpoint, Limits};
use crate::load::{Drive, Ending, ErrorKind, LoadError, Outcome, Record, SCHEMA, Setup, Signal};
use crate::load::{Errors, run as drive};
use crate::provenance::Provenance;
use crate::report::files::write_all;
use crate::report::load::report;
use crate::run::{Answers, MockServer, Program};
use crate::weighing::Served;
use anyhow::{Context, anyhow, bail};
use arguments::{Format, Source};
use progress::Progress;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let asked = arguments.check()?;
    if let Some(file) = &asked.out {
        usable_file(file)?;
    }
    let provenance = Provenance::here().with_findings(crate::doctor::quick());
    super::warn_of(&provenance.spoilers());
    mock::limits::open_many_files();

    let mut setup = asked.setup;
    let (_mock, base_url, server, answers) = match asked.source {
        Source::Mock(name, profile) => {
            let program = Program::this().context("cannot find the program to start the mock")?;
            let faults = setup.faults.iter().flat_map(|fault| ["--fault", fault]);
            let model = Some(setup.model.as_str());
            let mock = MockServer::start_with(&program, &name, model, &faults.collect::<Vec<_>>())?;
            let base_url = mock.base_url().to_owned();
            let served = Served::Mock { name, profile };
            (Some(mock), base_url, served, Answers::Known)
        }
        Source::There(base_url) => {
            let described = server::greet(
                &base_url,
                Limits::default(),
                setup.api,
                &setup.model,
                First::Nothing,
                ", or add --mock to load a mock",
            )?;
            let served = Served::There {
                base_url: base_url.clone(),
                described,
            };
            (None, base_url, served, Answers::Unknown)
        }
    };
    let stop = Arc::<Signal>::default();
    let progress = Progress::start(&setup, &stop)?;
    let outcome = drive(Drive {
        setup: setup.clone(),
        endpoint: Endpoint::resolve(&base_url)?,
        answers,
        stop,
        watch: Box::new(progress.watch()),
    });
    progress.finish();
    let outcome = match outcome {
        Ok(outcome) if outcome.requests.begun == 0 => {
            return Err(nothing(outcome.ending));
        }
        Err(LoadError::Interrupted) => return Err(nothing(Ending::Interrupted)),
        outcome => outcome?,
    };
    if outcome.requests.answered == 0 {
        return Err(no_answer(&outcome, &server, &setup));
    }
    setup.io = setup.stack.io().to_string();
    let record = Record {
        schema: SCHEMA.to_owned(),
        provenance,
        server,
        setup,
        outcome,
    };
    let json = serde_json::to_string(&record)? + "\n";
    if let Some(file) = &asked.out {
        let (folder, name) = place(file)?;
        write_all(folder, &[(name, &json)])?;
        eprintln!("wrote {}", file.display());
    }
    let mut stdout = std::io::stdout().lock();
    match asked.format {
        Some(Format::Json) => stdout.write_all(json.as_bytes())?,
        None => stdout.write_all(report(&record).as_bytes())?,
    }
    match record.outcome.ending {
        Ending::Complete => Ok(()),
        Ending::Interrupted => Err(Failure::Interrupted),
    }
}

/// That there is nothing to report.
fn nothing(ending: Ending) -> Failure {
    match ending {
        Ending::Interrupted => {
            eprintln!("interrupted before anything was measured: there is nothing to report");
            Failure::Interrupted
        }
        Ending::Complete => {
            anyhow!("no request was to start in the measuring window: raise --rate, or --measure")
                .into()
        }
    }
}

/// That nothing was answered, and why.
fn no_answer(outcome: &Outcome, server: &Served, setup: &Setup) -> Failure {
    let requests = outcome.requests;
    if outcome.ending == Ending::Interrupted && requests.failed == 0 {
        eprintln!("interrupted before anything was answered: there is nothing to report");
        return Failure::Interrupted;
    }
    let Some(most) = outcome.errors.first() else {
        return anyhow!(
            "none of {} requests was answered in time: raise --drain or --measure, or lower the load",
            requests.begun
        )
        .into();
    };
    let kinds: Vec<String> = outcome.errors.iter().map(told).collect();
    let unfinished = match requests.unfinished {
        0 => String::new(),
        some => format!(", {some} unfinished"),
    };
    anyhow!(
        "none of {} requests was answered: {}{unfinished}; the first said: {}{}",
        requests.begun,
        kinds.join(", "),
        most.first,
        remedy(most, server, setup)
    )
    .into()
}

fn told(errors: &Errors) -> String {
    format!("{} {errors}", errors.count)
}

/// What to do about it, where the words do not say.
fn remedy(most: &Errors, server: &Served, setup: &Setup) -> String {
    match (most.kind, most.status, server) {
        (ErrorKind::Refused, Some(404), Served::There { .. }) => format!(
            "; name a model with --model that the server has, instead of {}",
            setup.model
        ),
        _ => String::new(),
    }
}

/// Whether a result can go there, before anything is measured.
fn usable_file(file: &Path) -> Result<(), Failure> {
    let (folder, _) = place(file).map_err(Failure::Usage)?;
    if file.is_dir() {
        let file = file.display();
        return Err(Failure::Usage(anyhow!(
            "--out {file} is a folder; name a file in it"
        )));
    }
    let mut there = folder.ancestors().filter(|path| path.exists());
    match there.next() {
        Some(path) if !path.is_dir() => Err(anyhow!(
            "cannot write {}: {} is no folder",
            file.display(),
            path.display()
        )
        .into()),
        _ => Ok(()),
    }
}

/// The folder of a file, and its name there.
fn place(file: &Path) -> anyhow::Result<(&Path, &str)> {
    match (file.parent(), file.file_name().and_then(|it| it.to_str())) {
        (Some(folder), Some(name)) => Ok((folder, name)),
        _ => bail!("--out {} names no file", file.display()),
    }
}
