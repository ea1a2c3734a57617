//! What `async-std` and `smol` share: the timer of `async-io`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// The timer of `async-io`, under a name that a struct can hold. `smol::Timer` is this very type,
/// and `async_std::task::sleep` waits on it inside.
pub struct Sleep(async_io::Timer);

impl Sleep {
    pub fn new(duration: Duration) -> Self {
        Self(async_io::Timer::after(duration))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
