//! The server at the other end: who is there, and what to do if nobody is, or if it has no such
//! model.

use super::Failure;
use crate::client::{Client, ClientError, Endpoint, EndpointError, Limits, Options, Phase, Raw};
use crate::machine::variable_of_listener;
use crate::meter::Recorder;
use crate::protocol::wire::Options as ModelOptions;
use crate::protocol::{
    Api, CallError, Described, Form, Identity, ModelIdentity, Ollama, Question, Software,
};
use crate::runtime::{Runtime, Threads};
use anyhow::anyhow;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Which server it is. One that is there says it at once, whatever it is busy with, so this waits
/// less long than a call does. `otherwise` is what the command can do without a server.
pub async fn look_for<R: Runtime, C: Client<R>>(
    rt: R,
    options: &Options,
    api: Api,
    otherwise: &str,
) -> anyhow::Result<Identity> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let limits = options.limits;
    let options = Options {
        limits: Limits {
            head: limits.head.min(PATIENCE),
            gap: limits.gap.min(PATIENCE),
            ..limits
        },
        ..options.clone()
    };
    let ollama = Ollama::<R, C>::new(rt, Arc::new(options))?;
    let found = ollama.identify(api).await;
    found.map_err(|error| match (error, api) {
        (
            CallError::Client(
                cause @ (ClientError::Connect { .. }
                | ClientError::TimedOut {
                    phase: Phase::Connect | Phase::Head,
                    ..
                }),
            ),
            api,
        ) => {
            let (missing, remedy) = match api {
                Api::Generate | Api::Raw | Api::Chat => ("Ollama", "start Ollama (`ollama serve`)"),
                Api::OpenAi => (
                    "server",
                    "start one that speaks OpenAI's API, name its address with --base-url",
                ),
            };
            anyhow!("no {missing} answers: {cause}; {remedy}{otherwise}")
        }
        (error @ CallError::NotOllama { .. }, Api::Generate | Api::Raw | Api::Chat) => {
            anyhow!("{error}, or add `--api openai` if it speaks OpenAI's")
        }
        (error, _) => error.into(),
    })
}

/// What a server is asked for before the first run, over the connection that found it.
pub enum First {
    /// A token, so that a model that is not there is told at once, and one that is there is loaded.
    Token,
}

/// Who is at an address, found with the floor's client; `otherwise` as in [`look_for`].
pub fn find_out(
    base_url: &str,
    limits: Limits,
    api: Api,
    model: &str,
    first: First,
    otherwise: &'static str,
) -> Result<Described, Failure> {
    let endpoint = Endpoint::resolve(base_url).map_err(|error| match error {
        EndpointError::Url { .. } => Failure::Usage(error.into()),
        EndpointError::Unresolved { .. } => Failure::Failed(error.into()),
    })?;
    let mut options = Options::new(endpoint.clone());
    options.limits = limits;
    let rt = Threads::new(NonZeroUsize::MIN)?;
    let (inner, name) = (rt.clone(), model.to_owned());
    let (identity, found) = rt.run(async move {
        let identity = look_for::<Threads, Raw>(inner.clone(), &options, api, otherwise).await?;
        let ollama = Ollama::<Threads, Raw>::new(inner, Arc::new(options))?;
        let asked = match first {
            First::Token => token(&ollama, api, &name).await,
        };
        asked.map_err(|error| match remedy(&error, identity.software, &name) {
            Some(remedy) => anyhow!("{error}; {remedy}"),
            None => error.into(),
        })?;
        let found = ollama.find_model(&name).await;
        anyhow::Ok((identity, found))
    })?;
    Ok(describe(identity, found, &endpoint))
}

async fn token(ollama: &Ollama<Threads, Raw>, api: Api, model: &str) -> Result<(), CallError> {
    let options = ModelOptions {
        num_predict: Some(1),
        ..ModelOptions::default()
    };
    let question = Question {
        model,
        prompt: "Count the tokens.",
        options: &options,
        keep_alive: None,
        form: Form::Stream,
    };
    let answer = ollama.ask(api, &question, &mut Recorder::start(1)).await;
    answer.map(drop)
}

/// A server as results tell of it, which is at this address.
pub fn describe(
    identity: Identity,
    model: Option<ModelIdentity>,
    endpoint: &Endpoint,
) -> Described {
    Described {
        parallel: parallel(endpoint, identity.software),
        software: identity.software,
        version: identity.version,
        model,
    }
}

/// How many requests at a time a server on this machine answers, by the environment that it was started
/// with; `None` where that can't be seen.
fn parallel(endpoint: &Endpoint, software: Software) -> Option<String> {
    let address = endpoint.address();
    if software != Software::Ollama || !address.ip().is_loopback() {
        return None;
    }
    let set = variable_of_listener(address.port(), "ollama", "OLLAMA_NUM_PARALLEL")?;
    let set = set.filter(|value| !value.is_empty());
    Some(set.unwrap_or_else(|| "1 (the default)".to_owned()))
}

/// What to do about a call that failed, where the server's words do not say.
pub fn remedy(cause: &CallError, server: Software, model: &str) -> Option<String> {
    match (cause, server) {
        (CallError::Refused { status: 404, .. }, Software::Ollama) => Some(format!(
            "get the model with `ollama pull {model}`, or name another with --model"
        )),
        (CallError::Refused { status: 404, .. }, _) => {
            Some("name a model with --model that the server's /v1/models lists".to_owned())
        }
        _ => None,
    }
}
