//! `tare import` and `tare report sweep` on trees in the published schema, with the real program.
//!
//! The figures are computed here anew, or are SciPy's of the same values and say so.

mod broken;
mod chance;
mod place;
mod runtimes;
mod servers;
mod tree;
