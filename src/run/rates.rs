//! What a process used, per token.

use crate::meter::Usage;

/// Each figure of a [`Usage`], divided by the tokens that came meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// CPU time in the program, ns per token.
    pub user_ns: f64,
    /// CPU time in the kernel, ns per token.
    pub system_ns: f64,
    /// Context switches because a thread waited, per token.
    pub voluntary_switches: f64,
    /// Context switches because its time was up, per token.
    pub involuntary_switches: f64,
    /// Blocks allocated, per token; `None` where they were not counted.
    pub allocations: Option<f64>,
    /// Blocks whose size was changed, per token.
    pub reallocations: Option<f64>,
    /// Blocks freed, per token.
    pub frees: Option<f64>,
    /// Bytes allocated, per token.
    pub allocated_bytes: Option<f64>,
    /// Reads of a socket that brought something, per token; `None` for a client whose sockets can't
    /// be seen.
    pub socket_reads: Option<f64>,
    /// Bytes they brought, per token.
    pub socket_read_bytes: Option<f64>,
    /// Reads of anything else, per token; `None` where the system does not tell.
    pub file_reads: Option<f64>,
    /// Bytes they brought, per token.
    pub file_read_bytes: Option<f64>,
    /// Calls of `write`, per token; most wake a thread.
    pub file_writes: Option<f64>,
}

impl Rates {
    pub(super) fn of(usage: &Usage, tokens: u64) -> Option<Self> {
        if tokens == 0 {
            return None;
        }
        let per_token = |count: u64| count as f64 / tokens as f64;
        let Usage {
            heap,
            sockets,
            files,
            ..
        } = usage;
        Some(Self {
            user_ns: per_token(usage.user_ns),
            system_ns: per_token(usage.system_ns),
            voluntary_switches: per_token(usage.voluntary_switches),
            involuntary_switches: per_token(usage.involuntary_switches),
            allocations: heap.map(|heap| per_token(heap.allocations)),
            reallocations: heap.map(|heap| per_token(heap.reallocations)),
            frees: heap.map(|heap| per_token(heap.frees)),
            allocated_bytes: heap.map(|heap| per_token(heap.bytes)),
            socket_reads: sockets.map(|sockets| per_token(sockets.reads)),
            socket_read_bytes: sockets.map(|sockets| per_token(sockets.read_bytes)),
            file_reads: files.map(|files| per_token(files.reads)),
            file_read_bytes: files.map(|files| per_token(files.read_bytes)),
            file_writes: files.map(|files| per_token(files.writes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::SocketIo;

    #[test]
    fn a_rate_is_per_token_and_what_is_unknown_has_none() {
        let usage = Usage {
            user_ns: 50,
            sockets: Some(SocketIo {
                reads: 5,
                read_bytes: 1_100,
            }),
            ..Usage::default()
        };
        let rates = Rates::of(&usage, 10).expect("ten tokens");
        assert_eq!((rates.user_ns, rates.socket_reads), (5.0, Some(0.5)));
        assert_eq!((rates.allocations, rates.file_reads), (None, None));
        assert_eq!(Rates::of(&usage, 0), None);
    }
}
