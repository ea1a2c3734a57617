//! When a text is made into tokens, beside and around the reading of the prompt.
//!
//! Ollama tokenizes a prompt in its handler, to see whether it fits the context, and again in the
//! runner, for which the request has its slot already. After the answer, and after it has written
//! down how long all that took, `/api/generate` tokenizes both once more for `context`; the slot is
//! free only then. None of it takes the GPU, and none stops the streams of other slots.

use super::agenda::What;
use super::ask::{Form, RequestId};
use super::event::Event;
use super::machine::Engine;
use super::request::{Request, Stage};
use super::runner::RunnerId;
use std::time::Duration;

/// How many breaks a text has: runs of line breaks, of tabs, of two spaces and more.
pub fn count_breaks(text: &str) -> u32 {
    let runs = text.as_bytes().chunk_by(|one, next| one == next);
    let breaks = runs.filter(|run| matches!(run, [b'\n' | b'\t', ..] | [b' ', b' ', ..]));
    u32::try_from(breaks.count()).unwrap_or(u32::MAX)
}

impl Engine {
    /// A request has its runner: its handler tokenizes the prompt, unless it takes it as it is.
    pub(super) fn fit(&mut self, id: RequestId, runner: RunnerId) {
        let takes = |request: &Request| match request.form {
            Form::Raw => Duration::ZERO,
            Form::Chat | Form::Generate => self.tokenizes(request),
        };
        let takes = self.requests.get(&id).map(takes).unwrap_or_default();
        if takes.is_zero() {
            return self.ask_for_slot(id, runner);
        }
        self.turn(id, Stage::Fitting(runner));
        let due = self.now.saturating_add(takes);
        self.agenda.note(due, What::Fitted(id));
    }

    /// The handler knows that the prompt fits.
    pub(super) fn fitted(&mut self, id: RequestId) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let Stage::Fitting(runner) = request.stage else {
            return;
        };
        request.spend(now, |account| &mut account.fitting);
        self.ask_for_slot(id, runner);
    }

    /// A request takes a slot if there is one free, or waits for it.
    fn ask_for_slot(&mut self, id: RequestId, runner: RunnerId) {
        self.turn(id, Stage::Waiting(runner));
        let parallel = self.profile.parallel;
        let Some(asked) = self.runner(runner) else {
            return;
        };
        if parallel.is_none_or(|slots| asked.taken < slots.get()) {
            self.take_slot(id, runner);
        } else {
            asked.waiting.push_back(id);
        }
    }

    /// A request gets a slot, which the runner has: the prompt is tokenized there, and then read.
    pub(super) fn take_slot(&mut self, id: RequestId, runner: RunnerId) {
        let now = self.now;
        if let Some(taken) = self.runner(runner) {
            taken.taken += 1;
        }
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.spend(now, |account| &mut account.slot_wait);
        request.stage = Stage::Tokenizing(runner);
        let takes = self
            .requests
            .get(&id)
            .map(|request| self.tokenizes(request));
        let takes = takes.unwrap_or_default();
        if takes.is_zero() {
            return self.read(id, runner);
        }
        let due = self.now.saturating_add(takes);
        self.agenda.note(due, What::Tokenized(id));
    }

    /// The runner has the prompt's tokens.
    pub(super) fn tokenized(&mut self, id: RequestId) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let Stage::Tokenizing(runner) = request.stage else {
            return;
        };
        request.spend(now, |account| &mut account.tokenizing);
        self.read(id, runner);
    }

    /// The answer is complete and its total known: what is left is its `context`, where it has one.
    pub(super) fn conclude(
        &mut self,
        id: RequestId,
        runner: RunnerId,
        emit: &mut impl FnMut(Event),
    ) {
        let context = self.profile.context.as_ref();
        let takes = match (self.requests.get(&id), context) {
            (Some(request), Some(context)) if request.form == Form::Generate => {
                let tokens = request.account.prompt_tokens + request.account.output_tokens;
                context.takes(tokens, request.breaks)
            }
            _ => Duration::ZERO,
        };
        if takes.is_zero() {
            self.done(id, emit);
            return self.vacate(runner, emit);
        }
        self.turn(id, Stage::Concluding(runner));
        let due = self.now.saturating_add(takes);
        self.agenda.note(due, What::Concluded(id));
    }

    /// The answer's `context` is there.
    pub(super) fn concluded(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let Stage::Concluding(runner) = request.stage else {
            return;
        };
        request.spend(now, |account| &mut account.context);
        self.done(id, emit);
        self.vacate(runner, emit);
    }

    fn tokenizes(&self, request: &Request) -> Duration {
        let tokenize = self.profile.tokenize.as_ref();
        tokenize.map_or(Duration::ZERO, |tokenize| {
            tokenize.takes(request.account.prompt_tokens, request.breaks)
        })
    }

    fn turn(&mut self, id: RequestId, stage: Stage) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.stage = stage;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::count_breaks;

    #[test]
    fn a_run_of_line_breaks_tabs_or_spaces_is_one_break_and_a_single_space_is_none() {
        for (text, breaks) in [
            ("", 0),
            ("a b c", 0),
            ("a\nb\n\n\nc\n", 3),
            ("a\t\tb  c   d e", 3),
            ("a\n  - b", 2),
        ] {
            assert_eq!(count_breaks(text), breaks, "{text:?}");
        }
    }
}
