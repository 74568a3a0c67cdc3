//! The `korpus` program.
fn main() {}
