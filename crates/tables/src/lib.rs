//! The tables of korpus: their schema, Parquet datasets, and the way back to JSON.
//!
//! [`convert`] reads inputs and publishes a dataset; [`resume`] does so in steps, and goes on where an earlier one was interrupted; [`append`] adds to one what it does not hold yet; [`Dataset`] opens one and reads its tables as Arrow batches;
//! [`restore`] writes every message of it as JSON again. [`Table`] declares the tables: their columns, types and meanings.
//!
//! ```
//! use korpus_engine::InputList;
//! use korpus_tables::{ConvertOptions, Dataset, Table, convert, json_equal, restore};
//!
//! let dir = tempfile::tempdir()?;
//! let message = r#"{"_id":"ms-1","type":"incoming","ms":1,"components":[{"cT":"text","data":{"text":"Hi"}}],"new":[1]}"#;
//! let page = format!(r#"{{"total":1,"messages":[{message}]}}"#);
//! let out = dir.path().join("out");
//! convert(&InputList::from_bytes([("page.json", page.into_bytes())]), &out, &ConvertOptions::default(), &())?;
//!
//! let rows: usize = Dataset::open(&out)?
//!     .read(Table::Messages)?
//!     .map(|batch| batch.map(|batch| batch.num_rows()))
//!     .sum::<Result<_, _>>()?;
//! assert_eq!(rows, 1);
//!
//! let mut json = Vec::new();
//! restore(&out, &mut json)?;
//! assert!(json_equal(std::str::from_utf8(&json)?, message));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod batches;
mod build;
mod convert;
mod dataset;
mod earlier;
mod error;
mod job;
mod making;
mod read;
mod restore;
mod resume;
mod schema;
mod superseded;
mod write;

pub use batches::batches;
pub use convert::{AppendReport, ConvertOptions, ConvertReport, Volume, append, convert};
pub use dataset::Dataset;
pub use error::{Result, TablesError};
pub use korpus_core::json_equal;
pub use read::TableReader;
pub use restore::{Restored, restore};
pub use resume::{ResumeReport, resume};
pub use schema::{
    Column, ColumnKind, FormBit, MessageForm, RecordForm, SCHEMA_VERSION, Table, markdown, table_markdown,
    templates_markdown,
};
pub use write::{Compression, PartitionBy, writer_properties};
