//! One call by the client's clock, held against the server's.
//!
//! A [`Recorder`] listens while the answer streams: per token it reads the clock and appends to
//! buffers that are large enough beforehand. All arithmetic comes later, in [`Call`].

use super::{Digest, FirstToken, Moment};
use crate::client::Timing;
use crate::protocol::{Final, Sink};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Listens to an answer.
#[derive(Debug)]
pub struct Recorder {
    started: Moment,
    timing: Option<Timing>,
    text: String,
    /// Where each token ends in `text`, and when it was there.
    tokens: Vec<(usize, Moment)>,
    thinking: String,
}

impl Recorder {
    /// Starts the call's clock. `tokens` is how many to make room for.
    pub fn start(tokens: usize) -> Self {
        const BYTES_PER_TOKEN: usize = 8;
        let text = String::with_capacity(tokens * BYTES_PER_TOKEN);
        let tokens = Vec::with_capacity(tokens);
        Self {
            started: Moment::now(),
            timing: None,
            text,
            tokens,
            thinking: String::new(),
        }
    }

    /// When the call's clock was started.
    pub fn started(&self) -> Moment {
        self.started
    }

    /// Stops the clock: the answer is complete.
    pub fn finish(self, last: Final) -> Call {
        Call {
            ended: Moment::now(),
            recorder: self,
            last,
        }
    }
}

impl Sink for Recorder {
    fn head(&mut self, timing: Timing) {
        self.timing = Some(timing);
    }

    fn token(&mut self, text: &str) {
        self.text.push_str(text);
        self.tokens.push((self.text.len(), Moment::now()));
    }

    fn thinking(&mut self, text: &str) {
        self.thinking.push_str(text);
    }
}

/// Where a call's net comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NetSource {
    /// The mock's truth: from the request's arrival to the making of the last line.
    MockTruth,
    /// Ollama's `total_duration`.
    TotalDuration,
    /// llama.cpp's `timings`: its time on prompt and answer, without its queue and its HTTP.
    Timings,
    /// A recording proxy's times, where the server states none that count: from the request's arrival
    /// there to the passing on of the last line.
    Proxy,
}

/// How late a mock was in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// Tokens that were written more than [`LATE`](crate::protocol::wire::LATE) after they were due.
    pub tokens: u64,
    /// How late the latest was.
    pub most: Duration,
    /// Whether so many were late, more than 1 %, that the pace was not the profile's.
    pub off_schedule: bool,
}

/// A call that was answered.
#[derive(Debug)]
pub struct Call {
    recorder: Recorder,
    ended: Moment,
    /// The server's own account.
    pub last: Final,
}

impl Call {
    /// The answer.
    pub fn text(&self) -> &str {
        &self.recorder.text
    }

    /// What the model thought before it, where it said so.
    pub fn thinking(&self) -> &str {
        &self.recorder.thinking
    }

