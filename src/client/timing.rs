//! When a call had its connection, its request written and its reply's head.

use crate::clock::Moment;

/// The moments of a call up to its reply's head, as far as the client can see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The connection was made; `None` if one was there already, or the client does not show it.
    pub connected: Option<Moment>,
    /// The last byte of the request was handed to the kernel; `None` if the client does not show it.
    pub sent: Option<Moment>,
    /// The reply's head was there, parsed.
    pub head: Moment,
}
