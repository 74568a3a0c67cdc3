//! The file of a table, written batch by batch.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use korpus_core::write_json_string;
use korpus_engine::{FileEntry, hash_file};
use korpus_tables::TablesError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::error::Result;
use crate::export::csv_cell;
use crate::local_time::day_name;
use crate::metrics::{Metric, MetricColumn, MetricKind};

/// What the files say they were written by.
pub(crate) const CREATED_BY: &str = concat!("korpus version ", env!("CARGO_PKG_VERSION"));
/// Rows that are encoded at a time, and waited for in memory: fewer where there are many columns.
const ROW_GROUP: usize = 1 << 16;
const ROW_GROUP_CELLS: usize = 1 << 20;

/// How the aggregates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableFormat {
    /// Parquet, compressed with Zstandard.
    #[default]
    Parquet,
    /// Comma-separated, with a heading; nulls are empty.
    Csv,
    /// An array of objects, one a line.
    Json,
}

impl TableFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Json];

    /// The name, which is also how the files end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// A file on its way.
pub(crate) struct TableFile {
    metric: Metric,
    dir: PathBuf,
    name: String,
    writer: Writer,
    rows: u64,
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Text(Text, BufWriter<File>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Csv,
    Json,
}

impl TableFile {
    pub(crate) fn create(dir: &Path, metric: Metric, format: TableFormat) -> Result<Self> {
        let name = format!("{metric}.{}", format.as_str());
        let path = dir.join(&name);
        let file = File::create(&path).map_err(TablesError::io("create", &path))?;
        let writer = match format {
            TableFormat::Parquet => {
                let writer = ArrowWriter::try_new(file, metric.arrow_schema(), Some(properties(metric)));
                Writer::Parquet(Box::new(writer.map_err(TablesError::parquet(&path))?))
            }
            TableFormat::Csv => Writer::Text(Text::Csv, BufWriter::new(file)),
            TableFormat::Json => Writer::Text(Text::Json, BufWriter::new(file)),
        };
        let mut created = Self { metric, dir: dir.to_owned(), name, writer, rows: 0 };
        created.write_text(|text, out| match text {
            Text::Csv => csv_heading(metric, out),
            Text::Json => out.push('['),
        })?;
        Ok(created)
    }

    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let is_first = self.rows == 0;
        self.rows += batch.num_rows() as u64;
        if let Writer::Parquet(writer) = &mut self.writer {
            writer.write(batch).map_err(TablesError::parquet(&self.dir.join(&self.name)))?;
            return Ok(());
        }
        self.write_text(|text, out| match text {
            Text::Csv => csv(batch, out),
            Text::Json => json(batch, is_first, out),
        })
    }

    fn write_text(&mut self, write: impl FnOnce(Text, &mut String)) -> Result<()> {
        let Writer::Text(text, file) = &mut self.writer else { return Ok(()) };
        let mut out = String::new();
        write(*text, &mut out);
        file.write_all(out.as_bytes()).map_err(TablesError::io("write", &self.dir.join(&self.name)))?;
        Ok(())
    }

    /// Ends the file, and says what the manifest holds of it.
    pub(crate) fn close(mut self) -> Result<FileEntry> {
        self.write_text(|text, out| out.push_str(if text == Text::Json { "\n]\n" } else { "" }))?;
        let path = self.dir.join(&self.name);
        match self.writer {
            Writer::Parquet(writer) => drop(writer.close().map_err(TablesError::parquet(&path))?),
            Writer::Text(_, mut file) => file.flush().map_err(TablesError::io("write", &path))?,
        }
        entry(&self.dir, Path::new(&self.name), self.metric.name(), self.rows)
    }
}

/// How a table is encoded. Ids have no dictionary, as nearly every row would have an entry there; what measures time, and small
/// numbers, are delta encoded: both make smaller files in less time. Counts are few different ones, and keep their dictionary.
fn properties(metric: Metric) -> WriterProperties {
    let rows = (ROW_GROUP_CELLS / metric.columns().count()).min(ROW_GROUP);
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(rows))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    let plain = |properties: WriterPropertiesBuilder, column: &MetricColumn, encoding| {
        let path = ColumnPath::from(column.name);
        properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
    };
    let encoded = |properties, column: &'static MetricColumn| match column.kind {
        MetricKind::Id => plain(properties, column, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        MetricKind::Millis | MetricKind::Small | MetricKind::Timestamp | MetricKind::Date => {
            plain(properties, column, Encoding::DELTA_BINARY_PACKED)
        }
        _ => properties,
    };
    metric.columns().fold(properties, encoded).build()
}

/// What the manifest says of a file.
pub(crate) fn entry(dir: &Path, path: &Path, table: &str, rows: u64) -> Result<FileEntry> {
    let (bytes, hash) = hash_file(&dir.join(path))?;
    let path = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    Ok(FileEntry { path, table: table.to_owned(), rows, bytes, hash: format!("{hash:032x}") })
}

/// A cell as text; `None` for null.
fn text_of(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    let text = match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Date32 => day_name(column.as_primitive::<Date32Type>().value(row)),
        _ => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            jiff::Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| at.to_string())
        }
    };
    Some(text)
}

