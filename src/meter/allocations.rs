//! Allocations, counted by the allocator itself.
//!
//! [`Counting`] passes each request on to the system's allocator and counts it in the
//! [tally](crate::tally) of its thread. A program has it only if it installs it; `tare` does, so
//! that every stack, the floor included, pays alike: some 1 ns for a block given and taken back, as
//! `benches/meter.rs` shows.
//! It counts what the whole process asks for, the meter's own buffers included.

use crate::tally::{self, Count};
use serde::{Deserialize, Serialize};
use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::Sub;

/// The system's allocator, counted. Install it by `#[global_allocator]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

// SAFETY: every method passes its arguments on to `System`, which keeps the contract, and returns
// what that returns. Counting neither allocates nor panics.
#[expect(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        given(layout);
        // SAFETY: the caller's promise about `layout` is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        given(layout);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        tally::add([(Count::Frees, 1)]);
        // SAFETY: the block is one that this allocator gave, and so `System`'s.
        unsafe { System.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let added = size.saturating_sub(layout.size()) as u64;
        tally::add([(Count::Reallocations, 1), (Count::AllocatedBytes, added)]);
        // SAFETY: the block is one that this allocator gave, and so `System`'s; the caller's
        // promise about `size` is the one that it asks for.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[inline]
fn given(layout: Layout) {
    let bytes = layout.size() as u64;
    tally::add([(Count::Allocations, 1), (Count::AllocatedBytes, bytes)]);
}

/// What was asked of the allocator by the whole process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Allocations {
    /// Blocks given.
    pub allocations: u64,
    /// Blocks whose size was changed.
    pub reallocations: u64,
    /// Blocks taken back.
    pub frees: u64,
    /// Bytes asked for; of a reallocation what it added.
    pub bytes: u64,
}

impl Allocations {
    /// Up to now; `None` in a program that has not installed [`Counting`].
    pub fn now() -> Option<Self> {
        let allocations = tally::total(Count::Allocations);
        // No program comes as far as this without an allocation.
        (allocations > 0).then(|| Self {
            allocations,
            reallocations: tally::total(Count::Reallocations),
            frees: tally::total(Count::Frees),
            bytes: tally::total(Count::AllocatedBytes),
        })
    }
}

impl Sub for Allocations {
    type Output = Allocations;

    fn sub(self, earlier: Allocations) -> Allocations {
        Allocations {
            allocations: self.allocations.saturating_sub(earlier.allocations),
            reallocations: self.reallocations.saturating_sub(earlier.reallocations),
            frees: self.frees.saturating_sub(earlier.frees),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_is_not_installed_nothing_is_said() {
        assert_eq!(Allocations::now(), None);
    }
}
