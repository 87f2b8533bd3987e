//! The simulation in the tests: the corpus, a thousand seeds, planted bugs, and the herd.

mod mutants;
mod seeds;
mod thundering_herd;
