//! From inputs to a directory of metrics: the tables, the report and a manifest, all of it or nothing.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use korpus_core::write_json_string;
use korpus_engine::{FileEntry, InputList, Manifest, Observer, Publication, PublishOptions, hash_file};
use korpus_tables::TablesError;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::analyze::{Analysis, Sink, analyze_for};
use crate::error::Result;
use crate::export::{Export, ExportFiles, Exported, Wanted, csv_cell};
use crate::local_time::day_name;
use crate::metrics::{Metric, RULES_VERSION};
use crate::options::AnalyzeOptions;
use crate::report::{self, Facts};

/// What the files say they were written by.
const CREATED_BY: &str = concat!("korpus version ", env!("CARGO_PKG_VERSION"));
/// Rows of `sessions` that are encoded at a time.
const ROW_GROUP: usize = 1 << 16;
/// The file of the report.
const REPORT: &str = "report.html";

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

/// How the directory is made.
#[derive(Debug, Clone, Default)]
pub struct Publishing {
    /// How the aggregates are written; `sessions` is always Parquet.
    pub format: TableFormat,
    /// Whether a directory that korpus wrote is replaced.
    pub overwrite: bool,
    /// The headline of the report.
    pub title: String,
    /// The filters that are in force, as the report is to show them.
    pub filters: Vec<String>,
    /// Which other programs sessions are written for.
    pub exports: Vec<Export>,
}

/// What came of [`analyze_to`].
#[derive(Debug)]
pub struct AnalyzeReport {
    /// The aggregates, and what became of every message.
    pub analysis: Analysis,
    /// What the directory says about itself.
    pub manifest: Manifest,
}

/// Analyses `inputs` and publishes the metrics at `out`: all tables, `report.html`, and `_korpus.json`; or nothing.
///
/// `complete` adds to the facts of the report what only the caller knows, such as what each query should have brought.
///
/// # Errors
/// As [`analyze`](crate::analyze); and where the target cannot be written or must not be replaced.
pub fn analyze_to(
    inputs: &InputList,
    out: &Path,
    options: &AnalyzeOptions,
    publishing: &Publishing,
    complete: impl FnOnce(&Analysis, &mut Facts),
    observer: &dyn Observer,
) -> Result<AnalyzeReport> {
    let publication = Publication::begin(out, PublishOptions { overwrite: publishing.overwrite })?;
    let dir = publication.path();
    let mut options = options.clone();
    // Beside the tables there is room for more than in a directory that may be memory.
    options.run.temp_dir.get_or_insert_with(|| dir.to_owned());

    let exports = Wanted::new(&publishing.exports);
    let mut sink = Files {
        sessions: ParquetFile::create(dir, Metric::Sessions)?,
        exports: ExportFiles::create(dir, exports)?,
    };
    let analysis = analyze_for(inputs, &options, exports, &mut sink, observer)?;
    let mut files = vec![sink.sessions.close()?];
    for path in sink.exports.finish()? {
        files.push(entry(dir, &path, "export", 0)?);
    }
    for metric in Metric::ALL.into_iter().filter(|&metric| metric != Metric::Sessions) {
        let Some(batch) = analysis.tables.get(metric.name()) else { continue };
        files.push(write_table(dir, metric, batch, publishing.format)?);
    }
    let mut facts = facts(&analysis, &options, publishing);
    complete(&analysis, &mut facts);
    let path = dir.join(REPORT);
    std::fs::write(&path, report::render(&analysis.tables, &facts))
        .map_err(TablesError::io("write", &path))?;
    files.push(entry(dir, Path::new(REPORT), "report", 0)?);

    let mut manifest = Manifest::new(RULES_VERSION.unsigned_abs(), &analysis.run.ledger);
    manifest.options = described(&options, publishing);
    manifest.files = files;
    manifest.write(dir)?;
    publication.finish()?;
    Ok(AnalyzeReport { analysis, manifest })
}

