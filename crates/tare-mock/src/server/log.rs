//! What a mock remembers of the requests that it was sent, for the program that it runs in, and
//! whom the truth about an answer is told.
//!
//! A mock that nobody can ask, such as the one of `tare mock`, has no log: then a request costs
//! nothing here.

use crate::protocol::wire::{TRUTH_HEADER, Truth};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A request that reached a mock, what became of it, and the truth about its answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answered {
    /// Which of the mock's servers was asked, counted from 0.
    pub server: usize,
    /// Such as `POST`.
    pub method: String,
    /// Such as `/api/chat`, without the query.
    pub path: String,
    /// What was asked. Empty until the route has read it, and for a route that reads none.
    pub body: String,
    /// The status of the reply; `None` while there is none.
    pub status: Option<u16>,
    /// How the reply ended.
    pub ending: Ending,
    /// When each token was due and when it was written, and the terms of the time that the server
    /// took. `None` where nothing was computed: while the answer is under way, for a refusal, and
    /// for routes that run no model. Only a stream has times of its tokens. An answer that was cut
    /// has the tokens written until then, and no terms.
    pub truth: Option<Truth>,
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has not ended yet.
    Underway,
    /// All of it was handed over to be written.
    Complete,
    /// A fault ended it early, or its client went away.
    Cut,
}

/// All requests of a mock, in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<Answered>>>);

impl Log {
    /// What there is so far.
    pub fn all(&self) -> Vec<Answered> {
        self.lock().clone()
    }

    /// A request arrives.
    pub fn begin(&self, server: usize, method: &Method, path: &str) -> Note {
        let mut requests = self.lock();
        requests.push(Answered {
            server,
            method: method.to_string(),
            path: path.to_owned(),
            body: String::new(),
            status: None,
            ending: Ending::Underway,
            truth: None,
        });
        Note(Arc::new(Entry {
            log: self.clone(),
            index: requests.len() - 1,
        }))
    }

    /// No holder of the lock leaves a request half-changed, so one that panicked does no harm.
    fn lock(&self) -> MutexGuard<'_, Vec<Answered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one request in a log. The request carries it along among its extensions.
#[derive(Clone, Debug)]
pub struct Note(Arc<Entry>);

#[derive(Debug)]
struct Entry {
    log: Log,
    index: usize,
}

impl Note {
    /// The body is there.
    pub fn heard(&self, body: &Bytes) {
        self.0.change(|request| {
            request.body = String::from_utf8_lossy(body).into_owned();
        });
    }

    /// The reply begins. `ending` tells how it ended, if it has no stream that will tell it.
    pub fn replied(&self, status: StatusCode, ending: Option<Ending>) {
        self.0.change(|request| {
            request.status = Some(status.as_u16());
            request.ending = ending.unwrap_or(request.ending);
        });
    }

    fn told(&self, ending: Ending, truth: Truth) {
        self.0.change(|request| {
            request.ending = ending;
            request.truth = Some(truth);
        });
    }
}

impl Entry {
    fn change(&self, change: impl FnOnce(&mut Answered)) {
        if let Some(request) = self.log.lock().get_mut(self.index) {
            change(request);
        }
    }
}

impl Drop for Entry {
    /// Nobody works on the request any more.
    fn drop(&mut self) {
        self.change(|request| {
            if request.ending == Ending::Underway {
                request.ending = Ending::Cut;
            }
        });
    }
}

/// Whom the truth about an answer is told: its client, in the last line or the finish chunk, where
/// the request asks for it; and the log, where there is one.
#[derive(Clone, Debug)]
pub struct Tell {
    client: bool,
    log: Option<Note>,
}

impl Tell {
    /// For this request.
    pub fn of<B>(request: &Request<B>) -> Self {
        let (name, value) = TRUTH_HEADER;
        let given = request.headers().get(name);
        Self {
            client: given.is_some_and(|given| given == value),
            log: request.extensions().get().cloned(),
        }
    }

    /// Tells the truth about a complete answer; returns it where the client gets it.
    pub fn complete(&self, truth: impl FnOnce() -> Truth) -> Option<Truth> {
        let truth = (self.client || self.log.is_some()).then(truth)?;
        if let Some(note) = &self.log {
            note.told(Ending::Complete, truth.clone());
        }
        self.client.then_some(truth)
    }

    /// Tells the truth about a stream that ends before its last line.
    pub fn cut(&self, truth: impl FnOnce() -> Truth) {
        if let Some(note) = &self.log {
            note.told(Ending::Cut, truth());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_nobody_works_on_any_more_was_cut_unless_it_had_ended() {
        let log = Log::default();
        let notes = ["/a", "/b", "/c"].map(|path| log.begin(0, &Method::GET, path));
        let endings = || log.all().iter().map(|one| one.ending).collect::<Vec<_>>();
        assert_eq!(endings(), [Ending::Underway; 3]);
        notes[1].replied(StatusCode::OK, Some(Ending::Complete));
        notes[2].replied(StatusCode::OK, None);
        assert_eq!(endings()[2], Ending::Underway);
        drop(notes);
        assert_eq!(endings(), [Ending::Cut, Ending::Complete, Ending::Cut]);
    }

    #[test]
    fn the_truth_goes_to_the_client_that_asks_and_to_the_log_that_is_there() {
        let log = Log::default();
        let note = log.begin(0, &Method::POST, "/api/chat");
        for (client, noted) in [(true, true), (true, false), (false, true)] {
            let tell = Tell {
                client,
                log: noted.then(|| note.clone()),
            };
            let truth = || Truth {
                done: 7,
                ..Truth::default()
            };
            assert_eq!(tell.complete(truth), client.then(truth));
            assert_eq!(log.all()[0].truth, Some(truth()));
        }
        let nobody = Tell {
            client: false,
            log: None,
        };
        assert_eq!(nobody.complete(|| panic!("nobody asked")), None);
    }
}
