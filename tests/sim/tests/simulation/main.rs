//! The simulation in the tests: the corpus, a thousand seeds, planted bugs, and the herd.

mod herd;
mod plants;
mod seeds;
