//! From a message to the bytes of its event, straight from the borrowed view.

use std::borrow::Cow;

use korpus_core::{
    Action, Author, ClassifiedText, Conversation, Form, LatencyField, LatencyPart, LatencyPartField, Message,
    Record, Scratch, TagField, TagsField, Template, TemplateType, TemplateVisitor, Text, TextKind, Value,
};
use korpus_engine::{Item, RecentTexts, RecordHashes, RecordItem};
use twox_hash::{XxHash3_64, XxHash3_128};

use super::known::{self, KnownTexts, Met};
use super::{
    AT, FILTERED, Flags, LISTS, MESSAGE, OF_BODY, PLATFORM, PLATFORM_ALONE, PLATFORM_ASIDE, STAMP, TAGS,
    UNSESSIONED, drift,
};
use crate::codec::{put_fixed, put_int, put_list, put_maybe, put_short, put_symbol, put_text, put_uint};
use crate::dataset::MADE_UP_ID;
use crate::exchange::put_frame;
use crate::fold::Coverage;
use crate::hash::hash;
use crate::places::KeyHash;
use crate::symbols::{LONGEST, PROFILE, SymbolCache, Symbols};
use crate::text::{Phrases, TextCache, shown};

const SCOPES: [TagsField; 4] =
    [TagsField::MessageTags, TagsField::UserTags, TagsField::SessionTags, TagsField::AltText];
const PARTS: [LatencyField; 3] = [LatencyField::Asr, LatencyField::Bot, LatencyField::Tts];

/// The key of a session, a conversation record or a call, of a bot.
pub(crate) fn session_key(kind: u8, bot: Option<&str>, id: &str) -> u128 {
    session_key_in(&mut Vec::new(), kind, bot, id)
}

/// The same, put together in `bytes`.
fn session_key_in(bytes: &mut Vec<u8>, kind: u8, bot: Option<&str>, id: &str) -> u128 {
    bytes.clear();
    bytes.push(kind);
    put_text(bytes, bot);
    bytes.extend_from_slice(id.as_bytes());
    XxHash3_128::oneshot(bytes)
}

/// The keys of the sessions that came last: messages of one stand close together.
#[derive(Debug, Default)]
pub(crate) struct RecentSessions {
    /// By session id and bot, where each key stands.
    known: RecentTexts<2>,
    keys: Vec<u128>,
}

/// How many keys are kept, those of sessions that others took the place of too; and how long an id is.
const MOST_SESSIONS: usize = 1 << 12;
const LONGEST_ID: usize = 256;

impl RecentSessions {
    /// The key of a session, by id and bot; `found` finds what is not known.
    fn key(&mut self, texts: &[Option<Text<'_>>; 2], found: impl FnOnce() -> u128) -> u128 {
        if let Some(at) = self.known.get(texts) {
            return self.keys[at as usize];
        }
        if texts.iter().flatten().any(|text| text.raw().len() > LONGEST_ID) {
            return found();
        }
        if self.keys.len() == MOST_SESSIONS {
            self.keys.clear();
            self.known.clear();
        }
        let key = found();
        self.known.put(texts, self.keys.len() as u32);
        self.keys.push(key);
        key
    }
}

/// The kinds of [`session_key`].
pub(crate) const OF_SESSION: u8 = b's';
const OF_RECORD: u8 = b'r';
pub(crate) const OF_CALL: u8 = b'c';

/// Names by their numbers where there are some, else written out.
pub(crate) struct NameWriter<'a> {
    pub symbols: Option<&'a Symbols>,
    pub cache: &'a mut SymbolCache,
    /// Where names and values of tags are decoded that have escapes; empty between them.
    pub decoded: &'a mut String,
}

