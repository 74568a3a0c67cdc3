//! The metrics once more: slow, plain, and sharing nothing with the crate. Bodies are JSON values, sessions are sorted
//! vectors, and every number is counted by itself.

pub(crate) mod generate;
pub(crate) mod message;
pub(crate) mod session;
pub(crate) mod tables;

use std::collections::{BTreeMap, BTreeSet};

use korpus_analytics::AnalyzeOptions;
use serde_json::{Value, json};

use message::{Message, micros, read, text};
use session::{Platform, Rules, Session, developer};

/// Whose session: kind, bot, id.
type Key = (char, Option<String>, String);

/// What there is to count.
pub(crate) struct Reference {
    pub(crate) sessions: Vec<Session>,
    pub(crate) unsessioned: Vec<Message>,
    pub(crate) unmatched: Vec<Platform>,
    /// Rows of `drift`, but for where it was first.
    pub(crate) drift: Vec<Value>,
}

/// When a message was changed: the newest copy is kept, and of equals the richer one.
fn version(json: &Value) -> (Option<i64>, usize) {
    let is_filled = |value: &&Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let filled = json.as_object().unwrap().values().filter(is_filled).count();
    (micros(&json["lmodifiedOn"]).max(micros(&json["__lModifiedOn__"])), filled)
}

/// Of the copies of each message the one that is kept: of equal ones that in the richest record.
fn kept(bodies: &[Value]) -> Vec<Message> {
    let mut by_id: BTreeMap<String, (_, Message)> = BTreeMap::new();
    let mut without = Vec::new();
    for (body, json) in bodies.iter().enumerate() {
        let plain = json["messages"].as_array().into_iter().flatten().map(|message| (message, None));
        let records = json["results"].as_array().into_iter().flatten();
        let inside = records.flat_map(|record| {
            record["messages"].as_array().into_iter().flatten().map(move |message| (message, Some(record)))
        });
        for (json, record) in plain.chain(inside) {
            let message = read(json, record, body);
            // Without an id it is what its record makes it; those of one record are all different here.
            let in_record = || Some(format!("{} {json}", text(&record?["_id"])?));
            let Some(id) = message.id.clone().or_else(in_record) else {
                without.push(message);
                continue;
            };
            let rank = (version(json), record.map(version));
            match by_id.get(&id) {
                Some((known, _)) if *known >= rank => {}
                _ => drop(by_id.insert(id, (rank, message))),
            }
        }
    }
    by_id.into_values().map(|(_, message)| message).chain(without).collect()
}

fn in_order(messages: &mut [Message]) {
    let late = |time: Option<i64>| time.unwrap_or(i64::MAX);
    let direction = |message: &Message| match (message.is_in(), message.is_out()) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    };
    messages.sort_by_key(|message| {
        (late(message.at), late(message.stamp), direction(message), message.id.clone())
    });
}

/// The platform's records by session, and those that name none.
fn platform(bodies: &[Value]) -> (BTreeMap<Key, Platform>, Vec<Platform>) {
    let records = bodies.iter().flat_map(|body| body["sessions"].as_array().into_iter().flatten());
    let (mut known, mut nameless) = (BTreeMap::new(), Vec::new());
    for record in records {
        let found = Platform {
            session_type: text(&record["sessionType"]),
            containment: text(&record["containmentType"]),
            developer: record["isDeveloper"].as_bool(),
        };
        match text(&record["sessionId"]).filter(|id| !id.is_empty()) {
            Some(id) => drop(known.insert(('s', text(&record["botId"]), id), found)),
            None => nameless.push(found),
        }
    }
    (known, nameless)
}

