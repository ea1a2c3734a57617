//! A mock in the process of whoever tests with it: a thread, and what can be asked of it.

use crate::builder::Builder;
use crate::server::{Answered, Bound, Log, ServeError};
use std::io;
use std::net::SocketAddr;
use std::thread::{Builder as Thread, JoinHandle};
use tokio::sync::oneshot;

/// A running mock: one server or several, on one thread. It ends when this is dropped.
#[derive(Debug)]
pub struct Mock {
    addresses: Vec<SocketAddr>,
    log: Log,
    /// Where this is gone, the thread ends.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Mock {
    /// What it is to be, before it starts.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use tare_mock::{Gpus, Mock};
    ///
    /// let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    /// let mock = Mock::builder()
    ///     .profile("rtx4080-gemma3-4b")
    ///     .speed(50.0)
    ///     .gpus(Gpus::OneEach)
    ///     .listen(anywhere)
    ///     .listen(anywhere)
    ///     .start()?;
    /// assert_eq!(mock.addresses().len(), 2);
    /// # Ok::<(), tare_mock::StartError>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn start(bound: Bound, log: Log) -> io::Result<Self> {
        let addresses = bound.addresses().to_vec();
        let (end, ended) = oneshot::channel();
        let serve = move || bound.serve_until(ended).map(|_| ());
        let thread = Thread::new().name("tare-mock".to_owned()).spawn(serve)?;
        Ok(Self {
            addresses,
            log,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Where it listens; of several servers the first.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where each of its servers listens, in the order asked for; at least one.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Such as `http://127.0.0.1:34567`; of several servers the first.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Every request that has reached it, in the order of arrival: what was asked, how the reply
    /// ended, when each token was due and was written, and where the server's time went. A client
    /// that has read a reply to its end finds it complete here.
    pub fn truths(&self) -> Vec<Answered> {
        self.log.all()
    }

    /// Ends it; connections that are open are closed. Dropping it does the same and tells nothing.
    ///
    /// # Errors
    /// When it had ended by itself: then why.
    pub fn stop(mut self) -> Result<(), ServeError> {
        self.end_thread()
    }

    fn end_thread(&mut self) -> Result<(), ServeError> {
        drop(self.end.take());
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(served)) => served,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // Who drops it does not ask how it ended.
            let _ = thread.join();
        }
    }
}
