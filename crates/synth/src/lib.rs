//! korpus synth.
