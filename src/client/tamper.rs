//! What a positive control does to a reply's body on its way to the decoder, the same for every
//! client. Without one, a piece costs a look at an empty option.

use super::{Body, ClientError};
use crate::inject::Inject;
use futures::lock::{Mutex, OwnedMutexGuard};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is done to every call of a client.
#[derive(Clone, Debug, Default)]
pub struct Tampering(Option<Kind>);

#[derive(Clone, Debug)]
enum Kind {
    Delay(Duration),
    Accumulate(usize),
    /// All calls of all clones take turns.
    Mutex(Arc<Mutex<()>>),
}

impl Tampering {
    /// What `inject` does to calls; to be root of `block_on` is none of a client's business.
    pub fn new(inject: Option<Inject>) -> Self {
        Self(match inject {
            Some(Inject::Delay(time)) => Some(Kind::Delay(time)),
            Some(Inject::Accumulate(bytes)) => Some(Kind::Accumulate(bytes.get())),
            Some(Inject::Mutex) => Some(Kind::Mutex(Arc::default())),
            Some(Inject::BlockOnRoot) | None => None,
        })
    }

    /// Before a call: what is to be done to its body.
    pub async fn begin(&self) -> Tamper {
        Tamper(match &self.0 {
            None => None,
            Some(Kind::Delay(time)) => Some(Deed::Delay(*time)),
            Some(Kind::Accumulate(least)) => Some(Deed::Accumulate {
                least: *least,
                kept: Vec::new(),
                ended: false,
            }),
            Some(Kind::Mutex(lock)) => Some(Deed::Turn(Arc::clone(lock).lock_owned().await)),
        })
    }
}

/// What is done to one call.
#[derive(Default)]
pub struct Tamper(Option<Deed>);

enum Deed {
    Delay(Duration),
    Accumulate {
        least: usize,
        kept: Vec<u8>,
        ended: bool,
    },
    /// Given back with the body.
    Turn(#[expect(dead_code, reason = "held, and dropped with the body")] OwnedMutexGuard<()>),
}

/// A body that something is done to, or nothing.
pub struct Tampered<B> {
    body: B,
    tamper: Tamper,
}

impl<B> Tampered<B> {
    /// Does `tamper` to `body`.
    pub fn new(body: B, tamper: Tamper) -> Self {
        Self { body, tamper }
    }
}

impl<B: Body> Body for Tampered<B> {
    async fn chunk(&mut self) -> Result<Option<&[u8]>, ClientError> {
        match &mut self.tamper.0 {
            None | Some(Deed::Turn(_)) => self.body.chunk().await,
            Some(Deed::Delay(time)) => {
                let piece = self.body.chunk().await?;
                if piece.is_some() {
                    burn(*time);
                }
                Ok(piece)
            }
            Some(Deed::Accumulate { least, kept, ended }) => {
                kept.clear();
                while !*ended && kept.len() < *least {
                    match self.body.chunk().await? {
                        Some(piece) => kept.extend_from_slice(piece),
                        None => *ended = true,
                    }
                }
                Ok((!kept.is_empty()).then_some(kept.as_slice()))
            }
        }
    }
}

/// Spends time on the processor, as slow code would; a timer of the runtime's could not be so short.
fn burn(time: Duration) {
    let started = Instant::now();
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::collections::VecDeque;

    struct Pieces(VecDeque<&'static [u8]>, Vec<u8>);

    impl Body for Pieces {
        async fn chunk(&mut self) -> Result<Option<&[u8]>, ClientError> {
            let Some(piece) = self.0.pop_front() else {
                return Ok(None);
            };
            self.1 = piece.to_vec();
            Ok(Some(&self.1))
        }
    }

    fn through(inject: Option<Inject>) -> Vec<Vec<u8>> {
        let pieces = [&b"ab"[..], b"cde", b"f", b"ghijk", b"l"];
        block_on(async {
            let tamper = Tampering::new(inject).begin().await;
            let body = Pieces(pieces.into_iter().collect(), Vec::new());
            let mut body = Tampered::new(body, tamper);
            let mut all = Vec::new();
            while let Some(piece) = body.chunk().await.expect("nothing fails") {
                all.push(piece.to_vec());
            }
            assert!(body.chunk().await.expect("nothing fails").is_none());
            all
        })
    }

    fn inject(text: &str) -> Option<Inject> {
        Some(text.parse().expect(text))
    }

    #[test]
    fn without_a_control_pieces_pass_as_they_are() {
        let whole: [&[u8]; 5] = [b"ab", b"cde", b"f", b"ghijk", b"l"];
        for control in [None, inject("mutex"), inject("block-on-root")] {
            assert_eq!(through(control), whole);
        }
    }

    #[test]
    fn a_delay_changes_no_byte_and_takes_its_time() {
        let started = Instant::now();
        assert_eq!(through(inject("delay=1ms/chunk")).len(), 5);
        assert!(started.elapsed() >= Duration::from_millis(5));
    }

    #[test]
    fn pieces_are_kept_until_they_are_enough() {
        let kept: [&[u8]; 3] = [b"abcde", b"fghijk", b"l"];
        assert_eq!(through(inject("accumulate=4")), kept);
        assert_eq!(through(inject("accumulate=100")), [b"abcdefghijkl"]);
    }

    #[test]
    fn calls_take_turns_under_a_mutex() {
        let tampering = Tampering::new(inject("mutex"));
        block_on(async {
            let first = tampering.begin().await;
            let clone = tampering.clone();
            let second = std::pin::pin!(clone.begin());
            let second = match futures::future::select(second, std::future::ready(())).await {
                futures::future::Either::Left(_) => panic!("the first still has its turn"),
                futures::future::Either::Right(((), second)) => second,
            };
            drop(first);
            second.await;
        });
    }
}
