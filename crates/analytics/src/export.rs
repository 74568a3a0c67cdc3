//! Sessions for other programs: an event log for pm4py, and a corpus for `ConvoKit`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use korpus_core::{write_json_string, write_timestamp};
use korpus_tables::TablesError;

use crate::error::{AnalyticsError, Result};
use crate::events::{Event, Flags};
use crate::fold::{Handoff, Session};
use crate::metrics::RULES_VERSION;
use crate::symbols::Name;

/// Another program that sessions are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// `pm4py/event_log.csv`: what happened in each session, for process mining.
    Pm4py,
    /// `convokit/`: what was said by whom, as a corpus of `ConvoKit`.
    Convokit,
}

impl Export {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Pm4py, Self::Convokit];

    /// The name, which is also that of its directory.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pm4py => "pm4py",
            Self::Convokit => "convokit",
        }
    }

    /// The export of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|export| export.as_str() == name)
    }
}

/// Which exports are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    pub event_log: bool,
    pub corpus: bool,
}

impl Wanted {
    pub(crate) fn any(self) -> bool {
        self.event_log || self.corpus
    }

    pub(crate) fn new(exports: &[Export]) -> Self {
        Self { event_log: exports.contains(&Export::Pm4py), corpus: exports.contains(&Export::Convokit) }
    }
}

/// What some sessions give, as it stands in the files.
#[derive(Debug, Default)]
pub(crate) struct Exported {
    event_log: String,
    utterances: String,
    conversations: String,
    speakers: BTreeMap<String, &'static str>,
}

const EVENT_LOG_HEADING: &str = "case:concept:name,concept:name,time:timestamp,case:session_id,case:bot_id,case:channel,case:language,case:outcome\n";

impl Exported {
    /// Adds a session.
    pub(crate) fn add(&mut self, session: &Session<'_, '_>, wanted: Wanted) {
        if wanted.event_log {
            self.log(session);
        }
        if wanted.corpus {
            self.converse(session);
        }
    }

    /// Its start, its task executions, the handoff, and its outcome.
    fn log(&mut self, session: &Session<'_, '_>) {
        let Some(mut last) = session.started_at else { return };
        let case = format!("{:032x}", session.key);
        let out = &mut self.event_log;
        let mut put = |activity: &str, at: i64| {
            csv_cell(&case, out);
            out.push(',');
            csv_cell(activity, out);
            out.push(',');
            write_timestamp(at, out);
            let [bot, channel, language] = [session.bot(), session.channel, session.language].map(text_of);
            for text in [Some(session.session_id()), bot, channel, language, Some(session.outcome.as_str())] {
                out.push(',');
                csv_cell(text.unwrap_or_default(), out);
            }
            out.push('\n');
        };
        put("start", last);
        let mut task = None;
        for (at, event) in session.events.iter().enumerate() {
            // What has no time happens when the one before it did.
            last = event.at.unwrap_or(last);
            if event.task.is_some() && event.task != task {
                task = event.task;
                put(task.map_or("", Name::text), last);
            }
            if session.handoff_event == Some(at) {
                let connected = session.handoff == Handoff::Connected;
                put(if connected { "agent connected" } else { "agent requested" }, last);
            }
        }
        put(&format!("end: {}", session.outcome.as_str()), last);
    }