pub(crate) fn make(bodies: &[Value], options: &AnalyzeOptions) -> Reference {
    let kept = kept(bodies);
    let mut edges: BTreeMap<Option<String>, (i64, i64)> = BTreeMap::new();
    for message in &kept {
        if let Some(at) = message.at {
            let edges = edges.entry(message.bot.clone()).or_insert((at, at));
            *edges = (edges.0.min(at), edges.1.max(at));
        }
    }
    let mut groups: BTreeMap<Key, Vec<Message>> = BTreeMap::new();
    let mut unsessioned = Vec::new();
    for message in kept.clone() {
        match message.session.clone() {
            Some((kind, id)) => groups.entry((kind, message.bot.clone(), id)).or_default().push(message),
            None => unsessioned.push(message),
        }
    }
    for messages in groups.values_mut() {
        if messages.iter().any(|message| message.form != "agent_ai" && message.id.is_some()) {
            messages.retain(|message| !message.is_copy);
        }
        in_order(messages);
    }
    let drift = drift(&kept, &groups);
    let (mut platform, nameless) = platform(bodies);
    let mut sessions = Vec::new();
    for ((kind, bot, id), messages) in groups {
        let record = platform.remove(&(kind, bot.clone(), id.clone()));
        if developer(&messages, record.as_ref()) == Some(true) && !options.include_developers {
            continue;
        }
        let rules = Rules {
            edges: options.window.or_else(|| edges.get(&bot).copied()),
            gap_ms: options.inactivity_gap_ms,
        };
        sessions.push(Session::new(kind, &id, messages, record.as_ref(), &rules));
    }
    let counts = |record: &Platform| record.developer != Some(true) || options.include_developers;
    let unmatched = platform.into_values().chain(nameless).filter(counts).collect();
    Reference { sessions, unsessioned, unmatched, drift }
}

/// Keys that the generator writes, and that are documented.
const KNOWN: [&str; 22] = [
    "_id",
    "botId",
    "sessionId",
    "createdBy",
    "createdOn",
    "timestamp",
    "timestampValue",
    "lmodifiedOn",
    "type",
    "status",
    "chnl",
    "channel",
    "channels",
    "lang",
    "tN",
    "isBB",
    "isD",
    "isA",
    "author",
    "latency",
    "components",
    "tags",
];

fn drift(kept: &[Message], groups: &BTreeMap<Key, Vec<Message>>) -> Vec<Value> {
    let mut rows: BTreeMap<String, (Value, i64)> = BTreeMap::new();
    let mut add = |field: &str, kind: &str, value: Option<&str>| {
        let key = json!({"field": field, "kind": kind, "value": value});
        rows.entry(key.to_string()).or_insert((key, 0)).1 += 1;
    };
    for message in kept {
        let known: BTreeSet<&str> = KNOWN.into_iter().chain(["text"]).collect();
        for key in message.json.as_object().unwrap().keys().filter(|key| !known.contains(key.as_str())) {
            add(key, "unknown_key", None);
        }
        if message.json["isA"].is_string() {
            add("isA", "type_conflict", Some("string"));
        }
        if message.kind.as_deref() == Some("whisper") {
            add("type", "new_enum_value", Some("whisper"));
        }
        let names: BTreeSet<&String> = message.templates.iter().filter_map(|t| t.name.as_ref()).collect();
        for name in names.into_iter().filter(|name| matches!(name.as_str(), "hologram" | "acmeCard")) {
            add("template_type", "unknown_template", Some(&name.to_lowercase()));
        }
        let created = micros(&message.json["createdOn"]);
        if let (Some(created), Some(stamp)) = (created, message.stamp)
            && (created - stamp * 1000).abs() > 1_000_000
        {
            add("timestampValue", "time_disagreement", None);
        }
    }
    for messages in groups.values() {
        let stamps: Vec<i64> = messages.iter().filter_map(|message| message.stamp).collect();
        stamps
            .windows(2)
            .filter(|pair| pair[1] < pair[0])
            .for_each(|_| add("timestampValue", "order_inversion", None));
    }
    let row = |(mut row, count): (Value, i64)| {
        row["count"] = count.into();
        row["rules_version"] = 1.into();
        row
    };
    rows.into_values().map(row).collect()
}
