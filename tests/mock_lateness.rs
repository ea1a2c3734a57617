//! A mock that was held up says so in its truth, over every API.

mod support;

use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use support::mock;
use tare::client::{Client, Endpoint, Options};
use tare::meter::{Call, Recorder};
use tare::protocol::wire::{LATE, TRUTH_HEADER};
use tare::protocol::{Api, Form, Ollama, Options as ModelOptions, Question, Sink};
use tare::run::MockServer;
use tare::runtime::Runtime;
use tare::stack::{OnStack, Stack};

/// What is done when the first token is there.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    /// The mock, of this process number, stands still for 100 ms.
    HoldUp(u32),
}

struct Holding {
    recorder: Recorder,
    then: Then,
}

impl Sink for Holding {
    fn token(&mut self, text: &str) {
        self.recorder.token(text);
        if let Then::HoldUp(id) = std::mem::replace(&mut self.then, Then::Nothing) {
            let hold = format!("kill -STOP {id}; sleep 0.1; kill -CONT {id}");
            let held = Command::new("sh").args(["-c", &hold]).status();
            assert!(held.expect("a shell").success());
        }
    }
}

struct Asking {
    options: Options,
    api: Api,
    then: Then,
}

impl OnStack for Asking {
    type Output = Call;

    fn run<R: Runtime, C: Client<R>>(self) -> Call {
        let rt = R::new(NonZeroUsize::MIN).expect("a runtime");
        let ollama = Ollama::<R, C>::new(rt.clone(), Arc::new(self.options)).expect("a client");
        rt.run(async move {
            let options = ModelOptions {
                num_predict: Some(20),
                ..ModelOptions::default()
            };
            let question = Question {
                model: "gemma3",
                prompt: "p",
                options: &options,
                keep_alive: None,
                form: Form::Stream,
            };
            let mut sink = Holding {
                recorder: Recorder::start(20),
                then: self.then,
            };
            let last = ollama.ask(self.api, &question, &mut sink).await;
            sink.recorder.finish(last.expect("an answer"))
        })
    }
}

fn ask(server: &MockServer, api: Api, then: Then) -> Call {
    let mut options = Options::new(Endpoint::resolve(server.base_url()).expect("a URL"));
    options.headers.push(TRUTH_HEADER);
    Stack::FLOOR.dispatch(Asking { options, api, then })
}

#[test]
fn a_mock_that_was_held_up_counts_its_late_tokens() {
    for api in Api::ALL {
        let server = mock("paced-10ms");
        let call = ask(&server, api, Then::HoldUp(server.id()));
        let lateness = call.lateness().expect("the mock tells");
        // 100 ms are ten tokens.
        assert!(lateness.tokens >= 5, "{api}: {lateness:?}");
        assert!(lateness.most >= Duration::from_millis(50), "{api}");
        assert!(lateness.off_schedule, "{api}");
        let truth = call.last.tare_truth.as_ref().expect("the truth");
        let late = |(due, sent): &(&u64, &u64)| sent.saturating_sub(**due) > LATE;
        let pairs = truth.due.iter().zip(&truth.sent);
        assert_eq!(pairs.filter(late).count() as u64, lateness.tokens, "{api}");
    }
}

#[test]
fn a_burst_has_no_schedule_to_be_late_for() {
    let server = mock("instant");
    for api in Api::ALL {
        let call = ask(&server, api, Then::Nothing);
        let lateness = call.lateness().expect("the mock tells");
        assert_eq!(
            (lateness.tokens, lateness.off_schedule),
            (0, false),
            "{api}"
        );
        assert_eq!(lateness.most, Duration::ZERO, "{api}");
    }
}