    /// What was said, each a reply to what was said before.
    fn converse(&mut self, session: &Session<'_, '_>) {
        let conversation = format!("{:032x}", session.key);
        let mut before: Option<String> = None;
        for (at, event) in session.events.iter().enumerate() {
            if !event.flags.has(Flags::IN | Flags::OUT) {
                continue;
            }
            let (speaker, kind) = speaker_of(event);
            let id = if event.flags.has(Flags::HAS_ID) {
                event.id().to_owned()
            } else {
                format!("{conversation}-{at}")
            };
            let mut line = Object::new(&mut self.utterances);
            line.text("id", Some(&id));
            line.text("conversation_id", Some(&conversation));
            line.text("text", Some(event.said().unwrap_or_default()));
            line.text("speaker", Some(&speaker));
            line.text("reply-to", before.as_deref());
            line.raw("timestamp", &event.at.map_or_else(|| "null".to_owned(), seconds));
            let mut meta = Object::new(line.key("meta"));
            meta.text("message_type", text_of(event.message_type()));
            meta.text("task", text_of(event.task));
            meta.text("template_type", text_of(event.template_type()));
            meta.raw("pseudo_input", if event.flags.has(Flags::PSEUDO) { "true" } else { "false" });
            meta.end("}");
            line.raw("vectors", "[]");
            line.end("}\n");
            before = Some(id);
            self.speakers.entry(speaker).or_insert(kind);
        }
        let out = &mut self.conversations;
        out.push_str(",\n");
        write_json_string(&conversation, out);
        out.push_str(":{\"meta\":");
        let mut meta = Object::new(out);
        meta.text("session_id", Some(session.session_id()));
        meta.text("bot_id", text_of(session.bot()));
        meta.text("channel", text_of(session.channel));
        meta.text("language", text_of(session.language));
        meta.text("outcome", Some(session.outcome.as_str()));
        meta.text("outcome_reason", session.outcome.reason());
        meta.end("},\"vectors\":[]}");
    }
}

fn text_of(name: Option<Name<'_>>) -> Option<&str> {
    name.map(Name::text)
}

/// Who says it, and what they are.
fn speaker_of(event: &Event<'_>) -> (String, &'static str) {
    if event.flags.has(Flags::AGENT) {
        ("agent".to_owned(), "agent")
    } else if event.flags.has(Flags::IN) {
        (event.user_name().unwrap_or("unknown user").to_owned(), "user")
    } else {
        (format!("bot {}", event.bot().map_or("unknown", Name::text)), "bot")
    }
}

fn seconds(micros: i64) -> String {
    let millis = micros.div_euclid(1000);
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

/// Appends a cell of a CSV file.
pub(crate) fn csv_cell(text: &str, out: &mut String) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// A JSON object on its way.
struct Object<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> Object<'o> {
    fn new(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn key(&mut self, key: &str) -> &mut String {
        self.out.push_str(if self.first { "" } else { "," });
        self.first = false;
        write_json_string(key, self.out);
        self.out.push(':');
        self.out
    }

    fn raw(&mut self, key: &str, value: &str) {
        self.key(key).push_str(value);
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        let out = self.key(key);
        match value {
            Some(value) => write_json_string(value, out),
            None => out.push_str("null"),
        }
    }

    fn end(self, end: &str) {
        self.out.push_str(end);
    }
}

/// The files of the exports.
#[derive(Debug)]
pub(crate) struct ExportFiles {
    dir: PathBuf,
    event_log: Option<BufWriter<File>>,
    corpus: Option<[BufWriter<File>; 2]>,
    any_conversation: bool,
    speakers: BTreeMap<String, &'static str>,
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).map_err(TablesError::io("create", path))?))
}

impl ExportFiles {
    pub(crate) fn create(dir: &Path, wanted: Wanted) -> Result<Self> {
        let folder = |export: Export| {
            let path = dir.join(export.as_str());
            std::fs::create_dir(&path).map_err(TablesError::io("create", &path))?;
            Ok::<_, AnalyticsError>(path)
        };
        let mut files = Self {
            dir: dir.to_owned(),
            event_log: None,
            corpus: None,
            any_conversation: false,
            speakers: BTreeMap::new(),
        };
        if wanted.event_log {
            let mut file = create(&folder(Export::Pm4py)?.join("event_log.csv"))?;
            file.write_all(EVENT_LOG_HEADING.as_bytes()).map_err(TablesError::io("write", dir))?;
            files.event_log = Some(file);
        }
        if wanted.corpus {
            let folder = folder(Export::Convokit)?;
            let conversations = create(&folder.join("conversations.json"))?;
            files.corpus = Some([create(&folder.join("utterances.jsonl"))?, conversations]);
        }
        Ok(files)
    }