/// What shapes the tables, by name.
fn described(
    options: &AnalyzeOptions,
    publishing: &Publishing,
) -> std::collections::BTreeMap<String, serde_json::Value> {
    let zone = options.timezone.iana_name().unwrap_or("UTC");
    let pairs: [(&str, serde_json::Value); 12] = [
        ("command", "analyze".into()),
        ("rules_version", RULES_VERSION.into()),
        ("format", publishing.format.as_str().into()),
        ("timezone", zone.into()),
        ("inactivity_gap_ms", options.inactivity_gap_ms.into()),
        ("closure_phrases", options.closure_phrases.clone().into()),
        ("fallback_phrases", options.fallback_phrases.clone().into()),
        ("wrap_up_phrases", options.wrap_up_phrases.clone().into()),
        ("pseudo_inputs", options.pseudo_inputs.clone().into()),
        ("include_developers", options.include_developers.into()),
        ("window", options.window.map(|(from, to)| vec![from, to]).into()),
        ("filters", publishing.filters.clone().into()),
    ];
    let dedup = ("dedup", options.run.dedup.into());
    pairs.into_iter().chain([dedup]).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn facts(analysis: &Analysis, options: &AnalyzeOptions, publishing: &Publishing) -> Facts {
    let counts = analysis.counts;
    Facts {
        title: publishing.title.clone(),
        program: CREATED_BY.to_owned(),
        timezone: options.timezone.iana_name().unwrap_or("UTC").to_owned(),
        filters: publishing.filters.clone(),
        include_developers: options.include_developers,
        left_cut: Some(counts.left_cut),
        right_cut: Some(counts.right_cut),
        developer_sessions: Some(counts.developer_sessions),
        developer_unknown: Some(counts.developer_unknown),
        unsessioned: Some(counts.unsessioned),
        untimed: Some(counts.untimed),
        ..Facts::of_ledger(&analysis.run.ledger)
    }
}

/// A Parquet file on its way.
struct ParquetFile {
    metric: Metric,
    path: PathBuf,
    writer: ArrowWriter<File>,
    rows: u64,
}

impl ParquetFile {
    fn create(dir: &Path, metric: Metric) -> Result<Self> {
        let path = dir.join(format!("{metric}.parquet"));
        let file = File::create(&path).map_err(TablesError::io("create", &path))?;
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .build();
        let writer = ArrowWriter::try_new(file, metric.arrow_schema(), Some(properties))
            .map_err(TablesError::parquet(&path))?;
        Ok(Self { metric, path, writer, rows: 0 })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(TablesError::parquet(&self.path))?;
        Ok(())
    }

    fn close(self) -> Result<FileEntry> {
        self.writer.close().map_err(TablesError::parquet(&self.path))?;
        let name = format!("{}.parquet", self.metric);
        entry(self.path.parent().unwrap_or(&self.path), Path::new(&name), self.metric.name(), self.rows)
    }
}

/// What the manifest says of a file.
fn entry(dir: &Path, path: &Path, table: &str, rows: u64) -> Result<FileEntry> {
    let (bytes, hash) = hash_file(&dir.join(path))?;
    let path = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    Ok(FileEntry { path, table: table.to_owned(), rows, bytes, hash: format!("{hash:032x}") })
}

/// Takes what becomes of sessions.
struct Files {
    sessions: ParquetFile,
    exports: ExportFiles,
}

impl Sink for Files {
    fn sessions(&mut self, rows: RecordBatch) -> Result<()> {
        self.sessions.write(&rows)
    }

    fn exported(&mut self, exported: Exported) -> Result<()> {
        self.exports.add(exported)
    }
}

fn write_table(dir: &Path, metric: Metric, batch: &RecordBatch, format: TableFormat) -> Result<FileEntry> {
    if format == TableFormat::Parquet {
        let mut file = ParquetFile::create(dir, metric)?;
        file.write(batch)?;
        return file.close();
    }
    let name = format!("{metric}.{}", format.as_str());
    let path = dir.join(&name);
    let text = if format == TableFormat::Csv { csv(batch) } else { json(batch) };
    let file = File::create(&path).map_err(TablesError::io("create", &path))?;
    let mut file = BufWriter::new(file);
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(TablesError::io("write", &path))?;
    entry(dir, Path::new(&name), metric.name(), batch.num_rows() as u64)
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

fn csv(batch: &RecordBatch) -> String {
    let mut out = String::new();
    let mut put = |at: usize, text: &str| {
        out.push_str(if at > 0 { "," } else { "" });
        csv_cell(text, &mut out);
        if at + 1 == batch.num_columns() {
            out.push('\n');
        }
    };
    for (at, field) in batch.schema().fields().iter().enumerate() {
        put(at, field.name());
    }
    for row in 0..batch.num_rows() {
        for (at, column) in batch.columns().iter().enumerate() {
            put(at, &text_of(column, row).unwrap_or_default());
        }
    }
    out
}

fn json(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let mut out = String::from("[");
    for row in 0..batch.num_rows() {
        out.push_str(if row > 0 { ",\n{" } else { "\n{" });
        for (at, (field, column)) in schema.fields().iter().zip(batch.columns()).enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            write_json_string(field.name(), &mut out);
            out.push(':');
            match (text_of(column, row), column.data_type()) {
                (None, _) => out.push_str("null"),
                (Some(text), DataType::Utf8 | DataType::Date32 | DataType::Timestamp(..)) => {
                    write_json_string(&text, &mut out);
                }
                (Some(text), _) => out.push_str(&text),
            }
        }
        out.push('}');
    }
    out.push_str("\n]\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Cell, Rows};

    #[test]
    fn small_tables_are_written_as_text() {
        let mut rows = Rows::new(Metric::TagsUsage);
        rows.push([Cell::Text("user"), Cell::Text("a \"b\",\nc"), Cell::Null, 1.into(), 2.into(), 3.into()]);
        let batch = rows.finish().unwrap();
        let expected =
            "scope,name,tag_value,messages,sessions,users,rules_version\nuser,\"a \"\"b\"\",\nc\",,1,2,3,1\n";
        assert_eq!(csv(&batch), expected);
        let value: serde_json::Value = serde_json::from_str(&json(&batch)).unwrap();
        assert_eq!(
            value,
            serde_json::json!([{
                "scope": "user", "name": "a \"b\",\nc", "tag_value": null, "messages": 1, "sessions": 2,
                "users": 3, "rules_version": 1
            }])
        );
        let mut rows = Rows::new(Metric::Concurrency);
        rows.push([Cell::Int(20_000), 5.into(), 7.into()]);
        assert_eq!(csv(&rows.finish().unwrap()), "day,hour,peak,rules_version\n2024-10-04,5,7,1\n");
        assert_eq!(json(&Rows::new(Metric::Drift).finish().unwrap()), "[\n]\n");
    }
}
