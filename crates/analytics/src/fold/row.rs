//! The rows of sessions, column by column.

use std::ops::Range;

use korpus_core::write_json_string;

use super::KEPT;
use super::session::{Session, WaitKind, median};
use crate::events::{Event, ShownTag};
use crate::rows::{Cell, Rows, hex};
use crate::symbols::Name;

/// The indices of the scopes in the table.
const USER_TAGS: u8 = 1;
const SESSION_TAGS: u8 = 2;

/// So many bytes of tags have room from one batch of sessions to the next.
const KEPT_TEXT: usize = 64 << 10;

/// Memory that rows are made in, some after the others.
#[derive(Debug, Default)]
pub(crate) struct Room {
    waits: Vec<i64>,
    derived: Vec<Derived>,
    /// Objects of tags, one behind the other.
    tags: String,
}

impl Room {
    /// Lets go of memory that is more than other rows will take.
    pub(crate) fn let_go(&mut self) {
        self.waits.clear();
        self.waits.shrink_to(KEPT);
        self.tags.clear();
        self.tags.shrink_to(KEPT_TEXT);
    }
}

/// What it takes a look at several events to find out for a row.
#[derive(Debug)]
struct Derived {
    key: [[u8; 16]; 2],
    first_response: Option<i64>,
    median_response: Option<i64>,
    max_response: Option<i64>,
    median_thought: Option<i64>,
    last_hash: Option<[u8; 16]>,
    /// Where they stand in the room.
    user_tags: Option<Range<usize>>,
    session_tags: Option<Range<usize>>,
}

impl Derived {
    fn of<'a>(
        session: &Session<'_, 'a>,
        waits: &mut Vec<i64>,
        tags: &mut Vec<ShownTag<'a>>,
        out: &mut String,
    ) -> Self {
        let responses = || session.waits_of(WaitKind::BotResponse);
        let last = session.last_said().filter(|event| event.hash != 0);
        last_tags(session.events, tags);
        Self {
            key: [hex((session.key >> 64) as u64), hex(session.key as u64)],
            first_response: responses().next(),
            median_response: median(responses(), waits),
            max_response: responses().max(),
            median_thought: median(session.waits_of(WaitKind::Think), waits),
            last_hash: last.map(|event| hex(event.hash)),
            user_tags: tags_json(tags, USER_TAGS, out),
            session_tags: tags_json(tags, SESSION_TAGS, out),
        }
    }
}