impl NameWriter<'_> {
    fn put(&mut self, out: &mut Vec<u8>, name: Option<&str>) {
        match name.and_then(|name| self.number(name)) {
            Some(number) => put_symbol(out, number),
            None => put_text(out, name),
        }
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        self.cache.intern(self.symbols?, name)
    }

    /// Puts bot, channel, language, type and status: their number, or 0 and each of them.
    fn put_profile(&mut self, out: &mut Vec<u8>, profile: &[Option<Text<'_>>; PROFILE]) {
        let number = self.symbols.and_then(|symbols| self.cache.profile(symbols, profile));
        put_uint(out, number.map_or(0, |number| u64::from(number) + 1));
        if number.is_none() {
            for &name in profile {
                self.put_json(out, name);
            }
        }
    }

    fn put_json(&mut self, out: &mut Vec<u8>, text: Option<Text<'_>>) {
        match text {
            Some(text) if text.is_escaped() => {
                let mut decoded = std::mem::take(self.decoded);
                text.decode_into(&mut decoded);
                self.put(out, Some(&decoded));
                decoded.clear();
                decoded.shrink_to(LONGEST);
                *self.decoded = decoded;
            }
            plain => self.put(out, plain.map(Text::raw)),
        }
    }
}

/// The lists of an event while they are made, and what the texts of a block showed.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// What the texts of each message showed; one behind the other, what of it is written; and all that was said, where somebody
    /// asked for it.
    shown: Vec<Shown>,
    bytes: Vec<u8>,
    said: Vec<Option<String>>,
    /// No list, but its text.
    text: Vec<u8>,
    templates: Vec<u8>,
    actions: Vec<u8>,
    forms: Vec<u8>,
    tags: Vec<u8>,
    drift: Vec<u8>,
    latencies: Vec<u8>,
    name: String,
    /// What tells the forms of a message apart.
    forms_seen: Vec<u128>,
    /// The records around the messages of a block.
    records: RecordHashes,
}

impl Lists {
    /// Those that texts fill.
    fn of_texts(&mut self) -> [&mut Vec<u8>; known::LISTS] {
        [&mut self.text, &mut self.templates, &mut self.actions, &mut self.forms, &mut self.drift]
    }
}

/// What it takes to make events.
pub(crate) struct EventWriter<'a> {
    pub names: NameWriter<'a>,
    pub phrases: &'a Phrases,
    pub texts: &'a mut TextCache,
    pub known: &'a mut KnownTexts,
    pub lists: &'a mut Lists,
    pub recent: &'a mut RecentSessions,
    /// For content hashes.
    pub bytes: &'a mut Vec<u8>,
    /// Whether ids may stand for several messages.
    pub copies: bool,
    /// Whether messages hold the ids that were made up for them.
    pub restored: bool,
    /// Whether all that was said is wanted.
    pub verbatim: bool,
}

/// The texts of a block, before they are looked into: what it takes to know those that were met is fetched for many at a time.
#[derive(Debug)]
pub(crate) struct Ahead<'b> {
    /// Each, and whether it is the first of its message.
    texts: Vec<(Value<'b>, bool)>,
    /// What they are known by, where they are worth knowing.
    hashes: Vec<KeyHash>,
    messages: Vec<OfMessage>,
}

impl Ahead<'_> {
    /// With room for the texts of so many messages.
    pub(crate) fn with_room(messages: usize) -> Self {
        Self {
            texts: Vec::with_capacity(messages),
            hashes: Vec::with_capacity(messages),
            messages: Vec::with_capacity(messages),
        }
    }
}

/// So many texts at a time.
const FETCHED: usize = 16;

/// Which way a message went, and where its texts end among all.
#[derive(Debug, Clone, Copy)]
struct OfMessage {
    direction: u32,
    ends: usize,
}

/// What the texts of a message showed.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    /// The hash of the text of the first component.
    hash: u64,
    /// Which way it went too.
    flags: u32,
    /// Which of the first lists hold something.
    lists: u8,
    /// Where the text of the event and these lists end among the bytes, and the drift behind them.
    lists_end: usize,
    drift_end: usize,
}

