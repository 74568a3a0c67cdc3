//! `_korpus.json`: what a dataset says about itself. It is written last: a dataset without it is not finished.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{EngineError, IoContext, Result};
use crate::ledger::{Books, Ledger};

/// The name of the manifest in a dataset.
pub const MANIFEST: &str = "_korpus.json";
/// The value of [`Manifest::format`].
const FORMAT: &str = "korpus-dataset";

/// What a dataset is, what it was made of, and what it holds. No times, thread counts or temporary paths: the same
/// inputs and options give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always `korpus-dataset`.
    pub format: String,
    /// Version of the tables.
    pub schema_version: u32,
    /// Version of the program that wrote it.
    pub program_version: String,
    /// The options that shape the data, by name.
    pub options: BTreeMap<String, serde_json::Value>,
    /// What was read, in order.
    pub inputs: Vec<InputEntry>,
    /// The files of the dataset, this one and the keys aside, by table and path.
    pub files: Vec<FileEntry>,
    /// The files that tell later runs which messages were seen, one a run, where copies of messages are recognised. They
    /// hold hashes, and nothing of the messages themselves; only `convert --append` needs them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<FileEntry>,
    /// What became of all that was seen.
    pub totals: Totals,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEntry {
    /// Its name, as in the tables' `source_file`.
    pub path: String,
    /// Its bytes, before decoding.
    pub size: u64,
    /// XXH3-128 of these bytes, in hexadecimal.
    pub hash: String,
    /// XXH3-128 of the request that it answers, in hexadecimal, where it is an exchange of a HAR file: later runs know it by
    /// both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// How many bodies it holds; those of its members aside.
    pub pages: u64,
    /// How many of its members were read, where it is an archive. They have entries of their own, before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// ok, partial or unreadable.
    pub status: String,
    /// Whether it changed while it was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// Whether later runs read it again where it comes again: reading it ended by an error of the system, or by where it stood
    /// in an archive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// One file of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the dataset, with `/`.
    pub path: String,
    /// The table that it is a part of.
    pub table: String,
    /// How many rows it holds.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// XXH3-128 of its bytes, in hexadecimal.
    pub hash: String,
}

/// What became of all that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Bodies.
    pub pages: u64,
    /// Messages.
    pub messages: Books,
    /// Conversation and session records.
    pub records: Books,
}

impl Manifest {
    /// The manifest of a run: inputs and totals from the ledger; options and files are for the caller to add.
    pub fn new(schema_version: u32, ledger: &Ledger) -> Self {
        let (messages, records) = ledger.totals();
        Self {
            format: FORMAT.to_owned(),
            schema_version,
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            options: BTreeMap::new(),
            inputs: ledger.inputs().iter().filter(|report| !report.left_out).map(InputEntry::from).collect(),
            files: Vec::new(),
            keys: Vec::new(),
            totals: Totals { pages: ledger.pages().len() as u64, messages, records },
        }
    }

    /// Puts what an earlier manifest says about inputs and totals before that of this one. What became of the messages that
    /// were seen before is for the caller to revise: see [`Fates::revise`](crate::Fates::revise).
    pub fn go_on_from(&mut self, earlier: &Self) {
        self.inputs.splice(..0, earlier.inputs.iter().cloned());
        self.totals.pages += earlier.totals.pages;
        self.totals.messages.add(&earlier.totals.messages);
        self.totals.records.add(&earlier.totals.records);
    }

    /// Writes it into the directory `dataset`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, dataset: &Path) -> Result<()> {
        let path = dataset.join(MANIFEST);
        let mut file = BufWriter::new(File::create(&path).context("create", &path)?);
        serde_json::to_writer_pretty(&mut file, self)
            .map_err(std::io::Error::from)
            .context("write", &path)?;
        file.write_all(b"\n").and_then(|()| file.flush()).context("write", &path)
    }

    /// Reads that of the directory `dataset`.
    ///
    /// # Errors
    /// [`EngineError::NoDataset`] where there is none; an I/O error where it cannot be read or is damaged.
    pub fn read(dataset: &Path) -> Result<Self> {
        let path = dataset.join(MANIFEST);
        let none = |why| Err(EngineError::NoDataset { path: dataset.to_owned(), why });
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(_) if dataset.is_file() => {
                return none("it is a file; name the directory that korpus convert wrote");
            }
            Err(error) if error.kind() == ErrorKind::NotFound && dataset.is_dir() => {
                return none("the directory has no _korpus.json, which korpus convert writes last");
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return none("there is no such directory; check the path");
            }
            Err(error) => return Err(error).context("read", &path),
        };
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(std::io::Error::from).context("read", &path)?;
        if manifest.format != FORMAT {
            return none("its _korpus.json is that of something else");
        }
        Ok(manifest)
    }
}

impl From<&crate::ledger::InputReport> for InputEntry {
    fn from(report: &crate::ledger::InputReport) -> Self {
        Self {
            path: report.input.display.clone(),
            size: report.bytes,
            hash: format!("{:032x}", report.hash),
            request: report.request.map(|request| format!("{request:032x}")),
            pages: report.pages.len() as u64,
            members: report.members.as_ref().map(|members| members.read),
            status: report.status.as_str().to_owned(),
            changed: report.changed,
            again: report.io_error.is_some() || report.cut_here,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_back_and_others_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let why = |path: &Path| match Manifest::read(path) {
            Err(EngineError::NoDataset { why, .. }) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(dir.path()).contains("no _korpus.json"));
        assert!(why(&dir.path().join("nothing")).contains("no such directory"));
        let file = dir.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(why(&file).contains("it is a file"));
        assert!(why(&file.join("below")).contains("no such directory"));
        let mut manifest = Manifest::new(1, &Ledger::default());
        manifest.options.insert("dedup".to_owned(), true.into());
        manifest.files.push(FileEntry {
            path: "messages/part-00000.parquet".to_owned(),
            table: "messages".to_owned(),
            rows: 3,
            bytes: 99,
            hash: "0".repeat(32),
        });
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), manifest);
        std::fs::write(dir.path().join(MANIFEST), "{}").unwrap();
        assert!(matches!(Manifest::read(dir.path()), Err(EngineError::Io { .. })));
    }
}
