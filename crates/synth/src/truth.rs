//! The ground truth: what a reader of the dump must find, counted while it is written.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::conversation::{CHANNELS, TYPES};
use crate::ids;
use crate::shape::{Form, Meta, STATUSES, bot_key};
use crate::text::LANGUAGES;

/// How many were met, and what became of them. `seen` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Everything met: whole ones and rejected spans.
    pub seen: u64,
    /// Those that stay after de-duplication.
    pub kept: u64,
    /// Equal copies of a kept one.
    pub duplicate: u64,
    /// Copies that differ from the kept one.
    pub superseded: u64,
    /// Contiguous spans that could not be read.
    pub rejected: u64,
}

impl Books {
    fn add(&mut self, other: &Self) {
        self.seen += other.seen;
        self.kept += other.kept;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
        self.rejected += other.rejected;
    }
}

/// A span of a body that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RejectTruth {
    /// Its place among the elements of the body.
    pub message_index: u64,
    /// Where it starts in the decoded body.
    pub byte_offset: u64,
    /// Its length.
    pub byte_length: u64,
}

/// What one body holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BodyTruth {
    /// The file's name in the dump folder.
    pub file: String,
    /// Which body of the file.
    pub page_index: u64,
    /// The endpoint imitated.
    pub endpoint: &'static str,
    /// The shape that the content shows: full, lite, call, `agent_ai`, sessions, error.
    pub shape: &'static str,
    /// The codec of the file.
    pub codec: &'static str,
    /// ok, partial, rejected, `error_response` or empty.
    pub page_status: &'static str,
    /// The damage done, if any.
    pub damage: Option<&'static str>,
    /// Length of the body before compression.
    pub body_bytes: u64,
    /// Its messages.
    pub messages: Books,
    /// Its records (conversations or sessions).
    pub records: Books,
    /// What is rejected, and where.
    pub rejects: Vec<RejectTruth>,
}

/// One row of the volumes: kept messages by hour and by everything that `volumes` is keyed by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeTruth {
    /// UTC day.
    pub event_date: String,
    /// UTC hour of that day.
    pub event_hour: u8,
    /// Bot.
    pub bot_id: Option<String>,
    /// Channel.
    pub channel: Option<&'static str>,
    /// Language.
    pub language: Option<&'static str>,
    /// incoming, outgoing, …
    pub message_type: &'static str,
    /// Status.
    pub status: Option<&'static str>,
    /// How many.
    pub messages: u64,
}

/// The ground truth of a dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The seed of the dump.
    pub seed: u64,
    /// Files written.
    pub files: u64,
    /// The messages of all bodies.
    pub messages: Books,
    /// The records of all bodies.
    pub records: Books,
    /// Distinct sessions that a kept message names.
    pub sessions: u64,
    /// Kept messages by `type`.
    pub by_type: BTreeMap<&'static str, u64>,
    /// Kept messages by channel; those without one under the empty name.
    pub by_channel: BTreeMap<&'static str, u64>,
    /// Kept messages by language; those without one under the empty name.
    pub by_language: BTreeMap<&'static str, u64>,
    /// Kept messages by the kind of their first component's text.
    pub by_text_kind: BTreeMap<&'static str, u64>,
    /// Kept templates by `template_type` as written.
    pub by_template_type: BTreeMap<&'static str, u64>,
    /// Kept messages by hour, as `2025-11-17T19`.
    pub by_hour: BTreeMap<String, u64>,
    /// Kept messages by everything.
    pub volumes: Vec<VolumeTruth>,
    /// The bodies, in the order of the files' names.
    pub bodies: Vec<BodyTruth>,
}

/// Counts while a dump is written.
#[derive(Debug)]
pub(crate) struct Tally {
    seed: u64,
    pub(crate) files: u64,
    pub(crate) bodies: Vec<BodyTruth>,
    /// Ordered as the rows of `volumes`; packed, because it is touched for every message.
    volumes: BTreeMap<u64, u64>,
    text_kinds: BTreeMap<&'static str, u64>,
    templates: BTreeMap<&'static str, u64>,
    sessions: Vec<u64>,
    groups: BTreeMap<u64, Vec<(usize, Meta)>>,
}

/// Hours since 1970 need 24 bits; then bot (16), channel, language, type, status (6 each).
fn pack(meta: &Meta) -> u64 {
    let small = |value: Option<u8>| value.map_or(0, |value| u64::from(value) + 1);
    let hour = meta.event_at.div_euclid(3_600_000) as u64 & 0xff_ffff;
    let bot = meta.bot.map_or(0, |bot| u64::from(bot) + 1) & 0xffff;
    let mut key = hour << 16 | bot;
    for part in [small(meta.channel), small(meta.language), u64::from(meta.kind), small(meta.status)] {
        key = key << 6 | part;
    }
    key
}

