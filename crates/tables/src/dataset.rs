//! A finished dataset: its manifest, and its tables.

use std::path::{Path, PathBuf};

use korpus_engine::Manifest;

use crate::error::{Result, TablesError};
use crate::read::TableReader;
use crate::schema::{SCHEMA_VERSION, Table};

/// A finished dataset on disk.
#[derive(Debug)]
pub struct Dataset {
    dir: PathBuf,
    manifest: Manifest,
}

/// The option of the manifest that names the tables of a dataset.
pub(crate) const TABLES_OPTION: &str = "tables";
/// The option of the manifest that says by what the messages are laid out in folders.
pub(crate) const PARTITION_OPTION: &str = "partition_by";

impl Dataset {
    /// Opens the dataset at `dir`.
    ///
    /// # Errors
    /// If there is none, or one of another version.
    pub fn open(dir: &Path) -> Result<Self> {
        let manifest = Manifest::read(dir)?;
        if manifest.schema_version != SCHEMA_VERSION {
            return Err(TablesError::NotADataset {
                path: dir.to_owned(),
                why: format!("its schema has version {}, not {SCHEMA_VERSION}", manifest.schema_version),
            });
        }
        Ok(Self { dir: dir.to_owned(), manifest })
    }

    /// What the dataset says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The rows of a table, in order, as Arrow batches.
    ///
    /// # Errors
    /// Where the folder of the table cannot be listed.
    pub fn read(&self, table: Table) -> Result<TableReader> {
        TableReader::open(&self.dir, table)
    }

    /// Whether the table was chosen when the dataset was made; it is empty otherwise.
    pub fn has(&self, table: Table) -> bool {
        let chosen = self.manifest.options.get(TABLES_OPTION).and_then(|tables| tables.as_array());
        chosen.is_none_or(|tables| tables.iter().any(|name| name.as_str() == Some(table.name())))
    }

    pub(crate) fn require(&self, tables: &[Table]) -> Result<()> {
        match tables.iter().find(|table| !self.has(**table)) {
            Some(missing) => Err(TablesError::MissingTable(missing.name())),
            None => Ok(()),
        }
    }
}
