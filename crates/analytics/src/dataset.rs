//! A dataset that `convert` wrote, as inputs again: every message that it keeps, in bodies like those that it came in.
//!
//! The metrics of a dataset are those of the dumps that it was made of: what messages do not say themselves (the id that was
//! made up for one without, the record or request around them) is put around them again.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use korpus_core::{HttpHead, write_json_string, write_timestamp};
use korpus_engine::{
    Container, InputInfo, InputKind, InputList, MANIFEST, Manifest, OnceReader, check_cancelled,
};
use korpus_tables::{Dataset, Table, TableReader, TablesError};

use crate::error::{AnalyticsError, Result};
use crate::options::AnalyzeOptions;
use crate::report::Tally;

/// The key under which a restored message has the id that was made up for it.
pub(crate) const MADE_UP_ID: &str = "korpus:message_id";

/// The inputs that stand for a dataset: they can be read once. Temporary files hold them that have no names, so that nothing
/// is left of them however the program ends.
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
}

/// Whether there is a dataset of tables at `path`.
pub fn is_dataset(path: &Path) -> bool {
    path.join(MANIFEST).is_file() && path.join(Table::Messages.name()).is_dir()
}

impl DatasetInputs {
    /// Restores the dataset at `dir` into temporary files in `temp_dir` (or the system's), unless `cancel` says that nobody
    /// wants it any more.
    ///
    /// # Errors
    /// Where the dataset lacks tables that are needed, or cannot be read; where the files cannot be written;
    /// [`EngineError::Cancelled`](korpus_engine::EngineError::Cancelled).
    pub fn open(dir: &Path, temp_dir: Option<&Path>, cancel: &AtomicBool) -> Result<Self> {
        let dataset = Dataset::open(dir)?;
        let temp = temp_dir.map_or_else(std::env::temp_dir, Path::to_owned);
        let (records, conversations) = records(&dataset, cancel)?;
        let mut bodies = Bodies {
            cancel,
            requests: requests(&dataset, cancel)?,
            records,
            conversations,
            messages: Rows::new(dataset.read(Table::Messages)?),
            requested: Pieces::create(&temp)?,
            others: Pieces::create(&temp)?,
            count: 0,
            has_sessions: false,
            open: None,
            failed: None,
        };
        let written = dataset.restore(&mut bodies);
        if let Some(error) = bodies.failed.take() {
            return Err(error);
        }
        written?;
        bodies.close()?;
        if bodies.has_sessions {
            bodies.others.write("]}\n")?;
        }
        bodies.others.end("restored bodies".to_owned());
        let mut inputs = bodies.requested.inputs()?;
        inputs.extend(bodies.others.inputs()?);
        for (index, input) in inputs.iter_mut().enumerate() {
            input.index = index;
        }
        Ok(Self {
            inputs: InputList { inputs, ..InputList::default() },
            manifest: dataset.manifest().clone(),
            rejects: tally(&dataset, Table::Rejects, "reason", cancel)?,
            page_statuses: tally(&dataset, Table::Pages, "page_status", cancel)?,
        })
    }

    /// The options for an analysis of them. What the dataset was made of is de-duplicated already, unless it was told to keep copies:
    /// messages without an id that came in different bodies may look like copies now.
    #[must_use]
    pub fn options(&self, options: AnalyzeOptions) -> AnalyzeOptions {
        let deduplicated = self.manifest.options.get("dedup") != Some(&false.into());
        AnalyzeOptions { restored: true, deduplicated, ..options }
    }
}

