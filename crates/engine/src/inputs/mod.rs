//! What is read: INPUT arguments, expanded into an ordered list of inputs.

mod expand;
mod reader;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use expand::{ExpandOptions, InputList, expand};
pub(crate) use reader::StandardInput;
pub use reader::{OnceReader, waits_for_stdin};

/// One input of a run: a stream of bytes that holds one body or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputInfo {
    /// Which input of the run it is, from 0. The members of an archive share that of the archive.
    pub index: usize,
    /// Which member of the archive it is, from 0, those of archives inside it counted on; `None` for the archive itself, and
    /// where there is none.
    pub member: Option<u64>,
    /// Its name in tables and summaries: the path relative to its INPUT argument, unique in the run. Members of archives
    /// are named `archive!member`.
    pub display: String,
    /// Where the bytes come from.
    pub kind: InputKind,
    /// What it was taken out of.
    pub container: Container,
    /// How many bytes it had when the inputs were listed, or has according to its archive; unknown for standard input.
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
    /// A reader of any kind.
    Reader(OnceReader),
    /// An archive, which is read as a whole.
    Member,
}

/// What inputs are taken out of. The members of archives are inputs of their own, found while the archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Container {
    /// Nothing: the file is the input.
    Plain,
    /// A tar archive, compressed or not.
    Tar,
    /// A zip archive.
    Zip,
    /// A HAR file: exchanges that a browser or a proxy recorded.
    Har,
}

impl Container {
    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tar => "tar",
            Self::Zip => "zip",
            Self::Har => "har",
        }
    }
}
