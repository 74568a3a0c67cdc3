//! korpus engine.
