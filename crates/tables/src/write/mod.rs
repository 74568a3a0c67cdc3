//! From rows to Parquet files.

mod arrays;
mod chunk;
mod days;
mod encoder;
mod file;
mod layout;
mod repair;
mod settings;
mod stats;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use arrays::array;
pub(crate) use days::DayWriter;
pub(crate) use encoder::Encoder;
pub use layout::PartitionBy;
pub(crate) use layout::{Day, day_of, part_number, part_path};
pub(crate) use repair::{Repair, TableGroups, repair};
pub use settings::{Compression, writer_properties};
pub(crate) use stats::{groups_of, ordinals_of};
pub(crate) use table::{RowGroupLimits, TableWriter};
