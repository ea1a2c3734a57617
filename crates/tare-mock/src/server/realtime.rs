//! The engine in real time: tells it the clock, and tells each request what the engine says of it.

use super::timer::Timer;
use crate::clock::Moment;
use crate::engine::{Account, Ask, Engine, Event, Loaded, Refusal, RequestId, ServerId};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A point in time, by the two readings of one clock that are needed.
#[derive(Clone, Copy)]
pub struct Arrival {
    instant: Instant,
    pub moment: Moment,
}

impl Arrival {
    /// Now.
    pub fn now() -> Self {
        Self {
            instant: Instant::now(),
            moment: Moment::now(),
        }
    }

    /// The time since then.
    pub fn elapsed(self) -> Duration {
        Moment::now().since(self.moment)
    }
}

/// An engine that runs by the clock, for all connections of one thread.
pub struct Realtime {
    engine: RefCell<Engine>,
    start: Instant,
    inboxes: RefCell<HashMap<RequestId, Rc<RefCell<Inbox>>>>,
    /// The task that waits for what is due, and until when it waits.
    driver: RefCell<Option<Waker>>,
    waits_until: Cell<Option<Duration>>,
}

/// What a request is told; times count from its arrival.
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// A token was due at this time.
    Token(Duration),
    /// The answer is complete.
    Done(Account),
    /// There will be none.
    Refused(Refusal),
}

#[derive(Default)]
struct Inbox {
    news: VecDeque<News>,
    reader: Option<Waker>,
}

impl Realtime {
    /// An engine whose time begins now.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine: RefCell::new(engine),
            start: Instant::now(),
            inboxes: RefCell::default(),
            driver: RefCell::default(),
            waits_until: Cell::new(None),
        }
    }

    /// A request arrives at a server; dropping what this returns takes it away again.
    pub fn arrive(self: &Rc<Self>, server: ServerId, arrival: Arrival, ask: Ask<'_>) -> Visit {
        let visit = self.enter(server, arrival, ask);
        self.go_on();
        visit
    }

    /// The same for several that arrive at once.
    pub fn arrive_together<'a>(
        self: &Rc<Self>,
        server: ServerId,
        arrival: Arrival,
        asks: impl IntoIterator<Item = Ask<'a>>,
    ) -> Vec<Visit> {
        let asks = asks.into_iter();
        let visits = asks.map(|ask| self.enter(server, arrival, ask)).collect();
        self.go_on();
        visits
    }

    fn enter(self: &Rc<Self>, server: ServerId, arrival: Arrival, ask: Ask<'_>) -> Visit {
        let arrived = arrival.instant.saturating_duration_since(self.start);
        let id = self.engine.borrow_mut().arrive(arrived, server, ask);
        let inbox = Rc::<RefCell<Inbox>>::default();
        self.inboxes.borrow_mut().insert(id, Rc::clone(&inbox));
        Visit {
            id,
            arrived,
            inbox,
            realtime: Rc::clone(self),
        }
    }

    /// Calls `tell` with each model that a server has loaded and when it will be unloaded, in time
    /// from now.
    pub fn loaded(&self, server: ServerId, mut tell: impl FnMut(Loaded<'_>, Option<Duration>)) {
        let now = self.start.elapsed();
        for loaded in self.engine.borrow().loaded(server) {
            let left = loaded.expires.map(|at| at.saturating_sub(now));
            tell(loaded, left);
        }
    }

    /// Lets happen what is due, for good.
    pub async fn drive(&self, mut timer: Timer) -> io::Error {
        loop {
            let due = self.engine.borrow().next_due();
            self.waits_until.set(due);
            match due {
                None => self.earlier().await,
                Some(due) => tokio::select! {
                    rung = timer.until(self.start + due) => if let Err(error) = rung {
                        return error;
                    },
                    () = self.earlier() => {}
                },
            }
            self.go_on();
        }
    }

    /// Ready when something is due earlier than the driver knows.
    async fn earlier(&self) {
        poll_fn(|cx| {
            if self.is_earlier() {
                return Poll::Ready(());
            }
            *self.driver.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn is_earlier(&self) -> bool {
        match (self.engine.borrow().next_due(), self.waits_until.get()) {
            (Some(due), Some(known)) => due < known,
            (due, known) => due.is_some() && known.is_none(),
        }
    }

    fn go_on(&self) {
        let now = self.start.elapsed();
        let inboxes = self.inboxes.borrow();
        self.engine.borrow_mut().advance(now, |event| {
            let news = match event {
                Event::Token { at, .. } => News::Token(at),
                Event::Done { account, .. } => News::Done(account),
                Event::Refused { reason, .. } => News::Refused(reason),
                Event::Loaded { .. } | Event::Unloaded { .. } | Event::Granted { .. } => return,
            };
            let inbox = event.request().and_then(|id| inboxes.get(&id));
            if let Some(inbox) = inbox {
                let inbox = &mut *inbox.borrow_mut();
                inbox.news.push_back(news);
                if let Some(reader) = inbox.reader.take() {
                    reader.wake();
                }
            }
        });
        if self.is_earlier()
            && let Some(driver) = self.driver.take()
        {
            driver.wake();
        }
    }
}

/// A request that is with the engine.
pub struct Visit {
    id: RequestId,
    /// When it arrived, in the engine's time.
    arrived: Duration,
    inbox: Rc<RefCell<Inbox>>,
    realtime: Rc<Realtime>,
}

impl Visit {
    /// How many requests had arrived before.
    pub fn number(&self) -> u64 {
        self.id.number()
    }

    /// The next news.
    pub fn poll_news(&self, cx: &mut Context<'_>) -> Poll<News> {
        let inbox = &mut *self.inbox.borrow_mut();
        match inbox.news.pop_front() {
            Some(News::Token(at)) => Poll::Ready(News::Token(at.saturating_sub(self.arrived))),
            Some(news) => Poll::Ready(news),
            None => {
                inbox.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Waits until so many tokens of the answer are there, at least one, or all of them.
    ///
    /// # Errors
    /// When there will be none.
    pub async fn begun(&self, tokens: usize) -> Result<(), Refusal> {
        poll_fn(|cx| {
            let inbox = &mut *self.inbox.borrow_mut();
            match inbox.news.back() {
                Some(News::Refused(refusal)) => Poll::Ready(Err(*refusal)),
                Some(News::Done(_)) => Poll::Ready(Ok(())),
                Some(News::Token(_)) if inbox.news.len() >= tokens => Poll::Ready(Ok(())),
                Some(News::Token(_)) | None => {
                    inbox.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The next news.
    pub async fn news(&self) -> News {
        poll_fn(|cx| self.poll_news(cx)).await
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.realtime.inboxes.borrow_mut().remove(&self.id);
        let now = self.realtime.start.elapsed();
        self.realtime.engine.borrow_mut().leave(now, self.id);
        self.realtime.go_on();
    }
}
