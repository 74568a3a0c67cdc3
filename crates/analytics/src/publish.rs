//! From inputs to a directory of metrics: the tables, the report and a manifest, all of it or nothing.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use korpus_engine::{Background, FileEntry, InputList, Manifest, Observer, Publication, PublishOptions};
use korpus_tables::TablesError;

use crate::analyze::{Analysis, Sink, analyze_for};
use crate::error::{AnalyticsError, Result};
use crate::export::{Export, ExportFiles, Exported, Wanted};
use crate::metrics::{Metric, RULES_VERSION};
use crate::options::AnalyzeOptions;
use crate::report::{Digest, Facts, Highlights};
use crate::table_file::{CREATED_BY, TableFile, TableFormat, entry};
use crate::write_behind::WrittenBehind;

/// The file of the report.
const REPORT: &str = "report.html";

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
    /// What there was, and what became of every message.
    pub analysis: Analysis,
    /// The few numbers that somebody wants to see first.
    pub highlights: Highlights,
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
    let mut sink = Files::create(dir, publishing.format, exports)?;
    let analysis = analyze_for(inputs, &options, exports, &mut sink, observer)?;
    let Files { closed: mut files, mut digest, exports, .. } = sink;
    for path in exports.finish()? {
        files.push(entry(dir, &path, "export", 0)?);
    }
    let mut facts = facts(&analysis, &options, publishing);
    complete(&analysis, &mut facts);
    let path = dir.join(REPORT);
    std::fs::write(&path, digest.render(&facts)?).map_err(TablesError::io("write", &path))?;
    files.push(entry(dir, Path::new(REPORT), "report", 0)?);

    let mut manifest = Manifest::new(RULES_VERSION.unsigned_abs(), &analysis.run.ledger);
    manifest.options = described(&options, publishing);
    manifest.files = files;
    manifest.write(dir)?;
    publication.finish()?;
    let highlights = digest.highlights(&analysis.counts)?;
    Ok(AnalyzeReport { analysis, highlights, manifest })
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

/// Takes what comes of an analysis: table after table, each to a file of its own, and to the report. At most two files are open:
/// one that is written, and the one before, which is closed.
struct Files {
    dir: PathBuf,
    format: TableFormat,
    open: Option<WrittenBehind>,
    closing: Option<Background<Result<FileEntry>>>,
    closed: Vec<FileEntry>,
    digest: Digest,
    exports: ExportFiles,
}

impl Files {
    /// Begins with the file of `sessions`, which is there without a row too.
    fn create(dir: &Path, format: TableFormat, exports: Wanted) -> Result<Self> {
        let sessions = TableFile::create(dir, Metric::Sessions, TableFormat::Parquet)?;
        Ok(Self {
            dir: dir.to_owned(),
            format,
            open: Some(WrittenBehind::new(sessions)),
            closing: None,
            closed: Vec::new(),
            digest: Digest::default(),
            exports: ExportFiles::create(dir, exports)?,
        })
    }

    /// The file of a table; that of the one before is closed.
    fn of(&mut self, metric: Metric) -> Result<&mut WrittenBehind> {
        if self.open.as_ref().is_none_or(|open| open.metric() != metric) {
            self.close()?;
            self.open = Some(WrittenBehind::new(TableFile::create(&self.dir, metric, self.format)?));
        }
        self.open.as_mut().ok_or(AnalyticsError::Internal("a table without a file"))
    }

    /// Has the open file closed, when the one before is.
    fn close(&mut self) -> Result<()> {
        self.closed()?;
        self.closing = self.open.take().map(WrittenBehind::close);
        Ok(())
    }

    /// Waits for the file that is being closed.
    fn closed(&mut self) -> Result<()> {
        let closed = self.closing.take().map(Background::join).transpose()?;
        self.closed.extend(closed);
        Ok(())
    }
}

impl Sink for Files {
    fn table(&mut self, metric: Metric, rows: RecordBatch) -> Result<()> {
        self.of(metric)?.write(rows.clone())?;
        self.digest.add(metric, &rows)
    }

    fn exported(&mut self, exported: Exported) -> Result<()> {
        self.exports.add(exported)
    }

    fn end(&mut self, is_whole: bool) -> Result<()> {
        let closing = if is_whole { self.close() } else { Ok(()) };
        let closed = self.closed();
        if let Some(open) = self.open.take() {
            open.give_up();
        }
        closing.and(closed)
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;
    use korpus_engine::Pool;

    use super::*;

    #[test]
    fn a_file_that_fails_beside_ends_all_and_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let empty = |metric: Metric| RecordBatch::new_empty(metric.arrow_schema());
        let sink = || Files::create(dir.path(), TableFormat::Parquet, Wanted::default()).unwrap();
        // Rows of another table; the report looks at none of this one.
        let users =
            RecordBatch::try_from_iter([("user_id", arrow::array::new_null_array(&DataType::Utf8, 1))]);
        let users = users.unwrap();
        for threads in [1, 2] {
            Pool::new(threads).unwrap().install(|| {
                let mut failed = sink();
                failed.table(Metric::Sessions, users.clone()).unwrap();
                failed.table(Metric::Volumes, empty(Metric::Volumes)).unwrap();
                let told = failed.table(Metric::Latency, empty(Metric::Latency)).unwrap_err();
                assert!(matches!(told, AnalyticsError::Tables(_)), "{told}");
                failed.end(false).unwrap();

                let mut failed = sink();
                failed.table(Metric::Sessions, users.clone()).unwrap();
                failed.table(Metric::Volumes, empty(Metric::Volumes)).unwrap();
                assert!(matches!(failed.end(true), Err(AnalyticsError::Tables(_))));

                let mut whole = sink();
                let metrics = [Metric::Sessions, Metric::Volumes, Metric::Latency];
                for metric in metrics {
                    whole.table(metric, empty(metric)).unwrap();
                }
                whole.end(true).unwrap();
                let closed: Vec<&str> = whole.closed.iter().map(|file| file.table.as_str()).collect();
                assert_eq!(closed, metrics.map(Metric::name));
            });
        }
    }
}