/// The batches of a table, until nobody wants them any more.
fn batches(
    dataset: &Dataset,
    table: Table,
    cancel: &AtomicBool,
) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
    Ok(dataset.read(table)?.map(|batch| {
        check_cancelled(cancel)?;
        Ok(batch?)
    }))
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
fn tally(dataset: &Dataset, table: Table, column: &str, cancel: &AtomicBool) -> Result<Vec<Tally>> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for batch in batches(dataset, table, cancel)? {
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
fn requests(dataset: &Dataset, cancel: &AtomicBool) -> Result<HashMap<Page, String>> {
    let mut found = HashMap::new();
    for batch in batches(dataset, Table::Pages, cancel)? {
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

/// What messages need of the records around them and do not say in their own rows, as the beginning of a JSON object, by the id of
/// the record; and how many records there are.
fn records(dataset: &Dataset, cancel: &AtomicBool) -> Result<(HashMap<String, String>, usize)> {
    const KEYS: [(&str, &str); 6] = [
        ("_id", "conversation_record_id"),
        ("botId", "bot_id"),
        ("channelType", "channel_type"),
        ("aaSessionId", "agent_ai_session_id"),
        ("aaUserId", "agent_ai_user_id"),
        ("mbUserId", "messaging_user_id"),
    ];
    let mut found = HashMap::new();
    let mut count = 0;
    for batch in batches(dataset, Table::Conversations, cancel)? {
        let batch = batch?;
        count += batch.num_rows();
        let started = batch
            .column_by_name("started_at")
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            let mut json = String::from("{");
            for (key, column) in KEYS {
                if let Some(value) = text(&batch, column, row) {
                    put_member(key, value, &mut json);
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

/// Appends a member of an object, and a comma.
fn put_member(key: &str, value: &str, json: &mut String) {
    write_json_string(key, json);
    json.push(':');
    write_json_string(value, json);
    json.push(',');
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
    /// Of a message in an agent AI record: its id, and the session that it names.
    record: Option<(String, Option<String>)>,
}

/// A temporary file without a name, which is read piece by piece, each an input of its own.
struct Pieces {
    dir: PathBuf,
    out: BufWriter<File>,
    len: u64,
    /// The name of each, and where it begins and ends.
    ended: Vec<(String, u64, u64)>,
}

impl Pieces {
    fn create(dir: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(dir).map_err(TablesError::io("create a temporary file in", dir))?;
        Ok(Self { dir: dir.to_owned(), out: BufWriter::new(file), len: 0, ended: Vec::new() })
    }

    fn write(&mut self, text: &str) -> Result<()> {
        const ACTION: &str = "write to a temporary file in";
        self.out.write_all(text.as_bytes()).map_err(TablesError::io(ACTION, &self.dir))?;
        self.len += text.len() as u64;
        Ok(())
    }

    /// Ends a piece, unless there is nothing in it.
    fn end(&mut self, name: String) {
        let start = self.ended.last().map_or(0, |(_, _, end)| *end);
        if start < self.len {
            self.ended.push((name, start, self.len));
        }
    }

    fn inputs(self) -> Result<Vec<InputInfo>> {
        let written = self.out.into_inner().map_err(io::IntoInnerError::into_error);
        let file = written.map_err(TablesError::io("write to a temporary file in", &self.dir))?;
        let file = Arc::new(Mutex::new(file));
        let input = |(display, at, end): (String, u64, u64)| InputInfo {
            index: 0,
            member: None,
            display,
            kind: InputKind::Reader(OnceReader::new(Piece { file: Arc::clone(&file), at, end })),
            container: Container::Plain,
            size: Some(end - at),
        };
        Ok(self.ended.into_iter().map(input).collect())
    }
}

/// A piece of a file that others read too.
struct Piece {
    file: Arc<Mutex<File>>,
    at: u64,
    end: u64,
}

impl Read for Piece {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let len = file.read(&mut out[..most])?;
        self.at += len as u64;
        Ok(len)
    }
}

/// Takes the restored lines, each in one piece, and makes bodies of them.
struct Bodies<'c> {
    cancel: &'c AtomicBool,
    requests: HashMap<Page, String>,
    records: HashMap<String, String>,
    /// Lines of conversation records that are still to come; all that follow are session records.
    conversations: usize,
    messages: Rows,
    /// Bodies whose requests are known, each behind its own.
    requested: Pieces,
    /// All others, as one input.
    others: Pieces,
    count: usize,
    /// Whether the last body is open: that of all session records.
    has_sessions: bool,
    /// The open body, and its text so far.
    open: Option<(Open, String)>,
    failed: Option<AnalyticsError>,
}

impl Bodies<'_> {
    fn line(&mut self, line: &str) -> Result<()> {
        check_cancelled(self.cancel)?;
        let line = line.trim_end();
        let Some((batch, row)) = self.messages.next()? else {
            return self.record(line);
        };
        let page =
            (text(batch, "source_file", row).unwrap_or_default().to_owned(), int(batch, "page_index", row));
        let is_inside = text(batch, "shape", row) == Some("agent_ai");
        let record = || {
            let id = text(batch, "conversation_record_id", row).unwrap_or_default();
            (id.to_owned(), text(batch, "messaging_session_id", row).map(str::to_owned))
        };
        let surrogate = batch
            .column_by_name("id_is_surrogate")
            .and_then(|column| column.as_boolean_opt())
            .is_some_and(|column| column.value(row));
        let id = text(batch, "message_id", row).filter(|_| surrogate).map(str::to_owned);
        let owner = Open { page, record: is_inside.then(record) };
        if self.open.as_ref().is_none_or(|(open, _)| *open != owner) {
            self.close()?;
            let start = match &owner.record {
                Some((id, session)) => {
                    let mut start = String::from("{\"totalResults\":1,\"hasMore\":false,\"results\":[");
                    if let Some(around) = self.records.get(id) {
                        start.push_str(around);
                    } else {
                        start.push('{');
                        put_member("_id", id, &mut start);
                    }
                    if let Some(session) = session {
                        put_member("mbSessionId", session, &mut start);
                    }
                    start.push_str("\"messages\":[");
                    start
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
        // In one body they stand at different places, which tells those apart that name no session.
        let start = "{\"moreAvailable\":false,\"sessions\":[";
        self.others.write(if self.has_sessions { "," } else { start })?;
        self.has_sessions = true;
        self.others.write(line)
    }

    /// Ends the open body.
    fn close(&mut self) -> Result<()> {
        let Some((owner, mut body)) = self.open.take() else { return Ok(()) };
        body.push_str(if owner.record.is_some() { "]}]}" } else { "]}" });
        let request = self.requests.get(&owner.page).cloned();
        self.put(&body, request.as_deref())
    }

    /// Writes a body: one whose request is known as an input of its own, behind the request.
    fn put(&mut self, body: &str, request: Option<&str>) -> Result<()> {
        self.count += 1;
        if let Some(request) = request {
            let request: String = request.chars().filter(|c| !c.is_whitespace()).collect();
            self.requested.write("GET ")?;
            self.requested.write(&request)?;
            self.requested.write(" HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")?;
            self.requested.write(body)?;
            self.requested.end(format!("restored body {}", self.count));
            return Ok(());
        }
        self.others.write(body)?;
        self.others.write("\n")
    }
}

impl Write for Bodies<'_> {
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
