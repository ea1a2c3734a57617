//! One question, asked by any stack over any API.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tare::client::{Client, Endpoint, Limits, Options};
use tare::meter::{Call, Recorder};
use tare::protocol::{Api, CallError, Form, Ollama, Options as ModelOptions, Question};
use tare::runtime::Runtime;
use tare::stack::{OnStack, Stack};

/// Makes the same call so many times over one client.
struct Asking {
    options: Options,
    api: Api,
    times: usize,
}

impl OnStack for Asking {
    type Output = Vec<Result<Call, CallError>>;

    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output {
        let rt = R::new(NonZeroUsize::new(2).expect("2 is not 0")).expect("a runtime");
        let ollama = Ollama::<R, C>::new(rt.clone(), Arc::new(self.options)).expect("a client");
        rt.run(async move {
            let question = Question {
                model: "m",
                prompt: "p",
                options: &ModelOptions::default(),
                keep_alive: None,
                form: Form::Stream,
            };
            let mut told = Vec::new();
            for _ in 0..self.times {
                let mut recorder = Recorder::start(100);
                let answer = ollama.ask(self.api, &question, &mut recorder).await;
                told.push(answer.map(|last| recorder.finish(last)));
            }
            told
        })
    }
}

/// What came of each of so many calls. The head comes within 20 seconds, or the limit given.
pub fn call_times(
    stack: Stack,
    api: Api,
    base_url: &str,
    limits: Limits,
    times: usize,
) -> Vec<Result<Call, CallError>> {
    call_times_with(stack, api, base_url, limits, times, &[])
}

/// The same with further headers.
pub fn call_times_with(
    stack: Stack,
    api: Api,
    base_url: &str,
    limits: Limits,
    times: usize,
    headers: &[(&'static str, &'static str)],
) -> Vec<Result<Call, CallError>> {
    let mut options = Options::new(Endpoint::resolve(base_url).expect("a URL"));
    options.limits = Limits {
        head: limits.head.min(Duration::from_secs(20)),
        ..limits
    };
    options.read_buffer = stack.read_buffer();
    options.headers.extend(headers);
    stack.dispatch(Asking {
        options,
        api,
        times,
    })
}

/// The pieces of an answer.
pub fn pieces(call: &Call) -> Vec<String> {
    call.tokens().map(str::to_owned).collect()
}