impl Tally {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            files: 0,
            bodies: Vec::new(),
            volumes: BTreeMap::new(),
            text_kinds: BTreeMap::new(),
            templates: BTreeMap::new(),
            sessions: Vec::new(),
            groups: BTreeMap::new(),
        }
    }

    /// The body being written.
    pub(crate) fn body(&mut self) -> &mut BodyTruth {
        self.bodies.last_mut().expect("a message is counted only inside a body")
    }

    /// A message was written whole; `group` if it may occur again.
    pub(crate) fn message(&mut self, meta: Meta, group: Option<u64>) {
        let at = self.bodies.len() - 1;
        self.body().messages.seen += 1;
        match group {
            Some(group) => self.groups.entry(group).or_default().push((at, meta)),
            None => self.keep(at, &meta),
        }
    }

    /// A message of a body that repeats an earlier one.
    pub(crate) fn repeated_message(&mut self) {
        let books = &mut self.body().messages;
        books.seen += 1;
        books.duplicate += 1;
    }

    /// A record was written whole.
    pub(crate) fn record(&mut self, repeated: bool) {
        let books = &mut self.body().records;
        books.seen += 1;
        *(if repeated { &mut books.duplicate } else { &mut books.kept }) += 1;
    }

    /// A span cannot be read.
    pub(crate) fn reject(&mut self, message_index: u64, byte_offset: u64, byte_length: u64) {
        let body = self.body();
        body.messages.seen += 1;
        body.messages.rejected += 1;
        body.rejects.push(RejectTruth { message_index, byte_offset, byte_length });
    }

    fn keep(&mut self, at: usize, meta: &Meta) {
        self.bodies[at].messages.kept += 1;
        *self.volumes.entry(pack(meta)).or_default() += 1;
        *self.text_kinds.entry(meta.text.as_str()).or_default() += 1;
        if let Some(kind) = meta.template {
            *self.templates.entry(kind.template_type()).or_default() += 1;
        }
        if let Some(session) = meta.session {
            let word = (session / 64) as usize;
            if self.sessions.len() <= word {
                self.sessions.resize(word + 1, 0);
            }
            self.sessions[word] |= 1 << (session % 64);
        }
    }

    /// De-duplicates, as the rule of the project says, and adds up.
    pub(crate) fn finish(mut self) -> Truth {
        for occurrences in std::mem::take(&mut self.groups).into_values() {
            // Two occurrences of one version differ only by form, and then one is richer: no hash is needed.
            // Among equal ones the first in the order of the input stays.
            let mut best = 0;
            for (index, (_, meta)) in occurrences.iter().enumerate() {
                if rank(meta) > rank(&occurrences[best].1) {
                    best = index;
                }
            }
            for (index, (at, meta)) in occurrences.iter().enumerate() {
                if index == best {
                    self.keep(*at, meta);
                } else if content(meta) == content(&occurrences[best].1) {
                    self.bodies[*at].messages.duplicate += 1;
                } else {
                    self.bodies[*at].messages.superseded += 1;
                }
            }
        }
        for body in &mut self.bodies {
            if body.page_status == "ok" && body.messages.rejected > 0 {
                let kept_any = body.messages.seen > body.messages.rejected;
                body.page_status = if kept_any { "partial" } else { "rejected" };
            }
        }
        self.sum()
    }

    fn sum(self) -> Truth {
        let mut truth = Truth {
            seed: self.seed,
            files: self.files,
            messages: Books::default(),
            records: Books::default(),
            sessions: self.sessions.iter().map(|word| u64::from(word.count_ones())).sum(),
            by_type: BTreeMap::new(),
            by_channel: BTreeMap::new(),
            by_language: BTreeMap::new(),
            by_text_kind: self.text_kinds,
            by_template_type: self.templates,
            by_hour: BTreeMap::new(),
            volumes: Vec::with_capacity(self.volumes.len()),
            bodies: self.bodies,
        };
        for body in &truth.bodies {
            truth.messages.add(&body.messages);
            truth.records.add(&body.records);
        }
        for (key, messages) in self.volumes {
            let row = unpack(key, self.seed, messages);
            *truth.by_type.entry(row.message_type).or_default() += messages;
            *truth.by_channel.entry(row.channel.unwrap_or_default()).or_default() += messages;
            *truth.by_language.entry(row.language.unwrap_or_default()).or_default() += messages;
            let hour = format!("{}T{:02}", row.event_date, row.event_hour);
            *truth.by_hour.entry(hour).or_default() += messages;
            truth.volumes.push(row);
        }
        truth
    }
}

fn rank(meta: &Meta) -> (Option<i64>, u32) {
    (meta.version, meta.richness)
}

fn content(meta: &Meta) -> (Form, bool) {
    (meta.form, meta.edited)
}

fn unpack(key: u64, seed: u64, messages: u64) -> VolumeTruth {
    let small = |shift: u32| ((key >> shift) & 63) as usize;
    let name = |shift: u32, names: &[&'static str]| small(shift).checked_sub(1).map(|index| names[index]);
    let hours = (key >> 40) as i64;
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    VolumeTruth {
        event_date: text(&|out| ids::date(out, hours.div_euclid(24))),
        event_hour: hours.rem_euclid(24) as u8,
        bot_id: ((key >> 24 & 0xffff) as u32)
            .checked_sub(1)
            .map(|bot| text(&|out| ids::prefixed(out, "st-", bot_key(seed, bot)))),
        channel: name(18, &CHANNELS),
        language: name(12, &LANGUAGES),
        message_type: TYPES[small(6)],
        status: name(0, &STATUSES),
        messages,
    }
}
