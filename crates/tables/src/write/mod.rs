//! From rows to Parquet files.

mod arrays;
mod encoder;
mod file;
mod repair;
mod settings;
mod stats;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use arrays::array;
pub(crate) use encoder::Encoder;
pub(crate) use repair::{Repair, TableGroups, repair};
pub use settings::{Compression, writer_properties};
pub(crate) use stats::groups_of;
pub(crate) use table::{RowGroupLimits, TableWriter, part_path};
