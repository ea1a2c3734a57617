//! Connections that are open and in no use: the last to be given back is the first to be taken, as
//! it is the least likely to have been closed meanwhile.

use std::sync::{Mutex, PoisonError};

/// The idle connections of a client, of whatever kind.
#[derive(Debug)]
pub struct Idle<T>(Mutex<Vec<T>>);

impl<T> Idle<T> {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub fn put(&self, connection: T) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(connection);
    }
}
