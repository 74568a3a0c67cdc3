//! What is read: INPUT arguments, expanded into an ordered list of inputs.

mod expand;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use expand::{ExpandOptions, InputList, expand};

/// One input of a run: a stream of bytes that holds one body or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputInfo {
    /// Which input of the run it is, from 0.
    pub index: usize,
    /// Its name in tables and summaries: the path relative to its INPUT argument, unique in the run.
    pub display: String,
    /// Where the bytes come from.
    pub kind: InputKind,
    /// What the bytes are wrapped in.
    pub container: Container,
    /// How many bytes it had when the inputs were listed; unknown for standard input.
    pub size: Option<u64>,
}

/// Where the bytes of an input come from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputKind {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// Bytes in memory.
    Bytes(std::sync::Arc<[u8]>),
}

/// What inputs are taken out of. Archives and HAR files plug in here: they list their members as inputs of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Container {
    /// Nothing: the file is the input.
    Plain,
}

impl Container {
    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
        }
    }
}