fn csv_heading(metric: Metric, out: &mut String) {
    for (at, column) in metric.columns().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        csv_cell(column.name, out);
    }
    out.push('\n');
}

fn csv(batch: &RecordBatch, out: &mut String) {
    for row in 0..batch.num_rows() {
        for (at, column) in batch.columns().iter().enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            csv_cell(&text_of(column, row).unwrap_or_default(), out);
        }
        out.push('\n');
    }
}

fn json(batch: &RecordBatch, is_first: bool, out: &mut String) {
    let schema = batch.schema();
    for row in 0..batch.num_rows() {
        out.push_str(if is_first && row == 0 { "\n{" } else { ",\n{" });
        for (at, (field, column)) in schema.fields().iter().zip(batch.columns()).enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            write_json_string(field.name(), out);
            out.push(':');
            match (text_of(column, row), column.data_type()) {
                (None, _) => out.push_str("null"),
                (Some(text), DataType::Utf8 | DataType::Date32 | DataType::Timestamp(..)) => {
                    write_json_string(&text, out);
                }
                (Some(text), _) => out.push_str(&text),
            }
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::rows::{Cell, one_row};

    fn written(metric: Metric, format: TableFormat, batches: &[RecordBatch]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let mut file = TableFile::create(dir.path(), metric, format).unwrap();
        for batch in batches {
            file.write(batch).unwrap();
        }
        let entry = file.close().unwrap();
        assert_eq!(entry.rows, batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>());
        std::fs::read_to_string(dir.path().join(entry.path)).unwrap()
    }

    #[test]
    fn columns_are_encoded_by_what_they_hold() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = TableFile::create(dir.path(), Metric::Users, TableFormat::Parquet).unwrap();
        let names = ["st-1".into(), "u-1".into()];
        let user = [&names[..], &[1, 2, 3, 4, 5].map(Cell::Int), &[Cell::Bool(true)]].concat();
        file.write(&one_row(Metric::Users, &user)).unwrap();
        let file = File::open(dir.path().join(file.close().unwrap().path)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        for (column, chunk) in Metric::Users.columns().zip(reader.metadata().row_group(0).columns()) {
            let encodings: Vec<Encoding> = chunk.encodings().collect();
            let expected = match column.name {
                "user_id" => Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
                "first_seen" | "last_seen" | "rules_version" => Some(Encoding::DELTA_BINARY_PACKED),
                "returning" => None,
                _ => Some(Encoding::RLE_DICTIONARY),
            };
            assert!(expected.is_none_or(|expected| encodings.contains(&expected)), "{}", column.name);
            let has_dictionary = expected == Some(Encoding::RLE_DICTIONARY);
            assert_eq!(chunk.dictionary_page_offset().is_some(), has_dictionary, "{}", column.name);
            assert!(chunk.statistics().is_some(), "{}", column.name);
        }
    }

    #[test]
    fn parquet_files_say_what_their_columns_are() {
        let dir = tempfile::tempdir().unwrap();
        let quantiles = [
            (Metric::Latency, ["p50_ms", "p90_ms", "p95_ms", "p99_ms"].as_slice()),
            (Metric::PathVariants, &["median_duration_ms"]),
        ];
        for (metric, names) in quantiles {
            let file = TableFile::create(dir.path(), metric, TableFormat::Parquet).unwrap();
            let file = File::open(dir.path().join(file.close().unwrap().path)).unwrap();
            let schema = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().schema().clone();
            assert_eq!(schema.fields(), metric.arrow_schema().fields());
            for name in names {
                let said = schema.field_with_name(name).unwrap().metadata();
                assert!(said["meaning"].contains("relative error of at most 1 %"), "{name}");
            }
        }
    }

    #[test]
    fn small_tables_are_written_as_text() {
        let cells = ["user".into(), "a \"b\",\nc".into(), Cell::Null, 1.into(), 2.into(), 3.into()];
        let batch = one_row(Metric::TagsUsage, &cells);
        let line = "user,\"a \"\"b\"\",\nc\",,1,2,3,1\n";
        let expected = format!("scope,name,tag_value,messages,sessions,users,rules_version\n{line}{line}");
        let batches = [batch.clone(), batch];
        assert_eq!(written(Metric::TagsUsage, TableFormat::Csv, &batches), expected);
        let text = written(Metric::TagsUsage, TableFormat::Json, &batches);
        let row = serde_json::json!({
            "scope": "user", "name": "a \"b\",\nc", "tag_value": null, "messages": 1, "sessions": 2, "users": 3,
            "rules_version": 1
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), serde_json::json!([row, row]));
        let batch = one_row(Metric::Concurrency, &[Cell::Int(20_000), 5.into(), 7.into()]);
        let text = written(Metric::Concurrency, TableFormat::Csv, &[batch]);
        assert_eq!(text, "day,hour,peak,rules_version\n2024-10-04,5,7,1\n");
        assert_eq!(written(Metric::Drift, TableFormat::Json, &[]), "[\n]\n");
    }
}