impl EventWriter<'_> {
    /// Forgets what texts showed, and the records of another block.
    pub(crate) fn begin(&mut self) {
        self.lists.records = RecordHashes::default();
        self.lists.shown.clear();
        self.lists.bytes.clear();
        self.lists.said.clear();
    }

    /// Looks into the texts of the `at`th message, and keeps what they show for its [frame](Self::frame).
    pub(crate) fn texts(&mut self, ahead: &Ahead<'_>, at: usize, scratch: &Scratch) {
        let Shown { hash, flags, .. } = self.texts_of(ahead, at, scratch);
        let Lists { shown, bytes, text, templates, actions, forms, drift, .. } = &mut *self.lists;
        bytes.append(text);
        let mut lists = 0;
        for (bit, list) in LISTS.into_iter().zip([templates, actions, forms]) {
            if !list.is_empty() {
                lists |= bit;
                put_list(bytes, list);
            }
        }
        let lists_end = bytes.len();
        bytes.append(drift);
        shown.push(Shown { hash, flags, lists, lists_end, drift_end: bytes.len() });
    }

    /// Notes the texts of the next message, before they are looked into: of all components, or that of a message that has none.
    pub(crate) fn note_texts<'b>(&self, ahead: &mut Ahead<'b>, message: Message<'b>) {
        let direction = direction(message);
        let may_know = self.may_know(direction);
        let mut note = |value: Value<'b>, is_first: bool| {
            ahead.texts.push((value, is_first));
            let hash = || KnownTexts::hash_of(value.raw(), is_first);
            ahead.hashes.push(if may_know { hash() } else { KeyHash::default() });
        };
        for (at, component) in message.components().enumerate() {
            if let Some(value) = component.data_text_value() {
                note(value, at == 0);
            }
        }
        if let Some(value) = message.call_text_value() {
            note(value, true);
        }
        ahead.messages.push(OfMessage { direction, ends: ahead.texts.len() });
    }

    /// Whether texts that went a way are worth knowing: what people type is theirs.
    fn may_know(&self, direction: u32) -> bool {
        direction & Flags::OUT != 0 && !self.verbatim
    }

    /// Appends the frame of a message, and notes what it covers. Its texts were the `at`th that were looked into.
    pub(crate) fn frame(&mut self, out: &mut Vec<u8>, seen: &mut Coverage, item: &Item<'_>, at: usize) {
        let message = item.message;
        let bot_id = bot_of(message);
        let profile =
            [bot_id, message.channel_name(), message.language(), message.message_type(), message.status()];
        let bot = bot_id.map(Text::lossy);
        let bot = bot.as_deref();
        let stamp = message.timestamp_value().and_then(Value::as_i64);
        if let Some(at) = item.times.event_at {
            seen.add(bot, at);
        }
        let owner = Owner::of(message, &mut self.lists.records);
        let key = match &owner {
            Owner::Session(_, false) => {
                let bytes = &mut *self.bytes;
                Some(
                    self.recent
                        .key(&[message.session_id(), bot_id], || owner.key(bytes, bot).unwrap_or_default()),
                )
            }
            owner => owner.key(self.bytes, bot),
        };
        let (kind, key) = match &owner {
            Owner::Session(..) | Owner::Record(_) => (MESSAGE, key.unwrap_or_default()),
            // Where it waits for the key of its body does not matter; that of the unsessioned spreads them.
            Owner::Body => (OF_BODY, 0),
            Owner::Nobody => (UNSESSIONED, spread(item.ordinal)),
        };
        let shown = self.lists.shown[at];
        let start = at.checked_sub(1).map_or(0, |before| self.lists.shown[before].drift_end);
        let mut flags = shown.flags | owner.flags() | developer(message);
        flags |= match message.form() {
            Form::AgentAi => Flags::AGENT_AI,
            Form::Call => Flags::CALL,
            _ => 0,
        };
        let surrogate = message.surrogate_id();
        flags |= if surrogate.is_none() { Flags::HAS_ID } else { 0 };
        let is_agent = message.author().and_then(Author::author_type).is_some_and(|kind| kind.is("AGENT"));
        flags |= if is_agent { Flags::AGENT } else { 0 };
        let is_agent_side = flags & Flags::OUT != 0 && flag(message.is_agent_side()) == Some(true);
        flags |= if is_agent_side { Flags::REQUEST } else { 0 };
        let Lists { bytes, drift, .. } = &mut *self.lists;
        drift.extend_from_slice(&bytes[shown.lists_end..shown.drift_end]);
        self.tags(message);
        self.latencies(message);
        self.drift(item, stamp);

        put_frame(out, key, item.ordinal, kind, |out| {
            let Lists { tags, drift, latencies, .. } = &mut *self.lists;
            let times = [(AT, item.times.event_at), (STAMP, stamp)];
            let later = LISTS[TAGS..].iter().zip([tags, drift, latencies]);
            let filled = later.filter(|(_, list)| !list.is_empty()).map(|(bit, _)| bit);
            let known = times.iter().filter(|(_, time)| time.is_some()).map(|(bit, _)| bit);
            out.push(shown.lists | filled.chain(known).sum::<u8>());
            for time in times.iter().filter_map(|(_, time)| *time) {
                put_fixed(out, time.cast_unsigned());
            }
            put_short(out, flags);
            put_fixed(out, shown.hash);
            self.names.put_profile(out, &profile);
            self.names.put_json(out, message.task_name());
            put_json(out, message.created_by());
            match surrogate {
                Some(hash) => {
                    let known = message.other(MADE_UP_ID).filter(|_| self.restored).and_then(Value::as_text);
                    let made_up = known.map_or_else(|| format!("{hash:032x}"), |id| id.lossy().into_owned());
                    put_text(out, Some(&made_up));
                }
                None => put_json(out, message.id()),
            }
            let tells_apart = surrogate.is_some() || self.copies;
            put_uint(out, if tells_apart { content_of(message, &profile, flags, self.bytes) } else { 0 });
            let Lists { bytes, said, tags, drift, latencies, .. } = &mut *self.lists;
            out.extend_from_slice(&bytes[start..shown.lists_end]);
            for list in [tags, drift, latencies] {
                if !list.is_empty() {
                    put_list(out, list);
                }
            }
            put_text(out, said.get(at).and_then(Option::as_deref));
            // What has none gets that of its body, in the place of what stands last.
            put_text(out, owner.id());
        });
    }

    /// Appends the frame of a message that the filters leave out, under the key of its session, or `id` where it has none.
    pub(crate) fn filtered(&mut self, out: &mut Vec<u8>, item: &Item<'_>, id: u128) {
        let owner = Owner::of(item.message, &mut self.lists.records);
        let bot = bot_of(item.message).map(Text::lossy);
        let key = owner.key(self.bytes, bot.as_deref()).unwrap_or(id);
        put_frame(out, key, item.ordinal, FILTERED, |_| {});
    }

    /// Looks into all texts of a message.
    fn texts_of(&mut self, ahead: &Ahead<'_>, at: usize, scratch: &Scratch) -> Shown {
        let OfMessage { direction, ends } = ahead.messages[at];
        let mut found = Shown { flags: direction, ..Shown::default() };
        self.lists.forms_seen.clear();
        self.lists.text.clear();
        if self.verbatim {
            self.lists.said.push(None);
        }
        let start = at.checked_sub(1).map_or(0, |before| ahead.messages[before].ends);
        for text in start..ends {
            if text % FETCHED == 0 {
                self.known.fetch(&ahead.hashes[text..ahead.hashes.len().min(text + FETCHED)]);
            }
            let (value, is_first) = ahead.texts[text];
            self.text_of(&mut found, value, is_first, ahead.hashes[text], scratch);
        }
        if self.lists.text.is_empty() {
            put_text(&mut self.lists.text, None);
        }
        found
    }

    fn text_of(
        &mut self,
        found: &mut Shown,
        value: Value<'_>,
        is_first: bool,
        known_by: KeyHash,
        scratch: &Scratch,
    ) {
        let ends = self.lists.of_texts().map(|list| list.len());
        let may_know = self.may_know(found.flags);
        let met = if may_know { self.known.meet(known_by) } else { Met::First };
        let (flags, hash) = if let Met::Known(showed) = met {
            for (list, added) in self.lists.of_texts().into_iter().zip(self.known.lists(showed)) {
                list.extend_from_slice(added);
            }
            (showed.flags, showed.hash)
        } else {
            let mut own = Shown { flags: found.flags & (Flags::IN | Flags::OUT), ..Shown::default() };
            self.look_into(&mut own, value, is_first, met == Met::Again, scratch);
            (own.flags, own.hash)
        };
        if met == Met::Again {
            let mut ends = ends.into_iter();
            let added = self.lists.of_texts().map(|list| &list[ends.next().unwrap_or_default()..]);
            self.known.remember(known_by, flags, hash, added);
        }
        found.flags |= flags;
        if is_first {
            found.hash = hash;
        }
        self.forget_known_form(ends[known::FORMS]);
    }

    /// Looks into a text that is not known, but may have been met before.
    fn look_into(
        &mut self,
        found: &mut Shown,
        value: Value<'_>,
        is_first: bool,
        is_met: bool,
        scratch: &Scratch,
    ) {
        let text = scratch.classify_value(value);
        let is_out = found.flags & Flags::OUT != 0;
        if is_first && let Some(visible) = text.visible().filter(|visible| !visible.is_empty()) {
            if let Some(said) = self.lists.said.last_mut() {
                *said = Some(visible.to_owned());
            }
            if is_out {
                let name_of = |text: &str| self.names.number(shown(text));
                // What is remembered with the text is short then, whether or not others took its place meanwhile.
                let (facts, name) = self.texts.facts_and_name(visible, self.phrases, is_met, name_of);
                found.hash = facts.hash;
                found.flags |= facts.flags & !Flags::PSEUDO;
                match name {
                    Some(number) => put_symbol(&mut self.lists.text, number),
                    None => put_text(&mut self.lists.text, Some(shown(visible))),
                }
            } else if found.flags & Flags::IN != 0 {
                let (facts, normal) = self.texts.typed(visible, self.phrases);
                found.hash = facts.hash;
                found.flags |= facts.flags;
                // What people type is theirs: it needs no name.
                put_text(&mut self.lists.text, Some(shown(normal)));
            }
        }
        if let Some(template) = text.template() {
            self.template(found, &text, template, is_out);
        }
    }

    fn template(
        &mut self,
        found: &mut Shown,
        text: &ClassifiedText<'_>,
        template: Template<'_>,
        is_out: bool,
    ) {
        let name = template.template_type();
        let norm = template.template_type_norm();
        let known = norm.and_then(TemplateType::find_norm);
        if text.kind() == TextKind::Template {
            found.flags |= Flags::TEMPLATE;
            if is_out {
                self.names.put(&mut self.lists.templates, name);
            }
        }
        // What says its type says it without an envelope too.
        if matches!(text.kind(), TextKind::Template | TextKind::Json)
            && let Some(norm) = norm.filter(|_| known.is_none())
        {
            self.note("template_type", "unknown_template", norm);
        }
        let asks = matches!(norm, Some("liveagent" | "system"));
        let transfers = template.voice_verbs().any(|verb| matches!(verb, "sip:refer" | "dial"));
        found.flags |= if asks || transfers { Flags::REQUEST } else { 0 };
        if let Some(form) = template.form() {
            self.names.put(&mut self.lists.forms, form.form_id);
            self.names.put(&mut self.lists.forms, form.name);
        }
        if is_out {
            let mut actions = Actions { writer: self, template_type: name, any: false };
            template.visit(&mut actions);
            if actions.any && known.is_none_or(|known| known.family != "feedback") {
                found.flags |= Flags::OFFERS;
            }
        }
    }

    /// Takes back the form that was appended last, from `at` on, if the message had it before.
    fn forget_known_form(&mut self, at: usize) {
        let Lists { forms, forms_seen, .. } = &mut *self.lists;
        if forms.len() == at {
            return;
        }
        let hash = hash(&forms[at..]);
        if forms_seen.contains(&hash) {
            forms.truncate(at);
        } else {
            forms_seen.push(hash);
        }
    }

    fn tags(&mut self, message: Message<'_>) {
        let Some(tags) = message.tags() else { return };
        for (scope, field) in SCOPES.into_iter().enumerate() {
            for tag in tags.scope(field) {
                self.lists.tags.push(scope as u8);
                self.names.put_json(&mut self.lists.tags, tag.name());
                match tag.value(TagField::Value) {
                    Some(value) => match value.as_text() {
                        Some(text) => self.names.put_json(&mut self.lists.tags, Some(text)),
                        None => self.names.put(&mut self.lists.tags, Some(value.raw())),
                    },
                    None => self.names.put(&mut self.lists.tags, None),
                }
            }
        }
    }

    fn latencies(&mut self, message: Message<'_>) {
        let Some(latency) = message.latency() else { return };
        let parts = PARTS.map(|part| {
            latency.part(part).and_then(|part: LatencyPart<'_>| part.value(LatencyPartField::DurationMs))
        });
        let values = [latency.total_ms(), parts[0], parts[1], parts[2]];
        for (index, value) in values.into_iter().enumerate() {
            let Some(ms) = value.and_then(whole_ms) else { continue };
            self.lists.latencies.push(index as u8);
            put_int(&mut self.lists.latencies, ms);
        }
    }

    fn drift(&mut self, item: &Item<'_>, stamp: Option<i64>) {
        drift::for_each(item.message, item.times.event_at, stamp, |field, kind, value| {
            if !(self.restored && field == MADE_UP_ID) {
                self.note(field, kind, value);
            }
        });
    }

    /// Notes something that is new.
    fn note(&mut self, field: &str, kind: &str, value: &str) {
        let mut name = std::mem::take(&mut self.lists.name);
        name.clear();
        for (part, end) in [(field, true), (kind, true), (value, false)] {
            // A key can be anything, but it must not look like the end of one.
            name.extend(part.chars().map(|c| if c == drift::SEPARATOR { ' ' } else { c }));
            if end {
                name.push(drift::SEPARATOR);
            }
        }
        self.names.put(&mut self.lists.drift, Some(&name));
        self.lists.name = name;
    }

    /// Appends the frame of a session record; none where it names no session, and the filters leave it out.
    pub(crate) fn record(&mut self, out: &mut Vec<u8>, item: &RecordItem<'_>) {
        let Record::Session(record) = item.record else { return };
        let bot = record.bot_id().map(Text::lossy);
        let (kind, key) = match record.session_id().filter(|id| !id.is_empty()) {
            Some(id) => {
                let kind = if item.matches { PLATFORM } else { PLATFORM_ASIDE };
                (kind, session_key(OF_SESSION, bot.as_deref(), &id.lossy()))
            }
            None if item.matches => (PLATFORM_ALONE, spread(item.ordinal)),
            None => return,
        };
        put_frame(out, key, item.ordinal, kind, |out| {
            self.names.put_json(out, record.session_type());
            self.names.put_json(out, record.containment_type());
            put_maybe(out, flag(record.is_developer()).map(i64::from));
        });
    }
}