    /// The pieces of the answer as they came.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.recorder.tokens.iter().map(move |&(end, _)| {
            let token = &self.recorder.text[start..end];
            start = end;
            token
        })
    }

    /// How many pieces came.
    pub fn token_count(&self) -> usize {
        self.recorder.tokens.len()
    }

    /// The digest of the pieces.
    pub fn digest(&self) -> Digest {
        Digest::of(self.tokens())
    }

    /// When each piece was there, by the client's clock.
    pub fn received(&self) -> impl Iterator<Item = Moment> {
        self.recorder.tokens.iter().map(|&(_, at)| at)
    }

    /// When the answer was complete.
    pub fn ended(&self) -> Moment {
        self.ended
    }

    /// From the start of the call to its end, by the client's clock.
    pub fn gross(&self) -> Duration {
        self.ended.since(self.recorder.started)
    }

    /// What the server spent, by [`Call::net_source`]; `None` where nothing tells.
    pub fn net(&self) -> Option<Duration> {
        self.net_and_source()
            .map(|(nanos, _)| Duration::from_nanos(nanos))
    }

    /// Where the net comes from; `None` where there is none.
    pub fn net_source(&self) -> Option<NetSource> {
        self.net_and_source().map(|(_, source)| source)
    }

    /// What a server states counts only where it did nothing afterwards: Ollama tokenizes prompt and
    /// answer again for `context` after it has set `total_duration` and before it sends the line that
    /// has both.
    fn net_and_source(&self) -> Option<(u64, NetSource)> {
        let last = &self.last;
        let stated = match last.context.is_empty() {
            true => last.total_duration,
            false => 0,
        };
        let told = match (&last.tare_truth, &last.tare_proxy, &last.timings) {
            (Some(truth), _, _) => (truth.done, NetSource::MockTruth),
            (None, Some(passed_on), _) if stated == 0 => (passed_on.done, NetSource::Proxy),
            (None, _, Some(_)) => (stated, NetSource::Timings),
            (None, _, None) => (stated, NetSource::TotalDuration),
        };
        Some(told).filter(|&(nanos, _)| nanos > 0)
    }

    /// How late the mock was; `None` where no mock tells.
    pub fn lateness(&self) -> Option<Lateness> {
        let truth = self.last.tare_truth.as_ref()?;
        Some(Lateness {
            tokens: truth.late,
            most: Duration::from_nanos(truth.most_late),
            off_schedule: truth.is_off_schedule(),
        })
    }

    /// Gross less net, in nanoseconds; negative if the server states more than there was.
    pub fn tare_ns(&self) -> Option<i64> {
        let nanos = |d: Duration| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX);
        self.net().map(|net| nanos(self.gross()) - nanos(net))
    }

    /// Time to first token, by the client's clock: `None` without a token.
    pub fn ttft(&self) -> Option<Duration> {
        let (_, first) = self.recorder.tokens.first()?;
        Some(first.since(self.recorder.started))
    }

    /// Where that time went: `None` without a token.
    pub fn first_token(&self) -> Option<FirstToken> {
        let (_, first) = self.recorder.tokens.first()?;
        let timing = self.recorder.timing?;
        Some(FirstToken::split(self.recorder.started, timing, *first))
    }

    /// Inter-token latencies, by the client's clock.
    pub fn itl(&self) -> impl Iterator<Item = Duration> {
        let tokens = self.recorder.tokens.windows(2);
        tokens.map(|pair| pair[1].1.since(pair[0].1))
    }

    /// Time per output token: (last − first) / (n − 1); `None` with fewer than two tokens.
    pub fn tpot(&self) -> Option<Duration> {
        let [(_, first), .., (_, last)] = self.recorder.tokens.as_slice() else {
            return None;
        };
        let gaps = u32::try_from(self.recorder.tokens.len() - 1).ok()?;
        Some(last.since(*first) / gaps)
    }

    /// From the moment that each token was on its way to here to the moment it was parsed: as a
    /// recording proxy passed it on, or else as the mock wrote it. Empty unless one of them tells
    /// that of every token.
    pub fn delivery(&self) -> impl Iterator<Item = Duration> {
        let passed_on = self.last.tare_proxy.as_ref();
        let passed_on = passed_on.map(|times| (times.received, &times.sent));
        let truth = self.last.tare_truth.as_ref();
        let truth = truth.map(|truth| (truth.received, &truth.sent));
        let whole = passed_on
            .or(truth)
            .filter(|(_, sent)| sent.len() == self.token_count());
        whole.into_iter().flat_map(|(received, sent)| {
            let received = Moment(received);
            let here = self.recorder.tokens.iter();
            here.zip(sent)
                .map(move |((_, at), &sent)| at.since(received.plus(sent)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{PassedOn, Timings, Truth};

    fn call(at: &[u64], last: Final) -> Call {
        Call {
            recorder: Recorder {
                started: Moment(1_000),
                timing: None,
                text: "abc"[..at.len()].to_owned(),
                tokens: at
                    .iter()
                    .enumerate()
                    .map(|(i, &t)| (i + 1, Moment(t)))
                    .collect(),
                thinking: String::new(),
            },
            ended: Moment(9_000),
            last,
        }
    }

    fn told(received: u64, sent: &[u64], done: u64) -> Final {
        Final {
            total_duration: 7_777,
            tare_truth: Some(Truth {
                received,
                sent: sent.to_vec(),
                done,
                ..Truth::default()
            }),
            ..Final::default()
        }
    }

    #[test]
    fn tare_is_gross_less_net() {
        let call = call(
            &[2_000, 4_000, 8_000],
            told(1_500, &[400, 2_000, 6_000], 7_000),
        );
        assert_eq!(call.gross(), Duration::from_nanos(8_000));
        assert_eq!(call.net(), Some(Duration::from_nanos(7_000)));
        assert_eq!(call.tare_ns(), Some(1_000));
        assert_eq!(call.ttft(), Some(Duration::from_nanos(1_000)));
        assert_eq!(call.tpot(), Some(Duration::from_nanos(3_000)));
        let nanos = |d: Duration| d.as_nanos();
        assert_eq!(call.itl().map(nanos).collect::<Vec<_>>(), [2_000, 4_000]);
        assert_eq!(
            call.delivery().map(nanos).collect::<Vec<_>>(),
            [100, 500, 500]
        );
        assert_eq!(call.tokens().collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn a_proxy_tells_when_it_passed_tokens_on_and_net_stays_the_servers() {
        let mut last = told(1_500, &[400, 2_000], 7_000);
        last.tare_proxy = Some(PassedOn {
            received: 1_400,
            sent: vec![550, 2_150],
            done: 7_200,
        });
        let both = call(&[2_000, 4_000], last.clone());
        let nanos = |call: &Call| call.delivery().map(|d| d.as_nanos()).collect::<Vec<_>>();
        assert_eq!(nanos(&both), [50, 450]);
        assert_eq!(both.net_source(), Some(NetSource::MockTruth));
        assert_eq!(both.net(), Some(Duration::from_nanos(7_000)));

        last.tare_truth = None;
        last.total_duration = 7_100;
        let real = call(&[2_000, 4_000], last.clone());
        assert_eq!(nanos(&real), [50, 450]);
        assert_eq!(real.net_source(), Some(NetSource::TotalDuration));
        assert_eq!(real.lateness(), None);

        let other_tokens = call(&[2_000], last);
        assert_eq!(other_tokens.delivery().count(), 0);
    }

    #[test]
    fn a_real_server_gives_net_but_no_delivery() {
        let call = call(
            &[2_000],
            Final {
                total_duration: 7_500,
                ..Final::default()
            },
        );
        assert_eq!(call.tare_ns(), Some(500));
        assert_eq!(call.delivery().count(), 0);
        assert_eq!(call.tpot(), None);
    }

    #[test]
    fn a_line_with_a_context_gives_no_net_for_it_was_made_after_the_total() {
        let stated = |tare_truth| Final {
            total_duration: 7_500,
            context: vec![1, 2, 3],
            tare_truth,
            ..Final::default()
        };
        let real = call(&[2_000], stated(None));
        assert_eq!((real.net(), real.net_source()), (None, None));
        assert_eq!(real.tare_ns(), None);
        let truth = told(1_500, &[400], 7_000).tare_truth;
        let mock = call(&[2_000], stated(truth));
        assert_eq!(mock.net(), Some(Duration::from_nanos(7_000)));
        let mut proxied = stated(None);
        proxied.tare_proxy = Some(PassedOn {
            received: 1_200,
            sent: vec![600],
            done: 7_700,
        });
        let proxied = call(&[2_000], proxied);
        assert_eq!(proxied.net(), Some(Duration::from_nanos(7_700)));
        assert_eq!(proxied.net_source(), Some(NetSource::Proxy));
    }

    #[test]
    fn what_no_server_stated_is_absent_not_zero() {
        let call = call(&[], Final::default());
        assert_eq!(call.net(), None);
        assert_eq!(call.tare_ns(), None);
        assert_eq!(call.ttft(), None);
    }

    #[test]
    fn net_says_where_it_comes_from() {
        let stated = |timings| Final {
            total_duration: 7,
            timings,
            ..Final::default()
        };
        let timings = Some(Timings::default());
        for (last, source) in [
            (told(0, &[], 7), Some(NetSource::MockTruth)),
            (stated(timings), Some(NetSource::Timings)),
            (stated(None), Some(NetSource::TotalDuration)),
            (Final::default(), None),
        ] {
            assert_eq!(call(&[], last).net_source(), source);
        }
    }

    #[test]
    fn a_mock_that_was_late_marks_the_call() {
        let late = |late| {
            let mut last = told(0, &[1; 100], 7);
            if let Some(truth) = &mut last.tare_truth {
                (truth.late, truth.most_late) = (late, 5);
            }
            let lateness = call(&[], last).lateness();
            lateness.map(|lateness| (lateness.tokens, lateness.off_schedule))
        };
        assert_eq!(late(1), Some((1, false)));
        assert_eq!(late(2), Some((2, true)));
        assert_eq!(call(&[], Final::default()).lateness(), None);
    }

    #[test]
    fn a_truth_about_other_tokens_tells_no_delivery() {
        let call = call(&[2_000, 3_000], told(1_500, &[400], 7_000));
        assert_eq!(call.delivery().count(), 0);
    }
}
