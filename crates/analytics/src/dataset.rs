//! A dataset that `convert` wrote, as inputs again: every message that it keeps, in bodies like those that it came in.
//!
//! The metrics of a dataset are those of the dumps that it was made of: what messages do not say themselves (the id that was
//! made up for one without, the record or request around them) is put around them again.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use korpus_core::{HttpHead, write_json_string, write_timestamp};
use korpus_engine::{ExpandOptions, InputList, MANIFEST, Manifest, expand};
use korpus_tables::{Dataset, Table, TableReader, TablesError, restore};
use tempfile::TempDir;

use crate::error::{AnalyticsError, Result};
use crate::report::Tally;

/// The key under which a restored message has the id that was made up for it.
pub(crate) const MADE_UP_ID: &str = "korpus:message_id";

/// The inputs that stand for a dataset, in temporary files that go when this is dropped.
#[derive(Debug)]
pub struct DatasetInputs {
    /// What to read instead of the dataset.
    pub inputs: InputList,
    /// What the dataset says about itself.
    pub manifest: Manifest,
    /// Why something was rejected when the dataset was made, the most frequent reason first.
    pub rejects: Vec<Tally>,
    /// How reading the bodies went then, by their status.
    pub page_statuses: Vec<Tally>,
    _files: TempDir,
}

/// Whether there is a dataset of tables at `path`.
pub fn is_dataset(path: &Path) -> bool {
    path.join(MANIFEST).is_file() && path.join(Table::Messages.name()).is_dir()
}

impl DatasetInputs {
    /// Restores the dataset at `dir` into temporary files in `temp_dir` (or the system's).
    ///
    /// # Errors
    /// Where the dataset lacks tables that are needed, or cannot be read; where the files cannot be written.
    pub fn open(dir: &Path, temp_dir: Option<&Path>) -> Result<Self> {
        let dataset = Dataset::open(dir)?;
        let temp = temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
        let files = tempfile::tempdir_in(&temp).map_err(TablesError::io("create a directory in", &temp))?;
        let (records, conversations) = records(&dataset)?;
        let mut bodies = Bodies {
            requests: requests(&dataset)?,
            records,
            conversations,
            messages: Rows::new(dataset.read(Table::Messages)?),
            dir: files.path().to_owned(),
            file: None,
            count: 0,
            open: None,
            failed: None,
        };
        let written = restore(dir, &mut bodies);
        if let Some(error) = bodies.failed.take() {
            return Err(error);
        }
        written?;
        bodies.close()?;
        if let Some(mut file) = bodies.file.take() {
            file.flush().map_err(TablesError::io("write", files.path()))?;
        }
        let inputs = if bodies.count == 0 {
            InputList::default()
        } else {
            expand(&[OsString::from(files.path())], &ExpandOptions::default())?
        };
        Ok(Self {
            inputs,
            manifest: dataset.manifest().clone(),
            rejects: tally(&dataset, Table::Rejects, "reason")?,
            page_statuses: tally(&dataset, Table::Pages, "page_status")?,
            _files: files,
        })
    }
}

fn texts<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b StringArray> {
    batch.column_by_name(name)?.as_string_opt::<i32>()
}

fn text<'b>(batch: &'b RecordBatch, name: &str, row: usize) -> Option<&'b str> {
    texts(batch, name).filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

fn int(batch: &RecordBatch, name: &str, row: usize) -> i64 {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.map_or(0, |column| column.value(row))
}

/// How often each value stands in a column, the most frequent first.
fn tally(dataset: &Dataset, table: Table, column: &str) -> Result<Vec<Tally>> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for batch in dataset.read(table)? {
        let batch = batch?;
        for value in texts(&batch, column).into_iter().flatten().flatten() {
            *counts.entry(value.to_owned()).or_default() += 1;
        }
    }
    let mut tallies: Vec<Tally> = counts.into_iter().map(|(name, count)| Tally { name, count }).collect();
    tallies.sort_by_key(|tally| std::cmp::Reverse(tally.count));
    Ok(tallies)
}

/// Which body: file, and body of the file.
type Page = (String, i64);

/// The requests of the bodies, where they are known, as one URL each.
fn requests(dataset: &Dataset) -> Result<HashMap<Page, String>> {
    let mut found = HashMap::new();
    for batch in dataset.read(Table::Pages)? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let Some(url) = text(&batch, "request_url", row) else { continue };
            let mut head = HttpHead::default();
            head.url = Some(url.to_owned());
            head.parameters = text(&batch, "request_parameters", row).map(str::to_owned);
            let page = (
                text(&batch, "source_file", row).unwrap_or_default().to_owned(),
                int(&batch, "page_index", row),
            );
            found.extend(head.request().map(|request| (page, request)));
        }
    }
    Ok(found)
}

/// What messages need of the records around them, as the beginning of a JSON object, by the id of the record; and how many
/// records there are.
fn records(dataset: &Dataset) -> Result<(HashMap<String, String>, usize)> {
    const KEYS: [(&str, &str); 7] = [
        ("_id", "conversation_record_id"),
        ("botId", "bot_id"),
        ("channelType", "channel_type"),
        ("aaSessionId", "agent_ai_session_id"),
        ("aaUserId", "agent_ai_user_id"),
        ("mbSessionId", "messaging_session_id"),
        ("mbUserId", "messaging_user_id"),
    ];
    let mut found = HashMap::new();
    let mut count = 0;
    for batch in dataset.read(Table::Conversations)? {
        let batch = batch?;
        count += batch.num_rows();
        let started = batch
            .column_by_name("started_at")
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            let mut json = String::from("{");
            for (key, column) in KEYS {
                if let Some(value) = text(&batch, column, row) {
                    write_json_string(key, &mut json);
                    json.push(':');
                    write_json_string(value, &mut json);
                    json.push(',');
                }
            }
            if let Some(started) = started.filter(|column| column.is_valid(row)) {
                json.push_str("\"startTime\":\"");
                write_timestamp(started.value(row), &mut json);
                json.push_str("\",");
            }
            let id = text(&batch, "conversation_record_id", row).unwrap_or_default();
            found.insert(id.to_owned(), json);
        }
    }
    Ok((found, count))
}

