//! A finished dataset: its manifest, and its tables.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use korpus_engine::Manifest;

use crate::error::{Result, TablesError};
use crate::read::{Generation, TableReader};
use crate::restore::{Restored, restore_from};
use crate::schema::{SCHEMA_VERSION, Table};

/// A finished dataset on disk, as it stood when it was opened: where another one takes its place, reading on fails with
/// [`TablesError::Replaced`] rather than to mix the two.
#[derive(Debug)]
pub struct Dataset {
    dir: PathBuf,
    generation: Arc<Generation>,
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
        // Where there is none, the manifest says best why.
        let generation =
            Generation::of(dir).map_err(|error| Manifest::read(dir).err().map_or(error, Into::into))?;
        let manifest = generation.checked(Manifest::read(dir).map_err(Into::into))?;
        if manifest.schema_version != SCHEMA_VERSION {
            return Err(TablesError::NotADataset {
                path: dir.to_owned(),
                why: format!("its schema has version {}, not {SCHEMA_VERSION}", manifest.schema_version),
            });
        }
        Ok(Self { dir: dir.to_owned(), generation: Arc::new(generation), manifest })
    }

    /// What the dataset says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The rows of a table, in order, as Arrow batches.
    ///
    /// # Errors
    /// Where the folder of the table cannot be listed, or the files of days cannot be read; [`TablesError::Replaced`], here and
    /// where a file is opened later.
    pub fn read(&self, table: Table) -> Result<TableReader> {
        TableReader::open(&self.generation, &self.dir, table)
    }

    /// [`restore`](crate::restore) of this dataset.
    ///
    /// # Errors
    /// As there.
    pub fn restore(&self, out: &mut impl Write) -> Result<Restored> {
        restore_from(self, out)
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
