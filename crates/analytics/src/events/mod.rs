//! The events: what the metrics need of a message, as few bytes as it takes. The first of the three steps makes them.

mod drift;
mod keyed;
mod known;
mod map;
mod message;

use std::cmp::Ordering;

use crate::codec::Reader;
use crate::exchange::Frame;
use crate::symbols::{Name, Names, OwnName, OwnProfile, PROFILE};

pub(crate) use drift::SEPARATOR;
pub(crate) use keyed::split_key;
pub(crate) use map::{EventJob, EventState};

/// What a frame of the first exchange is.
pub(crate) const MESSAGE: u8 = 0;
/// A message that belongs to no session.
pub(crate) const UNSESSIONED: u8 = 1;
/// A message whose session is its body, which gets its key when all bodies are read.
pub(crate) const OF_BODY: u8 = 2;
/// A session record of the platform.
pub(crate) const PLATFORM: u8 = 3;
/// One that the filters leave out: it tells what it knows of a session that counts, and counts nowhere itself.
pub(crate) const PLATFORM_ASIDE: u8 = 4;
/// A message that the filters leave out, and nothing but its key: it wins over its copies, and counts nowhere. Only where
/// keys are asked for.
pub(crate) const FILTERED: u8 = 5;

/// A session record of the platform that names no session: it counts by itself.
pub(crate) const PLATFORM_ALONE: u8 = 6;

/// Whether a frame is a session record of the platform, and no message.
pub(crate) fn is_record(kind: u8) -> bool {
    matches!(kind, PLATFORM | PLATFORM_ASIDE | PLATFORM_ALONE)
}

/// Whether a frame belongs to no session.
pub(crate) fn is_alone(kind: u8) -> bool {
    matches!(kind, UNSESSIONED | PLATFORM_ALONE)
}

/// What is true or not of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(pub u32);

impl Flags {
    pub(crate) const IN: u32 = 1;
    pub(crate) const OUT: u32 = 1 << 1;
    /// An in message that no person typed.
    pub(crate) const PSEUDO: u32 = 1 << 2;
    /// These are of out messages.
    pub(crate) const CLOSURE: u32 = 1 << 3;
    pub(crate) const FALLBACK: u32 = 1 << 4;
    pub(crate) const WRAP_UP: u32 = 1 << 5;
    pub(crate) const QUESTION: u32 = 1 << 6;
    /// It offers an action of a template that asks for no feedback.
    pub(crate) const OFFERS: u32 = 1 << 7;
    /// A component is a template.
    pub(crate) const TEMPLATE: u32 = 1 << 8;
    /// An agent wrote it.
    pub(crate) const AGENT: u32 = 1 << 9;
    /// It is evidence that an agent was asked for.
    pub(crate) const REQUEST: u32 = 1 << 10;
    /// It says whether it is a developer's.
    pub(crate) const DEV_KNOWN: u32 = 1 << 11;
    pub(crate) const DEV: u32 = 1 << 12;
    pub(crate) const AGENT_AI: u32 = 1 << 13;
    /// It has no session id of its own: its record gives it one.
    pub(crate) const COPY: u32 = 1 << 14;
    pub(crate) const CALL: u32 = 1 << 15;
    /// Its id is its own.
    pub(crate) const HAS_ID: u32 = 1 << 16;

    pub(crate) fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }

    /// Whether it is a real out message: no closure.
    pub(crate) fn is_said(self) -> bool {
        self.0 & (Self::OUT | Self::CLOSURE) == Self::OUT
    }

    /// Whether a person typed or chose it.
    pub(crate) fn is_typed(self) -> bool {
        self.0 & (Self::IN | Self::PSEUDO) == Self::IN
    }
}

/// What the first byte of an event tells: which of its times are there, and which of its lists hold something.
const AT: u8 = 1;
const STAMP: u8 = 1 << 1;
/// Of each list, by its place.
const LISTS: [u8; 6] = [1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7];
const TEMPLATES: usize = 0;
const ACTIONS: usize = 1;
const FORMS: usize = 2;
const TAGS: usize = 3;
const DRIFT: usize = 4;
const LATENCIES: usize = 5;

/// The first byte, and the times behind it.
fn read_times(from: &mut Reader<'_>) -> (u8, Option<i64>, Option<i64>) {
    let parts = from.byte();
    let mut time = |bit: u8| (parts & bit != 0).then(|| from.fixed().cast_signed());
    let at = time(AT);
    (parts, at, time(STAMP))
}

/// Bot, channel, language, type and status.
#[derive(Debug)]
enum Profile<'a> {
    /// Kept where all of the same number are found.
    Known(&'a OwnProfile),
    /// Those that have no number.
    Written(Box<[Option<Name<'a>>; PROFILE]>),
}

impl<'a> Profile<'a> {
    fn read(from: &mut Reader<'a>) -> Self {
        match from.uint() {
            0 => Self::Written(Box::new(std::array::from_fn(|_| from.name()))),
            number => Self::Known(from.names().profile((number - 1) as u32)),
        }
    }

    fn name(&self, at: usize) -> Option<Name<'a>> {
        match self {
            Self::Known(names) => names[at].as_ref().map(OwnName::name),
            Self::Written(names) => names[at],
        }
    }
}

impl PartialEq for Profile<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(one), Self::Known(other)) => std::ptr::eq(*one, *other),
            _ => (0..PROFILE).all(|at| self.name(at) == other.name(at)),
        }
    }
}

