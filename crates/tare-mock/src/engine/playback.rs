//! An answer that was recorded: its pieces come when they came, whatever the model says.
//!
//! A request that brings a [`Recording`] waits for no runner, slot or GPU, because the waiting is in
//! the recorded times; any number of them run side by side and none changes another. Jitter, where
//! the profile has it, stretches each recorded gap by itself.

use super::account::{Account, StopReason};
use super::agenda::What;
use super::ask::RequestId;
use super::event::Event;
use super::machine::Engine;
use super::pace::Factor;
use super::request::Stage;
use std::time::Duration;

/// The times of a recorded answer, counted from the request's arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// When each piece came; none before the one ahead of it.
    pub pieces: Vec<Duration>,
    /// When the answer was complete, not before its last piece.
    pub end: Duration,
    /// Until a runner was granted, as the server stated it (`load_duration`).
    pub load: Duration,
    /// Tokens of the prompt, as the server stated them.
    pub prompt_tokens: u32,
    /// Tokens of the answer, as the server stated them, or its pieces.
    pub output_tokens: u32,
    /// Why it ended.
    pub reason: StopReason,
}

impl Recording {
    /// The same, `speed` times as fast.
    pub fn faster(&self, speed: f64) -> Self {
        let factor = Factor::at_speed(speed);
        Self {
            pieces: self.pieces.iter().map(|&time| factor.of(time)).collect(),
            end: factor.of(self.end),
            load: factor.of(self.load),
            ..*self
        }
    }

    /// Its first `pieces`, as if the request had asked for no more.
    pub fn cut(&self, pieces: usize) -> Self {
        if pieces >= self.pieces.len() {
            return self.clone();
        }
        let kept = &self.pieces[..pieces];
        Self {
            end: kept.last().copied().unwrap_or(self.load),
            pieces: kept.to_vec(),
            output_tokens: u32::try_from(pieces).unwrap_or(u32::MAX),
            reason: StopReason::Length,
            ..*self
        }
    }
}

impl Engine {
    /// A request that brings its recording begins.
    pub(super) fn play(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.stage = Stage::Playing { played: 0 };
        self.note_piece(id);
    }

    /// Notes the next piece of a recording, or its end.
    fn note_piece(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let (Some(recording), Stage::Playing { played }) = (&request.recording, request.stage)
        else {
            return;
        };
        let at = |piece: usize| recording.pieces.get(piece).copied();
        let before = match played {
            0 => Duration::ZERO,
            _ => at(played - 1).unwrap_or_default(),
        };
        let next = at(played).unwrap_or(recording.end);
        // The end follows its last piece as it did: only gaps between pieces are left to chance.
        let is_gap = played > 0 && played < recording.pieces.len();
        let jitter = self.profile.jitter.as_ref().filter(|_| is_gap);
        let gap = request.dice.gap(jitter).of(next.saturating_sub(before));
        self.agenda
            .note(self.now.saturating_add(gap), What::Piece(id));
    }

    /// The next piece of a recording is due, or its end.
    pub(super) fn piece(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let (Some(recording), Stage::Playing { played }) =
            (request.recording.clone(), &mut request.stage)
        else {
            return;
        };
        let index = *played;
        *played += 1;
        if index == 0 {
            request.spend(now, |account| &mut account.prefill);
            let account = &mut request.account;
            account.loading = recording.load.min(account.prefill);
            account.prefill -= account.loading;
        }
        if index < recording.pieces.len() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            emit(Event::Token { id, index, at: now });
            self.note_piece(id);
        } else {
            request.spend(now, |account| &mut account.decode);
            request.account = Account {
                prompt_tokens: recording.prompt_tokens,
                output_tokens: recording.output_tokens,
                reason: recording.reason,
                ..request.account
            };
            self.done(id, emit);
        }
    }
}