    /// Adds what the next sessions give.
    pub(crate) fn add(&mut self, exported: Exported) -> Result<()> {
        let dir = &self.dir;
        let put = |file: &mut BufWriter<File>, text: &str| {
            file.write_all(text.as_bytes()).map_err(TablesError::io("write", dir))
        };
        if let Some(file) = &mut self.event_log {
            put(file, &exported.event_log)?;
        }
        if let Some([utterances, conversations]) = &mut self.corpus {
            put(utterances, &exported.utterances)?;
            if let Some(first) = exported.conversations.strip_prefix(',') {
                put(conversations, if self.any_conversation { "," } else { "{" })?;
                self.any_conversation = true;
                put(conversations, first)?;
            }
        }
        self.speakers.extend(exported.speakers);
        Ok(())
    }

    /// Ends all files; gives back their paths below the directory.
    pub(crate) fn finish(self) -> Result<Vec<PathBuf>> {
        let dir = &self.dir;
        let mut paths = Vec::new();
        if let Some(mut file) = self.event_log {
            file.flush().map_err(TablesError::io("write", dir))?;
            paths.push(Path::new(Export::Pm4py.as_str()).join("event_log.csv"));
        }
        if let Some([mut utterances, mut conversations]) = self.corpus {
            let end = if self.any_conversation { "\n}\n" } else { "{}\n" };
            conversations
                .write_all(end.as_bytes())
                .and_then(|()| conversations.flush())
                .and_then(|()| utterances.flush())
                .map_err(TablesError::io("write", dir))?;
            let folder = Path::new(Export::Convokit.as_str());
            let mut speakers = String::from("{");
            for (at, (speaker, kind)) in self.speakers.iter().enumerate() {
                speakers.push_str(if at > 0 { ",\n" } else { "\n" });
                write_json_string(speaker, &mut speakers);
                speakers.push_str(":{\"meta\":");
                let mut meta = Object::new(&mut speakers);
                meta.text("kind", Some(kind));
                meta.end("},\"vectors\":[]}");
            }
            speakers.push_str("\n}\n");
            let corpus = format!("{{\"name\":\"korpus\",\"rules_version\":{RULES_VERSION}}}\n");
            for (name, text) in
                [("speakers.json", speakers.as_str()), ("corpus.json", &corpus), ("index.json", INDEX)]
            {
                let path = dir.join(folder).join(name);
                std::fs::write(&path, text).map_err(TablesError::io("write", &path))?;
            }
            paths.extend(
                ["utterances.jsonl", "conversations.json", "speakers.json", "corpus.json", "index.json"]
                    .map(|name| folder.join(name)),
            );
        }
        Ok(paths)
    }
}

/// What `ConvoKit` wants to know about the types of what stands in `meta`.
const INDEX: &str = r#"{"utterances-index":{"message_type":["<class 'str'>"],"task":["<class 'str'>"],"template_type":["<class 'str'>"],"pseudo_input":["<class 'bool'>"]},
"speakers-index":{"kind":["<class 'str'>"]},
"conversations-index":{"session_id":["<class 'str'>"],"bot_id":["<class 'str'>"],"channel":["<class 'str'>"],"language":["<class 'str'>"],"outcome":["<class 'str'>"],"outcome_reason":["<class 'str'>"]},
"overall-index":{"name":["<class 'str'>"],"rules_version":["<class 'int'>"]},"version":1,"vectors":[]}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_cells_are_written_as_others_read_them() {
        assert_eq!(seconds(1_756_893_600_237_000), "1756893600.237");
        assert_eq!(seconds(-1_500_000), "-1.500");
        let mut out = String::new();
        csv_cell("a, \"b\"", &mut out);
        assert_eq!(out, "\"a, \"\"b\"\"\"");
        assert!(serde_json::from_str::<serde_json::Value>(INDEX).is_ok());
    }

    #[test]
    fn files_without_sessions_are_whole() {
        let dir = tempfile::tempdir().unwrap();
        let files = ExportFiles::create(dir.path(), Wanted::new(&Export::ALL)).unwrap();
        let paths = files.finish().unwrap();
        assert_eq!(paths.len(), 6);
        for path in paths {
            let text = std::fs::read_to_string(dir.path().join(&path)).unwrap();
            if path.extension().is_some_and(|extension| extension == "json") {
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", path.display());
            }
        }
    }
}
