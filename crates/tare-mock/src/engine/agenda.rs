//! What is to happen, and when: the engine's only memory of the future.
//!
//! Things due at the same time keep an order that does not depend on when the caller looks: first
//! what follows from earlier things, in the order in which it was noted, then what comes from
//! outside (arrivals, departures), in the order in which it came. So it makes no difference whether
//! a caller reports ten arrivals and then advances, or advances between them.

use super::RequestId;
use super::ServerId;
use super::runner::RunnerId;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

/// Something due. One that has been overtaken by events is left in place and ignored when its time
/// comes: the request or runner is gone, or the revision is another.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// From outside: a request arrives.
    Arrive(RequestId),
    /// From outside: its client is gone.
    Leave(RequestId),
    /// The handler asks for a runner.
    Enter(RequestId),
    /// The server's pending loop goes on.
    Pending { server: ServerId, revision: u32 },
    /// A runner may have been idle for long enough.
    Expire(RunnerId),
    /// A handler has tokenized the prompt.
    Fitted(RequestId),
    /// A runner has.
    Tokenized(RequestId),
    /// A prompt has been read.
    Prefilled { id: RequestId, revision: u32 },
    /// A stream by itself has its next token.
    Token(RequestId),
    /// An answer's `context` is there.
    Concluded(RequestId),
    /// A recording has its next piece, or ends.
    Piece(RequestId),
    /// A runner begins a step, with all that have their first token by then.
    Begin(RunnerId),
    /// A runner ends a step: each of its streams has its next token.
    Step(RunnerId),
}

struct Entry {
    at: Duration,
    order: u64,
    what: What,
}

/// Above the order of all that follows from earlier things.
const FROM_OUTSIDE: u64 = 1 << 63;

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// All that is due.
#[derive(Default)]
pub struct Agenda {
    due: BinaryHeap<Reverse<Entry>>,
    noted: u64,
}

impl Agenda {
    pub fn note(&mut self, at: Duration, what: What) {
        let class = match what {
            What::Arrive(_) | What::Leave(_) => FROM_OUTSIDE,
            _ => 0,
        };
        let order = class | self.noted;
        self.noted += 1;
        self.due.push(Reverse(Entry { at, order, what }));
    }

    pub fn next_due(&self) -> Option<Duration> {
        self.due.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next thing, if it is due by `until`.
    pub fn take(&mut self, until: Duration) -> Option<(Duration, What)> {
        if self.next_due()? > until {
            return None;
        }
        self.due.pop().map(|Reverse(entry)| (entry.at, entry.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_last_at_its_time() {
        let mut agenda = Agenda::default();
        let at = Duration::from_millis(5);
        agenda.note(at, What::Arrive(RequestId(1)));
        agenda.note(at, What::Token(RequestId(2)));
        agenda.note(at, What::Token(RequestId(3)));
        agenda.note(Duration::ZERO, What::Leave(RequestId(4)));
        let order: Vec<_> = std::iter::from_fn(|| agenda.take(at))
            .map(|(_, what)| match what {
                What::Arrive(id) | What::Leave(id) | What::Token(id) => id.number(),
                _ => unreachable!("nothing else was noted"),
            })
            .collect();
        assert_eq!(order, [4, 2, 3, 1]);
    }

    #[test]
    fn nothing_is_taken_before_it_is_due() {
        let mut agenda = Agenda::default();
        agenda.note(Duration::from_nanos(2), What::Token(RequestId(1)));
        assert!(agenda.take(Duration::from_nanos(1)).is_none());
        assert_eq!(agenda.next_due(), Some(Duration::from_nanos(2)));
    }
}
