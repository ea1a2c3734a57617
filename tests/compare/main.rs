//! `tare compare` as its users meet it: what it finds, what it writes, and what it says when it
//! can't.

mod controls;
mod endings;
mod place;
mod refusals;
mod runs;
