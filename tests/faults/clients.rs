//! What every stack's client makes of the mock's faults: it survives what can be survived with the
//! very same tokens, and says of everything else in one line what it was.

use crate::support::mock;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tare::client::{Client, ClientError, Endpoint, Limits, Options, Phase};
use tare::meter::Recorder;
use tare::protocol::wire::Options as ModelOptions;
use tare::protocol::{CallError, ChatRequest, GenerateRequest, Message, Ollama};
use tare::run::MockServer;
use tare::runtime::Runtime;
use tare::stack::{OnStack, Stack};
use tare_mock::FAULT_HEADER;
use tare_mock::Text;

const TOKENS: usize = 20;

fn tokens() -> Vec<&'static str> {
    Text::new(5).take(TOKENS).collect()
}

/// Asks both routes, one after the other.
struct Ask(Options);

type Told = Result<Vec<String>, CallError>;

impl OnStack for Ask {
    type Output = [Told; 2];

    fn run<R: Runtime, C: Client<R>>(self) -> [Told; 2] {
        let rt = R::new(NonZeroUsize::new(2).expect("2 is not 0")).expect("a runtime");
        let ollama = Ollama::<R, C>::new(rt.clone(), Arc::new(self.0)).expect("a client");
        let options = ModelOptions {
            seed: Some(5),
            num_predict: Some(TOKENS as i32),
            ..ModelOptions::default()
        };
        let generate = GenerateRequest {
            model: "gemma3".to_owned(),
            prompt: "Why?".to_owned(),
            options: options.clone(),
            ..GenerateRequest::default()
        };
        let chat = ChatRequest {
            model: "gemma3".to_owned(),
            messages: vec![Message {
                role: "user".to_owned(),
                content: "Why?".to_owned(),
            }],
            options,
            ..ChatRequest::default()
        };
        rt.run(async move {
            let mut recorder = Recorder::start(100);
            let last = ollama.generate(&generate, &mut recorder).await;
            let generated = last.map(|last| heard(recorder.finish(last).tokens()));
            let mut recorder = Recorder::start(100);
            let last = ollama.chat(&chat, &mut recorder).await;
            let chatted = last.map(|last| heard(recorder.finish(last).tokens()));
            [generated, chatted]
        })
    }
}

fn heard<'a>(tokens: impl Iterator<Item = &'a str>) -> Vec<String> {
    tokens.map(str::to_owned).collect()
}

fn ask(stack: Stack, server: &MockServer, faults: &'static str, limits: Limits) -> [Told; 2] {
    let mut options = Options::new(Endpoint::resolve(server.base_url()).expect("a URL"));
    options.limits = limits;
    options.read_buffer = stack.read_buffer();
    options.headers.push((FAULT_HEADER, faults));
    stack.dispatch(Ask(options))
}

/// Nothing here lasts as long, even on a machine that has other things to do, so that what hangs
/// fails.
fn patient() -> Limits {
    const LONG: Duration = Duration::from_secs(300);
    Limits {
        connect: LONG,
        head: LONG,
        gap: LONG,
        call: LONG,
    }
}

#[test]
fn what_can_be_survived_is_survived_with_the_same_tokens() {
    let server = mock("instant");
    for faults in [
        "split=1",
        "split=40",
        "merge=3",
        "merge=1000",
        "extra-fields",
        "huge-context=200000",
        "stall=5ms, slow-head=5ms",
        "content-type=application/json",
        "merge=4, split=150, extra-fields, huge-context=5000, stall=2ms:7",
        "truncate=1000, error=1000, reset=1000",
    ] {
        for stack in Stack::matrix() {
            for told in ask(stack, &server, faults, patient()) {
                assert_eq!(told.expect(faults), tokens(), "{stack}, {faults}");
            }
        }
    }
}

/// Asks with every stack, and has both routes' errors looked at.
fn fails(faults: &'static str, limits: Limits, is_right: impl Fn(&CallError) -> bool) {
    let server = mock("instant");
    for stack in Stack::matrix() {
        for told in ask(stack, &server, faults, limits) {
            let error = told.expect_err(faults);
            assert!(is_right(&error), "{stack}, {faults}: {error:?}");
            let words = error.to_string();
            let address = server.base_url().trim_start_matches("http://");
            assert!(words.contains(address), "{stack}, {faults}: {words}");
            assert!(!words.contains('\n'), "{stack}, {faults}: {words}");
        }
    }
}

#[test]
fn a_truncated_answer_is_said_to_be_one() {
    for (faults, n) in [("truncate=0", 0), ("truncate=7", 7), ("truncate=20", 20)] {
        fails(
            faults,
            patient(),
            |error| matches!(error, CallError::Truncated { tokens, .. } if *tokens == n),
        );
    }
}

#[test]
fn an_error_in_the_middle_is_told_in_the_servers_words() {
    for (faults, n) in [("error=0:no memory", 0), ("error=7:no memory", 7)] {
        fails(faults, patient(), |error| {
            let CallError::GaveUp {
                tokens, message, ..
            } = error
            else {
                return false;
            };
            *tokens == n && message == "no memory"
        });
    }
}

#[test]
fn a_reset_is_a_broken_exchange() {
    for faults in ["reset=0", "reset=7"] {
        fails(faults, patient(), |error| {
            matches!(error, CallError::Client(ClientError::Broken { .. }))
        });
    }
}

#[test]
fn what_stalls_or_never_begins_runs_into_its_limit() {
    const SOON: Duration = Duration::from_millis(150);
    let limit = |error: &CallError| match error {
        CallError::Client(ClientError::TimedOut { phase, .. }) => Some(*phase),
        _ => None,
    };
    let gap = Limits {
        gap: SOON,
        ..patient()
    };
    fails("stall=10m:7", gap, |error| limit(error) == Some(Phase::Gap));
    let head = Limits {
        head: SOON,
        ..patient()
    };
    fails("slow-head=10m", head, |error| {
        limit(error) == Some(Phase::Head)
    });
}

#[test]
fn what_is_not_utf8_is_malformed() {
    fails("bad-utf8=7", patient(), |error| {
        matches!(error, CallError::Malformed { .. })
    });
}

#[test]
fn a_status_is_a_refusal_in_the_servers_words() {
    fails("status=404", patient(), |error| {
        let CallError::Refused {
            status, message, ..
        } = error
        else {
            return false;
        };
        *status == 404 && message == "model 'gemma3' not found"
    });
    fails("status=503", patient(), |error| {
        matches!(error, CallError::Refused { status: 503, .. })
    });
}

#[test]
fn another_content_type_is_no_ollama() {
    fails(
        "content-type=text/html",
        patient(),
        |error| matches!(error, CallError::NotOllama { status: 200, content_type, .. } if content_type == "text/html"),
    );
    fails("status=502, content-type=text/html", patient(), |error| {
        matches!(error, CallError::Refused { status: 502, .. })
    });
}