/// Adds the rows of sessions.
pub(crate) fn push(rows: &mut Rows, sessions: &[Session<'_, '_>], room: &mut Room) {
    let Room { waits, derived, tags } = room;
    tags.clear();
    derived.clear();
    let mut shown = Vec::new();
    derived.extend(sessions.iter().map(|session| Derived::of(session, waits, &mut shown, tags)));
    let each = || sessions.iter();
    let handoffs = || each().map(|session| session.event(session.handoff_event));
    let derived = || derived.iter();
    let mut rows = rows.begin_many(sessions.len());
    rows.put_each(derived().map(|derived| Cell::Text(derived.key.as_flattened())));
    rows.put_each(each().map(Session::bot));
    rows.put_each(each().map(Session::session_id));
    rows.put_each(each().map(|session| session.kind.as_str()));
    rows.put_each(each().map(|session| session.user));
    rows.put_each(each().map(|session| session.channel));
    rows.put_each(each().map(|session| session.channel_count));
    rows.put_each(each().map(|session| session.language));
    rows.put_each(each().map(|session| session.is_developer));
    rows.put_each(each().map(|session| session.started_at));
    rows.put_each(each().map(|session| session.ended_at));
    rows.put_each(each().map(Session::duration_ms));
    rows.put_each(each().map(|session| session.in_count));
    rows.put_each(each().map(|session| session.pseudo_in_count));
    rows.put_each(each().map(|session| session.out_count));
    rows.put_each(each().map(|session| session.closure_count));
    rows.put_each(each().map(|session| session.other_count));
    rows.put_each(each().map(|session| session.in_count));
    rows.put_each(each().map(Session::interactive));
    rows.put_each(derived().map(|derived| derived.first_response));
    rows.put_each(derived().map(|derived| derived.median_response));
    rows.put_each(derived().map(|derived| derived.max_response));
    rows.put_each(derived().map(|derived| derived.median_thought));
    rows.put_each(each().map(|session| session.max_gap_ms));
    rows.put_each(each().map(|session| session.task_first));
    rows.put_each(each().map(|session| session.task_last));
    rows.put_each(each().map(|session| session.task_count));
    rows.put_each(each().map(|session| session.template_count));
    rows.put_each(each().map(|session| session.form_count));
    rows.put_each(each().map(|session| session.handoff.as_str()));
    rows.put_each(handoffs().map(|event| event.and_then(|event| event.at)));
    rows.put_each(handoffs().map(|event| event.map(Event::id)));
    rows.put_each(each().map(|session| session.timeout_closed));
    rows.put_each(each().map(|session| session.closure_gap_ms));
    rows.put_each(each().map(|session| session.reprompt_count));
    rows.put_each(each().map(|session| session.fallback_count));
    rows.put_each(each().map(|session| session.outcome.as_str()));
    rows.put_each(each().map(|session| session.outcome.reason()));
    rows.put_each(each().map(|session| session.event(session.outcome_event).map(Event::id)));
    rows.put_each(each().map(|session| session.platform.and_then(|record| record.containment)));
    rows.put_each(each().map(|session| session.platform.and_then(|record| record.session_type)));
    rows.put_each(derived().map(|derived| derived.last_hash.as_ref().map(|hash| Cell::Text(hash))));
    rows.put_each(each().map(|session| session.last_said().and_then(Event::template_type)));
    rows.put_each(each().map(|session| session.created_at));
    rows.put_each(each().map(|session| session.left_cut));
    rows.put_each(each().map(|session| session.right_cut));
    rows.put_each(each().map(|session| session.open));
    rows.put_each(derived().map(|derived| derived.user_tags.clone().map(|place| &tags[place])));
    rows.put_each(derived().map(|derived| derived.session_tags.clone().map(|place| &tags[place])));
}

/// Puts into `found`, of each tag of a session, the scope, the name and the last value, in the order of scopes and of the bytes of
/// names.
fn last_tags<'a>(events: &[Event<'a>], found: &mut Vec<ShownTag<'a>>) {
    found.clear();
    let mut before: &[u8] = &[];
    for event in events.iter().filter(|event| event.has_tags()) {
        // The same tags again say nothing new.
        if std::mem::replace(&mut before, event.tag_bytes()) != event.tag_bytes() {
            let is_of_session = |tag: &ShownTag<'_>| [USER_TAGS, SESSION_TAGS].contains(&tag.scope);
            found.extend(event.tags().filter(|tag| is_of_session(tag) && tag.name.is_some()));
        }
    }
    // Of equal names the last comes first then.
    found.reverse();
    let place = |tag: &ShownTag<'a>| (tag.scope, tag.name.map(Name::text));
    found.sort_by_key(place);
    found.dedup_by_key(|tag| place(tag));
}

/// Appends the tags of a scope to `out` as an object, and says where it stands there.
fn tags_json(tags: &[ShownTag<'_>], scope: u8, out: &mut String) -> Option<Range<usize>> {
    let start = out.len();
    for tag in tags.iter().filter(|tag| tag.scope == scope) {
        out.push(if out.len() == start { '{' } else { ',' });
        write_json_string(tag.name.map_or("", Name::text), out);
        out.push(':');
        match tag.value {
            Some(value) => write_json_string(value.text(), out),
            None => out.push_str("null"),
        }
    }
    if out.len() == start {
        return None;
    }
    out.push('}');
    Some(start..out.len())
}
