//! How a text is made into tokens, and when: beside and around the reading of the prompt.
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

/// Bytes of a token of words.
const WORD_BYTES: usize = 4;

/// The tokens of a text, roughly as Gemma's tokenizer cuts it: a digit or a punctuation mark, with
/// the space ahead of it, a run of line breaks, or four bytes of anything else. A list of figures
/// has one for every other byte, a text of words one for every four.
pub fn tokens(text: &str) -> impl Iterator<Item = &[u8]> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let length = match rest {
            [] => return None,
            [b'\n', ..] => rest.iter().take_while(|&&byte| byte == b'\n').count(),
            [b' ', next, ..] if stands_alone(*next) => 2,
            [first, ..] if stands_alone(*first) => 1,
            _ => (1..rest.len().min(WORD_BYTES))
                .find(|&length| match rest[length..] {
                    [b'\n', ..] => true,
                    [b' ', next, ..] if stands_alone(next) => true,
                    [first, ..] => stands_alone(first),
                    [] => true,
                })
                .unwrap_or(rest.len().min(WORD_BYTES)),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

fn stands_alone(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_punctuation()
}

/// How many tokens a text has.
pub fn count_tokens(text: &str) -> u32 {
    u32::try_from(tokens(text).count()).unwrap_or(u32::MAX)
}

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
    use super::{count_breaks, tokens};

    #[test]
    fn figures_and_marks_are_tokens_each_and_words_have_one_for_four_bytes() {
        for (text, expected) in [
            ("", &[] as &[&str]),
            ("wordword", &["word", "word"]),
            ("Why is it so?", &["Why ", "is i", "t so", "?"]),
            (
                "mean=0.25\n\nn 7",
                &["mean", "=", "0", ".", "2", "5", "\n\n", "n", " 7"],
            ),
            ("a  b ", &["a  b", " "]),
        ] {
            let told: Vec<_> = tokens(text).map(String::from_utf8_lossy).collect();
            assert_eq!(told, expected, "{text:?}");
        }
    }

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
