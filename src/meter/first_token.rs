//! Where the time to the first token went.

use super::Moment;
use crate::client::Timing;
use std::time::Duration;

/// The parts of the time to first token, by the client's clock. [`until_head`](Self::until_head)
/// and [`token`](Self::token) make up the whole for every client. The three before the head are
/// known only of a client that shows its sockets; then they, a missing connection taken as none,
/// make up `until_head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstToken {
    /// From the start to the connection; `None` if one was there already, or it can't be seen.
    pub connect: Option<Duration>,
    /// From there until the request was handed to the kernel; `None` if it can't be seen.
    pub request: Option<Duration>,
    /// From there until the reply's head was there; `None` where the request can't be seen.
    pub head: Option<Duration>,
    /// From the start until the reply's head was there.
    pub until_head: Duration,
    /// From the reply's head until the first token was parsed.
    pub token: Duration,
}

impl FirstToken {
    pub(super) fn split(started: Moment, timing: Timing, first: Moment) -> Self {
        let ready = timing.connected.unwrap_or(started);
        Self {
            connect: timing.connected.map(|at| at.since(started)),
            request: timing.sent.map(|at| at.since(ready)),
            head: timing.sent.map(|at| timing.head.since(at)),
            until_head: timing.head.since(started),
            token: first.since(timing.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(connected: Option<u64>, sent: Option<u64>) -> [Option<u64>; 5] {
        let timing = Timing {
            connected: connected.map(Moment),
            sent: sent.map(Moment),
            head: Moment(160),
        };
        let parts = FirstToken::split(Moment(100), timing, Moment(200));
        let whole = [Some(parts.until_head), Some(parts.token)];
        let parts = [parts.connect, parts.request, parts.head];
        let mut nanos = parts
            .into_iter()
            .chain(whole)
            .map(|part| part.map(|part| u64::try_from(part.as_nanos()).expect("a short time")));
        std::array::from_fn(|_| nanos.next().expect("five parts"))
    }

    #[test]
    fn the_parts_make_up_the_whole() {
        let new = split(Some(110), Some(130));
        assert_eq!(new, [Some(10), Some(20), Some(30), Some(60), Some(40)]);
        let kept = split(None, Some(130));
        assert_eq!(kept, [None, Some(30), Some(30), Some(60), Some(40)]);
    }

    #[test]
    fn what_a_client_does_not_show_is_absent() {
        assert_eq!(split(None, None), [None, None, None, Some(60), Some(40)]);
    }
}