/// An event as it is read: what all of its session is walked by, and where the rest stands in the bytes of its partition. Sessions
/// are folded side by side, so events are small enough for those of all of them to stay in the cache of a core.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub seq: u64,
    pub flags: Flags,
    profile: Profile<'a>,
    /// Microseconds since 1970.
    pub at: Option<i64>,
    /// `timestampValue`.
    pub stamp: Option<i64>,
    pub task: Option<Name<'a>>,
    /// Hash of the normalised text, all of it; 0 where there is none.
    pub hash: u64,
    /// Its bytes, and where in them the end user, the id, the text and the lists stand.
    payload: Reader<'a>,
    user: u32,
    id: u32,
    text: u32,
    lists: u32,
    /// What its first byte tells.
    parts: u8,
}

/// The kinds of latency that the platform measures.
pub(crate) const PLATFORM_LATENCIES: [&str; 4] =
    ["platform_total", "platform_asr", "platform_bot", "platform_tts"];

/// The scopes of tags.
pub(crate) const TAG_SCOPES: [&str; 4] = ["message", "user", "session", "alt_text"];

/// An action that was shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownAction<'a> {
    pub template_type: Option<Name<'a>>,
    pub action_type: Option<Name<'a>>,
    pub title: Option<Name<'a>>,
    pub payload: Option<Name<'a>>,
    /// Hashes of the normalised payload, value and title; 0 where there is none.
    pub hashes: [u64; 3],
}

impl ShownAction<'_> {
    /// Whether pressing it sends a message.
    pub(crate) fn is_measurable(&self) -> bool {
        !self.action_type.is_some_and(|name| is_link(name.text().as_bytes()))
    }
}

/// Whether actions of this type lead to a page, and send nothing.
pub(crate) fn is_link(action_type: &[u8]) -> bool {
    [&b"url"[..], b"web_url"].iter().any(|link| action_type.eq_ignore_ascii_case(link))
}

/// A tag of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownTag<'a> {
    /// Index in [`TAG_SCOPES`].
    pub scope: u8,
    pub name: Option<Name<'a>>,
    pub value: Option<Name<'a>>,
}

impl<'a> Event<'a> {
    /// Reads a frame.
    #[inline]
    pub(crate) fn read(frame: Frame<'a>, names: &'a Names) -> Self {
        let mut from = Reader::new(frame.payload, names);
        let (parts, at, stamp) = read_times(&mut from);
        let flags = Flags(from.short());
        let hash = from.fixed();
        let profile = Profile::read(&mut from);
        let task = from.name();
        let mut place = |passed: fn(&mut Reader<'a>)| {
            // Frames have their length in 32 bits.
            let place = (frame.payload.len() - from.rest().len()) as u32;
            passed(&mut from);
            place
        };
        let user = place(Reader::skip_text);
        let id = place(|from| {
            from.skip_text();
            from.uint();
        });
        let text = place(Reader::skip_text);
        let lists = place(|_| {});
        let payload = Reader::new(frame.payload, names);
        Self { seq: frame.seq, flags, profile, at, stamp, task, hash, payload, user, id, text, lists, parts }
    }

    /// Only its time, which comes first.
    pub(crate) fn time_of(frame: Frame<'_>) -> Option<i64> {
        let (&parts, rest) = frame.payload.split_first()?;
        let at = rest.first_chunk().filter(|_| parts & AT != 0)?;
        Some(i64::from_le_bytes(*at))
    }