/// The rows of a table, one after the other.
struct Rows {
    reader: TableReader,
    batch: Option<RecordBatch>,
    row: usize,
}

impl Rows {
    fn new(reader: TableReader) -> Self {
        Self { reader, batch: None, row: 0 }
    }

    /// The batch and row that come next; `None` past the last.
    fn next(&mut self) -> Result<Option<(&RecordBatch, usize)>> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
            let Some(batch) = self.reader.next() else { return Ok(None) };
            (self.batch, self.row) = (Some(batch?), 0);
        }
        self.row += 1;
        Ok(self.batch.as_ref().map(|batch| (batch, self.row - 1)))
    }
}

/// The body that is being written, and the record in it.
#[derive(Debug, PartialEq, Eq)]
struct Open {
    page: Page,
    /// Of a message in an agent AI record: its id.
    record: Option<String>,
}

/// Takes the restored lines, each in one piece, and makes bodies of them.
struct Bodies {
    requests: HashMap<Page, String>,
    records: HashMap<String, String>,
    /// Lines of conversation records that are still to come; all that follow are session records.
    conversations: usize,
    messages: Rows,
    dir: PathBuf,
    /// Bodies without a request share a file.
    file: Option<BufWriter<File>>,
    count: usize,
    /// The open body, and its text so far.
    open: Option<(Open, String)>,
    failed: Option<AnalyticsError>,
}

impl Bodies {
    fn line(&mut self, line: &str) -> Result<()> {
        let line = line.trim_end();
        let Some((batch, row)) = self.messages.next()? else {
            return self.record(line);
        };
        let page =
            (text(batch, "source_file", row).unwrap_or_default().to_owned(), int(batch, "page_index", row));
        let is_inside = text(batch, "shape", row) == Some("agent_ai");
        let record = text(batch, "conversation_record_id", row).unwrap_or_default();
        let surrogate = batch
            .column_by_name("id_is_surrogate")
            .and_then(|column| column.as_boolean_opt())
            .is_some_and(|column| column.value(row));
        let id = text(batch, "message_id", row).filter(|_| surrogate).map(str::to_owned);
        let owner = Open { page, record: is_inside.then(|| record.to_owned()) };
        if self.open.as_ref().is_none_or(|(open, _)| *open != owner) {
            self.close()?;
            let start = match &owner.record {
                Some(record) => {
                    let around = self.records.get(record).map_or("{", String::as_str);
                    format!("{{\"totalResults\":1,\"hasMore\":false,\"results\":[{around}\"messages\":[")
                }
                None => "{\"total\":1,\"moreAvailable\":false,\"messages\":[".to_owned(),
            };
            self.open = Some((owner, start));
        }
        let Some((_, body)) = &mut self.open else { return Ok(()) };
        if body.ends_with('}') {
            body.push(',');
        }
        match id {
            Some(id) => {
                body.push('{');
                write_json_string(MADE_UP_ID, body);
                body.push(':');
                write_json_string(&id, body);
                let rest = line.strip_prefix('{').unwrap_or("}");
                body.push_str(if rest.starts_with('}') { "" } else { "," });
                body.push_str(rest);
            }
            None => body.push_str(line),
        }
        Ok(())
    }

    /// A record: those of agent AI are around their messages already.
    fn record(&mut self, line: &str) -> Result<()> {
        self.close()?;
        if self.conversations > 0 {
            self.conversations -= 1;
            return Ok(());
        }
        self.put(&format!("{{\"total\":1,\"moreAvailable\":false,\"sessions\":[{line}]}}"), None)
    }

    /// Ends the open body.
    fn close(&mut self) -> Result<()> {
        let Some((owner, mut body)) = self.open.take() else { return Ok(()) };
        body.push_str(if owner.record.is_some() { "]}]}" } else { "]}" });
        let request = self.requests.get(&owner.page).cloned();
        self.put(&body, request.as_deref())
    }

    /// Writes a body: one whose request is known to a file of its own, behind the request.
    fn put(&mut self, body: &str, request: Option<&str>) -> Result<()> {
        self.count += 1;
        if let Some(request) = request {
            let path = self.dir.join(format!("{:09}.http", self.count));
            let request: String = request.chars().filter(|c| !c.is_whitespace()).collect();
            let whole = format!("GET {request} HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{body}");
            std::fs::write(&path, whole).map_err(TablesError::io("write", &path))?;
            return Ok(());
        }
        let path = self.dir.join("bodies.json");
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                none.insert(BufWriter::new(File::create(&path).map_err(TablesError::io("create", &path))?))
            }
        };
        writeln!(file, "{body}").map_err(TablesError::io("write", &path))?;
        Ok(())
    }
}

impl Write for Bodies {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(line).map_err(io::Error::other)?;
        self.line(text).map_err(|error| {
            self.failed = Some(error);
            io::Error::other("a body cannot be written")
        })?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
