//! The server at the other end: who is there, and what to do if nobody is, or if it has no such
//! model.

use crate::client::{Client, ClientError, Endpoint, Limits, Options, Phase};
use crate::machine::variable_of_listener;
use crate::ollama::{Api, CallError, Identity, Ollama, Software};
use crate::runtime::Runtime;
use anyhow::anyhow;
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

/// How many requests at a time a server on this machine answers, by the environment that it was started
/// with; `None` where that can't be seen.
pub fn parallel(endpoint: &Endpoint, software: Software) -> Option<String> {
    let address = endpoint.address();
    if software != Software::Ollama || !address.ip().is_loopback() {
        return None;
    }
    let set = variable_of_listener(address.port(), "OLLAMA_NUM_PARALLEL")?;
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