/// Writes actions as they come by.
struct Actions<'w, 'a, 's> {
    writer: &'w mut EventWriter<'a>,
    template_type: Option<&'s str>,
    any: bool,
}

impl TemplateVisitor for Actions<'_, '_, '_> {
    fn action(&mut self, action: &Action<'_, '_>) {
        self.any = true;
        let EventWriter { names, texts, phrases, lists, .. } = &mut *self.writer;
        let out = &mut lists.actions;
        names.put(out, self.template_type);
        names.put(out, action.action_type);
        names.put(out, action.title.map(shown));
        names.put(out, action.payload.map(shown));
        for text in [action.payload, action.value, action.title] {
            put_fixed(out, text.map_or(0, |text| texts.facts(text, phrases).hash));
        }
    }
}

/// What tells messages apart that have the same id, or look alike without one: what is said of them first, which a dataset says
/// too, and then the rest.
fn content_of(
    message: Message<'_>,
    profile: &[Option<Text<'_>>; PROFILE],
    flags: u32,
    bytes: &mut Vec<u8>,
) -> u64 {
    let rest = message.content_hash(bytes) as u64;
    bytes.clear();
    put_short(bytes, flags);
    let names =
        [message.task_name(), message.created_by(), message.call_text_value().and_then(Value::as_text)];
    for text in profile.iter().copied().chain(names) {
        put_json(bytes, text);
    }
    for component in message.components() {
        put_json(bytes, component.data_text());
    }
    if let Some(tags) = message.tags() {
        for (scope, field) in SCOPES.into_iter().enumerate() {
            for tag in tags.scope(field) {
                bytes.push(scope as u8);
                put_json(bytes, tag.name());
                put_text(bytes, tag.value(TagField::Value).map(Value::raw));
            }
        }
    }
    // Half of the bits each.
    XxHash3_64::oneshot(bytes) >> 32 << 32 | rest >> 32
}

/// Whom a message belongs to.
enum Owner<'b> {
    /// A session, by id, and whether only the record around the message says so.
    Session(Cow<'b, str>, bool),
    /// The agent AI record around it.
    Record(Cow<'b, str>),
    /// Its body: a call.
    Body,
    Nobody,
}

impl<'b> Owner<'b> {
    fn of(message: Message<'b>, records: &mut RecordHashes) -> Self {
        let filled = |text: Option<Text<'b>>| text.filter(|text| !text.is_empty()).map(Text::lossy);
        if let Some(id) = filled(message.session_id()) {
            return Self::Session(id, false);
        }
        if let Some(record) = message.conversation() {
            if let Some(id) = filled(record.messaging_session_id()) {
                return Self::Session(id, true);
            }
            return Self::Record(records.id_of(record));
        }
        if message.form() == Form::Call { Self::Body } else { Self::Nobody }
    }

    /// The key of what is a session by itself.
    fn key(&self, bytes: &mut Vec<u8>, bot: Option<&str>) -> Option<u128> {
        match self {
            Self::Session(id, _) => Some(session_key_in(bytes, OF_SESSION, bot, id)),
            Self::Record(id) => Some(session_key_in(bytes, OF_RECORD, bot, id)),
            Self::Body | Self::Nobody => None,
        }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Self::Session(id, _) | Self::Record(id) => Some(id),
            Self::Body | Self::Nobody => None,
        }
    }

    fn flags(&self) -> u32 {
        if matches!(self, Self::Session(_, true)) { Flags::COPY } else { 0 }
    }
}

/// A key for what has no session.
fn spread(ordinal: u64) -> u128 {
    XxHash3_128::oneshot(&ordinal.to_le_bytes())
}

/// Appends a text as it is decoded.
fn put_json(out: &mut Vec<u8>, text: Option<Text<'_>>) {
    match text {
        Some(text) if text.is_escaped() => put_text(out, Some(&text.lossy())),
        plain => put_text(out, plain.map(Text::raw)),
    }
}

/// The bot of a message; where it names none, that of the record around it.
fn bot_of(message: Message<'_>) -> Option<Text<'_>> {
    message.bot_id().or_else(|| message.conversation().and_then(Conversation::bot_id))
}

fn direction(message: Message<'_>) -> u32 {
    match message.message_type().map(Text::lossy).as_deref() {
        Some("incoming") => Flags::IN,
        Some("outgoing") => Flags::OUT,
        _ => 0,
    }
}

fn developer(message: Message<'_>) -> u32 {
    let flags = [flag(message.is_developer()), flag(message.is_bot_builder())];
    let known = if flags.iter().any(Option::is_some) { Flags::DEV_KNOWN } else { 0 };
    known | if flags.contains(&Some(true)) { Flags::DEV } else { 0 }
}

/// A time that the platform measured; none where it makes no sense.
fn whole_ms(value: Value<'_>) -> Option<i64> {
    /// Past this, numbers with a fraction have none.
    const MOST: i64 = 9_000_000_000_000_000;
    let whole = value.as_i64();
    whole.filter(|ms| (0..MOST).contains(ms)).or_else(|| {
        let (ms, _) = value.as_f64().filter(|_| whole.is_none())?;
        (0.0..MOST as f64).contains(&ms).then(|| ms.round() as i64)
    })
}

/// A boolean, also one that is written as 0 or 1.
fn flag(value: Option<Value<'_>>) -> Option<bool> {
    match value?.raw() {
        "false" | "0" | "-0" => Some(false),
        "true" | "1" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Reader;
    use crate::symbols::Names;

    #[test]
    fn names_with_escapes_are_decoded_one_after_the_other() {
        let long = format!("\"{}\\u00f1\"", "x".repeat(3 * LONGEST));
        let jsons = [long.as_str(), "\"a\\u00f1o\"", "\"plain\"", "\"\\n\"", "\"\""];
        let (mut cache, mut decoded, mut out) = (SymbolCache::default(), String::new(), Vec::new());
        let mut names = NameWriter { symbols: None, cache: &mut cache, decoded: &mut decoded };
        for json in jsons {
            names.put_json(&mut out, Value::parse(json).and_then(Value::as_text));
            assert!(names.decoded.is_empty() && names.decoded.capacity() <= LONGEST);
        }
        names.put_json(&mut out, None);
        let none = Names::default();
        let mut from = Reader::new(&out, &none);
        for json in jsons {
            assert_eq!(from.text(), Some(serde_json::from_str::<String>(json).unwrap().as_str()));
        }
        assert!(from.text().is_none() && from.is_empty());
    }
}
