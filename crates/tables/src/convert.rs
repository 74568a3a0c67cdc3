//! From inputs to a published dataset, new or added to: the entries that everything else serves.

use std::path::Path;

use korpus_engine::{InputList, Manifest, Observer, Publication, PublishOptions, RunOptions, RunReport};

use crate::earlier::Earlier;
use crate::error::{Result, TablesError};
use crate::making::Making;
use crate::schema::Table;
use crate::write::{Compression, PartitionBy};

/// What shapes a conversion. The default writes all tables, compressed with Zstandard, without copies.
#[derive(Debug, Clone, Default)]
pub struct ConvertOptions {
    /// How inputs are read: limits, filter, de-duplication, memory, cancellation.
    pub run: RunOptions,
    /// How many threads; as many as the machine has processors where 0.
    pub threads: usize,
    /// How the files are compressed.
    pub compression: Compression,
    /// Which tables are filled; all where empty. The others are there, without rows.
    pub tables: Vec<Table>,
    /// By what the messages are laid out in folders; in one where `None`.
    pub partition_by: Option<PartitionBy>,
    /// How many bytes of input [`resume`](crate::resume) reads at least between two checkpoints; 256 MiB where `None`.
    pub checkpoint: Option<u64>,
    /// Whether a dataset that is there already is replaced.
    pub overwrite: bool,
    /// Whether nothing is published if anything was rejected, partial or an error response.
    pub strict: bool,
    #[doc(hidden)]
    pub row_group_rows: Option<usize>,
}

/// What came of a conversion.
#[derive(Debug)]
pub struct ConvertReport {
    /// Every body and input that was read, and what became of every message in them.
    pub run: RunReport,
    /// What the dataset says about itself: of one that was [added to](append), all of it.
    pub manifest: Manifest,
    /// How many messages were kept, in the order of days and channels; empty where neither `volumes` nor `messages` is wanted,
    /// and of a dataset that was added to without a table `volumes`.
    pub volumes: Vec<Volume>,
}

/// What came of adding to a dataset.
#[derive(Debug)]
pub struct AppendReport {
    /// The inputs that the dataset was made of already, by name: nothing of them was read.
    pub known: Vec<String>,
    /// What came of the others; `None` where there were none, and the dataset was left as it is.
    pub added: Option<ConvertReport>,
}

/// How many messages of a day and channel were kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Days since 1970, UTC; `None` of messages without a time.
    pub day: Option<i32>,
    /// The channel.
    pub channel: Option<String>,
    /// How many messages.
    pub messages: u64,
}

/// Converts `inputs` to a dataset at `out`: all of it, or nothing.
///
/// The same inputs and options give the same bytes, whatever the number of threads.
///
/// ```
/// use korpus_engine::InputList;
/// use korpus_tables::{ConvertOptions, convert};
///
/// let dir = tempfile::tempdir()?;
/// let page = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#;
/// let inputs = InputList::from_bytes([("page.json", &page[..])]);
/// let out = dir.path().join("out");
/// let report = convert(&inputs, &out, &ConvertOptions::default(), &())?;
/// assert_eq!(report.manifest.totals.messages.kept, 1);
/// assert!(out.join("messages/part-00000.parquet").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where the target cannot be written or must not be replaced, the run is cancelled, or, with
/// [`strict`](ConvertOptions::strict), something could not be kept. What is wrong with single inputs, bodies and messages is
/// no error: it stands in the report and in the tables `pages` and `rejects`.
pub fn convert(
    inputs: &InputList,
    out: &Path,
    options: &ConvertOptions,
    observer: &dyn Observer,
) -> Result<ConvertReport> {
    let publication = Publication::begin(out, PublishOptions { overwrite: options.overwrite })?;
    let report = Making::new(publication.path(), options, None)?.make(inputs, observer)?;
    publication.finish()?;
    Ok(report)
}

/// Adds to the dataset at `dir` what it was not made of yet: all of it, or nothing.
///
/// Inputs are told by their content; one that grew or changed is another one. Copies of messages that are there already
/// are recognised by the same rule as in one run, so that the rows come to those that [`convert`] makes of all inputs at once,
/// the numbering aside. Files that nothing is taken out of are linked, not written again.
///
/// ```
/// use korpus_engine::InputList;
/// use korpus_tables::{ConvertOptions, append, convert};
///
/// let dir = tempfile::tempdir()?;
/// let out = dir.path().join("out");
/// let page = |id: &str| format!(r#"{{"total":1,"messages":[{{"_id":"{id}","type":"incoming","components":[]}}]}}"#);
/// let monday = ("monday.json", page("ms-1").into_bytes());
/// let tuesday = ("tuesday.json", page("ms-2").into_bytes());
/// let options = ConvertOptions::default();
/// convert(&InputList::from_bytes([monday.clone()]), &out, &options, &())?;
///
/// let report = append(&InputList::from_bytes([monday, tuesday]), &out, &options, &())?;
/// assert_eq!(report.known, ["monday.json"]);
/// assert_eq!(report.added.unwrap().manifest.totals.messages.kept, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`convert`]; [`EngineError::NoDataset`](korpus_engine::EngineError::NoDataset) where there is nothing to add to, and
/// [`EngineError::Usage`](korpus_engine::EngineError::Usage) for other options than it was made with, and for options that
/// need all messages at once.
pub fn append(
    inputs: &InputList,
    dir: &Path,
    options: &ConvertOptions,
    observer: &dyn Observer,
) -> Result<AppendReport> {
    if !dir.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent.exists()) {
        Manifest::read(dir)?;
    }
    let publication = Publication::begin(dir, PublishOptions { overwrite: true })?;
    // Only now: nobody else writes to it, and what a run left half exchanged is in order again.
    let earlier = Earlier::open(publication.target(), options)?;
    let staging = publication.path();
    let making = Making::new(staging, options, Some(&earlier))?;
    let aside = staging.join("aside");
    std::fs::create_dir(&aside).map_err(TablesError::io("create", &aside))?;
    let mut inputs = inputs.clone();
    let cancel = &options.run.cancel;
    let known = making.pool().install(|| earlier.known().take_out(&mut inputs, &aside, cancel, observer))?;
    if inputs.inputs.is_empty() {
        return Ok(AppendReport { known, added: None });
    }
    inputs.name_apart(earlier.manifest().inputs.iter().map(|input| &*input.path));
    earlier.link(staging)?;
    let report = making.make(&inputs, observer)?;
    std::fs::remove_dir_all(&aside).map_err(TablesError::io("remove", &aside))?;
    publication.finish()?;
    Ok(AppendReport { known, added: Some(report) })
}
