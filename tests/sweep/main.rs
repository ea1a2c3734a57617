//! `tare sweep` as its users meet it: what it runs, what it leaves when it is ended, how it goes on,
//! and what it refuses.

mod endings;
mod lock;
mod merging;
mod place;
mod refusals;
mod runs;