    /// All that was said, where somebody asked for it.
    pub(crate) fn said(&self) -> Option<&'a str> {
        self.after(LISTS.len()).text()
    }

    pub(crate) fn session_id(&self) -> &'a str {
        let mut from = self.after(LISTS.len());
        from.skip_text();
        from.text().unwrap_or_default()
    }

    /// The end user, as bytes that are a text.
    pub(crate) fn user(&self) -> Option<&'a [u8]> {
        self.from(self.user).text_bytes()
    }

    /// The end user.
    pub(crate) fn user_name(&self) -> Option<&'a str> {
        self.from(self.user).text()
    }

    /// What stands from a place on.
    fn from(&self, place: u32) -> Reader<'a> {
        self.payload.from(place as usize)
    }

    /// What stands behind the first lists, so many of [`LISTS`].
    fn after(&self, lists: usize) -> Reader<'a> {
        let mut from = self.from(self.lists);
        for _ in (0..lists).filter(|&list| self.has(list)) {
            from.list();
        }
        from
    }

    /// A list, by its place in [`LISTS`].
    fn list(&self, list: usize) -> Reader<'a> {
        if self.has(list) { self.after(list).list() } else { self.payload.nothing() }
    }

    /// Whether such a list holds something.
    fn has(&self, list: usize) -> bool {
        self.parts & LISTS[list] != 0
    }

    pub(crate) fn bot(&self) -> Option<Name<'a>> {
        self.profile.name(0)
    }

    pub(crate) fn channel(&self) -> Option<Name<'a>> {
        self.profile.name(1)
    }

    pub(crate) fn language(&self) -> Option<Name<'a>> {
        self.profile.name(2)
    }

    pub(crate) fn message_type(&self) -> Option<Name<'a>> {
        self.profile.name(3)
    }

    pub(crate) fn status(&self) -> Option<Name<'a>> {
        self.profile.name(4)
    }

    /// Whether bot, channel, language, type and status are those of another one.
    pub(crate) fn has_profile_of(&self, other: &Self) -> bool {
        self.profile == other.profile
    }

    pub(crate) fn id(&self) -> &'a str {
        self.from(self.id).text().unwrap_or_default()
    }

    /// Of in messages the normalised text, of out messages what was shown; its beginning, where it is long.
    pub(crate) fn text(&self) -> Option<Name<'a>> {
        self.from(self.text).name()
    }

    /// Only what coverage needs: bot and time.
    pub(crate) fn read_coverage(mut from: Reader<'a>) -> (Option<&'a str>, Option<i64>) {
        let (_, at, _) = read_times(&mut from);
        from.take(size_of::<u32>() + size_of::<u64>());
        (Profile::read(&mut from).name(0).map(Name::text), at)
    }

    /// Where it stands in its session beside another one: nothing of it depends on the order of the inputs.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let late = |time: Option<i64>| (time.is_none(), time);
        let direction = |flags: Flags| match flags.0 & (Flags::IN | Flags::OUT) {
            Flags::IN => 0,
            Flags::OUT => 1,
            _ => 2,
        };
        let moment = |event: &Self| (late(event.at), late(event.stamp), direction(event.flags));
        moment(self).cmp(&moment(other)).then_with(|| self.id_and_content().cmp(&other.id_and_content()))
    }

    /// The id, and what tells messages with the same id apart, where there may be several.
    fn id_and_content(&self) -> (Option<&'a [u8]>, u64) {
        let mut from = self.from(self.id);
        (from.text_bytes(), from.uint())
    }

    /// Whether it surely stands before another one: the first thing that counts says so.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        match (self.at, other.at) {
            (Some(one), Some(other)) => one < other,
            (at, None) => at.is_some(),
            (None, Some(_)) => false,
        }
    }

    pub(crate) fn actions(&self) -> impl Iterator<Item = ShownAction<'a>> + use<'a> {
        let mut from = self.list(ACTIONS);
        std::iter::from_fn(move || {
            (!from.is_empty()).then(|| ShownAction {
                template_type: from.name(),
                action_type: from.name(),
                title: from.name(),
                payload: from.name(),
                hashes: [from.fixed(), from.fixed(), from.fixed()],
            })
        })
    }

    pub(crate) fn tags(&self) -> impl Iterator<Item = ShownTag<'a>> + use<'a> {
        let mut from = self.list(TAGS);
        std::iter::from_fn(move || {
            (!from.is_empty()).then(|| ShownTag { scope: from.byte(), name: from.name(), value: from.name() })
        })
    }

    pub(crate) fn has_tags(&self) -> bool {
        self.has(TAGS)
    }

    /// Its tags as they are written: equal bytes are equal tags.
    pub(crate) fn tag_bytes(&self) -> &'a [u8] {
        self.list(TAGS).rest()
    }

    pub(crate) fn has_actions(&self) -> bool {
        self.has(ACTIONS)
    }

    /// The type of its first template.
    pub(crate) fn template_type(&self) -> Option<Name<'a>> {
        self.templates().name()
    }

    /// The types of its templates.
    pub(crate) fn templates(&self) -> Reader<'a> {
        self.list(TEMPLATES)
    }

    /// Ids and names of its forms.
    pub(crate) fn forms(&self) -> Reader<'a> {
        self.list(FORMS)
    }

    pub(crate) fn has_forms(&self) -> bool {
        self.has(FORMS)
    }

    /// What is new in it, each a name of three parts.
    pub(crate) fn drift(&self) -> Reader<'a> {
        self.list(DRIFT)
    }

    /// What the platform measured: the index in [`PLATFORM_LATENCIES`] and milliseconds.
    pub(crate) fn latencies(&self) -> Reader<'a> {
        self.list(LATENCIES)
    }
}

/// What the platform says of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlatformRecord<'a> {
    pub session_type: Option<&'a str>,
    pub containment: Option<&'a str>,
    pub is_developer: Option<bool>,
}

impl<'a> PlatformRecord<'a> {
    pub(crate) fn read(mut from: Reader<'a>) -> Self {
        Self {
            session_type: from.text(),
            containment: from.text(),
            is_developer: from.maybe().map(|flag| flag != 0),
        }
    }
}
